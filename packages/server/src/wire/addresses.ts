// How many connections one address has, and how fast it opens more: one client that takes all there is leaves nothing for others. Of
// IPv6 it is the network, of which one client has all addresses.

import { networkOf } from '../host/address';
import type { HttpAnswer, Peer } from '../host/host';
import { jsonError } from '../host/json-error';
import { clientAddress, type Trust } from './proxies';

export interface AddressLimits {
  /** Connections of one address at a time. */
  readonly connectionsPerAddressMax: number;
  /** Connections that one address may open in a second. It may open five times as many at once. */
  readonly opensPerAddressPerSecondMax: number;
}

export interface AddressesContext extends AddressLimits {
  readonly trustProxy: Trust;
  /** In milliseconds. */
  now(): number;
  /** A limit was met. @param code the option. @param about what it is said of once a minute */
  warn(code: string, message: string, about: string): void;
}

interface Known {
  connections: number;
  /** What it may still open: as of `at`. */
  opens: number;
  at: number;
}

/** Who has saved for so many seconds has as much as can be saved: those who have no connection by then are forgotten. */
const savedSeconds = 5;
const sweepMs = 1_000;
const proxy = 'If that is your proxy, set trustProxy: then it is the address that the proxy names.';
/** Nobody has a longer one: what a proxy names may be any text. */
const addressCharsMax = 64;

export class Addresses {
  readonly #context: AddressesContext;
  readonly #known = new Map<string, Known>();
  #sweptAt = 0;

  constructor(context: AddressesContext) {
    this.#context = context;
    this.#sweptAt = context.now();
  }

  /** How many of them are known. */
  get size(): number {
    return this.#known.size;
  }

  /** Whether an address has as many connections as it may. @returns the refusal, or undefined */
  full(peer: Peer): HttpAnswer | undefined {
    return this.#full(this.of(peer));
  }

  #full(address: string): HttpAnswer | undefined {
    const { connectionsPerAddressMax, warn } = this.#context;
    const { connections = 0 } = this.#known.get(address) ?? {};
    if (connections < connectionsPerAddressMax) return undefined;
    const message = `${address} has ${connections} connections (connectionsPerAddressMax): it was refused another one. ${proxy}`;
    warn('connectionsPerAddressMax', message, address);
    return tooMany;
  }

  /** Somebody wants to connect. @returns the refusal, or undefined */
  ask(peer: Peer): HttpAnswer | undefined {
    const { opensPerAddressPerSecondMax, now, warn } = this.#context;
    const at = now();
    this.#sweep(at);
    const address = this.of(peer);
    const most = opensPerAddressPerSecondMax * savedSeconds;
    const known = this.#known.get(address) ?? { connections: 0, opens: most, at };
    this.#known.set(address, known);
    known.opens = Math.min(most, known.opens + ((at - known.at) / 1_000) * opensPerAddressPerSecondMax);
    known.at = at;
    const full = this.#full(address);
    if (full !== undefined) return full;
    if (known.opens < 1) {
      const message = `${address} opens more than ${opensPerAddressPerSecondMax} connections in a second (opensPerAddressPerSecondMax): it was refused one. ${proxy}`;
      warn('opensPerAddressPerSecondMax', message, address);
      return tooFast;
    }
    known.opens--;
    return undefined;
  }

  /** Who has asked is connected. */
  entered(peer: Peer): void {
    const address = this.of(peer);
    const known = this.#known.get(address);
    if (known !== undefined) known.connections++;
    else this.#known.set(address, { connections: 1, opens: 0, at: this.#context.now() });
  }

  /** A connection that has entered is gone. */
  left(peer: Peer): void {
    const known = this.#known.get(this.of(peer));
    if (known !== undefined) known.connections--;
  }

  /** The address that counts: of IPv6 the network. */
  of(peer: Peer): string {
    return networkOf(clientAddress(peer, this.#context.trustProxy).slice(0, addressCharsMax));
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < sweepMs) return;
    this.#sweptAt = now;
    for (const [address, { connections, at }] of this.#known) {
      if (connections === 0 && now - at >= savedSeconds * 1_000) this.#known.delete(address);
    }
  }
}

const tooMany = jsonError(
  429,
  'ERR_ADDRESS_FULL',
  'Too many connections of your address (connectionsPerAddressMax).',
  {},
  { 'retry-after': '5' },
);
const tooFast = jsonError(
  429,
  'ERR_ADDRESS_RATE',
  'Your address connects too often (opensPerAddressPerSecondMax): try again later.',
  {},
  { 'retry-after': '1' },
);
