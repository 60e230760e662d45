// The time of one client, one server or one store in virtual time: it says how much waits there, and it can end for one of them
// alone, as it does for a machine that is switched off.
import type { VirtualClock } from '@halyard/harness/clock';
import type { Random } from '@halyard/harness/random';
import { microtask, soon } from './turns';

/** 2030-01-01: the time of day at which every world begins. */
const beginning = Date.UTC(2030, 0, 1);

export class OwnTime {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  #pending = 0;
  #isOver = false;

  /** @param random for what nobody could guess, if it were not a test */
  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Nothing that was asked for happens any more. */
  end(): void {
    this.#isOver = true;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#isOver ? 0 : this.#pending;
  }

  readonly now = (): number => this.#clock.now();

  readonly exact = this.now;

  readonly wall = (): number => beginning + Math.floor(this.#clock.now());

  readonly after = (delayMs: number, run: () => void): (() => void) => {
    let isSet = true;
    this.#pending++;
    const unset = () => {
      if (isSet) this.#pending--;
      isSet = false;
    };
    const cancel = this.#clock.after(delayMs, () => {
      unset();
      if (!this.#isOver) run();
    });
    return () => {
      unset();
      cancel();
    };
  };

  readonly soon = (run: () => void): void => {
    soon(() => this.#isOver || run());
  };

  readonly microtask = (run: () => void): void => {
    microtask(() => this.#isOver || run());
  };

  readonly randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => this.#random.int(256)));

  /** A world has one process, of which no server is to shed anything. */
  readonly memoryBytes = (): number => 0;
  readonly loopTimes = () => ({ active: 0, idle: 0 });

  /** @returns a name of 128 random bits */
  readonly token = (): string => this.randomBytes(16).toString('hex');

  readonly random = (): number => this.#random.next();
}
