// What comes in parts, until it is whole. Parts are not kept as they come: one of a byte would take a hundred times that.

const blockBytesMin = 512;
const blockBytesMax = 1 << 16;

export class Gathered {
  #blocks: Buffer[] = [];
  /** How much of the last block is taken. */
  #used = 0;
  #bytes = 0;

  /** How many bytes there are. What they take is no more than twice that, and a block. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param part is copied */
  add(part: Uint8Array): void {
    this.#bytes += part.length;
    for (let at = 0; at < part.length; ) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#used === block.length) {
        const twice = block === undefined ? blockBytesMin : Math.min(2 * block.length, blockBytesMax);
        block = Buffer.allocUnsafeSlow(Math.max(twice, part.length - at));
        this.#blocks.push(block);
        this.#used = 0;
      }
      const end = Math.min(part.length, at + block.length - this.#used);
      block.set(at === 0 && end === part.length ? part : part.subarray(at, end), this.#used);
      this.#used += end - at;
      at = end;
    }
  }

  /** @returns all of it, which nobody else has. It is empty then */
  take(): Buffer {
    const [first] = this.#blocks;
    const whole =
      first !== undefined && this.#blocks.length === 1
        ? first.subarray(0, this.#bytes)
        : Buffer.concat(this.#blocks, this.#bytes);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#blocks = [];
    this.#used = this.#bytes = 0;
  }
}
