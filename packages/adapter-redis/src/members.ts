// Who is there. Each node says so every two seconds, and hears at the same time who else does; who comes or goes is told at once as well.
import type { StoreEvents } from '@halyard/server';
import { Malformed, Pieces } from './pieces';

/** Who has said nothing for so long, in milliseconds, is gone: as `dead` in the script. */
const deadMs = 6_000;
/** If nothing was heard for so long, nobody could be. */
const silentMs = 4_000;

export class Members {
  readonly #node: string;
  readonly #events: Pick<StoreEvents, 'onJoined' | 'onLeft'>;
  /** All that are known to be there, with when they were heard of last. */
  readonly #heard = new Map<string, number>();
  #heardAt = Number.NEGATIVE_INFINITY;
  /** Since when nodes can be heard of without a break. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(node: string, events: Pick<StoreEvents, 'onJoined' | 'onLeft'>) {
    this.#node = node;
    this.#events = events;
  }

  /** All others that are known to be there. */
  [Symbol.iterator](): Iterator<string> {
    return this.#heard.keys();
  }

  /** Those that were there when this node came. */
  begin(nodes: readonly string[], now: number): void {
    for (const node of nodes) if (node !== this.#node) this.#heard.set(node, now);
    this.#heardAt = now;
    this.#since = now;
  }

  /** All nodes that are there now. */
  listed(nodes: readonly string[], now: number): void {
    if (now - this.#heardAt > silentMs) this.#since = now;
    this.#heardAt = now;
    for (const node of nodes) this.#joined(node, now);
    // A store that has lost everything knows of nobody until they have said something.
    for (const [node, at] of this.#heard) {
      if (at < now && now - Math.max(at, this.#since) >= deadMs) this.#left(node);
    }
  }

  /** Reads what was said of a node. @returns a function that heeds it. @throws Malformed */
  told(message: Buffer, now: number): () => void {
    const pieces = new Pieces(message);
    const what = pieces.text();
    const node = pieces.text();
    if (what === 'joined') return () => this.#joined(node, now);
    if (what === 'left') return () => this.#left(node);
    throw new Malformed('nothing that is said of nodes');
  }

  #joined(node: string, now: number): void {
    if (node === this.#node) return;
    const isNew = !this.#heard.has(node);
    this.#heard.set(node, now);
    if (isNew) this.#events.onJoined(node);
  }

  #left(node: string): void {
    if (this.#heard.delete(node)) this.#events.onLeft(node);
  }
}
