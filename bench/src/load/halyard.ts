// The dialect of Halyard's protocol v1 (docs/PROTOCOL.md): frames are built by the codec, and what arrives is told
// apart by the bytes in which the codec writes a packet's type.
import type { Codec } from '@halyard/codec';
import { type Packet, PacketType, subprotocol } from '@halyard/protocol';
import { counted, type Dialect, Kind, type SessionState } from './dialect';
import { maskedFrame, Opcode } from './frames';

const kinds: Readonly<Record<number, number>> = {
  [PacketType.Event]: Kind.Delivery | counted,
  [PacketType.Ack]: Kind.Reply | counted,
  [PacketType.Error]: Kind.Reply | counted,
  [PacketType.Publish]: Kind.Delivery,
  [PacketType.Volatile]: Kind.Delivery,
  [PacketType.Ping]: Kind.Heartbeat,
  [PacketType.Connected]: Kind.Other | counted,
  [PacketType.Refused]: Kind.Other | counted,
  [PacketType.Disconnect]: Kind.Other | counted,
};

const digitZero = 0x30;

/** Where each codec writes the type of a packet. */
const typeReaders: Readonly<Record<string, (bytes: Buffer, at: number) => number>> = {
  json(bytes, at) {
    const second = bytes[at + 2]! - digitZero;
    const first = bytes[at + 1]! - digitZero;
    return second >= 0 && second <= 9 ? first * 10 + second : first;
  },
  msgpack: (bytes, at) => bytes[at + 1]!,
  // The tag of the one field: its number is the type plus one.
  protobuf: (bytes, at) => (bytes[at]! >> 3) - 1,
};

export function halyard(codec: Codec): Dialect {
  const typeOf = typeReaders[codec.name];
  if (typeOf === undefined) throw new Error(`it is not known where ${codec.name} writes a packet's type`);
  const opcode = codec.binary ? Opcode.Binary : Opcode.Text;
  const encode = (packet: Packet) => maskedFrame(opcode, codec.encode(packet));
  const decode = (payload: Buffer) => codec.decode(codec.binary ? new Uint8Array(payload) : payload.toString());
  return {
    path: '/halyard',
    subprotocol: subprotocol(codec.name),
    event: (event, args, ack) => encode({ type: PacketType.Event, namespace: '/', event, args, ack }),
    greet: (session) => encode(hello(session)),
    opening(_opcode, payload, session) {
      const packet = decode(payload);
      switch (packet.type) {
        case PacketType.Welcome:
          session.recovered = packet.recovered;
          session.id = packet.session;
          session.secret = packet.secret;
          session.confirmEvery = packet.settings.sackPacketsMax;
          return packet.recovered ? 'opened' : 'awaited';
        case PacketType.Connected:
          session.received = 1;
          return 'opened';
        case PacketType.Refused:
          throw new Error(`refused: ${packet.code} ${packet.message}`);
        default:
          return 'ordinary';
      }
    },
    kind: (_opcode, bytes, at) => kinds[typeOf(bytes, at)] ?? Kind.Other,
    heartbeat: (session) => encode({ type: PacketType.Pong, received: session.received }),
    confirm: (session) => encode({ type: PacketType.Sack, received: session.received }),
    remember(_opcode, payload, session) {
      const packet = decode(payload);
      if (packet.type !== PacketType.Publish) return;
      for (const [log, offset] of packet.positions) session.positions.set(log, offset);
    },
  };
}

export function hello(session: SessionState): Packet {
  return {
    type: PacketType.Hello,
    namespaces: [{ namespace: '/', auth: undefined }],
    client: 'bench',
    token: '',
    generation: 0,
    left: 0,
    resume:
      session.secret === ''
        ? undefined
        : {
            session: session.id,
            secret: session.secret,
            received: session.received,
            confirmed: 0,
            positions: [...session.positions].map(([log, offset]) => [log, Number(offset)] as const),
          },
  };
}
