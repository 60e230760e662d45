// What has come and was not asked for yet.

export class Inbox<Item> {
  readonly #items: Item[] = [];
  #wake: (() => void) | undefined;

  push(item: Item): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** @returns the next one, also if it has come before; undefined if none has within `waitMs` */
  async next(waitMs: number): Promise<Item | undefined> {
    if (this.#items.length === 0) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(limit);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#items.shift();
  }
}
