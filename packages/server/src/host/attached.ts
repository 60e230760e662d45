// What Halyard servers share on one http.Server of an app's. What goes to their paths is theirs alone, whoever else listens
// and since when; everything else takes its way as if they were not there. When the last one leaves, so does all of it.
import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { LocalUsageError } from '@halyard/protocol';
import { pathUnknown } from './json-error';
import { hearErrors, NodeReply, type NodeRequest, type NodeResponse, pathOf, refuse } from './node-http';

/** What an app may have. One of HTTP/2 needs `allowHTTP1: true`, because WebSockets come over HTTP/1.1. */
export type AppServer = HttpServer | HttpsServer | Http2SecureServer;

/** What answers at a path. */
export interface Mount {
  request(request: NodeRequest, response: NodeResponse): void;
  /** Errors of the socket are heard already. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const attached = new WeakMap<AppServer, Attached>();

/**
 * Gives a path of a server to `mount`, before and whatever the app listens with.
 * @returns what takes it back
 * @throws LocalUsageError `ERR_ATTACHED` if the path is taken
 */
export function attachTo(server: AppServer, path: string, mount: Mount): () => void {
  let shared = attached.get(server);
  if (shared === undefined) {
    shared = new Attached(server);
    attached.set(server, shared);
  }
  return shared.add(path, mount);
}

class Attached {
  readonly #server: AppServer & EventEmitter;
  readonly #mounts = new Map<string, Mount>();
  readonly #emit: EventEmitter['emit'];
  /** As it was: the class's, unless somebody else has one of his own there. */
  readonly #emitBefore: PropertyDescriptor | undefined;
  #warned = false;

  constructor(server: AppServer) {
    this.#server = server;
    this.#emitBefore = Object.getOwnPropertyDescriptor(server, 'emit');
    const { emit } = server as EventEmitter;
    // A listener cannot keep an event from the others, of which ws answers 400 to what is not its own: two answers on one
    // socket. So the events of our paths are taken before they are told to anyone.
    this.#emit = (event, ...args) => this.#take(event, args) || emit.call(server, event, ...args);
    Object.defineProperty(server, 'emit', { configurable: true, writable: true, value: this.#emit });
    // Without a listener Node, and HTTP/2 likewise, does not tell of requests at all.
    this.#server.on('request', this.#onRequest);
    this.#server.on('upgrade', this.#onUpgrade);
  }

  add(path: string, mount: Mount): () => void {
    if (this.#mounts.has(path)) {
      throw new LocalUsageError(
        'ERR_ATTACHED',
        `Another Halyard server is attached to this http.Server at ${path}: give one of them another path (server option: ` +
          'path), or close the other first.',
        { option: 'path', path },
      );
    }
    this.#mounts.set(path, mount);
    return () => {
      if (this.#mounts.get(path) !== mount) return;
      this.#mounts.delete(path);
      if (this.#mounts.size === 0) this.#leave();
    };
  }

  #leave(): void {
    const server = this.#server;
    attached.delete(server);
    server.off('request', this.#onRequest);
    server.off('upgrade', this.#onUpgrade);
    // Ours stays where somebody has put another over it, and hands everything on.
    if (server.emit !== this.#emit) return;
    if (this.#emitBefore === undefined) Reflect.deleteProperty(server, 'emit');
    else Object.defineProperty(server, 'emit', this.#emitBefore);
  }

  /** @returns whether the event was ours */
  #take(event: string | symbol, args: unknown[]): boolean {
    if (this.#mounts.size === 0) return false;
    if (event === 'request') return this.#request(...(args as [NodeRequest, NodeResponse]));
    return event === 'upgrade' && this.#upgrade(...(args as [IncomingMessage, Duplex, Buffer]));
  }

  #request(request: NodeRequest, response: NodeResponse): boolean {
    const path = pathOf(request);
    const mount = this.#mounts.get(path);
    if (mount === undefined) return false;
    if (response.headersSent) this.#warn(path);
    else mount.request(request, response);
    return true;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    hearErrors(socket);
    const path = pathOf(request);
    const mount = this.#mounts.get(path);
    if (mount === undefined) return false;
    // Node hands the socket out unread: who reads it has taken it.
    if (socket.destroyed || socket.writableEnded || socket.readableFlowing !== null) this.#warn(path);
    else mount.upgrade(request, socket, head);
    return true;
  }

  /** Hears what is not ours: if nobody else does, nobody would answer. */
  readonly #onRequest = (request: NodeRequest, response: NodeResponse): void => {
    if (this.#request(request, response) || !this.#alone('request', this.#onRequest)) return;
    // Of HTTP/2 an app may listen to streams; one listener, of Node's own, makes requests of them.
    if (this.#server.listenerCount('stream') < 2) new NodeReply(response).send(pathUnknown);
  };

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#upgrade(request, socket, head) || !this.#alone('upgrade', this.#onUpgrade)) return;
    refuse(socket, pathUnknown, request.method);
  };

  /** Not so if somebody has put his listener in the place of ours, and calls it. */
  #alone(event: string, ours: (...args: never[]) => void): boolean {
    const [first, ...others] = this.#server.listeners(event);
    return first === ours && others.length === 0;
  }

  #warn(path: string): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(
      `Halyard: a request to ${path} was answered, or its socket ended, before it came here. If clients cannot connect, ` +
        "something else takes what the http.Server emits: let it leave that path alone, or change Halyard's (server " +
        'option: path).',
    );
  }
}
