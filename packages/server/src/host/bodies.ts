// Bodies that have not come whole yet, of anybody: they are held before it is known whose they are, so all of them together are bounded.
import { bodiesBytesMax } from './host';

/** One that holds no more than that comes to its end all the same: who sends little does not pay for who sends much. */
const smallBytes = 1 << 16;

export class Bodies {
  /** What they may hold together, … */
  readonly bytesMax: number;
  /** … and hold. */
  #bytes = 0;

  constructor(bytesMax = bodiesBytesMax) {
    this.bytesMax = bytesMax;
  }

  /** @returns what one of them holds: `add` tells whether there is room for more of it, `end` that it is whole, or never will be */
  begin(): { add(bytes: number): boolean; end(): void } {
    let its = 0;
    return {
      add: (bytes) => {
        if (its + bytes > smallBytes && this.#bytes + bytes > this.bytesMax) return false;
        its += bytes;
        this.#bytes += bytes;
        return true;
      },
      end: () => {
        this.#bytes -= its;
        its = 0;
      },
    };
  }
}
