// How much is measured as it is: what is beyond that stands for others too, so that measuring never costs more than a small part of the time.

/** So many are measured one by one until the next `renew`. */
const exactMax = 1_000;
/** Of those beyond one in so many is measured. A prime: what is measured comes in turns, and each kind is to have its own. */
const sampledOne = 17;

export class Budget {
  #left = exactMax;
  #beyond = 0;

  /** To be called ten times a second. */
  renew(): void {
    this.#left = exactMax;
  }

  /** @returns for how many the next one stands; 0: it is not to be measured */
  weight(): number {
    if (this.#left > 0) {
      this.#left--;
      return 1;
    }
    this.#beyond = (this.#beyond + 1) % sampledOne;
    return this.#beyond === 0 ? sampledOne : 0;
  }
}
