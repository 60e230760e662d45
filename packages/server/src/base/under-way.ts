// What is under way and since when, and how long it took what is over.
import { Histogram } from './histogram';

/** Something that has begun, at a time in milliseconds. */
export interface Begun {
  readonly at: number;
}

export class UnderWay {
  readonly seconds = new Histogram();
  readonly #now: () => number;
  /** In the order in which it began. */
  readonly #begun = new Set<Begun>();

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(): Begun {
    const begun = { at: this.#now() };
    this.#begun.add(begun);
    return begun;
  }

  end(begun: Begun): void {
    if (this.#begun.delete(begun)) this.seconds.add((this.#now() - begun.at) / 1_000);
  }

  /** Since when the oldest is under way, in seconds; 0 if nothing is. */
  get oldestSeconds(): number {
    for (const { at } of this.#begun) return (this.#now() - at) / 1_000;
    return 0;
  }
}
