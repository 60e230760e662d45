// Sessions without a connection, by the address that they had it from: one address has no more of them here than it may have connections.
// Else whoever opens sessions and leaves them would have all that there may be, and nobody else one.
import { type Close, CloseCode } from '@halyard/protocol';
import type { Peer } from '../host/host';

export interface AwaySession {
  end(close: Close): void;
}

export interface AwaySessionsOptions {
  readonly connectionsPerAddressMax: number;
  addressOf(peer: Peer): string;
  /** A limit was met. @param code the option. @param about what it is said of once a minute */
  warn(code: string, message: string, about: string): void;
}

export class AwaySessions {
  readonly #options: AwaySessionsOptions;
  /** Those that went first come first. */
  readonly #byAddress = new Map<string, Set<AwaySession>>();
  readonly #addressOf = new Map<AwaySession, string>();

  constructor(options: AwaySessionsOptions) {
    this.#options = options;
  }

  /** It has lost its connection. If its address has more of them than it may, the one ends that went first. */
  add(session: AwaySession, peer: Peer): void {
    const { connectionsPerAddressMax, addressOf, warn } = this.#options;
    const address = addressOf(peer);
    const sessions = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, sessions.add(session));
    this.#addressOf.set(session, address);
    if (sessions.size <= connectionsPerAddressMax) return;
    const message = `${address} has left ${sessions.size} sessions that wait for it (connectionsPerAddressMax): the oldest was ended.`;
    warn('connectionsPerAddressMax', message, address);
    const [oldest] = sessions;
    oldest?.end(tooMany);
  }

  /** It has a connection again, or is over. */
  delete(session: AwaySession): void {
    const address = this.#addressOf.get(session);
    if (address === undefined) return;
    this.#addressOf.delete(session);
    const sessions = this.#byAddress.get(address);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byAddress.delete(address);
  }
}

const tooMany: Close = {
  code: CloseCode.Evicted,
  reason: 'its address has more sessions that wait for it than it may have connections (connectionsPerAddressMax)',
  by: 'server',
};
