// Lets so many in at one time: others wait for their turn, in the order in which they came.

export class Turnstile {
  readonly #insideMax: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(insideMax: number) {
    this.#insideMax = insideMax;
  }

  /** @returns what `run` returns, once it was its turn */
  async pass<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.#inside >= this.#insideMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside++;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      // It has the place of who leaves.
      if (next === undefined) this.#inside--;
      else next();
    }
  }
}
