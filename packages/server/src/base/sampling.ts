// Which of many that are alike are told: each kind once a minute, and how many were left out meanwhile.

const quietMs = 60_000;
const otherKinds = 'other';

export class Sampling {
  readonly #now: () => number;
  readonly #kindsMax: number;
  readonly #byKind = new Map<string, { at: number; leftOut: number }>();

  /** @param kindsMax kinds that are told apart: a peer may make as many as it likes, and those beyond it are one */
  constructor(now: () => number, kindsMax: number) {
    this.#now = now;
    this.#kindsMax = kindsMax;
  }

  /** @returns how many were left out before this one, which is to be told; undefined if it is left out too */
  take(kind: string): number | undefined {
    const now = this.#now();
    const last = this.#byKind.get(kind);
    if (last !== undefined) {
      if (now - last.at < quietMs) {
        last.leftOut++;
        return undefined;
      }
      const { leftOut } = last;
      last.at = now;
      last.leftOut = 0;
      return leftOut;
    }
    if (this.#byKind.size >= this.#kindsMax && kind !== otherKinds) {
      for (const [one, { at }] of this.#byKind) if (now - at >= quietMs) this.#byKind.delete(one);
      if (this.#byKind.size >= this.#kindsMax) return this.take(otherKinds);
    }
    this.#byKind.set(kind, { at: now, leftOut: 0 });
    return 0;
  }
}
