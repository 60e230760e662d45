// Letters that found no session. If the store has lost its record, who has the session writes that again as soon as it finds out: until
// then they are sent again.
import type { Patience } from './patience';
import type { Letter, Store } from './store';

/** As long as they wait, each time, in milliseconds: in all for as long as it may take to find out what the store has lost. */
const waitsMs = [1_000, 3_000, 6_000];
/** More do not wait at one time. */
const waitingMax = 1_024;

export class Strays {
  readonly #store: Store;
  readonly #patience: Patience;
  readonly #post: (letter: Letter) => void;
  /** How often each has waited. */
  readonly #waits = new WeakMap<Letter, number>();
  #waiting = 0;

  constructor(store: Store, patience: Patience, post: (letter: Letter) => void) {
    this.#store = store;
    this.#patience = patience;
    this.#post = post;
  }

  /** There is no record for a letter. */
  add(letter: Letter): void {
    const waits = this.#waits.get(letter) ?? 0;
    const waitMs = waitsMs[waits];
    if (waitMs === undefined || this.#waiting >= waitingMax) return;
    this.#waits.set(letter, waits + 1);
    this.#waiting++;
    this.#patience.after(waitMs, () => {
      this.#waiting--;
      this.#patience
        .until(() => this.#store.session(letter.to))
        .then((session) => {
          if (session !== 'over') this.#post(letter);
        })
        // The server is closed.
        .catch(() => {});
    });
  }
}
