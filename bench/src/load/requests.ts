// Events with ack, whose numbers grow on each connection (docs/PROTOCOL.md §4): encoded once for all connections, in blocks.
import type { Payload } from '../contract/plan';
import type { Dialect } from './dialect';

/** Above those by which a peer has joined its rooms. */
const firstAck = 1_000_001;
const blockSize = 512;
/** Connections are about as far as each other: who is far behind has its requests encoded again. */
const blocksMax = 128;

interface Block {
  readonly bytes: Buffer;
  /** Where each request begins, and the last one ends. */
  readonly starts: readonly number[];
}

export class Requests {
  readonly #dialect: Dialect;
  readonly #payload: Payload;
  readonly #blocks = new Map<number, Block>();

  constructor(dialect: Dialect, payload: Payload) {
    this.#dialect = dialect;
    this.#payload = payload;
  }

  /** Hands over `count` requests behind the first `asked`, in order, in few pieces. */
  after(asked: number, count: number, write: (requests: Buffer) => void): void {
    for (let at = asked; at < asked + count; ) {
      const { bytes, starts } = this.#blockAt(Math.floor(at / blockSize));
      const from = at % blockSize;
      const end = Math.min(from + asked + count - at, blockSize);
      write(bytes.subarray(starts[from], starts[end]));
      at += end - from;
    }
  }

  #blockAt(index: number): Block {
    const known = this.#blocks.get(index);
    if (known !== undefined) return known;
    const all = Array.from({ length: blockSize }, (_, i) =>
      this.#dialect.event('echo', [this.#payload], firstAck + index * blockSize + i),
    );
    const starts = [0];
    for (const { length } of all) starts.push((starts.at(-1) as number) + length);
    const block = { bytes: Buffer.concat(all), starts };
    this.#blocks.set(index, block);
    if (this.#blocks.size > blocksMax) this.#blocks.delete(this.#blocks.keys().next().value as number);
    return block;
  }
}
