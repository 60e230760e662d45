// A queue of bytes, read anywhere and dropped from its front. It lies outside the JavaScript heap: what is kept here
// costs the collector nothing.

const capacityMin = 256;
/** Positions count from the first byte ever, and begin again here: they stay small integers. */
const positions = 1 << 30;

/** What a queue has that nothing was ever put into: there may be many. */
const none = Buffer.alloc(0);

export class ByteRing {
  /** The byte at a position lies at its remainder by the length, which is a power of two. */
  #ring = none;
  #first = 0;
  #length = 0;

  /** Bytes in the queue: at most 2^30. */
  get length(): number {
    return this.#length;
  }

  /** The position that the next byte gets. */
  get end(): number {
    return (this.#first + this.#length) % positions;
  }

  /** Makes room for so many bytes more. @throws RangeError if that cannot be, and then nothing has changed */
  reserve(length: number): void {
    const needed = this.#length + length;
    if (needed > positions) throw new RangeError(`${needed} bytes are more than a queue of bytes holds`);
    if (needed > this.#ring.length) this.#resize(needed);
  }

  /** Copies `bytes` to the end. @throws RangeError as `reserve` does */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.reserve(bytes.length);
    const at = this.end & (this.#ring.length - 1);
    const untilEnd = this.#ring.length - at;
    if (bytes.length <= untilEnd) this.#ring.set(bytes, at);
    else {
      this.#ring.set(bytes.subarray(0, untilEnd), at);
      this.#ring.set(bytes.subarray(untilEnd));
    }
    this.#length += bytes.length;
  }

  /** @returns a copy of bytes that are there */
  read(position: number, length: number): Uint8Array {
    const copy = Buffer.allocUnsafe(length);
    this.#copy(position, length, copy, 0);
    return copy;
  }

  /** Drops so many bytes, which are there, from the front. */
  drop(length: number): void {
    this.#first = (this.#first + length) % positions;
    this.#length -= length;
  }

  /** Gives back memory that it has too much of, and all of it when it is empty. */
  shrink(): void {
    if (this.#length === 0) this.#ring = none;
    // Later than it grew, so that a queue about as long as a power of two is not copied all the time.
    else if (this.#length * 4 <= this.#ring.length && this.#ring.length > capacityMin) this.#resize(this.#length * 2);
  }

  #resize(length: number): void {
    let capacity = capacityMin;
    while (capacity < length) capacity *= 2;
    const ring = Buffer.allocUnsafeSlow(capacity);
    const at = this.#first & (capacity - 1);
    const untilEnd = Math.min(this.#length, capacity - at);
    this.#copy(this.#first, untilEnd, ring, at);
    this.#copy(this.#first + untilEnd, this.#length - untilEnd, ring, 0);
    this.#ring = ring;
  }

  #copy(position: number, length: number, target: Buffer, targetAt: number): void {
    if (length === 0) return;
    const at = position & (this.#ring.length - 1);
    const copied = this.#ring.copy(target, targetAt, at, at + length);
    this.#ring.copy(target, targetAt + copied, 0, length - copied);
  }
}
