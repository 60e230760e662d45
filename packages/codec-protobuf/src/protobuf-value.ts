// A value of the data model as the message Value of halyard.proto. By hand: protobufjs would compile source text at run
// time, which a content security policy forbids, and knows neither bigints nor a key `__proto__`.
import { copyOf, objectOf, undecodable } from '@halyard/codec/internal';
import type { Reader, Writer } from 'protobufjs/minimal.js';

export const Wire = { Varint: 0, Fixed64: 1, Bytes: 2 } as const;

const Kind = {
  null: (1 << 3) | Wire.Varint,
  boolean: (2 << 3) | Wire.Varint,
  integer: (3 << 3) | Wire.Varint,
  number: (4 << 3) | Wire.Fixed64,
  int64: (5 << 3) | Wire.Fixed64,
  uint64: (6 << 3) | Wire.Fixed64,
  text: (7 << 3) | Wire.Bytes,
  binary: (8 << 3) | Wire.Bytes,
  date: (9 << 3) | Wire.Fixed64,
  list: (10 << 3) | Wire.Bytes,
  map: (11 << 3) | Wire.Bytes,
} as const;

const first = (1 << 3) | Wire.Bytes;
const second = (2 << 3) | Wire.Bytes;

/** Writes `value`, which is in the data model, behind its length. */
export function writeValue(writer: Writer, value: unknown): void {
  writer.fork();
  switch (typeof value) {
    case 'boolean':
      writer.uint32(Kind.boolean).bool(value);
      break;
    case 'number':
      if ((value | 0) === value && !Object.is(value, -0)) writer.uint32(Kind.integer).sint32(value);
      else writer.uint32(Kind.number).double(value);
      break;
    case 'bigint':
      writer.uint32(value < 2n ** 63n ? Kind.int64 : Kind.uint64);
      writer.fixed32(Number(value & 0xffff_ffffn)).fixed32(Number((value >> 32n) & 0xffff_ffffn));
      break;
    case 'string':
      writer.uint32(Kind.text).string(value);
      break;
    default:
      if (value === null) writer.uint32(Kind.null).uint32(0);
      else writeObject(writer, value as object);
  }
  writer.ldelim();
}

function writeObject(writer: Writer, value: object): void {
  if (value instanceof Uint8Array) writer.uint32(Kind.binary).bytes(value);
  else if (value instanceof Date) {
    const time = value.getTime();
    const high = Math.floor(time / 2 ** 32);
    writer
      .uint32(Kind.date)
      .fixed32(time - high * 2 ** 32)
      .sfixed32(high);
  } else if (Array.isArray(value)) {
    writer.uint32(Kind.list).fork();
    for (const item of value) writeValue(writer.uint32(first), item);
    writer.ldelim();
  } else {
    writer.uint32(Kind.map).fork();
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      writer.uint32(first).fork().uint32(first).string(key);
      writeValue(writer.uint32(second), item);
      writer.ldelim();
    }
    writer.ldelim();
  }
}

/**
 * Reads a length and the message behind it.
 * @param field is called behind each tag and reads its field. @returns whether it knows it; the rest is skipped
 */
export function readMessage(reader: Reader, field: (tag: number) => boolean): void {
  const end = reader.size() + reader.pos;
  if (end > reader.len) throw undecodable('a message ends after the one it is in');
  while (reader.pos < end) {
    const tag = reader.tag();
    if (!field(tag)) reader.skipType(tag & 7, 0, tag >>> 3);
  }
  if (reader.pos !== end) throw undecodable('a field ends after the message it is in');
}

/** Reads what `writeValue` wrote. @param room how deep the value may nest */
export function readValue(reader: Reader, room: number): unknown {
  let value: unknown;
  readMessage(reader, (tag) => {
    switch (tag) {
      case Kind.null:
        if (reader.uint32() !== 0) throw undecodable('there is one null');
        value = null;
        return true;
      case Kind.boolean:
        value = reader.bool();
        return true;
      case Kind.integer:
        value = reader.sint32();
        return true;
      case Kind.number:
        value = reader.double();
        if (!Number.isFinite(value)) throw undecodable('a number is finite');
        return true;
      case Kind.int64:
      case Kind.uint64: {
        const low = BigInt(reader.fixed32());
        value = (BigInt(tag === Kind.int64 ? reader.sfixed32() : reader.fixed32()) << 32n) | low;
        return true;
      }
      case Kind.text:
        value = reader.stringVerify();
        return true;
      case Kind.binary:
        value = readBytes(reader);
        return true;
      case Kind.date: {
        const low = reader.fixed32();
        const date = new Date(reader.sfixed32() * 2 ** 32 + low);
        if (Number.isNaN(date.getTime())) throw undecodable('a date is one that exists');
        value = date;
        return true;
      }
      case Kind.list:
        value = readList(reader, room);
        return true;
      case Kind.map:
        value = readMap(reader, room);
        return true;
      default:
        return false;
    }
  });
  if (value === undefined) throw undecodable('a value has a kind');
  return value;
}

/** @returns a copy */
export function readBytes(reader: Reader): Uint8Array {
  const length = reader.size();
  const start = reader.pos;
  reader.skip(length);
  return copyOf(reader.buf, start, reader.pos);
}

function readList(reader: Reader, room: number): unknown[] {
  if (room === 0) throw undecodable('nested too deep');
  const list: unknown[] = [];
  readMessage(reader, (tag) => tag === first && list.push(readValue(reader, room - 1)) > 0);
  return list;
}

function readMap(reader: Reader, room: number): Record<string, unknown> {
  if (room === 0) throw undecodable('nested too deep');
  const entries: [key: string, value: unknown][] = [];
  readMessage(reader, (entry) => {
    if (entry !== first) return false;
    let key = '';
    let value: unknown;
    readMessage(reader, (tag) => {
      if (tag === first) key = reader.stringVerify();
      else if (tag === second) value = readValue(reader, room - 1);
      return tag === first || tag === second;
    });
    if (value === undefined) throw undecodable('a property has a value');
    entries.push([key, value]);
    return true;
  });
  return objectOf(entries);
}
