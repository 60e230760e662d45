// Gathers what connections have queued and sends it once per turn of the event loop: one write per connection.

import type { Platform } from '../base/platform';

export interface Flushable {
  flush(): void;
}

export class Flusher {
  /** The one that the host calls now, and whose sends the host itself gathers until that call returns. */
  current: Flushable | undefined = undefined;
  readonly #platform: Platform;
  #waiting: Flushable[] = [];
  #scheduled = false;
  readonly #run = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Flushes `item` at the end of this turn, or earlier. An item adds itself once until it is flushed. */
  add(item: Flushable): void {
    this.#waiting.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#platform.soon(this.#run);
  }

  /** Flushes everything now: before a native publish, which must not overtake what was emitted earlier. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const items = this.#waiting;
    this.#waiting = [];
    for (const item of items) item.flush();
  }
}
