// What comes from the other side, in its order, waited for with a deadline and never with a sleep.

export class Inbox<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** What has come and was not taken. */
  get waiting(): readonly T[] {
    return this.#items;
  }

  /** Takes the first that passes; what is before it stays. @throws Error that says what did not come */
  async take(what: string, withinMs: number, passes: (item: T) => boolean = () => true): Promise<T> {
    const end = Date.now() + withinMs;
    for (;;) {
      const at = this.#items.findIndex(passes);
      if (at >= 0) return this.#items.splice(at, 1)[0] as T;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`${what} did not come within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}
