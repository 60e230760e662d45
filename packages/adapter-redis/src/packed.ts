// Lists as MessagePack, which scripts take apart in one call. As arguments of their own each of the thousand things in a commit would
// be an object on its way, here and in Redis.

/** What scripts know as numbers, texts and tables. */
export type Packable = string | number | Uint8Array | readonly Packable[];

/** Grows to the largest list so far. */
let scratch = Buffer.allocUnsafe(1 << 14);
let at = 0;

/** @param value numbers in it are whole and not below zero */
export function packed(value: Packable): Buffer {
  at = 0;
  write(value);
  return Buffer.from(scratch.subarray(0, at));
}

function write(value: Packable): void {
  if (typeof value === 'string') writeText(value);
  else if (typeof value === 'number') writeNumber(value);
  else if (value instanceof Uint8Array) {
    // Bytes are texts to scripts, and no other form is known to them.
    const start = writeHead(0xdb, value.length, value.length);
    scratch.set(value, start);
  } else {
    writeHead(0xdd, value.length, 0);
    for (const item of value) write(item);
  }
}

/** @returns where `bytes` more have their place. @param kind of a head with a length of four bytes */
function writeHead(kind: number, length: number, bytes: number): number {
  reserve(5 + bytes);
  scratch[at] = kind;
  scratch.writeUInt32BE(length, at + 1);
  at += 5 + bytes;
  return at - bytes;
}

function writeText(text: string): void {
  // As many bytes at most.
  if (text.length <= 85) {
    reserve(2 + text.length * 3);
    const bytes = scratch.write(text, at + 2, 'utf8');
    scratch[at] = 0xd9;
    scratch[at + 1] = bytes;
    at += 2 + bytes;
    return;
  }
  const bytes = Buffer.byteLength(text);
  scratch.write(text, writeHead(0xdb, bytes, bytes), 'utf8');
}

function writeNumber(number: number): void {
  reserve(9);
  if (number < 0x80) scratch[at++] = number;
  else if (number <= 0xffffffff) {
    scratch[at] = 0xce;
    at = scratch.writeUInt32BE(number, at + 1);
  } else {
    scratch[at] = 0xcb;
    at = scratch.writeDoubleBE(number, at + 1);
  }
}

function reserve(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const grown = Buffer.allocUnsafe(Math.max(scratch.length * 2, at + bytes));
  scratch.copy(grown, 0, 0, at);
  scratch = grown;
}
