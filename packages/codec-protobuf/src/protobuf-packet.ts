// Packets as the message Packet of halyard.proto. A layout lists the fields of a packet's tuple in their order, which
// is the order of their numbers in halyard.proto too; protobuf.test.ts holds the two against each other.
import { fieldDepthMax, undecodable } from '@halyard/codec/internal';
import { PacketType, type Position, packetLimits, RemoteProtocolError, type Tuple } from '@halyard/protocol';
import { Reader, Writer } from 'protobufjs/minimal.js';
import { readBytes, readMessage, readValue, Wire, writeValue } from './protobuf-value';

/** `optionalCount` is told apart from 0 when it is absent; other counts, flags and texts are not. */
type Field = 'text' | 'count' | 'optionalCount' | 'flag' | 'value' | 'values' | Message;

interface Message {
  readonly fields: readonly Field[];
  /** `list`: an array of tuples; `flat`: one array of all their fields; else one tuple. */
  readonly repeated?: 'list' | 'flat';
  /** Behind one more than a packet may have, the rest is skipped: the packet is refused for the one. */
  readonly lengthMax?: number;
}

const { helloNamespacesMax, helloPositionsMax, hintTypeMax, hintTypeMin, settledRangesMax } = packetLimits;
const positions: Message = { fields: ['text', 'count'], repeated: 'flat', lengthMax: helloPositionsMax * 2 };
const namespaces: Message = { fields: ['text', 'value'], repeated: 'list', lengthMax: helloNamespacesMax };
const settled: Message = { fields: ['count', 'count'], repeated: 'flat', lengthMax: settledRangesMax * 2 };
const resume: Message = { fields: ['text', 'text', 'count', 'count', positions, settled] };
const settings: Message = {
  fields: ['count', 'count', 'count', 'count', 'count', 'count', 'count', 'count', 'optionalCount'],
};

const layouts: Record<PacketType, readonly Field[]> = {
  [PacketType.Hello]: [namespaces, 'text', resume, 'text', 'count', 'count'],
  [PacketType.Welcome]: ['text', 'text', settings, 'count', 'flag', 'text', settled],
  [PacketType.Event]: ['text', 'text', 'values', 'optionalCount'],
  [PacketType.Ack]: ['count', 'value'],
  [PacketType.Error]: ['count', 'text', 'text', 'value'],
  [PacketType.Publish]: ['text', positions, 'text', 'values'],
  [PacketType.Volatile]: ['text', 'text', 'values'],
  [PacketType.Sack]: ['count', settled],
  [PacketType.Ping]: ['optionalCount', settled],
  [PacketType.Pong]: ['optionalCount', settled],
  [PacketType.Connect]: ['text', 'value'],
  [PacketType.Connected]: ['text', 'text', 'optionalCount'],
  [PacketType.Refused]: ['text', 'text', 'text', 'value'],
  [PacketType.Disconnect]: ['text', 'text'],
  [PacketType.Reset]: [],
  [PacketType.Renew]: ['text', 'value', 'count'],
  [PacketType.Drain]: ['count', 'text'],
};

const typedTag = (15 << 3) | Wire.Bytes;

/** @param typed the event's one argument as a message of the app; its tuple then has no arguments */
export function writePacket(type: PacketType, tuple: Tuple, typed: Uint8Array | undefined): Uint8Array {
  const writer = new Writer();
  writer.uint32(((type + 1) << 3) | Wire.Bytes).fork();
  writeFields(writer, layouts[type], tuple.slice(1));
  if (typed) writer.uint32(typedTag).bytes(typed);
  writer.ldelim();
  return writer.finish(true).slice();
}

function writeFields(writer: Writer, fields: readonly Field[], tuple: Tuple): void {
  for (let i = 0; i < fields.length; i++) {
    const value = tuple[i];
    const field = fields[i] as Field;
    // A tuple has null where a field is absent that another one comes behind; as a value null is one itself.
    if (value === undefined || (value === null && field !== 'value')) continue;
    writeField(writer, field, (i + 1) << 3, value);
  }
}

function writeField(writer: Writer, field: Field, number: number, value: unknown): void {
  switch (field) {
    case 'text':
      if (value !== '') writer.uint32(number | Wire.Bytes).string(value as string);
      return;
    case 'count':
      if (value !== 0) writer.uint32(number | Wire.Varint).uint64(value as number);
      return;
    case 'optionalCount':
      writer.uint32(number | Wire.Varint).uint64(value as number);
      return;
    case 'flag':
      if (value) writer.uint32(number | Wire.Varint).bool(true);
      return;
    case 'value':
      writeValue(writer.uint32(number | Wire.Bytes), value);
      return;
    case 'values':
      for (const item of value as readonly unknown[]) writeValue(writer.uint32(number | Wire.Bytes), item);
      return;
    default:
      for (const tuple of tuplesOf(field, value as Tuple)) {
        writer.uint32(number | Wire.Bytes).fork();
        writeFields(writer, field.fields, tuple);
        writer.ldelim();
      }
  }
}

function tuplesOf({ fields, repeated }: Message, value: Tuple): readonly Tuple[] {
  if (repeated === 'list') return value as readonly Tuple[];
  if (repeated !== 'flat') return [value];
  const width = fields.length;
  return Array.from({ length: value.length / width }, (_, i) => value.slice(i * width, (i + 1) * width));
}

/** Fields may come in any order: the positions are put behind the others. */
export function withPositions(bytes: Uint8Array, positions: readonly Position[]): Uint8Array {
  const reader = new Reader(bytes);
  const tag = reader.tag();
  reader.uint32();
  const fields = new Writer();
  writeFields(fields, layouts[PacketType.Publish].slice(0, 2), [undefined, positions.flat()]);
  const added = fields.finish();
  const writer = new Writer();
  writer.uint32(tag).uint32(reader.len - reader.pos + added.length);
  const head = writer.finish();
  const made = new Uint8Array(head.length + reader.len - reader.pos + added.length);
  made.set(head);
  made.set(bytes.subarray(reader.pos), head.length);
  made.set(added, made.length - added.length);
  return made;
}

/** @returns the packet's tuple, and the app's message if it carries one */
export function readPacket(bytes: Uint8Array): { tuple: unknown[]; typed: Uint8Array | undefined } {
  const reader = new Reader(bytes);
  const tag = reader.tag();
  const type = (tag >>> 3) - 1;
  const layout = layouts[type as PacketType];
  if (type >= hintTypeMin && type <= hintTypeMax && (tag & 7) === Wire.Bytes && isRest(reader))
    return { tuple: [type, ...((layout && hintFields(reader, layout)) ?? [])], typed: undefined };
  if ((tag & 7) !== Wire.Bytes) throw undecodable('a frame is one packet');
  if (layout === undefined) throw new RemoteProtocolError('ERR_PACKET_TYPE', `unknown packet type ${type}`);
  let typed: Uint8Array | undefined;
  const tuple = readFields(reader, layout, fieldDepthMax(type), (tag) => {
    if (tag !== typedTag) return false;
    typed = readBytes(reader);
    return true;
  });
  if (reader.pos !== reader.len) throw undecodable('a frame is one packet');
  return { tuple: [type, ...tuple], typed };
}

/** Whether what follows is one message, to the end of the frame. */
function isRest(reader: Reader): boolean {
  const { pos } = reader;
  const isWhole = reader.uint32() === reader.len - reader.pos;
  reader.pos = pos;
  return isWhole;
}

/** @returns undefined if they are of another shape: a hint may have any */
function hintFields(reader: Reader, layout: readonly Field[]): unknown[] | undefined {
  try {
    return readFields(reader, layout, 0, () => false);
  } catch {
    return undefined;
  }
}

function readFields(
  reader: Reader,
  fields: readonly Field[],
  room: number,
  other: (tag: number) => boolean,
): unknown[] {
  const tuple = fields.map(absent);
  readMessage(reader, (tag) => {
    const index = (tag >>> 3) - 1;
    const field = fields[index];
    if (field === undefined || (tag & 7) !== wireOf(field)) return other(tag);
    tuple[index] = readField(reader, field, room, tuple[index]);
    return true;
  });
  return tuple;
}

function absent(field: Field): unknown {
  if (field === 'text') return '';
  if (field === 'count') return 0;
  if (field === 'flag') return false;
  return field === 'values' || (typeof field === 'object' && field.repeated) ? [] : undefined;
}

function wireOf(field: Field): number {
  return field === 'count' || field === 'optionalCount' || field === 'flag' ? Wire.Varint : Wire.Bytes;
}

/** @param before what was read for the field so far */
function readField(reader: Reader, field: Field, room: number, before: unknown): unknown {
  switch (field) {
    case 'text':
      return reader.stringVerify();
    case 'count':
    case 'optionalCount':
      return readCount(reader);
    case 'flag':
      return reader.bool();
    case 'value':
      return readValue(reader, room);
    case 'values':
      (before as unknown[]).push(readValue(reader, room - 1));
      return before;
    default: {
      if (field.lengthMax !== undefined && (before as unknown[]).length > field.lengthMax) {
        reader.skip(reader.size());
        return before;
      }
      const tuple = readFields(reader, field.fields, room - 2, () => false);
      if (field.repeated === undefined) return tuple;
      if (field.repeated === 'list') (before as unknown[]).push(tuple);
      else (before as unknown[]).push(...tuple);
      return before;
    }
  }
}

/** Reads a varint, exactly up to 2^53; more is not a count and the packet's validation refuses it. */
function readCount(reader: Reader): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 64; scale *= 128) {
    // Past the end of its message it is no field, which `readMessage` finds.
    const byte = reader.buf[reader.pos++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
  throw undecodable('a varint ends after ten bytes at the latest');
}
