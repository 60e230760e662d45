// How much later than it should the event loop comes to what is due: everything else waits as long.
import { Histogram } from './histogram';
import type { Platform } from './platform';

/** It is looked at so often, in milliseconds. */
const lookMs = 100;

export class LoopDelay {
  readonly seconds = new Histogram();
  readonly #platform: Platform;
  #cancel: (() => void) | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  begin(): void {
    const dueAt = this.#platform.exact() + lookMs;
    this.#cancel = this.#platform.after(lookMs, () => {
      this.seconds.add(Math.max(0, this.#platform.exact() - dueAt) / 1_000);
      this.begin();
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
