// Calls to a store that may take long, fail, or never return: each has a deadline, and is made again until it has an answer.
import { Bag, type Bagged } from '../base/bag';
import type { Platform } from '../base/platform';
import type { Awaitable, StoreState } from './store';

/** A call that has not returned after so many milliseconds is made again. */
export const callMsMax = 2_000;
/** A store that has answered nothing for so many milliseconds was away. */
const awayMsMin = 5_000;
const retryMsMin = 50;
const retryMsMax = 1_000;

/** The server is closed: nothing is tried any more. */
export class Impatience extends Error {
  override readonly name = 'Impatience';
}

/** What is under way, and how it is ended before its time. */
interface Ending extends Bagged {
  end(error: Impatience): void;
}

export class Patience {
  readonly #platform: Platform;
  #isOver = false;
  #isBegun = false;
  /** Since when no call has been answered, if one has failed since then. */
  #failingSince: number | undefined;
  #answeredAt = 0;
  /** Since when the store says that it is away, or a part of it. */
  #awaySince: number | undefined;
  /** When the store was back that had been away for long; never so far. */
  backAt = Number.NEGATIVE_INFINITY;
  #upAt = Number.NEGATIVE_INFINITY;
  #begin!: () => void;
  readonly #begun = new Promise<void>((resolve) => (this.#begin = resolve));
  /** What is under way, to be ended with the server. */
  readonly #ends = new Bag<Ending>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Whether calls may be made: before that they wait. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** When the store said last that it was back, however short it was away: now, if it is not. */
  get upAt(): number {
    return this.#awaySince === undefined ? this.#upAt : this.#platform.now();
  }

  /** The store says how it is: a part of it may be away though other calls are answered. */
  told(state: StoreState): void {
    const now = this.#platform.now();
    if (state !== 'up') {
      this.#awaySince ??= now;
      return;
    }
    if (this.#awaySince !== undefined && now - this.#awaySince >= awayMsMin) this.backAt = now;
    if (this.#awaySince !== undefined) this.#upAt = now;
    this.#awaySince = undefined;
  }

  /** The store is open: calls are made from now on. */
  begin(): void {
    this.#isBegun = true;
    this.#begin();
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#platform.after(delayMs, () => {
      if (!this.#isOver) run();
    });
  }

  /** Nothing is tried any more: what is under way rejects with `Impatience`. */
  end(): void {
    this.#isOver = true;
    for (const { end } of this.#ends.empty()) end(new Impatience('the server is closed'));
  }

  /**
   * Makes a call until it returns what it may.
   * @param isRight whether an answer can be one
   */
  async until<Answer>(
    call: () => Awaitable<Answer>,
    isRight: (answer: Answer) => boolean = () => true,
  ): Promise<Answer> {
    if (!this.#isBegun) await this.#begun;
    for (let delayMs = retryMsMin; ; delayMs = Math.min(delayMs * 2, retryMsMax)) {
      try {
        const answer = await this.once(call);
        if (!isRight(answer)) throw new Error('the store answers what cannot be');
        return answer;
      } catch (error) {
        if (this.#isOver) throw error;
        await this.#wait(delayMs);
      }
    }
  }

  /** Makes a call once. Rejects after `timeoutMs`. */
  once<Answer>(call: () => Awaitable<Answer>, timeoutMs = callMsMax): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        cancel();
        this.#ends.delete(ending);
      };
      const end = (error: Error): void => {
        over();
        reject(error);
      };
      const ending: Ending = { place: -1, end };
      const fail = (error: Error): void => {
        this.#failingSince ??= this.#answeredAt;
        end(error);
      };
      const cancel = this.#platform.after(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
      if (this.#isOver) {
        end(new Impatience('the server is closed'));
        return;
      }
      this.#ends.add(ending);
      Promise.resolve()
        .then(call)
        .then((answer) => {
          over();
          this.#answered();
          resolve(answer);
        }, fail);
    });
  }

  #answered(): void {
    const now = this.#platform.now();
    if (this.#failingSince !== undefined && now - this.#failingSince >= awayMsMin) this.backAt = now;
    this.#failingSince = undefined;
    this.#answeredAt = now;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error: Error): void => {
        cancel();
        reject(error);
      };
      const ending: Ending = { place: -1, end };
      const cancel = this.#platform.after(delayMs, () => {
        this.#ends.delete(ending);
        resolve();
      });
      if (this.#isOver) end(new Impatience('the server is closed'));
      else this.#ends.add(ending);
    });
  }
}
