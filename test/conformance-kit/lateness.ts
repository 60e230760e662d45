// Whether the machine has let this program wait: what a case tells by its clock then is of the machine, and not of who is played.

const everyMs = 25;
/** Cases tell by half seconds what comes first. */
const lateMs = 150;

export class Lateness {
  #lastAt = -Infinity;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    let dueAt = performance.now() + everyMs;
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - dueAt > lateMs) this.#lastAt = now;
      dueAt = now + everyMs;
    }, everyMs);
    this.#timer.unref();
  }

  /** @param at by `performance.now()`. @returns whether this program had to wait at any time since */
  since(at: number): boolean {
    return this.#lastAt >= at;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
