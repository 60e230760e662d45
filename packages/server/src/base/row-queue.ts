// A queue of rows of cells, read anywhere and dropped from its front: a row costs its cells, and no object of its own. It
// grows by blocks, so that no row is ever copied to a larger place.

const blockRowsLog2 = 6;
const blockRows = 1 << blockRowsLog2;

export class RowQueue {
  readonly #width: number;
  /** The first one grows with its rows: many queues are short. */
  #blocks: unknown[][] = [];
  /** Rows of the first block that were dropped. */
  #dropped = 0;
  #length = 0;
  /** A block that was used up, for the next one that is needed: a queue of about the same length makes no more. */
  #spare: unknown[] | undefined = undefined;

  /** @param width cells in a row */
  constructor(width: number) {
    this.#width = width;
  }

  /** Rows in the queue. */
  get length(): number {
    return this.#length;
  }

  /** @returns a cell; undefined if there is no such row */
  at(row: number, column: number): unknown {
    if (row >= this.#length) return undefined;
    const place = this.#dropped + row;
    return this.#blocks[place >> blockRowsLog2]?.[(place % blockRows) * this.#width + column];
  }

  /** Adds a row at the end. Each of its cells MUST be given with `set`, from the first to the last. @returns its number */
  push(): number {
    const place = this.#dropped + this.#length;
    if (place >> blockRowsLog2 === this.#blocks.length) {
      this.#blocks.push(
        place === 0 ? [] : (this.#spare ?? new Array<unknown>(blockRows * this.#width).fill(undefined)),
      );
      this.#spare = undefined;
    }
    return this.#length++;
  }

  /** Puts something into a cell of a row that is there. */
  set(row: number, column: number, cell: unknown): void {
    const place = this.#dropped + row;
    const block = this.#blocks[place >> blockRowsLog2] as unknown[];
    block[(place % blockRows) * this.#width + column] = cell;
  }

  /** Drops the first row, which is there. */
  shift(): void {
    this.#length--;
    if (this.#length === 0) {
      this.#blocks = [];
      this.#dropped = 0;
    } else if (++this.#dropped === blockRows) {
      this.#spare = this.#blocks.shift();
      this.#dropped = 0;
    }
  }

  /** Drops every row for which `keep` does not hold. */
  retain(keep: (row: number) => boolean): void {
    const kept = new RowQueue(this.#width);
    for (let row = 0; row < this.#length; row++) {
      if (!keep(row)) continue;
      const place = kept.push();
      for (let column = 0; column < this.#width; column++) kept.set(place, column, this.at(row, column));
    }
    this.#blocks = kept.#blocks;
    this.#dropped = 0;
    this.#length = kept.#length;
    this.#spare = undefined;
  }
}
