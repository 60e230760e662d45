// How long a testbed does something before it is measured.

const firstMs = 1_800;
const nextMs = 150;
/** Little time has passed since the slice before: the first is not counted. */
const sliceMs = 20;

export class WarmUp {
  readonly #nextMs: number;
  #isWarm = false;

  constructor(isSliced: boolean) {
    this.#nextMs = isSliced ? sliceMs : nextMs;
  }

  /** @param itsFirstMs the first time, when nothing may be compiled yet */
  ms(itsFirstMs = firstMs): number {
    const ms = this.#isWarm ? this.#nextMs : itsFirstMs;
    this.#isWarm = true;
    return ms;
  }
}
