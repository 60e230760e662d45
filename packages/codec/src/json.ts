// The codec `json`: a packet's tuple as JSON text (docs/PROTOCOL.md §4).
// What JSON cannot say is an object whose one key begins with a single `$`: {"$bin":"<base64>"}, {"$date":<ms>},
// {"$big":"<decimal>"}, {"$num":"-0"}. A key of the app that begins with `$` is written with one more in front, so
// the two never meet.
import { type Frame, fromTupleFast, type Packet, PacketType, type Position, toTupleFast } from '@halyard/protocol';
import { fromBase64, toBase64 } from './base64';
import type { Codec } from './codec';
import { checkPacket, dataLimits, dollar, fieldDepthMax, isBigint64, isWellFormed, Trait } from './data';
import { guarded, textOf, undecodable } from './frame';
import { isIndexed, keepApart } from './indexed';
import { madePlain } from './plain';

const codec: Codec = { name: 'json', binary: false, encode, decode: guarded(decode), withPositions };

/** The text codec every end has. Frames can be read and typed by people. */
export function json(): Codec {
  return codec;
}

function encode(packet: Packet): string {
  const traits = checkPacket(packet);
  if (traits & Trait.Foreign) return encode(madePlain(packet));
  const write = traits & Trait.Escaped ? textOfValue : JSON.stringify;
  // The most frequent answer, without a tuple.
  if (packet.type === PacketType.Ack && packet.value !== undefined) return `[3,${packet.ack},${write(packet.value)}]`;
  return write(toTupleFast(packet));
}

/** What stands before the positions of a PUBLISH: its type and its namespace. */
const beforePositions = /^\[5,"(?:[^"\\]|\\.)*",(?=\[\])/;

function withPositions(frame: Frame, positions: readonly Position[]): string {
  const text = textOf(frame);
  const [before] = beforePositions.exec(text) as RegExpExecArray;
  return `${before}${JSON.stringify(positions.flat())}${text.slice(before.length + 2)}`;
}

/**
 * As JSON.stringify, with the notations and without toJSON, which was obeyed before. Base64 is put into the text as it is: nothing has to look for
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

/** Longer text is looked through before it is parsed: JSON.parse takes a third of a second for 1 MiB of brackets. */
const unlookedCharsMax = 8_192;

/** How deep a packet nests at most: itself, its fields, and a notation in the innermost value. */
const packetDepthMax = dataLimits.depthMax + 4;

function decode(frame: Frame): Packet {
  const text = textOf(frame);
  if (text.length > unlookedCharsMax && isTooDeep(text)) throw undecodable(`more than ${dataLimits.depthMax} levels`);
  const tuple: unknown = JSON.parse(text);
  names = undefined;
  if (Array.isArray(tuple)) {
    const room = fieldDepthMax(tuple[0]);
    for (let i = 1; i < tuple.length; i++) {
      const field = tuple[i];
      const made = read(field, room);
      if (made !== field) tuple[i] = made;
    }
  }
  return fromTupleFast(tuple);
}

/** Whether brackets stand inside each other as in no packet. Of text that is no JSON it may say anything. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > packetDepthMax) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  return false;
}

/** @param start where its first quote is. @returns where its last one is, or the text's length */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === 0x5c) before--; // \
    // A backslash that has one before it is a character.
    if ((end - before) % 2) return end;
  }
  return text.length;
}

function outside(): Error {
  return undecodable('a value outside the data model');
}

type Fields = Record<string, unknown>;

/**
 * Checks what JSON.parse has made and reads the notations in it, in one walk that looks at each value once: in place,
 * but for objects with keys that are to change.
 * @param room how deep the value may nest
 */
function read(value: unknown, room: number): unknown {
  switch (typeof value) {
    case 'string':
      if (!isWellFormed(value)) throw outside();
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw outside();
      return value;
    case 'object':
      if (value === null) return value;
      return Array.isArray(value) ? readArray(value, room) : readObject(value as Fields, room);
    default:
      return value;
  }
}

function readArray(list: unknown[], room: number): unknown[] {
  if (room === 0) throw outside();
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    const made = read(item, room - 1);
    if (made !== item) list[i] = made;
  }
  return list;
}

function readObject(fields: Fields, room: number): unknown {
  for (const key in fields) {
    if (key.charCodeAt(0) === dollar && Object.hasOwn(fields, key)) return readEscaped(fields, key, room);
    if (room === 0) break;
    const item = fields[key];
    const made = readProperty(key, item, room);
    // Not a setter of a prototype's, whatever the key: the property is there.
    if (made !== item && Object.hasOwn(fields, key)) fields[key] = made;
  }
  if (room === 0) throw outside();
  return fields;
}

function readProperty(key: string, item: unknown, room: number): unknown {
  if (!isWellFormed(key)) throw outside();
  return read(item, room - 1);
}

/** @param first the first key that begins with `$`: the properties before it have been read */
function readEscaped(fields: Fields, first: string, room: number): unknown {
  const keys = Object.keys(fields);
  if (keys.length === 1 && isNotation(first)) return notation(first, fields[first]);
  if (room === 0) throw outside();
  const start = keys.indexOf(first);
  const made: Fields = {};
  // Keys that are indexes come first.
  if (isIndexed(keys[0]!)) keepApart(made);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const item = i < start ? fields[key] : readProperty(key, fields[key], room);
    if (key.charCodeAt(0) === dollar) made[nameOf(key)] = item;
    // Assigning would set the prototype, or fail where it is frozen.
    else if (key in Object.prototype) {
      Object.defineProperty(made, key, { value: item, writable: true, enumerable: true, configurable: true });
    } else made[key] = item;
  }
  return made;
}

/** Some names of the app by their keys in this frame: what has been a key before is made one several times as fast. */
let names: Map<string, string> | undefined;
const namesMax = 256;

function nameOf(key: string): string {
  names ??= new Map();
  let name = names.get(key);
  if (name === undefined) {
    if (isNotation(key)) throw undecodable('a notation has one key');
    name = key.slice(1);
    if (names.size < namesMax) names.set(key, name);
  }
  return name;
}

function isNotation(key: string): boolean {
  return key.charCodeAt(0) === dollar && key.charCodeAt(1) !== dollar;
}

function notation(key: string, data: unknown): unknown {
  if (key === '$date') {
    const date = new Date(data as number);
    // A time is never −0.
    if (Object.is(date.getTime(), data)) return date;
  } else if (typeof data === 'string') {
    if (key === '$num' && data === '-0') return -0;
    if (key === '$big' && data.length < 21) {
      const value = BigInt(data);
      if (`${value}` === data) {
        if (!isBigint64(value)) throw outside();
        return value;
      }
    }
    const bytes = key === '$bin' && fromBase64(data);
    if (bytes) return bytes;
  }
  throw undecodable(`not a ${key}`);
}
