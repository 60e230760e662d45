// How much later than it should the event loop comes to what is due: everything else waits as long.
import { Histogram } from './histogram';
import type { Platform } from './platform';

/** It is looked at so often, in milliseconds. */
const lookMs = 100;

export class LoopDelay {
  readonly seconds = new Histogram();
  readonly #platform: Platform;
  readonly #looked: () => void;
  #cancel: (() => void) | undefined;

  /** @param looked called each time that it is looked at */
  constructor(platform: Platform, looked: () => void) {
    this.#platform = platform;
    this.#looked = looked;
  }

  begin(): void {
    const dueAt = this.#platform.exact() + lookMs;
    this.#cancel = this.#platform.after(lookMs, () => {
      this.seconds.add(Math.max(0, this.#platform.exact() - dueAt) / 1_000);
      this.#looked();
      this.begin();
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
