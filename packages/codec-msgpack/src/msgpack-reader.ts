// Reads the msgpack of docs/PROTOCOL.md §4 for both msgpack codecs. The libraries that write it do not read it here: on
// reading, both lose a leading U+FEFF, one renames the key `__proto__`, the other refuses it, one turns extensions
// into functions, errors and regular expressions by a registry shared with the app, the other believes declared lengths.
// Here a frame is read in one pass that accepts the data model and nothing else, and copies all it keeps.
import { bytesOf, copyOf, fieldDepthMax, guarded, isIndexed, keepApart, undecodable } from '@halyard/codec/internal';
import { type Frame, fromTupleFast, type Packet } from '@halyard/protocol';

const none: Uint8Array = new Uint8Array();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const shortTextBytesMax = 32;

// The frame being read and the place in it. Reading calls nothing that could read another one.
let bytes = none;
let at = 0;
const scratch = new DataView(new ArrayBuffer(8));

export const decodeMsgpack = guarded((frame: Frame): Packet => {
  bytes = bytesOf(frame);
  at = 0;
  try {
    const tuple: unknown[] = [];
    const size = arraySize(byte());
    for (let i = 0; i < size; i++) tuple.push(read(fieldDepthMax(tuple[0])));
    if (at !== bytes.length) throw undecodable('bytes after the packet');
    return fromTupleFast(tuple);
  } finally {
    bytes = none;
  }
});

function read(room: number): unknown {
  const tag = byte();
  if (tag < 0x80) return tag;
  if (tag < 0x90) return readMap(tag & 0x0f, room);
  if (tag < 0xa0) return readArray(tag & 0x0f, room);
  if (tag < 0xc0) return readText(tag & 0x1f);
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return readBytes(unsigned(1 << (tag - 0xc4)));
    case 0xc7:
      return readDate(byte());
    case 0xca:
      return finite(word(4).getFloat32(0));
    case 0xcb:
      return finite(word(8).getFloat64(0));
    case 0xcc:
    case 0xcd:
    case 0xce:
      return unsigned(1 << (tag - 0xcc));
    case 0xcf:
      return word(8).getBigUint64(0);
    case 0xd0:
      return (byte() << 24) >> 24;
    case 0xd1:
      return (unsigned(2) << 16) >> 16;
    case 0xd2:
      return unsigned(4) | 0;
    case 0xd3:
      return word(8).getBigInt64(0);
    case 0xd6:
      return readDate(4);
    case 0xd7:
      return readDate(8);
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readText(unsigned(1 << (tag - 0xd9)));
    case 0xdc:
    case 0xdd:
      return readArray(arraySize(tag), room);
    case 0xde:
    case 0xdf:
      return readMap(unsigned(tag === 0xde ? 2 : 4), room);
    default:
      throw undecodable(`unexpected byte 0x${tag.toString(16)}`);
  }
}

function byte(): number {
  const value = bytes[at++];
  if (value === undefined) throw undecodable('the frame ends too early');
  return value;
}

/** @returns a view of the next bytes */
function take(length: number): Uint8Array {
  const start = at;
  at += length;
  if (at > bytes.length) throw undecodable('the frame ends too early');
  return bytes.subarray(start, at);
}

/** @returns the next `length` bytes, at most 8, for one look: the next call overwrites them */
function word(length: number): DataView {
  for (let i = 0; i < length; i++) scratch.setUint8(i, byte());
  return scratch;
}

function unsigned(length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + byte();
  return value;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw undecodable('a number is finite');
}

function arraySize(tag: number): number {
  if (tag >= 0x90 && tag < 0xa0) return tag & 0x0f;
  if (tag === 0xdc || tag === 0xdd) return unsigned(tag === 0xdc ? 2 : 4);
  throw undecodable('a packet is an array');
}

function readArray(size: number, room: number): unknown[] {
  if (room === 0) throw undecodable('nested too deep');
  // Not made `size` long: the frame may end long before.
  const array: unknown[] = [];
  for (let i = 0; i < size; i++) array.push(read(room - 1));
  return array;
}

function readMap(size: number, room: number): Record<string, unknown> {
  if (room === 0) throw undecodable('nested too deep');
  const object: Record<string, unknown> = {};
  let isApart = false;
  for (let i = 0; i < size; i++) {
    const key = read(0);
    if (typeof key !== 'string') throw undecodable('a key is text');
    if (!isApart && isIndexed(key)) {
      keepApart(object);
      isApart = true;
    }
    const value = read(room - 1);
    // Assigning this one would set the prototype.
    if (key === '__proto__') {
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    } else object[key] = value;
  }
  return object;
}

/** @returns a copy of the next bytes */
function readBytes(length: number): Uint8Array {
  const start = at;
  at += length;
  if (at > bytes.length) throw undecodable('the frame ends too early');
  return copyOf(bytes, start, at);
}

function readText(length: number): string {
  const end = at + length;
  if (length <= shortTextBytesMax && end <= bytes.length) {
    let text = '';
    for (let i = at; i < end; i++) {
      const unit = bytes[i] as number;
      if (unit > 0x7f) return utf8.decode(take(length));
      text += String.fromCharCode(unit);
    }
    at = end;
    return text;
  }
  return utf8.decode(take(length));
}

/** The timestamp extension, type −1: seconds, and nanoseconds, which are whole milliseconds here. */
function readDate(length: number): Date {
  if (byte() !== 0xff) throw undecodable('the only extension is the timestamp');
  let seconds: number;
  let nanoseconds = 0;
  if (length === 4) seconds = unsigned(4);
  else if (length === 8) {
    const high = unsigned(4);
    nanoseconds = high >>> 2;
    seconds = (high & 3) * 2 ** 32 + unsigned(4);
  } else if (length === 12) {
    nanoseconds = unsigned(4);
    seconds = Number(word(8).getBigInt64(0));
  } else throw undecodable('a timestamp has 4, 8 or 12 bytes');
  const date = new Date(seconds * 1000 + nanoseconds / 1e6);
  if (nanoseconds % 1e6 !== 0) throw undecodable('a date is whole milliseconds');
  if (nanoseconds > 999_999_999 || Number.isNaN(date.getTime())) throw undecodable('a date is one that exists');
  return date;
}
