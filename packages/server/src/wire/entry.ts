// Whether there is room for one more connection: in all, among those that have not said who they are, and of its address. The same over
// every transport, and asked before there is a connection.
import type { Overload } from '../base/overload';
import type { HttpAnswer, Peer } from '../host/host';
import { jsonError } from '../host/json-error';
import type { Addresses } from './addresses';

export interface EntryLimits {
  /** Connections over any transport. */
  readonly connectionsMax: number;
  /** Of them those whose HELLO has not come, or is not answered because somebody is asked first. */
  readonly handshakesMax: number;
}

export interface EntryContext extends EntryLimits {
  readonly addresses: Addresses;
  /** Undefined if nobody looks for it. */
  readonly overload: Overload | undefined;
  /** How many handshakes there are. */
  handshakes(): number;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class Entry {
  readonly #context: EntryContext;
  #connections = 0;

  constructor(context: EntryContext) {
    this.#context = context;
  }

  /** Somebody wants to connect. @returns the refusal, or undefined */
  ask(peer: Peer): HttpAnswer | undefined {
    const { addresses, overload } = this.#context;
    const refusal = this.#full() ?? addresses.ask(peer);
    return refusal ?? (overload?.isFull && !overload.letsIn() ? this.#overloaded(overload) : undefined);
  }

  /** Whether there is still no room, where somebody has asked and others have entered since. @returns the refusal, or undefined */
  full(peer: Peer): HttpAnswer | undefined {
    return this.#full() ?? this.#context.addresses.full(peer);
  }

  #full(): HttpAnswer | undefined {
    const { connectionsMax, handshakesMax, handshakes, warn } = this.#context;
    if (this.#connections >= connectionsMax) {
      const message = `There are ${connectionsMax} connections (connectionsMax): a client was turned away.`;
      warn('connectionsMax', message);
      return full;
    }
    if (handshakes() >= handshakesMax) {
      const message = `${handshakesMax} connections have not been welcomed (handshakesMax): a client was turned away.`;
      warn('handshakesMax', message);
      return tooManyHandshakes;
    }
    return undefined;
  }

  #overloaded({ limits: { retryAfterMs } }: Overload): HttpAnswer {
    const retry = { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) };
    return jsonError(503, 'ERR_OVERLOADED', 'The server has more to do than it can: try again later.', {}, retry);
  }

  /** How many there are. */
  get connections(): number {
    return this.#connections;
  }

  /** Who has asked is connected. */
  entered(peer: Peer): void {
    this.#connections++;
    this.#context.addresses.entered(peer);
  }

  /** A connection that has entered is gone. */
  left(peer: Peer): void {
    this.#connections--;
    this.#context.addresses.left(peer);
  }
}

const full = jsonError(
  503,
  'ERR_TOO_MANY_CONNECTIONS',
  'The server is full (connectionsMax): try again later.',
  {},
  { 'retry-after': '5' },
);
const tooManyHandshakes = jsonError(
  503,
  'ERR_TOO_MANY_HANDSHAKES',
  'Too many clients connect at once (handshakesMax): try again later.',
  {},
  { 'retry-after': '1' },
);
