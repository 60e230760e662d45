// Which entries a node has delivered last of a log: an offset does not say it, once the store has lost some and gives it again.
import type { Log } from '../log/log';
import { differ, nameOf } from './known';
import type { StoredEntry } from './store';

const namesMax = 1_024;

export class Names {
  readonly #log: Log;
  readonly #node: string;
  /** Who has emitted them, by their offsets modulo `namesMax`. */
  readonly #nodes: string[] = [];

  /** @param node whose own entries say of no node that they are */
  constructor(log: Log, node: string) {
    this.#log = log;
    this.#node = node;
  }

  /** @returns the name of any entry */
  of({ node, stamp }: StoredEntry): string {
    return nameOf(node || this.#node, stamp);
  }

  /** @returns the name of an entry that was delivered here lately */
  at(offset: number): string | undefined {
    const { lastOffset } = this.#log;
    const stamp = offset > lastOffset - namesMax && offset <= lastOffset ? this.#log.emittedAt(offset) : undefined;
    const node = this.#nodes[offset % namesMax];
    return stamp === undefined || node === undefined ? undefined : nameOf(node, stamp);
  }

  /** Of the last entries that were delivered here, by offset. */
  all(): Map<number, string> {
    const { lastOffset } = this.#log;
    const names = new Map<number, string>();
    for (let offset = Math.max(lastOffset - namesMax, 0) + 1; offset <= lastOffset; offset++) {
      const name = this.at(offset);
      if (name !== undefined) names.set(offset, name);
    }
    return names;
  }

  /** An entry is about to be delivered. */
  add({ offset, node }: StoredEntry): void {
    this.#nodes[offset % namesMax] = node || this.#node;
  }

  /** Whether an entry is behind the same one here as in the store, as far as that is known. */
  isBehind({ offset, after }: StoredEntry): boolean {
    const [stamp, node] = after;
    return stamp === 0 || !differ(this.at(offset - 1), nameOf(node, stamp));
  }
}
