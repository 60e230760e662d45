// How many requests came in one turn of the event loop. Who writes them by the thousand, and waits for no answer, would be served alone
// for as long as its bytes last: a host reads up to 2 MiB of one connection before it turns to another one.
import type { Platform } from '../base/platform';

/** As many are answered one after the other. Nobody who waits for answers has more than one under way on a connection. */
export const requestsPerTurnMax = 128;

export class TurnCount {
  readonly #platform: Platform;
  readonly #counts = new Map<unknown, number>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** @param of whose request this is @returns whether it is one too many for this turn */
  isFull(of: unknown): boolean {
    if (this.#counts.size === 0) this.#platform.soon(() => this.#counts.clear());
    const count = (this.#counts.get(of) ?? 0) + 1;
    this.#counts.set(of, count);
    return count > requestsPerTurnMax;
  }
}
