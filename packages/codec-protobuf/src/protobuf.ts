// The codec `protobuf`: packets as the messages of halyard.proto; an event's argument as a message of the app where it
// has registered a type for the event's name.
import type { Codec } from '@halyard/codec';
import { bytesOf, checkPacket, guarded, madePlain, Trait, undecodable } from '@halyard/codec/internal';
import {
  type Frame,
  fromTupleFast,
  LocalUsageError,
  type Packet,
  PacketType,
  RemoteProtocolError,
  toTupleFast,
  type Value,
} from '@halyard/protocol';
import { readPacket, withPositions, writePacket } from './protobuf-packet';

/** A message type as protobufjs has it, reflected or generated; other generators' types mostly fit as well. */
export interface MessageType {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  /** @returns what is wrong with the value, or null */
  verify?(value: { [key: string]: unknown }): string | null;
  /** @returns a plain object. It is asked for bigints in 64-bit fields, and for fields that hold their default. */
  toObject?(message: object, options?: object): object;
}

export interface ProtobufOptions {
  /**
   * Message types by event name, in every namespace and both directions. Such an event takes one object as its argument.
   * Both ends must have the type; an event without one carries any values.
   */
  readonly types?: Readonly<Record<string, MessageType>> | undefined;
}

type EventLike = Extract<Packet, { readonly args: readonly Value[] }>;

/** The codec for clients that have protobuf and for payloads with a schema. */
export function protobuf(options: ProtobufOptions = {}): Codec {
  const types = new Map(Object.entries(options.types ?? {}));

  function encode(packet: Packet): Frame {
    const type = isEventLike(packet) ? types.get(packet.event) : undefined;
    if (type === undefined) {
      if (checkPacket(packet) & Trait.Foreign) return encode(madePlain(packet));
      return writePacket(packet.type as PacketType, toTupleFast(packet), undefined);
    }
    const bare = { ...packet, args: [] };
    checkPacket(bare);
    return writePacket(packet.type as PacketType, toTupleFast(bare), encodeArgument(type, packet as EventLike));
  }

  function decode(frame: Frame): Packet {
    const { tuple, typed } = readPacket(bytesOf(frame));
    const packet = fromTupleFast(tuple);
    if (typed === undefined || !isEventLike(packet)) return packet;
    if (packet.args.length > 0) throw undecodable('an event has a typed argument or others');
    const type = types.get(packet.event);
    if (type === undefined) throw new RemoteProtocolError('ERR_TYPE_UNKNOWN', `no message type for "${packet.event}"`);
    return { ...packet, args: [decodeArgument(type, typed)] };
  }

  return {
    name: 'protobuf',
    binary: true,
    encode,
    decode: guarded(decode),
    withPositions: (frame, positions) => withPositions(bytesOf(frame), positions),
  };
}

function isEventLike(packet: Packet): packet is EventLike {
  const { type } = packet;
  return type === PacketType.Event || type === PacketType.Publish || type === PacketType.Volatile;
}

function encodeArgument(type: MessageType, { event, args }: EventLike): Uint8Array {
  const value = args[0];
  if (args.length !== 1 || !isMessage(value)) {
    throw notEncodable('args', `"${event}" has a message type and takes one object`);
  }
  let wrong: unknown;
  try {
    // protobufjs, which is what has `verify`, knows 64-bit integers only as halves.
    const message = type.verify ? withHalves(value) : value;
    wrong = type.verify?.(message as { [key: string]: unknown });
    if (!wrong) return type.encode(message as object).finish();
  } catch (error) {
    wrong = error;
  }
  throw notEncodable('args[0]', `not the message type of "${event}": ${wrong}`);
}

function decodeArgument(type: MessageType, bytes: Uint8Array): Value {
  const message = type.decode(bytes);
  return (type.toObject ? withPlainBytes(type.toObject(message, { longs: BigInt, defaults: true })) : message) as Value;
}

function isMessage(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !(value instanceof Uint8Array);
}

function notEncodable(path: string, why: string): LocalUsageError {
  return new LocalUsageError('ERR_NOT_ENCODABLE', `${path}: ${why}`, { path });
}

function withHalves(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (BigInt.asUintN(64, value) !== value && BigInt.asIntN(64, value) !== value) throw new RangeError(`${value}`);
    const half = (bits: bigint) => Number(BigInt.asIntN(32, bits));
    return { low: half(value), high: half(value >> 32n), unsigned: value > 0n };
  }
  if (Array.isArray(value)) return value.map(withHalves);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withHalves(item)]));
}

/** Where a field of bytes is absent, protobufjs makes a Node Buffer its default. */
function withPlainBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
  for (const [key, item] of Object.entries(value)) {
    const plain = withPlainBytes(item);
    if (plain !== item) (value as Record<string, unknown>)[key] = plain;
  }
  return value;
}
