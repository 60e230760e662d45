// Waiting for what a peer does: conditions with a deadline, never a sleep.

/** Far above what anything here takes: it ends what hangs. */
const deadlineMs = 30_000;

/** Something that changes because of the other side. */
export class Watched {
  readonly #wakers = new Set<() => void>();

  /** Waits until `find` gives something. @throws Error that says what never came */
  async until<T>(what: string, find: () => T | undefined | false): Promise<T> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (Date.now() >= end) throw new Error(`${what}: did not come within ${deadlineMs} ms; ${this.seen()}`);
      await this.#change(end - Date.now());
    }
  }

  /** What there was instead, for people. */
  protected seen(): string {
    return '';
  }

  protected changed(): void {
    for (const wake of this.#wakers) wake();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#wakers.add(wake);
    });
  }
}
