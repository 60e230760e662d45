// Bytes in a row, each with its length in front as `3:abc`: what scripts and this side write and read alike, with no byte forbidden.
// What comes in is not believed: it ends in `Malformed`, or is what was written.
import type { Frame } from '@halyard/protocol';

export type Piece = string | number | Uint8Array;

/** What was read is not what this package writes. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const colon = 0x3a;
const digitsMax = 10;
const utf8 = 'utf8';

export function pack(pieces: readonly Piece[]): Buffer {
  const texts: (string | Uint8Array)[] = [];
  let length = 0;
  for (const piece of pieces) {
    const body = typeof piece === 'number' ? String(piece) : piece;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const header = `${bytes}:`;
    texts.push(header, body);
    length += header.length + bytes;
  }
  const made = Buffer.allocUnsafe(length);
  let at = 0;
  for (const text of texts) {
    if (typeof text === 'string') at += made.write(text, at, utf8);
    else {
      made.set(text, at);
      at += text.length;
    }
  }
  return made;
}

/** Reads pieces one after the other. Every method throws `Malformed` for what is none. */
export class Pieces {
  readonly #all: Buffer;
  #at: number;

  constructor(all: Buffer, at = 0) {
    this.#all = all;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#all.length;
  }

  /** @returns a part of what is read, not a copy */
  bytes(): Buffer {
    const all = this.#all;
    let length = 0;
    let at = this.#at;
    for (; all[at] !== colon; at++) {
      const digit = (all[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9 || at - this.#at >= digitsMax) throw new Malformed('no length');
      length = length * 10 + digit;
    }
    const start = at + 1;
    if (at === this.#at || start + length > all.length) throw new Malformed('shorter than it says');
    this.#at = start + length;
    return all.subarray(start, this.#at);
  }

  text(): string {
    return this.bytes().toString(utf8);
  }

  /** A whole number, not below zero. */
  number(): number {
    const text = this.text();
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new Malformed('no number');
    return number;
  }

  /** @returns as many things as the next piece says, each read by `read` */
  list<Item>(read: () => Item): Item[] {
    const count = this.number();
    // Each takes two bytes at least: else it would be believed how much there is.
    if (count > this.#all.length - this.#at) throw new Malformed('fewer than it says');
    return Array.from({ length: count }, read);
  }

  frame(): Frame {
    return untagged(this.bytes());
  }
}

/** @returns a frame as one piece that says whether it is text; an empty one if there is none */
export function tagged(frame: Frame | undefined): string | Uint8Array {
  if (frame === undefined) return '';
  if (typeof frame === 'string') return `t${frame}`;
  const made = Buffer.allocUnsafe(frame.length + 1);
  made[0] = 0x62;
  made.set(frame, 1);
  return made;
}

export function untagged(piece: Buffer): Frame {
  const frame = optional(piece);
  if (frame === undefined) throw new Malformed('no frame');
  return frame;
}

/** @returns undefined for an empty piece */
export function optional(piece: Buffer): Frame | undefined {
  if (piece.length === 0) return undefined;
  if (piece[0] === 0x74) return piece.toString(utf8, 1);
  if (piece[0] === 0x62) return piece.subarray(1);
  throw new Malformed('no frame');
}
