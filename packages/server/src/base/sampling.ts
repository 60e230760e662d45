// Which of many that are alike are told: each kind once a minute, or a few times, and how many were left out meanwhile.

const quietMs = 60_000;
const otherKinds = 'other';

export class Sampling {
  readonly #now: () => number;
  readonly #kindsMax: number;
  readonly #timesMax: number;
  readonly #byKind = new Map<string, { at: number; times: number; leftOut: number }>();

  /**
   * @param kindsMax kinds that are told apart: a peer may make as many as it likes, and those beyond it are one
   * @param timesMax how often one is told in a minute
   */
  constructor(now: () => number, kindsMax: number, timesMax = 1) {
    this.#now = now;
    this.#kindsMax = kindsMax;
    this.#timesMax = timesMax;
  }

  /** @returns how many were left out before this one, which is to be told; undefined if it is left out too */
  take(kind: string): number | undefined {
    const now = this.#now();
    const last = this.#byKind.get(kind);
    if (last !== undefined) {
      if (now - last.at < quietMs) {
        if (last.times++ < this.#timesMax) return 0;
        last.leftOut++;
        return undefined;
      }
      const { leftOut } = last;
      last.at = now;
      last.times = 1;
      last.leftOut = 0;
      return leftOut;
    }
    if (this.#byKind.size >= this.#kindsMax && kind !== otherKinds) {
      for (const [one, { at }] of this.#byKind) if (now - at >= quietMs) this.#byKind.delete(one);
      if (this.#byKind.size >= this.#kindsMax) return this.take(otherKinds);
    }
    this.#byKind.set(kind, { at: now, times: 1, leftOut: 0 });
    return 0;
  }
}
