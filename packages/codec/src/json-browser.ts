// The codec `json` for browsers: the same text as json.ts, in a third of its size. Values are checked, written and read
// by a walk that always copies; json.ts copies only what JSON cannot say.
import {
  bytesOfBase64,
  type Frame,
  fromTuple,
  LocalUsageError,
  type Packet,
  RemoteProtocolError,
  toTuple,
} from '@halyard/protocol';
import type { Codec } from './codec';
import { dataLimits, fieldDepthMax } from './data';

const codec: Codec = { name: 'json', binary: false, encode, decode };

/** The text codec every end has. Frames can be read and typed by people. */
export function json(): Codec {
  return codec;
}

function encode(packet: Packet): string {
  return JSON.stringify(toTuple(write(packet, '', fieldDepthMax(packet.type) + 1, '') as Packet));
}

/**
 * @param key where it stands, which `toJSON` is told; undefined if that has returned it, and is not asked again
 * @returns a copy that JSON can say. @throws LocalUsageError `ERR_NOT_ENCODABLE` with `details.path`
 */
function write(value: unknown, path: string, room: number, key?: string): unknown {
  let why: string = typeof value;
  const { UTC, isView, name } = ((value as object)?.constructor ?? 0) as Partial<
    DateConstructor & ArrayBufferConstructor & { name: string }
  >;
  const tag = {}.toString.call(value);
  // Others may have named themselves so: what made a date has `UTC`, what made a buffer `isView`.
  const isDate = UTC && tag === '[object Date]';
  // A property that is not there; a list has no such items.
  if (value === undefined && !path.endsWith(']')) return value;
  if (typeof value === 'string') {
    if (isWellFormed(value)) return value;
    why = 'half a surrogate pair';
  } else if (typeof value === 'boolean' || value === null) return value;
  else if (typeof value === 'number' || typeof value === 'bigint' || isDate) {
    if (Number.isFinite(value)) return Object.is(value, -0) ? { $num: '-0' } : value;
    if (isDate && Number.isFinite(+(value as Date))) return { $date: +(value as Date) };
    if (typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 64n) return { $big: `${value}` };
    why = `${value}`;
  } else if (ArrayBuffer.isView(value) || (isView && tag === '[object ArrayBuffer]'))
    return { $bin: toBase64(value as ArrayBuffer) };
  else if (typeof value === 'object') {
    const isArray = Array.isArray(value);
    const { toJSON } = value as { toJSON?: unknown };
    const isAsked = typeof toJSON === 'function';
    if (isAsked && key !== undefined) return write(toJSON.call(value, key), path, room);
    const prototype = Object.getPrototypeOf(value);
    // Of whatever realm: nothing is above the prototype of a plain object.
    if (!isArray && !isAsked && prototype && Object.getPrototypeOf(prototype))
      why = `an instance of ${name}: send an object, an array or bytes, or give it a toJSON()`;
    else if (!room) why = `more than ${dataLimits.depthMax} levels`;
    // Not `map`, which leaves holes out.
    else if (isArray) return Array.from(value, (item, i) => write(item, `${path}[${i}]`, room - 1, `${i}`));
    else {
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, item]) => {
          if (item === undefined || (isAsked && key === 'toJSON')) return [];
          const at = `${path}.${key}`;
          return [[write(key[0] === '$' ? `$${key}` : key, at, 0), write(item, at, room - 1, key)]];
        }),
      );
    }
  }
  if (why === 'function') why += ': send what it returns';
  const at = path.slice(1);
  throw new LocalUsageError('ERR_NOT_ENCODABLE', `${at}: cannot send ${why}`, { path: at });
}

function decode(frame: Frame): Packet {
  if (typeof frame !== 'string') throw new RemoteProtocolError('ERR_FRAME_DECODE', 'this codec reads text', 1003);
  try {
    const tuple = JSON.parse(frame);
    return fromTuple(
      Array.isArray(tuple) ? tuple.map((field, i) => (i ? read(field, fieldDepthMax(tuple[0])) : field)) : tuple,
    );
  } catch (error) {
    throw error instanceof RemoteProtocolError ? error : new RemoteProtocolError('ERR_FRAME_DECODE', 'not a packet');
  }
}

/** @throws anything, for what is outside the data model */
function read(value: unknown, room: number): unknown {
  if (typeof value !== 'object' || !value) {
    // JSON has numbers and texts that the data model has not.
    write(value, '', 0);
    return value;
  }
  const keys = Object.keys(value);
  const fields = value as Record<string, unknown>;
  if (keys.length === 1 && isNotation(keys[0]!)) return notation(keys[0]!, fields[keys[0]!]);
  if (!room) throw value;
  if (Array.isArray(value)) return value.map((item) => read(item, room - 1));
  // Where they are: what is made anew takes much of memory for keys that are numbers, and to assign `__proto__` would set the prototype.
  const items = keys.map((key) => {
    if (isNotation(key)) throw key;
    return [read(key.replace(/^\$/, ''), 0) as string, read(fields[key], room - 1)] as const;
  });
  for (const key of keys) if (key[0] === '$') delete fields[key];
  for (const [key, item] of items) fields[key] = item;
  return fields;
}

function isNotation(key: string): boolean {
  return key[0] === '$' && key[1] !== '$';
}

function notation(key: string, data: unknown): unknown {
  const value =
    key === '$date'
      ? new Date(data as number)
      : key === '$big'
        ? // A longer one is none, and takes long to read.
          BigInt((data as string).slice(0, 21))
        : key === '$bin'
          ? bytesOfBase64(data as string)
          : -0;
  // Only what would be written like this is taken for it.
  if (!Object.is(data, -0) && JSON.stringify(write(value, '', 0)) === JSON.stringify({ [key]: data })) return value;
  throw key;
}

function toBase64(data: ArrayBuffer | ArrayBufferView): string {
  const { buffer = data as ArrayBuffer, byteOffset, byteLength } = data as Partial<ArrayBufferView>;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let chars = '';
  for (const byte of bytes) chars += String.fromCharCode(byte);
  return btoa(chars);
}

/** Whether UTF-8 can carry the text: no half of a surrogate pair stands alone. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
