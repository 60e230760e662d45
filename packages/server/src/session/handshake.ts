// What a socket came with: read by middleware, kept by the socket.
import type { Value } from '@halyard/protocol';
import type { Headers, Peer } from '../host/host';
import { clientAddress } from '../wire/admission';
import type { TransportName } from '../wire/connection';
import type { PeerRecord } from './record';

/** What a client presents to a namespace. Unverified. */
export type Auth = { readonly [key: string]: Value | undefined };

/** The connection that a handshake came over. */
export interface HandshakeOrigin {
  readonly transport: TransportName;
  readonly peer: Peer;
  /** Whether `X-Forwarded-For` is believed. */
  readonly trustProxy: boolean;
}

export class Handshake<Data = Record<string, unknown>> {
  readonly namespace: string;
  /** What the client sent; an empty object if it sent nothing, or something that is no object. */
  readonly auth: Auth;
  /** Name and version of the client's software, as it says. */
  readonly client: string;
  /** The transport it came over. */
  readonly transport: TransportName;
  readonly #peer: Peer;
  readonly #trustProxy: boolean;
  #data: Data | undefined;

  /**
   * @internal
   * @param origin what is known of the connection; not the connection itself: the session may move to another one
   * @param data what it had on another server
   */
  constructor(namespace: string, auth: Value | undefined, client: string, origin: HandshakeOrigin, data?: Data) {
    this.namespace = namespace;
    this.auth = isObject(auth) ? auth : noAuth;
    this.client = client;
    this.transport = origin.transport;
    this.#peer = origin.peer;
    this.#trustProxy = origin.trustProxy;
    this.#data = data;
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

  /** @internal The request, as another server needs it. */
  get peer(): PeerRecord {
    const { transport, secure } = this;
    const headers = [...this.headers].map(([name, value]) => `${name}: ${value}`);
    return { transport, address: this.#peer.address, secure, headers };
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
