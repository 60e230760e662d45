// The time of a world: it stands still until it is told to go on, and then goes from one timer to the next, with everything that
// each of them has caused settled before the next runs.
import { HalyardError, LocalUsageError } from '@halyard/client';
import type { VirtualClock } from '@halyard/harness/clock';
import { settled } from './turns';

/** Called with each piece of time that has passed. */
export type Alongside = (ms: number) => unknown;

/** Timers at one moment: more than this are taken for one that sets itself again for ever. */
const atOnceMax = 100_000;

export class WorldTime {
  readonly #clock: VirtualClock;
  #alongside: Alongside | undefined;
  /** Whether somebody is waiting for time to pass. */
  #runs = false;

  constructor(clock: VirtualClock, alongside: Alongside | undefined) {
    this.#clock = clock;
    this.#alongside = alongside;
  }

  /** @throws LocalUsageError `ERR_TIME_RUNS` */
  async advance(ms: number): Promise<void> {
    await this.#run(this.#clock.now() + ms, () => false);
  }

  /**
   * @param condition asked whenever something may have changed, and nothing more is due at this moment
   * @param story what to say of the world if it never holds
   * @returns what it gave, once that is true
   * @throws HalyardError `ERR_NOT_SO` after `withinMs`
   */
  async until<T>(condition: () => T, withinMs: number, story: () => string): Promise<T> {
    let given: T | undefined;
    const holds = () => {
      given = condition();
      if (isThenable(given)) throw new LocalUsageError('ERR_OPTION', notAPromise, { option: 'condition' });
      return Boolean(given);
    };
    if (await this.#run(this.#clock.now() + withinMs, holds)) return given as T;
    throw new HalyardError('ERR_NOT_SO', `Still not so after ${withinMs} virtual ms: ${condition}\n${story()}`);
  }

  /**
   * @param story as above
   * @returns what a promise resolves to. Rejects as it does, and with `ERR_NOT_SO` if it has not settled after `withinMs`
   */
  async outcomeOf<T>(promise: PromiseLike<T>, withinMs: number, story: () => string): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    if (await this.#run(this.#clock.now() + withinMs, () => isSettled)) return promise;
    throw new HalyardError('ERR_NOT_SO', `The promise has not settled after ${withinMs} virtual ms.\n${story()}`);
  }

  /** Goes on until nothing waits any more, or `ms` have passed, and alone. */
  async runOut(ms: number): Promise<void> {
    this.#alongside = undefined;
    await this.#run(this.#clock.now() + ms, () => this.#clock.pending === 0);
  }

  /** @returns whether it was enough before `end` */
  async #run(end: number, enough: () => boolean): Promise<boolean> {
    if (this.#runs) throw new LocalUsageError('ERR_TIME_RUNS', alreadyRuns);
    this.#runs = true;
    try {
      await settled();
      for (let atOnce = 0; ; atOnce++) {
        const from = this.#clock.now();
        // What is due now comes first: who was cut is so, before anybody asks.
        if (this.#clock.nextAt > from) {
          if (enough()) return true;
          if (from >= end) return false;
          atOnce = 0;
        }
        if (atOnce === atOnceMax) throw new Error(`${atOnceMax} timers at ${from} ms: does one set itself for ever?`);
        await this.#goTo(Math.max(from, Math.min(this.#clock.nextAt, end, this.#stepEnd(from))));
        await settled();
      }
    } finally {
      this.#runs = false;
    }
  }

  async #goTo(at: number): Promise<void> {
    const ms = at - this.#clock.now();
    this.#clock.advance(ms);
    if (ms > 0) await this.#alongside?.(ms);
  }

  /** Who goes alongside has timers that nobody here knows of: none of them is to be late by more than 1 ms. */
  #stepEnd(from: number): number {
    return this.#alongside === undefined ? Number.POSITIVE_INFINITY : Math.floor(from) + 1;
  }
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

const notAPromise = 'The condition of until() returned a promise: give until() the promise itself.';
const alreadyRuns =
  'Time is passing already: await advance() or until() before the next one. In a handler, wait with world.sleep().';
