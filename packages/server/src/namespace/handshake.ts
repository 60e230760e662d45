// What a socket came with: read by middleware, kept by the socket.
import type { Value } from '@halyard/protocol';
import type { Headers, Peer } from '../host/host';
import { clientAddress } from '../transport/admission';
import type { Connection } from '../transport/connection';

/** What a client presents to a namespace. Unverified. */
export type Auth = { readonly [key: string]: Value | undefined };

export class Handshake<Data = Record<string, unknown>> {
  readonly namespace: string;
  /** What the client sent; an empty object if it sent nothing, or something that is no object. */
  readonly auth: Auth;
  /** Name and version of the client's software, as it says. */
  readonly client: string;
  /** The transport it came over. */
  readonly transport: Connection['transport'];
  readonly #peer: Peer;
  readonly #trustProxy: boolean;
  #data: Data | undefined = undefined;

  constructor(namespace: string, auth: Value | undefined, client: string, connection: Connection, trustProxy: boolean) {
    this.namespace = namespace;
    this.auth = isObject(auth) ? auth : noAuth;
    this.client = client;
    // Not the connection itself: the session may move to another one, and this would keep what waits in it.
    this.transport = connection.transport;
    this.#peer = connection.peer;
    this.#trustProxy = trustProxy;
  }

  /** Becomes `socket.data`. */
  get data(): Data {
    this.#data ??= {} as Data;
    return this.#data;
  }

  /** Header fields of the request that opened the connection. */
  get headers(): Headers {
    return this.#peer.headers;
  }

  /** The client's address: the socket's, or the one the nearest proxy saw with `trustProxy`. */
  get address(): string {
    return clientAddress(this.#peer, this.#trustProxy);
  }

  /** Whether the server itself ended TLS. */
  get secure(): boolean {
    return this.#peer.secure;
  }
}

const noAuth: Auth = Object.freeze({});

function isObject(value: Value | undefined): value is Auth {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
