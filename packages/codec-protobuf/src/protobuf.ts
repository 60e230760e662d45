// The codec `protobuf`: packets as the messages of halyard.proto; an event's argument as a message of the app where it
// has registered a type for the event's name.
import type { Codec } from '@halyard/codec';
import { bytesOf, checkPacket, fieldDepthMax, guarded, madePlain, Trait, undecodable } from '@halyard/codec/internal';
import {
  type Frame,
  fromTupleFast,
  type Packet,
  PacketType,
  RemoteProtocolError,
  toTupleFast,
  type Value,
} from '@halyard/protocol';
import { decodeArgument, encoderOf, type MessageType, withoutMessages } from './protobuf-message';
import { readPacket, withPositions, writePacket } from './protobuf-packet';

export type { MessageType };

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
  const encoders = new Map([...types].map(([event, type]) => [event, encoderOf(event, type)]));

  function encode(packet: Packet): Frame {
    const traits = checkPacket(packet);
    const type = packet.type as PacketType;
    const typed = isEventLike(packet) ? encoders.get(packet.event) : undefined;
    if (typed === undefined || !isEventLike(packet)) {
      if (traits & Trait.Foreign) return encode(madePlain(packet));
      return writePacket(type, toTupleFast(packet), undefined);
    }
    const { args } = packet;
    if (traits & Trait.Foreign) {
      return encode(madePlain({ ...packet, args: withoutMessages(args, fieldDepthMax(type)) as Value[] }));
    }
    return writePacket(type, toTupleFast({ ...packet, args: [] }), typed(args, traits));
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
