// What handlers of one event are still to do: the event is settled once all have, and the reply is on its way.
import { isThenable } from '@halyard/protocol';

/** How many events are being handled, in all namespaces. */
export interface Running {
  count: number;
}

export class Handling {
  #open = 1;
  readonly #settled: () => void;

  /** @param settled called once `done` was, and everything that was added has settled */
  constructor(settled: () => void) {
    this.#settled = settled;
  }

  /** @returns what a handler returned, which is waited for if it is a promise */
  add(result: unknown): unknown {
    if (isThenable(result)) {
      this.#open++;
      const done = (): void => this.done();
      result.then(done, done);
    }
    return result;
  }

  /** The reply is on its way, or there is none. */
  done(): void {
    if (--this.#open === 0) this.#settled();
  }
}
