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
  const write = checkPacket(packet) & Trait.Escaped ? textOfValue : JSON.stringify;
  // The most frequent answer, without a tuple.
  if (packet.type === PacketType.Ack && packet.value !== undefined) return `[3,${packet.ack},${write(packet.value)}]`;
  return write(toTupleFast(packet));
}

/**
 * As JSON.stringify, with the notations and without toJSON. Base64 is put into the text as it is: nothing has to look for
 * quotes in it.
 */
function textOfValue(value: unknown): string {
  if (typeof value === 'bigint') return `{"$big":"${value}"}`;
  if (Object.is(value, -0)) return '{"$num":"-0"}';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `{"$bin":"${toBase64(value)}"}`;
  if (value instanceof Date) return `{"$date":${Date.prototype.getTime.call(value)}}`;
  if (Array.isArray(value)) {
    let items = '';
    for (let i = 0; i < value.length; i++) items += `${i ? ',' : ''}${textOfValue(value[i])}`;
    return `[${items}]`;
  }
  let fields = '';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const name = JSON.stringify(key[0] === '$' ? `$${key}` : key);
    fields += `${fields && ','}${name}:${textOfValue(item)}`;
  }
  return `{${fields}}`;
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

/** Reads the notations in what JSON.parse has made, in place where it can. */
function read(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = read(value[i]);
    return value;
  }
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields);
  const [first] = keys;
  if (keys.length === 1 && isNotation(first!)) return notation(first!, fields[first!]);
  let isEscaped = false;
  for (const key of keys) {
    if (key[0] === '$') isEscaped = true;
    const item = fields[key];
    // Not a setter of a prototype's, whatever the key: the property is there.
    if (typeof item === 'object') fields[key] = read(item);
  }
  return isEscaped ? unescaped(fields) : value;
}

function unescaped(fields: Record<string, unknown>): object {
  // fromEntries defines properties and never assigns them: a key `__proto__` is a key like any other.
  return Object.fromEntries(
    Object.entries(fields).map(([key, item]) => {
      if (isNotation(key)) throw undecodable('a notation has one key');
      return [key[0] === '$' ? key.slice(1) : key, item];
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
