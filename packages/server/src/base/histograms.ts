// How long something has taken, by a label, of which there is a limit.
import { otherLabel } from './counts';
import { Histogram } from './histogram';

export class Histograms {
  readonly #byLabel = new Map<string, Histogram>();
  readonly #labelsMax: number;

  /** @param labelsMax beside `other` */
  constructor(labelsMax: number) {
    this.#labelsMax = labelsMax;
  }

  of(label: string): Histogram {
    return this.#byLabel.get(label) ?? this.#make(label);
  }

  [Symbol.iterator](): IterableIterator<[label: string, histogram: Histogram]> {
    return this.#byLabel.entries();
  }

  #make(label: string): Histogram {
    const isOther = label === otherLabel || this.#byLabel.size >= this.#labelsMax;
    const name = isOther ? otherLabel : label;
    const histogram = this.#byLabel.get(name) ?? new Histogram();
    this.#byLabel.set(name, histogram);
    return histogram;
  }
}
