// What a socket came with: read by middleware, kept by the socket.
import type { Value } from '@halyard/protocol';
import { type Headers, Peer } from '../host/host';
import { clientAddress } from '../wire/admission';
import type { TransportName } from '../wire/connection';
import type { PeerRecord } from './record';

/** What a client presents to a namespace. Unverified. */
export type Auth = { readonly [key: string]: Value | undefined };

/** The connection that a handshake came over. */
export interface HandshakeOrigin {
  readonly transport: TransportName;
  readonly peer: Peer;
  /** When the client asked for the namespace, in milliseconds since 1970. */
  readonly time: number;
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
  readonly #time: number;
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
    this.#time = origin.time;
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

  /** Path and query of the request that opened the connection, as they came. */
  get url(): string {
    return this.#peer.url;
  }

  /** The query of `url`, decoded: the first value of each name. Credentials do not belong there: `auth` is for them. */
  get query(): Readonly<Record<string, string | undefined>> {
    const query: Record<string, string> = Object.create(null);
    const at = this.url.indexOf('?');
    for (const [name, value] of new URLSearchParams(at < 0 ? '' : this.url.slice(at))) query[name] ??= value;
    return query;
  }

  /** When the client asked for the namespace; of a socket that comes from another server when it asked there. */
  get time(): Date {
    return new Date(this.#time);
  }

  /** @internal The request, as another server needs it. */
  get peer(): PeerRecord {
    const { transport, secure, url } = this;
    const headers = [...this.headers].map(([name, value]) => `${name}: ${value}`);
    return { transport, address: this.#peer.address, secure, headers, url, time: this.#time };
  }

  /** Whether the server itself ended TLS. */
  get secure(): boolean {
    return this.#peer.secure;
  }
}

/** @returns what another server has told */
export function originOf(
  { transport, address, secure, headers, url, time }: PeerRecord,
  trustProxy: boolean,
): HandshakeOrigin {
  return { transport: transport as TransportName, peer: new Peer(address, secure, headers, url), time, trustProxy };
}

const noAuth: Auth = Object.freeze({});

function isObject(value: Value | undefined): value is Auth {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
