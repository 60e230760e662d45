// What nodes know of a log that has lost something, and tell each other, to find out who has had all of it. An entry's name says which it
// is, whatever offset the store gives.

/**
 * How a node knows a log: up to which offset it knows that it goes, and the last entry that it has, with its name, or one that it has written
 * and the store has lost.
 */
export type Known = readonly [top: number, last: number, name: string, isLost: boolean];

export const unknown: Known = [0, 0, '', false];

/** A log before it was renewed. */
export class Before {
  readonly epoch: string;
  readonly #last: number;
  /** Names of the last entries that were delivered here, by offset. */
  readonly #names: ReadonlyMap<number, string>;
  readonly #known: ReadonlySet<string>;
  /** Up to here somebody has read it elsewhere. */
  readonly #readElsewhere: number;
  /** Offset up to which anybody is known to have known it. */
  #top: number;
  /** Whether all that anybody has known was here. */
  isWhole: boolean;

  constructor(epoch: string, top: number, last: number, names: ReadonlyMap<number, string>, readElsewhere: number) {
    this.epoch = epoch;
    this.#last = last;
    this.#names = names;
    this.#known = new Set(names.values());
    this.#readElsewhere = readElsewhere;
    this.#top = top;
    this.isWhole = top <= last;
  }

  get known(): Known {
    return [this.#top, this.#last, this.#names.get(this.#last) ?? '', false];
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** What another node has known. @returns whether that is the first that was not here */
  add([top, last, name, isLost]: Known): boolean {
    const { isWhole } = this;
    this.#top = Math.max(this.#top, top);
    const mine = this.#names.get(last);
    // What was read elsewhere may have been another entry.
    const isMissed = isLost && mine === undefined && last <= this.#readElsewhere;
    if (top > this.#last || isMissed || (name !== '' && differ(mine, name))) this.isWhole = false;
    return isWhole && !this.isWhole;
  }
}

/** Whether two are known not to be the same. */
export function differ(mine: string | undefined, its: string): boolean {
  return mine !== undefined && mine !== its;
}

/** Two nodes may emit at one stamp. */
export function nameOf(node: string, stamp: number): string {
  return `${stamp} ${node}`;
}
