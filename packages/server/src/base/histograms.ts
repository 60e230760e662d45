// How long something has taken, by a label, of which there is a limit.
import { otherLabel } from './counts';
import { type Heard, Histogram } from './histogram';

export class Histograms {
  readonly #byLabel = new Map<string, Histogram>();
  readonly #labelsMax: number;
  #heard: Heard | undefined;

  /** @param labelsMax beside `other` */
  constructor(labelsMax: number) {
    this.#labelsMax = labelsMax;
  }

  /** Tells of each value from now on, or of none. */
  hear(heard: Heard | undefined): void {
    this.#heard = heard;
    for (const [label, histogram] of this) histogram.hear(heard && ((seconds) => heard(seconds, label)));
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
    const known = this.#byLabel.get(name);
    if (known !== undefined) return known;
    const histogram = new Histogram();
    const heard = this.#heard;
    if (heard !== undefined) histogram.hear((seconds) => heard(seconds, name));
    this.#byLabel.set(name, histogram);
    return histogram;
  }
}
