// What other nodes have sent to one session: each letter is taken once, in the order of its numbers; what is missing is read from
// the store.
import { isLetter } from '../store/answers';
import { nameOf } from '../store/known';
import { Impatience } from '../store/patience';
import type { StoredLetter, TakenMail } from '../store/store';

export interface MailboxContext {
  /** @returns the letters behind a number */
  letters(after: number): Promise<readonly StoredLetter[]>;
  take(letter: StoredLetter): void;
  /** Some are not there any more. */
  lost(): void;
  report(error: unknown, where: string): void;
}

/** A store loses no more than this in a row. */
const knownMax = 256;
/** So many of them are recorded, as long as it is not known that something was lost. */
const recordedMax = 16;

/** What is recorded of it. */
export interface MailRecord extends TakenMail {
  /** Which letters were taken last: if the store loses some, they come again under another number. */
  readonly known: readonly string[];
}

export const noMail: MailRecord = { number: 0, node: '', stamp: 0, known: [] };

export class Mailbox {
  /** Letters up to this one are taken. */
  position: TakenMail;
  readonly #context: MailboxContext;
  /** Which were taken last: numbers may be given again. */
  readonly #known = new Set<string>();
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

  constructor({ known, ...position }: MailRecord, context: MailboxContext) {
    this.position = position;
    this.#context = context;
    for (const name of known) this.#known.add(name);
    this.#hasLost = known.length > recordedMax;
    this.#isFresh = position.number > 0;
  }

  /** @returns what another server needs to go on with it */
  record(): MailRecord {
    return { ...this.position, known: [...this.#known].slice(this.#hasLost ? 0 : -recordedMax) };
  }

  /** What there was for it as it came here, from the first on that there is. */
  begin(letters: readonly StoredLetter[]): void {
    this.#takeAll(letters, false);
    // Behind a page there may be another one.
    if (this.#isStale) this.#check();
  }

  /** A letter is there. It may come twice, and before others. */
  arrived(letter: StoredLetter): void {
    if (!isLetter(letter)) this.#context.report(new Error('Not a letter.'), 'the store');
    else if (letter.number === this.#taken + 1 && !this.#isReading && !this.#isFresh) this.#take(letter);
    else if (letter.number > this.#taken) this.#check();
    else if (!this.#known.has(nameOf(letter.node, letter.stamp))) this.rolledBack();
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
    const its = nameOf(letter.node, letter.stamp);
    if (this.#known.has(its)) return;
    this.#known.add(its);
    const [oldest] = this.#known;
    if (this.#known.size > knownMax) this.#known.delete(oldest as string);
    this.#context.take(letter);
  }
}
