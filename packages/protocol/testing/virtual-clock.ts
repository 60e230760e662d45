// Time that stands still until a test moves it. Timers run in the order of their moments, and those of one moment in the
// order in which they were set.
import type { Clock } from '../src/clock';

export class VirtualClock implements Clock {
  #now = 0;
  readonly #timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), run };
    const later = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /** Moves time by `ms`, or to where `enough` holds, and runs what falls due on the way. @returns whether it holds */
  advance(ms: number, enough = () => false): boolean {
    if (enough()) return true;
    const end = this.#now + ms;
    while ((this.#timers[0]?.at ?? Infinity) <= end) {
      const { at, run } = this.#timers.shift()!;
      this.#now = at;
      run();
      if (enough()) return true;
    }
    this.#now = end;
    return false;
  }
}
