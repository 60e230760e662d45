// How often something has happened, by a label. Labels may be a peer's word, or the app's, so there is a limit of them.

/** Whatever comes beyond the limit. */
export const otherLabel = 'other';

export class Counts {
  readonly #byLabel = new Map<string, number>();
  readonly #labelsMax: number;

  constructor(labelsMax = 64) {
    this.#labelsMax = labelsMax;
  }

  add(label: string, count = 1): void {
    const before = this.#byLabel.get(label);
    if (before === undefined && this.#byLabel.size >= this.#labelsMax && label !== otherLabel)
      this.add(otherLabel, count);
    else this.#byLabel.set(label, (before ?? 0) + count);
  }

  get(label: string): number {
    return this.#byLabel.get(label) ?? 0;
  }

  get total(): number {
    let sum = 0;
    for (const count of this.#byLabel.values()) sum += count;
    return sum;
  }

  [Symbol.iterator](): IterableIterator<[label: string, count: number]> {
    return this.#byLabel.entries();
  }
}
