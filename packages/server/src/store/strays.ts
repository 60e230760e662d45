// Letters that found no session. If the store has lost its record, who has the session writes that again as soon as it finds out: until
// then they wait, and what else is for the session waits behind them.
import type { Patience } from './patience';
import type { Letter, Store } from './store';

/**
 * It is looked for again after so long, each time, in milliseconds: in all for as long as it may take to find out what the store has lost, and
 * for longer than a heartbeat, by which a record that is gone alone is written again.
 */
const waitsMs = [250, 500, 1_000, 1_500, 2_000, 2_500, 2_500, 5_000, 5_000, 10_000];
/** More do not wait at one time, of all sessions; what is over goes nowhere, and that is reported. */
const lettersMax = 16_384;
const lettersBytesMax = 16 << 20;
const tooMany =
  `More than ${lettersMax} messages, or ${lettersBytesMax} bytes, wait for sessions of which the store has no record any more: what ` +
  'comes on top is not sent.';

interface Queue {
  readonly letters: Letter[];
  /** How often the session has been looked for. */
  looks: number;
}

export class Strays {
  readonly #store: Store;
  readonly #patience: Patience;
  readonly #post: (letter: Letter) => void;
  /** What waits, by the session that it is for, in the order in which it came. */
  readonly #queues = new Map<string, Queue>();
  /** After how many looks those found none that were posted again. */
  readonly #looks = new WeakMap<Letter, number>();
  readonly #report: (error: unknown, where: string) => void;
  #count = 0;
  #bytes = 0;
  /** Whether it was reported that there are too many. */
  #isReported = false;

  constructor(
    store: Store,
    patience: Patience,
    post: (letter: Letter) => void,
    report: (error: unknown, where: string) => void,
  ) {
    this.#store = store;
    this.#patience = patience;
    this.#post = post;
    this.#report = report;
  }

  /** There is no record for a letter. */
  add(letter: Letter): void {
    if (this.follow(letter)) return;
    const looks = this.#looks.get(letter) ?? 0;
    if (looks === waitsMs.length) return;
    const queue: Queue = { letters: [], looks };
    this.#queues.set(letter.to, queue);
    this.#push(queue, letter);
    this.#lookLater(letter.to, queue);
  }

  /** @returns whether others wait for its session, and it behind them */
  follow(letter: Letter): boolean {
    const queue = this.#queues.get(letter.to);
    if (queue !== undefined) this.#push(queue, letter);
    return queue !== undefined;
  }

  /** Whether something waits for a session. */
  has(session: string): boolean {
    return this.#queues.has(session);
  }

  waitingFor(session: string): readonly Letter[] {
    return this.#queues.get(session)?.letters ?? [];
  }

  #push(queue: Queue, letter: Letter): void {
    if (this.#count >= lettersMax || this.#bytes + letter.body.length > lettersBytesMax) {
      if (!this.#isReported) this.#report(new Error(tooMany), 'sending messages to sockets of other servers');
      this.#isReported = true;
      return;
    }
    this.#count++;
    this.#bytes += letter.body.length;
    queue.letters.push(letter);
  }

  #lookLater(to: string, queue: Queue): void {
    this.#patience.after(waitsMs[queue.looks] as number, () => {
      queue.looks++;
      this.#patience
        .until(() => this.#store.session(to))
        .then((session) => {
          if (session === undefined && queue.looks < waitsMs.length) this.#lookLater(to, queue);
          else this.#end(to, queue, session !== undefined && session !== 'over');
        })
        // The server is closed.
        .catch(() => {});
    });
  }

  #end(to: string, queue: Queue, isFound: boolean): void {
    this.#queues.delete(to);
    this.#isReported &&= this.#queues.size > 0;
    // What the store had lost is said again behind what was being stored then.
    for (const letter of queue.letters.sort((a, b) => a.stamp - b.stamp)) {
      this.#count--;
      this.#bytes -= letter.body.length;
      this.#looks.set(letter, queue.looks);
      if (isFound) this.#post(letter);
    }
  }
}
