// One timer for a deadline that mostly moves away: it is set again only when the deadline comes closer.
import type { Clock } from '@halyard/protocol';

const never = Number.POSITIVE_INFINITY;

export class Timer {
  readonly #clock: Clock;
  readonly #run: () => void;
  #at = never;
  #cancel = () => {};

  /** @param run called at the deadline or before it: it looks at the clock, and arms the timer again */
  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  arm(deadline: number): void {
    if (deadline >= this.#at) return;
    this.stop();
    this.#at = deadline;
    this.#cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
      this.#at = never;
      this.#run();
    });
  }

  stop(): void {
    this.#cancel();
    this.#at = never;
  }
}
