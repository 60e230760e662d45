// What other nodes have sent to one session: each letter is taken once, in the order of its numbers; what is missing is read from
// the store.
import { isLetter } from '../store/answers';
import { Impatience } from '../store/patience';
import type { StoredLetter, TakenMail } from '../store/store';
import { recordedMax, TakenLetters, type TakenRecord } from './taken-letters';

export interface MailboxContext {
  /** @returns the letters behind a number */
  letters(after: number): Promise<readonly StoredLetter[]>;
  take(letter: StoredLetter): void;
  /** Some are not there any more. */
  lost(): void;
  report(error: unknown, where: string): void;
}

/** What is recorded of it. */
export interface MailRecord extends TakenMail, TakenRecord {}

export const noMail: MailRecord = { number: 0, node: '', stamp: 0, known: [], floors: [] };

export class Mailbox {
  /** Letters up to this one are taken. */
  position: TakenMail;
  readonly #context: MailboxContext;
  /** Which were taken: numbers may be given again. */
  readonly #letters: TakenLetters;
  /** Whether numbers have ever been given again. */
  #hasLost: boolean;
  /** Whether numbers mean other letters by now, because some are lost. */
  #isAnew = false;
  /** Whether nothing was read yet: what was taken before is not there any more, unless numbers mean other letters. */
  #isFresh: boolean;
  /** Whether the store has said that there is one. */
  #isSure = false;
  #isReading = false;
  /** Whether there may be more since the read that is under way has begun. */
  #isStale = false;

  constructor(record: MailRecord, context: MailboxContext) {
    const { number, node, stamp } = record;
    this.position = { number, node, stamp };
    this.#context = context;
    this.#letters = new TakenLetters(record);
    this.#hasLost = record.known.length > recordedMax;
    this.#isFresh = number > 0;
  }

  /** @returns what another server needs to go on with it */
  record(): MailRecord {
    return { ...this.position, ...this.#letters.record(this.#hasLost) };
  }

  /** What there was for it as it came here, from the first on that there is. */
  begin(letters: readonly StoredLetter[]): void {
    this.#takeAll(letters, false);
    // Behind a page there may be another one.
    if (this.#isStale) this.#check();
  }

  /** What its own server has sent to it, and has no number yet: when it comes from the store it is known. */
  takeAhead(letters: readonly StoredLetter[]): void {
    for (const letter of letters) {
      if (this.#letters.has(letter)) continue;
      this.#letters.add(letter);
      this.#context.take(letter);
    }
  }

  /** A letter is there. It may come twice, and before others. */
  arrived(letter: StoredLetter): void {
    if (!isLetter(letter)) this.#context.report(new Error('Not a letter.'), 'the store');
    else if (letter.number === this.#taken + 1 && !this.#isReading && !this.#isFresh) this.#take(letter);
    else if (letter.number > this.#taken) this.#check();
    else if (!this.#letters.has(letter)) this.rolledBack();
  }

  /** The store has lost some, and counts on from those that it has. What is sent again is known by its sender and its stamp. */
  rolledBack(): void {
    this.#isAnew = this.#hasLost = true;
    this.#check();
  }

  /** The store says that there are letters. If there are none behind those that are taken, it counts anew. */
  mailed(): void {
    this.#isSure = true;
    this.#check();
  }

  get #taken(): number {
    return this.position.number;
  }

  #check(): void {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read().then(
      () => {
        this.#isReading = false;
      },
      (error: unknown) => {
        this.#isReading = false;
        if (!(error instanceof Impatience)) this.#context.report(error, 'reading letters');
      },
    );
  }

  async #read(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      // From the beginning, if numbers mean something else by now, or may.
      const isAnew = this.#isAnew;
      const isSure = this.#isSure;
      this.#isAnew = this.#isSure = false;
      const letters = await this.#context.letters(this.#isFresh || isAnew ? 0 : this.#taken);
      if (isSure && letters.length === 0 && !isAnew && this.#taken > 0) this.rolledBack();
      this.#takeAll(letters, isAnew);
    }
  }

  /** @param isAnew whether numbers mean something else than before */
  #takeAll(letters: readonly StoredLetter[], isAnew: boolean): void {
    let last = isAnew ? 0 : this.#taken;
    let isFirst = isAnew;
    if (this.#isFresh && (letters[0]?.number ?? Infinity) <= last) this.rolledBack();
    this.#isFresh = false;
    // It is read anew, because some are lost.
    if (this.#isAnew) return;
    for (const letter of letters) {
      if (letter.number <= last) continue;
      if (letter.number > last + 1 && !isFirst) {
        this.#isStale = false;
        this.#context.lost();
        return;
      }
      isFirst = false;
      last = letter.number;
      this.#take(letter);
      // Behind a page there may be another one.
      this.#isStale = true;
    }
  }

  #take(letter: StoredLetter): void {
    const { number, node, stamp } = letter;
    this.position = { number, node, stamp };
    if (this.#letters.has(letter)) return;
    this.#letters.add(letter);
    this.#context.take(letter);
  }
}
