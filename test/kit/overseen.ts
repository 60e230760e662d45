// Two servers on one store whose calls may be held back, so that a test drives what happens meanwhile.
import type { Adapter, Store } from '@halyard/server';

/** Calls of one kind. */
class Calls {
  /** How many there were. */
  count = 0;
  #held = Promise.resolve();
  #go = (): void => {};
  #wake = (): void => {};
  #called = this.#next();

  /** They wait from now on, until `go`: `called` is of those. */
  hold(): void {
    this.#called = this.#next();
    this.#held = new Promise((resolve) => {
      this.#go = resolve;
    });
  }

  go(): void {
    this.#go();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** @returns once there was one, since they are held if they are */
  called(): Promise<void> {
    return this.#called;
  }

  through<Args extends unknown[], Answer>(call: (...args: Args) => Answer | Promise<Answer>) {
    return async (...args: Args): Promise<Answer> => {
      this.count++;
      this.#wake();
      await this.#held;
      return call(...args);
    };
  }
}

/** @param shared what they share @returns the adapter of both, and the calls of each: the first that is made is A's */
export function overseen(shared: Adapter) {
  const of = { A: callsOfServer(), B: callsOfServer() };
  let count = 0;
  const adapter: Adapter = (context) => {
    const store = shared(context) as Store;
    const { commits, claims, sends } = ++count === 1 ? of.A : of.B;
    store.commit = commits.through(store.commit.bind(store));
    store.claim = claims.through(store.claim.bind(store));
    store.send = sends.through(store.send.bind(store));
    return store;
  };
  return { adapter, of };
}

function callsOfServer() {
  return { commits: new Calls(), claims: new Calls(), sends: new Calls() };
}
