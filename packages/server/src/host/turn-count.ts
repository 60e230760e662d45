// How much came in one turn of the event loop. Who writes requests by the thousand, and waits for no answer, would be served alone for as long
// as its bytes last: a host reads up to 2 MiB of one connection before it turns to another one. So would who sends what inflates to more.
import type { Platform } from '../base/platform';

/** As many are answered one after the other. Nobody who waits for answers has more than one under way on a connection. */
const requestsPerTurnMax = 128;

export class TurnCount {
  readonly #platform: Platform;
  readonly #most: number;
  readonly #counts = new Map<unknown, number>();

  /** @param most of one in a turn. Default: of requests */
  constructor(platform: Platform, most = requestsPerTurnMax) {
    this.#platform = platform;
    this.#most = most;
  }

  /** @param of whose request this is, or whose bytes so many are @returns whether it is too much for this turn */
  isFull(of: unknown, count = 1): boolean {
    if (this.#counts.size === 0) this.#platform.soon(() => this.#counts.clear());
    const sum = (this.#counts.get(of) ?? 0) + count;
    this.#counts.set(of, sum);
    return sum > this.#most;
  }
}
