// When something was emitted: a hybrid logical clock. It follows the time of day and never stands still or goes back, so that
// stamps put everything that one server emits in order, and what it emits behind what it has received.

/** Stamps in a millisecond; whole numbers are exact until the year 2248. */
export const stampsPerMs = 1_024;

export class Stamps {
  /** The newest that was given or seen. */
  last = 0;
  readonly #wall: () => number;

  /** @param wall the time of day, in milliseconds since 1970 */
  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /**
   * @param aheadMs for what has to come after all that a server has given whose clock is ahead by less, in milliseconds
   * @returns the next place among everything that is emitted
   */
  next(aheadMs = 0): number {
    const now = Math.floor(this.#wall() + aheadMs) * stampsPerMs;
    this.last = now > this.last ? now : this.last + 1;
    return this.last;
  }

  /** Something with this stamp has come from elsewhere: what follows here is later. */
  observe(stamp: number): void {
    if (stamp > this.last) this.last = stamp;
  }
}
