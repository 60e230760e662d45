// Stored entries of a log that wait for those before them, ascending. It is a list, and no Map: one through which everything passes is
// built anew all the time, and V8 has each that is old already hold those after it, so that to collect what is young takes milliseconds.
import type { StoredEntry } from './store';

export class WaitingEntries {
  readonly #list: StoredEntry[] = [];

  get count(): number {
    return this.#list.length;
  }

  /** @param offset of what is delivered next: nothing before it waits any more */
  first(offset: number): StoredEntry | undefined {
    const list = this.#list;
    while (list.length > 0 && (list[0] as StoredEntry).offset < offset) list.shift();
    return list[0]?.offset === offset ? list[0] : undefined;
  }

  /** Takes the first away. */
  shift(): void {
    this.#list.shift();
  }

  at(offset: number): StoredEntry | undefined {
    const entry = this.#list[this.#after(offset) - 1];
    return entry?.offset === offset ? entry : undefined;
  }

  /** In the place of one with its offset, if there is one. */
  set(entry: StoredEntry): void {
    const after = this.#after(entry.offset);
    const isThere = this.#list[after - 1]?.offset === entry.offset;
    if (isThere) this.#list[after - 1] = entry;
    else if (after === this.#list.length) this.#list.push(entry);
    else this.#list.splice(after, 0, entry);
  }

  /** The store has lost an entry, and had it once more: it waits in its new place alone. */
  moved(node: string, { stamp, offset }: StoredEntry): void {
    const at = this.#list.findIndex((entry) => entry.stamp === stamp && entry.node === node && entry.offset !== offset);
    if (at >= 0) this.#list.splice(at, 1);
  }

  clear(): void {
    this.#list.length = 0;
  }

  /** @returns the index behind an offset. Mostly what comes is the last. */
  #after(offset: number): number {
    return this.#list.findLastIndex((entry) => entry.offset <= offset) + 1;
  }
}
