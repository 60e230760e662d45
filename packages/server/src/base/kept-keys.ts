// What was done under the keys that apps give, for as long as a caller may say it again.

/** A key counts for so long, in milliseconds. */
const keptMs = 3_600_000;
/** The oldest make room. */
const keysMax = 65_536;

export class KeptKeys<Done> {
  /** In the order in which they were added. */
  #byKey = new Map<string, { readonly done: Done; readonly until: number }>();

  get(key: string, now: number): Done | undefined {
    const kept = this.#byKey.get(key);
    return kept !== undefined && kept.until > now ? kept.done : undefined;
  }

  set(key: string, done: Done, now: number): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, { done, until: now + keptMs });
    for (const [oldest, { until }] of this.#byKey) {
      if (until > now && this.#byKey.size <= keysMax) break;
      this.#byKey.delete(oldest);
    }
  }

  /** @returns a function that goes back to what there is now */
  checkpoint(): () => void {
    const byKey = new Map(this.#byKey);
    return () => {
      this.#byKey = byKey;
    };
  }
}
