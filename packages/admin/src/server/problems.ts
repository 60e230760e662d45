// Errors and warnings of this server, the last hundred kinds of them: nothing that was sent, and no error of the app's as it is.
import type { Told } from '@halyard/server';
import type { Problem } from '../base/said';

/** Of those that are told apart the one that has not been for the longest time makes room. */
const problemsMax = 100;
const messageCharsMax = 500;

export class Problems {
  /** Grows with each. */
  count = 0;
  readonly #wall: () => number;
  readonly #byKind = new Map<string, Problem>();

  /** @param wall the time of day, in milliseconds since 1970 */
  constructor(wall: () => number) {
    this.#wall = wall;
  }

  /** The newest first. */
  get list(): readonly Problem[] {
    return [...this.#byKind.values()].reverse();
  }

  readonly hear = ({ happening, level, message, facts }: Told): void => {
    if (happening !== 'error' && happening !== 'warning') return;
    this.count++;
    const code = String(facts.code ?? '');
    const text =
      facts.where === undefined
        ? message.slice(0, messageCharsMax)
        : `${facts.where} failed.`.slice(0, messageCharsMax);
    const kind = `${level} ${code} ${facts.where ?? ''}`;
    const before = this.#byKind.get(kind);
    // The last one stands at the end.
    this.#byKind.delete(kind);
    const count = (before?.count ?? 0) + (facts.count ?? 1);
    this.#byKind.set(kind, { level, code, message: text, count, at: this.#wall() });
    if (this.#byKind.size <= problemsMax) return;
    const [oldest = ''] = this.#byKind.keys();
    this.#byKind.delete(oldest);
  };
}
