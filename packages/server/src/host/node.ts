// The node host: node:http and ws, stand-alone or attached to an http.Server of the app's.

import cluster from 'node:cluster';
import type { EventEmitter } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer as createPlainServer, type Server as PlainServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { LocalUsageError } from '@halyard/protocol';
import { WebSocketServer } from 'ws';
import type { Platform } from '../base/platform';
import { type AppServer, attachTo, type Mount } from './attached';
import { Bodies } from './bodies';
import { refuseFraming, refuseHandshakeFraming } from './framing';
import type { Host, HostFactory, HostHandlers, HostLimits, HttpAnswer, UpgradeVerdict } from './host';
import { endIdle, endUnread } from './http2-idle';
import { handshakeOf, isWebSocket } from './http2-websocket';
import { pathUnknown } from './json-error';
import {
  factsOf,
  hearErrors,
  idleMsMax,
  isGone,
  NodeReply,
  type NodeRequest,
  type NodeResponse,
  pathOf,
  readBody,
  refuse as refuseUpgrade,
  unreadMsMax,
} from './node-http';
import { NodeSocket, ToldWebSocket } from './node-socket';
import { sharedPort } from './shared-port';
import { readTls, type TlsOptions } from './tls';
import { TurnCount } from './turn-count';

/** The host on Node's own HTTP server. */
export function node(): HostFactory {
  return async (path, handlers, limits, platform, tls) =>
    new NodeHost(path, new NodeMount(handlers, limits, platform), platform, tls);
}

/** As `node`, on a server that the app owns: requests to other paths stay the app's. */
export function attachedNode(server: AppServer): HostFactory {
  return async (path, handlers, limits, platform) =>
    new AttachedNodeHost(attachTo(server, path, new NodeMount(handlers, limits, platform)));
}

/** How long a connection of HTTP/1.1 waits for the next request: Node's own default without TLS. */
const keepAliveTimeout = 5_000;

class NodeHost implements Host {
  readonly name = 'node';
  readonly gathersInMessage = false;
  readonly #server: HttpServer | Http2SecureServer;
  readonly #sockets = new Set<Duplex>();
  readonly reloadTls: (() => void) | undefined;

  constructor(path: string, mount: Mount, platform: Platform, tls: TlsOptions | undefined) {
    const patience = {
      headersTimeout: idleMsMax,
      // Of a body it is watched how it comes.
      requestTimeout: 0,
      connectionsCheckingInterval: 2_000,
    };
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      hearErrors(socket);
      if (pathOf(request) === path) mount.upgrade(request, socket, head);
      else refuseUpgrade(socket, pathUnknown, request.method);
    };
    if (tls === undefined) this.#server = createServer(patience);
    else {
      // One has two at a time, and whoever goes through a proxy shares its connections.
      const settings = { enableConnectProtocol: true, maxConcurrentStreams: 1_000 };
      const server = createSecureServer({ ...readTls(tls), settings, allowHTTP1: true, handshakeTimeout: idleMsMax });
      // It has other times for HTTP/1.1, whatever it is given, and keeps a connection without a request for ever.
      Object.assign(server, patience, { keepAliveTimeout });
      server.on('session', (session) => {
        endIdle(session, idleMsMax, platform);
        endUnread(session, unreadMsMax, platform);
      });
      server.on('connect', (request, response) => {
        if (isWebSocket(request)) upgrade(...handshakeOf(request, response), Buffer.alloc(0));
        else new NodeReply(response).send(pathUnknown);
      });
      this.#server = server;
      this.reloadTls = () => server.setSecureContext(readTls(tls));
    }
    const server: EventEmitter = this.#server;
    server.on('request', (request: NodeRequest, response: NodeResponse) => {
      // Once nobody new is taken, what comes next is to come over another connection, which a balancer leads elsewhere.
      if (!this.#server.listening && !('stream' in response)) response.shouldKeepAlive = false;
      mount.request(request, response);
    });
    server.on('upgrade', upgrade);
    server.on('connection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(port: number, address: string | undefined, reusePort: boolean): Promise<number> {
    return listenAt(this.#server, port, address, reusePort);
  }

  async tryPort(port: number, address: string | undefined): Promise<void> {
    // It would be given connections that other workers have, at a port that all share.
    if (cluster.isWorker) return;
    const server = createPlainServer((socket) => socket.destroy());
    await listenAt(server, port, address, false);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  stopListening(): void {
    this.#server.close();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** @returns the port. @throws LocalUsageError `ERR_LISTEN` */
async function listenAt(
  server: PlainServer,
  port: number,
  address: string | undefined,
  reusePort: boolean,
): Promise<number> {
  const where = { port, host: address, ...(reusePort && sharedPort()) };
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(
        new LocalUsageError(
          'ERR_LISTEN',
          `Port ${port}${address ? ` of ${address}` : ''} cannot be listened on: ${error.code ?? error.message}.`,
        ),
      );
    server.once('error', failed);
    server.listen(where, () => {
      server.off('error', failed);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

class AttachedNodeHost implements Host {
  readonly name = 'node';
  readonly gathersInMessage = false;
  readonly stopListening: () => void;

  constructor(leave: () => void) {
    this.stopListening = leave;
  }

  async listen(): Promise<number> {
    throw new LocalUsageError('ERR_LISTENING', 'The http.Server that this is attached to is the one to listen with.');
  }

  /** The port and the connections are the app's. */
  async close(): Promise<void> {}
}

/** What a server answers, whoever listens for it. */
class NodeMount implements Mount {
  readonly #handlers: HostHandlers;
  readonly #limits: HostLimits;
  readonly #platform: Platform;
  readonly #webSockets: WebSocketServer;
  readonly #requests: TurnCount;
  readonly #bodies: Bodies;

  constructor(handlers: HostHandlers, limits: HostLimits, platform: Platform) {
    this.#bodies = new Bodies(limits.httpBodiesBytesMax);
    this.#handlers = handlers;
    this.#limits = limits;
    this.#platform = platform;
    this.#requests = new TurnCount(platform);
    // Its published types do not know all of them.
    const options = {
      noServer: true,
      WebSocket: ToldWebSocket,
      clientTracking: false,
      // Who does not answer a close frame.
      closeTimeout: idleMsMax,
      perMessageDeflate: limits.compression && {
        // What is compressed is said with each message.
        threshold: 0,
        serverNoContextTakeover: !limits.compression.contextTakeover,
        clientNoContextTakeover: !limits.compression.contextTakeover,
      },
      // Our own limit answers with a clean 1009 first.
      maxPayload: limits.frameBytesMax * 2 + 65_536,
    };
    this.#webSockets = new WebSocketServer(options);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const facts = factsOf(request);
    const refusal = refuseHandshakeFraming(facts.peer.headers);
    const verdict = refusal === undefined ? this.#handlers.upgrade(facts) : { refuse: refusal };
    if (verdict instanceof Promise) void verdict.then((decided) => this.#decide(request, socket, head, decided));
    else this.#decide(request, socket, head, verdict);
  }

  #decide(request: IncomingMessage, socket: Duplex, head: Buffer, verdict: UpgradeVerdict): void {
    if ('refuse' in verdict) {
      refuseUpgrade(socket, verdict.refuse, request.method);
      return;
    }
    // ws answers with the first subprotocol of this header: leave the one that was chosen.
    if (verdict.subprotocol === '') delete request.headers['sec-websocket-protocol'];
    else request.headers['sec-websocket-protocol'] = verdict.subprotocol;
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      new NodeSocket(ws as ToldWebSocket, socket, verdict.open);
    });
  }

  request(request: NodeRequest, response: NodeResponse): void {
    if (isGone(request)) return;
    const { socket, httpVersionMajor } = request;
    // A connection of HTTP/2 carries many at once.
    if (httpVersionMajor < 2 && this.#requests.isFull(socket)) {
      socket.destroy();
      return;
    }
    const facts = factsOf(request);
    const reply = new NodeReply(response);
    const refusal = refuseFraming(facts.peer.headers);
    const refuse = (answer: HttpAnswer): void => reply.send(this.#handlers.refusal(facts, answer), true);
    if (refusal !== undefined) refuse(refusal);
    else {
      readBody(request, refuse, this.#limits, this.#platform, this.#bodies, (body) =>
        this.#handlers.request(facts, body, reply),
      );
    }
  }
}
