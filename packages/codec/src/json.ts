// The codec `json`: a packet's tuple as JSON text (docs/PROTOCOL.md §4).
// What JSON cannot say is an object whose one key begins with a single `$`: {"$bin":"<base64>"}, {"$date":<ms>},
// {"$big":"<decimal>"}, {"$num":"-0"}. A key of the app that begins with `$` is written with one more in front, so
// the two never meet.
import { type Frame, fromTupleFast, type Packet, PacketType, toTupleFast } from '@halyard/protocol';
import { fromBase64, toBase64 } from './base64';
import type { Codec } from './codec';
import { checkPacket, fieldDepthMax, survey, Trait } from './data';
import { guarded, textOf, undecodable } from './frame';

const codec: Codec = { name: 'json', binary: false, encode, decode: guarded(decode) };

/** The text codec every end has. Frames can be read and typed by people. */
export function json(): Codec {
  return codec;
}

function encode(packet: Packet): string {
  const escaped = checkPacket(packet) & Trait.Escaped;
  if (packet.type === PacketType.Ack && packet.value !== undefined && !escaped) {
    // The most frequent answer, without a tuple.
    return `[3,${packet.ack},${JSON.stringify(packet.value)}]`;
  }
  const tuple = toTupleFast(packet);
  return JSON.stringify(escaped ? tuple.map(write) : tuple);
}

function write(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: `${value}` };
  if (Object.is(value, -0)) return { $num: '-0' };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(write);
  if (value instanceof Uint8Array) return { $bin: toBase64(value) };
  if (value instanceof Date) return { $date: value.getTime() };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key[0] === '$' ? `$${key}` : key, write(item)]),
  );
}

function decode(frame: Frame): Packet {
  const tuple: unknown = JSON.parse(textOf(frame));
  if (Array.isArray(tuple)) {
    const room = fieldDepthMax(tuple[0]);
    for (let i = 1; i < tuple.length; i++) {
      if (survey(tuple[i], room) === 0) continue;
      // A notation is one level deeper than what it stands for.
      if (!(survey(tuple[i], room + 1) & Trait.Refused)) tuple[i] = read(tuple[i]);
      if (survey(tuple[i], room) & Trait.Refused) throw undecodable('a value outside the data model');
    }
  }
  return fromTupleFast(tuple);
}

function read(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(read);
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first && isNotation(first[0])) return notation(first[0], first[1]);
  // fromEntries defines properties and never assigns them: a key `__proto__` is a key like any other.
  return Object.fromEntries(
    entries.map(([key, item]) => {
      if (isNotation(key)) throw undecodable('a notation has one key');
      return [key[0] === '$' ? key.slice(1) : key, read(item)];
    }),
  );
}

function isNotation(key: string): boolean {
  return key[0] === '$' && key[1] !== '$';
}

function notation(key: string, data: unknown): unknown {
  if (key === '$date') {
    const date = new Date(data as number);
    if (date.getTime() === data) return date;
  } else if (typeof data === 'string') {
    if (key === '$num' && data === '-0') return -0;
    if (key === '$big' && data.length < 21 && `${BigInt(data)}` === data) return BigInt(data);
    const bytes = key === '$bin' && fromBase64(data);
    if (bytes) return bytes;
  }
  throw undecodable(`not a ${key}`);
}
