// Times that were measured, and what they come to.

/** Of more, every other one is forgotten. */
const keptMax = 1 << 20;

export interface Summary {
  readonly count: number;
  /** In milliseconds; undefined where nothing was measured. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
}

export class Latencies {
  #times: number[] = [];
  /** Of so many, one is kept. */
  #step = 1;
  #max = 0;
  count = 0;

  add(ms: number): void {
    if (ms > this.#max) this.#max = ms;
    if (this.count++ % this.#step !== 0) return;
    this.#times.push(ms);
    if (this.#times.length < keptMax) return;
    this.#times = this.#times.filter((_, i) => i % 2 === 0);
    this.#step *= 2;
  }

  summary(): Summary {
    const sorted = Float64Array.from(this.#times).sort();
    const at = (share: number): number | undefined =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { count: this.count, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: this.count === 0 ? undefined : this.#max };
  }
}
