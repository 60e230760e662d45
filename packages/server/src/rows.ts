// A queue of rows in one flat array, read and dropped from its front: a row costs its cells, and no object of its own.
// The array is a ring: the collector looks through an array anew each time that it is replaced by a larger one.

const rowsMin = 8;

export class Rows {
  readonly #width: number;
  #cells: unknown[];
  /** Rows that the ring has place for, less one: a power of two less one. */
  #mask = rowsMin - 1;
  #first = 0;
  #length = 0;

  /** @param width cells in a row */
  constructor(width: number) {
    this.#width = width;
    this.#cells = emptyCells(rowsMin * width);
  }

  /** Rows in the queue. */
  get length(): number {
    return this.#length;
  }

  /** @returns a cell; undefined if nothing was put there, or if there is no such row */
  at(row: number, column: number): unknown {
    return row < this.#length ? this.#cells[this.#index(row, column)] : undefined;
  }

  /** Puts something into a cell of a row that is there. */
  set(row: number, column: number, cell: unknown): void {
    this.#cells[this.#index(row, column)] = cell;
  }

  /** Adds a row without anything in its cells. @returns its number, as long as no row is dropped */
  push(): number {
    if (this.#length > this.#mask) this.#resize((this.#mask + 1) * 2);
    return this.#length++;
  }

  /** Drops the first row, which is there. */
  shift(): void {
    this.#clear(0);
    this.#first = (this.#first + 1) & this.#mask;
    this.#length--;
    this.#shrink();
  }

  /** Drops every row for which `keep` does not hold. */
  retain(keep: (row: number) => boolean): void {
    let kept = 0;
    for (let row = 0; row < this.#length; row++) {
      if (!keep(row)) continue;
      if (kept < row) for (let column = 0; column < this.#width; column++) this.set(kept, column, this.at(row, column));
      kept++;
    }
    for (let row = kept; row < this.#length; row++) this.#clear(row);
    this.#length = kept;
    this.#shrink();
  }

  #index(row: number, column: number): number {
    return ((this.#first + row) & this.#mask) * this.#width + column;
  }

  #clear(row: number): void {
    for (let column = 0; column < this.#width; column++) this.set(row, column, undefined);
  }

  /** Leaves room to grow again, so that a queue about as long as a power of two is not copied with every row. */
  #shrink(): void {
    let rows = this.#mask + 1;
    while (rows > rowsMin && this.#length * 4 <= rows) rows /= 2;
    if (rows <= this.#mask) this.#resize(rows);
  }

  #resize(rows: number): void {
    const cells = emptyCells(rows * this.#width);
    let i = 0;
    for (let row = 0; row < this.#length; row++) {
      for (let column = 0; column < this.#width; column++) cells[i++] = this.#cells[this.#index(row, column)];
    }
    this.#cells = cells;
    this.#mask = rows - 1;
    this.#first = 0;
  }
}

function emptyCells(count: number): unknown[] {
  return new Array<unknown>(count).fill(undefined);
}
