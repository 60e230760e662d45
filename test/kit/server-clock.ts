// The time of one server among others in virtual time: when that server is gone, nothing of it happens any more.
import type { VirtualClock } from '@halyard/harness/clock';

export class ServerClock {
  isGone = false;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.now();
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#clock.after(delayMs, () => this.isGone || run());
  }

  soon(run: () => void): void {
    setImmediate(() => this.isGone || run());
  }
}
