// What a socket came with: read by middleware, kept by the socket.
import type { Value } from '@halyard/protocol';
import type { Headers } from '../host/host';
import { clientAddress } from '../transport/admission';
import type { Connection } from '../transport/connection';

/** What a client presents to a namespace. Unverified. */
export type Auth = { readonly [key: string]: Value | undefined };

export class Handshake<Data = Record<string, unknown>> {
  readonly namespace: string;
  /** What the client sent; an empty object if it sent nothing, or something that is no object. */
  readonly auth: Auth;
  /** Becomes `socket.data`. */
  readonly data: Data;
  /** Name and version of the client's software, as it says. */
  readonly client: string;
  readonly #connection: Connection;
  readonly #trustProxy: boolean;

  constructor(namespace: string, auth: Value | undefined, client: string, connection: Connection, trustProxy: boolean) {
    this.namespace = namespace;
    this.auth = isObject(auth) ? auth : noAuth;
    this.data = {} as Data;
    this.client = client;
    this.#connection = connection;
    this.#trustProxy = trustProxy;
  }

  /** Header fields of the request that opened the connection. */
  get headers(): Headers {
    return this.#connection.peer.headers;
  }

  /** The client's address: the socket's, or the one the nearest proxy saw with `trustProxy`. */
  get address(): string {
    return clientAddress(this.#connection.peer, this.#trustProxy);
  }

  /** Whether the server itself ended TLS. */
  get secure(): boolean {
    return this.#connection.peer.secure;
  }

  get transport(): Connection['transport'] {
    return this.#connection.transport;
  }
}

const noAuth: Auth = Object.freeze({});

function isObject(value: Value | undefined): value is Auth {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
