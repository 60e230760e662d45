// How long something has taken, in seconds, counted by bounds that never change.

/** From a tenth of a millisecond to ten seconds. */
const boundsOfSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Told of each value. @param label of what it was, where there are several */
export type Heard = (seconds: number, label?: string) => void;

export class Histogram {
  /** Upper bounds, each included; above the last is whatever is longer. */
  readonly bounds: readonly number[];
  sum = 0;
  count = 0;
  readonly #counts: number[];
  #heard: Heard | undefined;

  constructor(bounds: readonly number[] = boundsOfSeconds) {
    this.bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  /** Tells of each value from now on, or of none. */
  hear(heard: Heard | undefined): void {
    this.#heard = heard;
  }

  /** @param weight for how many it stands */
  add(seconds: number, weight = 1): void {
    if (this.#heard !== undefined) for (let i = 0; i < weight; i++) this.#heard(seconds);
    this.sum += seconds * weight;
    this.count += weight;
    const { bounds } = this;
    // Most of what is measured takes no time worth the name: the first bounds are met at once.
    for (let i = 0; i < bounds.length; i++) {
      if (seconds > (bounds[i] as number)) continue;
      (this.#counts[i] as number) += weight;
      return;
    }
  }

  /** For each bound how many were not above it. */
  get cumulative(): readonly number[] {
    let sum = 0;
    return this.#counts.map((count) => (sum += count));
  }
}
