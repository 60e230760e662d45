// Time that stands still until a test moves it. Timers run in the order of their moments, and those of one moment in
// the order in which they were set. It is a `Clock` of @halyard/protocol by its shape, so that anything may use it.

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Timers of one `advance` or `runUntil`: more than this is taken for a timer that sets itself again for ever. */
const runsMax = 1_000_000;

export class VirtualClock {
  #now = 0;
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), run };
    let index = this.#timers.length;
    while (index > 0 && this.#timers[index - 1]!.at > timer.at) index--;
    this.#timers.splice(index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  /** When the next timer runs; infinity if none is set. */
  get nextAt(): number {
    return this.#timers[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time by `ms` and runs what falls due on the way, timers added meanwhile included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.#run(end, () => false);
    this.#now = end;
  }

  /**
   * Runs timer after timer until `condition` holds; time stops there.
   * @throws Error if it does not hold after `limitMs`
   */
  runUntil(condition: () => boolean, limitMs: number): void {
    if (condition()) return;
    const end = this.#now + limitMs;
    if (this.#run(end, condition)) return;
    this.#now = end;
    throw new Error(`still not so after ${limitMs} ms: ${condition}`);
  }

  #run(end: number, enough: () => boolean): boolean {
    for (let runs = 0; (this.#timers[0]?.at ?? Number.POSITIVE_INFINITY) <= end; runs++) {
      if (runs === runsMax) throw new Error(`${runsMax} timers ran before ${end} ms: does one set itself for ever?`);
      const timer = this.#timers.shift()!;
      this.#now = timer.at;
      timer.run();
      if (enough()) return true;
    }
    return false;
  }
}
