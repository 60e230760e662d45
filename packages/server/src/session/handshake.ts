// What a socket came with: read by middleware, kept by the socket.
import { LocalUsageError, type Value } from '@halyard/protocol';
import { type OnConsole, onConsole, shownAs } from '../base/on-console';
import { type Headers, Peer } from '../host/host';
import type { TransportName } from '../wire/connection';
import { clientAddress, type Trust } from '../wire/proxies';
import type { PeerRecord } from './record';

/** What a client presents to a namespace. Unverified. */
export type Auth = { readonly [key: string]: Value | undefined };

/** What an app keeps with a socket, unless it says what that is. */
// biome-ignore lint/suspicious/noExplicitAny: as with events, an app chooses the types where it takes it.
export type AnyData = any;

/** The connection that a handshake came over. */
export interface HandshakeOrigin {
  readonly transport: TransportName;
  readonly peer: Peer;
  /** When the client asked for the namespace, in milliseconds since 1970. */
  readonly time: number;
  /** Whether `X-Forwarded-For` is believed. */
  readonly trustProxy: Trust;
}

/** When what was presented ends, in milliseconds since 1970, of those that end: few do. */
const ends = new WeakMap<object, number>();
/** Those that middleware decides about now. */
const open = new WeakSet<object>();

/** Header fields that prove who somebody is. */
const secretHeader = /auth|cookie|token|key|secret|session|password|credential|jwt|signature/i;

const hidden = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, '(not shown)']));

export class Handshake<Data = AnyData> {
  /** Name of the namespace. */
  readonly namespace: string;
  /** What the client sent; an empty object if it sent nothing, or something that is no object. */
  readonly auth: Auth;
  /** Name and version of the client's software, as it says. */
  readonly client: string;
  /** The transport it came over. */
  readonly transport: TransportName;
  readonly #peer: Peer;
  readonly #time: number;
  readonly #trustProxy: Trust;
  #data: Data | undefined;

  /**
   * @internal
   * @param origin what is known of the connection; not the connection itself: the session may move to another one
   * @param data what it had on another server
   */
  constructor(namespace: string, auth: Value | undefined, client: string, origin: HandshakeOrigin, data?: Data) {
    this.namespace = namespace;
    this.auth = authOf(auth);
    this.client = client;
    this.transport = origin.transport;
    this.#peer = origin.peer;
    this.#time = origin.time;
    this.#trustProxy = origin.trustProxy;
    this.#data = data;
    // What an app puts there would be gone with the next server: `data` is what goes along.
    Object.preventExtensions(this);
  }

  /** Becomes `socket.data`: an empty object until middleware sets what `Data` has. */
  get data(): Data {
    this.#data ??= {} as Data;
    return this.#data;
  }

  set data(data: Data) {
    this.#data = data;
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

  /**
   * When `auth` ends: undefined, it does not. Middleware sets it, to a `Date` or to milliseconds since 1970 (`exp` of a JWT is in
   * seconds). The session is over then, with 4401 and `ERR_AUTH_EXPIRED`, unless `renew` has put it off; if it is past already when
   * middleware has decided, the client is refused with `ERR_AUTH_EXPIRED`.
   * @throws LocalUsageError `ERR_EXPIRES_AT` for what is no date, and outside of middleware
   */
  get expiresAt(): Date | undefined {
    const ms = this.expiresAtMs;
    return ms === undefined ? undefined : new Date(ms);
  }

  set expiresAt(when: Date | number | undefined) {
    if (!open.has(this))
      throw new LocalUsageError(
        'ERR_EXPIRES_AT',
        'handshake.expiresAt is set by middleware of use() or renew(), before that has decided: later it changes nothing.',
      );
    if (when === undefined) {
      ends.delete(this);
      return;
    }
    // As a Date has it: whole milliseconds, within what a Date can say.
    const ms = typeof when === 'number' || when instanceof Date ? new Date(when).getTime() : Number.NaN;
    if (Number.isNaN(ms))
      throw new LocalUsageError(
        'ERR_EXPIRES_AT',
        `handshake.expiresAt takes a Date, or milliseconds since 1970, not ${shown(when)}.`,
      );
    ends.set(this, ms);
  }

  /** @internal What a console shows: nothing that proves who somebody is. */
  [onConsole](...how: Parameters<OnConsole>): string {
    const { namespace, address, transport, client, time, expiresAt } = this;
    const url = this.url.replace(/\?.+/, '?(not shown)');
    const auth = hidden(Object.keys(this.auth));
    const all = [...this.headers];
    const headers = {
      ...Object.fromEntries(all),
      ...hidden(all.map(([name]) => name).filter((name) => secretHeader.test(name))),
    };
    return shownAs('Handshake', { namespace, address, url, headers, transport, client, time, expiresAt, auth }, how);
  }

  /** @internal As `expiresAt`. */
  get expiresAtMs(): number | undefined {
    return ends.get(this);
  }

  /** @internal Middleware decides about it from now on, or has decided. */
  decide(isOpen: boolean): void {
    if (isOpen) open.add(this);
    else open.delete(this);
  }

  /** @internal Of one that was let in on another server. */
  endsAt(ms: number | undefined): this {
    if (ms !== undefined) ends.set(this, ms);
    return this;
  }

  /**
   * @internal
   * @param origin of the connection that there is now, if there is one
   * @returns the same socket's, with another `auth` and the same `data`; it does not end
   */
  renewed(auth: Value | undefined, origin: HandshakeOrigin | undefined): Handshake<Data> {
    const before = { transport: this.transport, peer: this.#peer, time: this.#time, trustProxy: this.#trustProxy };
    return new Handshake(this.namespace, auth, this.client, origin ?? before, this.data);
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
  trustProxy: Trust,
): HandshakeOrigin {
  return { transport: transport as TransportName, peer: new Peer(address, secure, headers, url), time, trustProxy };
}

/** A wrong value, for a message: no secret is to be in it, so of a text only that it is one. */
function shown(value: unknown): string {
  if (value instanceof Date) return 'an invalid Date';
  if (typeof value === 'number' || value === null) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const noAuth: Auth = Object.freeze({});

/** What a client has sent as its `auth`; an empty object if it sent nothing, or something that is no object. */
export function authOf(value: Value | undefined): Auth {
  return isObject(value) ? value : noAuth;
}

function isObject(value: Value | undefined): value is Auth {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
