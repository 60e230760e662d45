// A queue of rows, each of some numbers and one item, read anywhere and dropped from its front: a row costs its cells, and
// no object of its own. It grows by blocks, so that no row is ever copied to a larger place.

const blockRowsLog2 = 6;
const blockRows = 1 << blockRowsLog2;

/** Numbers in an array of their own are kept as they are; beside other values each large one would be an object. */
interface Block<Item> {
  readonly numbers: number[];
  readonly items: (Item | undefined)[];
}

export class RowQueue<Item> {
  readonly #width: number;
  /** The first one grows with its rows: many queues are short. */
  #blocks: Block<Item>[] = [];
  /** Rows of the first block that were dropped. */
  #dropped = 0;
  #length = 0;
  /** A block that was used up, for the next one that is needed: a queue of about the same length makes no more. */
  #spare: Block<Item> | undefined = undefined;

  /** @param width numbers in a row */
  constructor(width: number) {
    this.#width = width;
  }

  /** Rows in the queue. */
  get length(): number {
    return this.#length;
  }

  /** @returns a number; undefined if there is no such row */
  numberAt(row: number, column: number): number | undefined {
    if (row >= this.#length) return undefined;
    const place = this.#dropped + row;
    return this.#blocks[place >> blockRowsLog2]?.numbers[(place % blockRows) * this.#width + column];
  }

  /** @returns the item of a row; undefined if there is no such row */
  itemAt(row: number): Item | undefined {
    if (row >= this.#length) return undefined;
    const place = this.#dropped + row;
    return this.#blocks[place >> blockRowsLog2]?.items[place % blockRows];
  }

  /** Adds a row at the end. Each of its numbers MUST be given with `set`, from the first to the last. @returns its number */
  push(item: Item): number {
    const place = this.#dropped + this.#length;
    if (place >> blockRowsLog2 === this.#blocks.length) {
      this.#blocks.push(place === 0 ? { numbers: [], items: [] } : (this.#spare ?? fullBlock(this.#width)));
      this.#spare = undefined;
    }
    (this.#blocks[place >> blockRowsLog2] as Block<Item>).items[place % blockRows] = item;
    return this.#length++;
  }

  /** Puts a number into a row that is there. */
  set(row: number, column: number, value: number): void {
    const place = this.#dropped + row;
    const { numbers } = this.#blocks[place >> blockRowsLog2] as Block<Item>;
    numbers[(place % blockRows) * this.#width + column] = value;
  }

  /** Drops the first row, which is there. */
  shift(): void {
    this.#length--;
    if (this.#length === 0) {
      this.#blocks = [];
      this.#dropped = 0;
      return;
    }
    const [first] = this.#blocks as [Block<Item>];
    first.items[this.#dropped] = undefined;
    if (++this.#dropped === blockRows) {
      this.#spare = this.#blocks.shift();
      this.#dropped = 0;
    }
  }

  /** Drops every row for which `keep` does not hold. */
  retain(keep: (row: number) => boolean): void {
    const kept = new RowQueue<Item>(this.#width);
    for (let row = 0; row < this.#length; row++) {
      if (!keep(row)) continue;
      const place = kept.push(this.itemAt(row) as Item);
      for (let column = 0; column < this.#width; column++) {
        kept.set(place, column, this.numberAt(row, column) as number);
      }
    }
    this.#blocks = kept.#blocks;
    this.#dropped = 0;
    this.#length = kept.#length;
    this.#spare = undefined;
  }
}

function fullBlock<Item>(width: number): Block<Item> {
  return {
    numbers: new Array<number>(blockRows * width).fill(0),
    items: new Array<Item | undefined>(blockRows).fill(undefined),
  };
}
