// What handlers are still to do: an event is settled once all of its have, and the reply is on its way; who drains waits for all of them.
import { isThenable } from '@halyard/protocol';

/** How much of what clients have said is being handled, or waits for middleware, in all namespaces. */
export interface Running {
  count: number;
}

/** Told of what handlers return, and that an event has its reply. */
export interface Handled {
  /** @returns what a handler returned, which is waited for if it is a promise */
  add(result: unknown): unknown;
  /** The reply is on its way, or there is none. */
  done(): void;
}

/** Of events that need not be settled: handlers that are running count. */
export class Counted implements Handled {
  readonly #running: Running;

  constructor(running: Running) {
    this.#running = running;
  }

  add(result: unknown): unknown {
    if (isThenable(result)) {
      this.#running.count++;
      const done = (): void => {
        this.#running.count--;
      };
      result.then(done, done);
    }
    return result;
  }

  done(): void {}
}

export class Handling implements Handled {
  #open = 1;
  readonly #settled: () => void;

  /** @param settled called once `done` was, and everything that was added has settled */
  constructor(settled: () => void) {
    this.#settled = settled;
  }

  add(result: unknown): unknown {
    if (isThenable(result)) {
      this.#open++;
      const done = (): void => this.done();
      result.then(done, done);
    }
    return result;
  }

  done(): void {
    if (--this.#open === 0) this.#settled();
  }
}
