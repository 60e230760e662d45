// The node host: node:http and ws, stand-alone or attached to an http.Server of the app's. The only file here that
// names ws.
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { CloseCode, type Frame, LocalUsageError } from '@halyard/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { addressOfText } from './address';
import {
  type Host,
  type HostFactory,
  type HostHandlers,
  type HostLimits,
  type HostSocket,
  type HostSocketListener,
  type HttpAnswer,
  type HttpReply,
  Peer,
  type RequestFacts,
} from './host';
import { bodyTooBig, pathUnknown } from './json-error';
import { statusText } from './status';

/** The host on Node's own HTTP server. */
export function node(): HostFactory {
  return async (path, handlers, limits) => new NodeHost(createServer(), false, path, handlers, limits);
}

/** As `node`, on a server that the app owns: requests to other paths stay the app's. */
export function attachedNode(server: HttpServer | HttpsServer): HostFactory {
  return async (path, handlers, limits) => new NodeHost(server, true, path, handlers, limits);
}

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

class NodeHost implements Host {
  readonly name = 'node';
  readonly gathersInMessage = false;
  readonly #server: HttpServer | HttpsServer;
  readonly #attached: boolean;
  readonly #path: string;
  readonly #handlers: HostHandlers;
  readonly #limits: HostLimits;
  readonly #webSockets: WebSocketServer;
  readonly #sockets = new Set<Duplex>();
  /** What the app listened with before we attached: called for every path that is not ours. */
  readonly #others: RequestListener[];
  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => this.#request(request, response);
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#upgrade(request, socket, head);

  constructor(
    server: HttpServer | HttpsServer,
    attached: boolean,
    path: string,
    handlers: HostHandlers,
    limits: HostLimits,
  ) {
    this.#server = server;
    this.#attached = attached;
    this.#path = path;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // Our own limit answers with a clean 1009 first.
      maxPayload: limits.frameBytesMax * 2 + 65_536,
    });
    this.#others = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on('request', this.#onRequest);
    server.on('upgrade', this.#onUpgrade);
    if (!attached) {
      server.on('connection', (socket: Duplex) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
    }
  }

  listen(port: number, address: string | undefined): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(
          new LocalUsageError(
            'ERR_LISTEN',
            `Port ${port}${address ? ` of ${address}` : ''} cannot be listened on: ${error.code ?? error.message}.`,
          ),
        );
      server.once('error', failed);
      server.listen(port, address, () => {
        server.off('error', failed);
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  stopListening(): void {
    if (this.#attached) {
      this.#server.off('request', this.#onRequest);
      this.#server.off('upgrade', this.#onUpgrade);
      for (const listener of this.#others) this.#server.on('request', listener);
    } else this.#server.close();
  }

  async close(): Promise<void> {
    if (this.#attached) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const facts = factsOf(request);
    if (facts.path !== this.#path) {
      // Another listener may want it; without one nobody would ever answer.
      if (this.#server.listenerCount('upgrade') === 1) refuse(socket, pathUnknown);
      return;
    }
    const verdict = this.#handlers.upgrade(facts);
    if ('refuse' in verdict) {
      refuse(socket, verdict.refuse);
      return;
    }
    // ws answers with the first subprotocol of this header: leave the one that was chosen.
    if (verdict.subprotocol === '') delete request.headers['sec-websocket-protocol'];
    else request.headers['sec-websocket-protocol'] = verdict.subprotocol;
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      new NodeSocket(ws, socket, verdict.open);
    });
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const facts = factsOf(request);
    if (this.#attached && facts.path !== this.#path) {
      for (const listener of this.#others) listener.call(this.#server, request, response);
      return;
    }
    const reply = new NodeReply(response);
    const { httpBodyBytesMax } = this.#limits;
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > httpBodyBytesMax) {
        chunks.length = 0;
        reply.send(bodyTooBig(httpBodyBytesMax), true);
      } else chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes <= httpBodyBytesMax) this.#handlers.request(facts, Buffer.concat(chunks), reply);
    });
    request.on('error', () => {});
  }
}

const textMessage = { binary: false };
const binaryMessage = { binary: true };

class NodeSocket implements HostSocket {
  readonly #ws: WebSocket;
  readonly #stream: Duplex;
  readonly #listener: HostSocketListener;
  #open = true;
  #draining = false;

  constructor(ws: WebSocket, stream: Duplex, open: (socket: HostSocket) => HostSocketListener) {
    this.#ws = ws;
    this.#stream = stream;
    let failure: number | undefined;
    ws.on('error', (error: Error & { code?: string }) => {
      failure = closeCodes[error.code ?? ''];
    });
    ws.on('message', (data: Buffer, binary: boolean) => this.#listener.onMessage(data, binary));
    ws.on('close', (code: number, reason: Buffer) => {
      if (!this.#open) return;
      this.#open = false;
      this.#listener.onClose(failure ?? code, reason.toString('utf8'));
    });
    this.#listener = open(this);
  }

  send(frame: Frame, binary: boolean): void {
    if (!this.#open) return;
    this.#ws.send(frame, binary ? binaryMessage : textMessage);
    if (this.#draining || !this.#stream.writableNeedDrain) return;
    this.#draining = true;
    this.#stream.once('drain', () => {
      this.#draining = false;
      if (this.#open) this.#listener.onDrain();
    });
  }

  cork(write: () => void): void {
    this.#stream.cork();
    write();
    this.#stream.uncork();
  }

  getBufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  subscribe(): void {}

  unsubscribe(): void {}

  publish(): void {}

  end(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ws.close(code, reason);
  }

  close(): void {
    this.#open = false;
    this.#ws.terminate();
  }
}

/** What ws found wrong with a frame. */
const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: CloseCode.InvalidPayload,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CloseCode.TooBig,
};

class NodeReply implements HttpReply {
  onAbort: (() => void) | undefined;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('close', () => {
      if (!response.writableEnded) this.onAbort?.();
    });
  }

  send({ status, headers, body }: HttpAnswer, thenClose = false): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    if (thenClose) response.setHeader('connection', 'close');
    // 204 and 304 have no body and no length (RFC 9110 §8.6).
    if (body === undefined && (status === 204 || status === 304)) response.writeHead(status, headers).end();
    else response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body ?? '') }).end(body);
  }
}

function refuse(socket: Duplex, { status, headers = {}, body = '' }: HttpAnswer): void {
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) });
  socket.on('error', () => {});
  // Nobody reads this socket any more, so nobody would notice that the peer closes its half.
  socket.once('finish', () => socket.destroy());
  socket.write(
    `HTTP/1.1 ${statusText(status)}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  socket.end(body);
}

function factsOf(request: IncomingMessage): RequestFacts {
  const { rawHeaders } = request;
  const lines: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    lines.push(`${rawHeaders[i]?.toLowerCase()}: ${rawHeaders[i + 1]}`);
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: query < 0 ? url : url.slice(0, query),
    query: query < 0 ? '' : url.slice(query),
    peer: new Peer(addressOfText(request.socket.remoteAddress ?? ''), 'encrypted' in request.socket, lines),
  };
}
