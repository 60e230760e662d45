// Things that come and go all the time, a few at a time and in no order. A Set makes itself anew after some that have gone, and its old
// tables, once they are old, keep all that was in the younger ones from the collector of young objects.

/** Something in a bag: it knows where. */
export interface Bagged {
  /** Below zero outside of it. */
  place: number;
}

export class Bag<Item extends Bagged> {
  #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1;
  }

  /** Nothing happens if it is not in it. */
  delete(item: Item): void {
    if (item.place < 0) return;
    const last = this.#items.pop() as Item;
    if (last !== item) {
      this.#items[item.place] = last;
      last.place = item.place;
    }
    item.place = -1;
  }

  /** @returns all that was in it */
  empty(): Item[] {
    const all = this.#items;
    this.#items = [];
    for (const item of all) item.place = -1;
    return all;
  }
}
