// What other nodes have sent to one session: each letter is taken once, in the order of its numbers; what is missing is read from
// the store.
import { Impatience } from '../store/patience';
import { isLetter, type StoredLetter } from '../store/store';

export interface MailboxContext {
  /** @returns the letters behind a number */
  letters(after: number): Promise<readonly StoredLetter[]>;
  take(letter: StoredLetter): void;
  /** Some are not there any more. */
  lost(): void;
  report(error: unknown, where: string): void;
}

export class Mailbox {
  /** Letters up to this number are taken. */
  taken: number;
  readonly #context: MailboxContext;
  #isReading = false;
  /** Whether there may be more since the read that is under way has begun. */
  #isStale = false;

  constructor(taken: number, context: MailboxContext) {
    this.taken = taken;
    this.#context = context;
  }

  /** A letter is there. It may come twice, and before others. */
  arrived(letter: StoredLetter): void {
    if (!isLetter(letter)) this.#context.report(new Error('Not a letter.'), 'the store');
    else if (letter.number === this.taken + 1 && !this.#isReading) this.#take(letter);
    else if (letter.number > this.taken) this.check();
  }

  /** Letters may be there. */
  check(): void {
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
      for (const letter of await this.#context.letters(this.taken)) {
        if (letter.number <= this.taken) continue;
        if (letter.number > this.taken + 1) {
          this.#context.lost();
          return;
        }
        this.#take(letter);
        // Behind a page there may be another one.
        this.#isStale = true;
      }
    }
  }

  #take(letter: StoredLetter): void {
    this.taken = letter.number;
    this.#context.take(letter);
  }
}
