// What many ask for in one turn of the event loop is asked for together: a resume of thousands follows thousands of logs.

interface Waiting<Answer> {
  readonly name: string;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export class Gathering<Answer> {
  readonly #ask: (names: readonly string[]) => Promise<readonly Answer[]>;
  readonly #most: number;
  #waiting: Waiting<Answer>[] = [];

  /** @param most as many are asked for at a time @param ask answers in the order of the names */
  constructor(most: number, ask: (names: readonly string[]) => Promise<readonly Answer[]>) {
    this.#most = most;
    this.#ask = ask;
  }

  of(name: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#askAll());
      this.#waiting.push({ name, resolve, reject });
    });
  }

  #askAll(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (let i = 0; i < all.length; i += this.#most) {
      const some = all.slice(i, i + this.#most);
      this.#ask(some.map(({ name }) => name)).then(
        (answers) => {
          for (const [j, { resolve }] of some.entries()) resolve(answers[j] as Answer);
        },
        (error) => {
          for (const { reject } of some) reject(error);
        },
      );
    }
  }
}
