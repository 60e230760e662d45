// Packets as people read them: as the JSON of docs/PROTOCOL.md §4, whichever codec they go by, without what opens a session.
import { json } from '@halyard/codec/json';
import { type Packet, PacketType } from '@halyard/protocol';

const codec = json();

const names = new Map<Packet['type'], string>(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
);

/** Instead of what opens a session, or says who somebody is. */
const hidden = '…';

export function nameOf({ type }: Packet): string {
  return names.get(type) ?? 'HINT';
}

/** @returns the packet as a JSON array; of a hint nothing is known */
export function textOf(packet: Packet): string {
  return packet.type === 'hint' ? '[]' : (codec.encode(withoutSecrets(packet)) as string);
}

function withoutSecrets(packet: Packet): Packet {
  switch (packet.type) {
    case PacketType.Hello: {
      const { namespaces, resume, token } = packet;
      return {
        ...packet,
        namespaces: namespaces.map((one) => ({ ...one, auth: one.auth === undefined ? undefined : hidden })),
        resume: resume && { ...resume, secret: hidden },
        token: token && hidden,
      };
    }
    case PacketType.Welcome:
      return { ...packet, secret: hidden };
    case PacketType.Connect:
    case PacketType.Renew:
      return { ...packet, auth: packet.auth === undefined ? undefined : hidden };
    default:
      return packet;
  }
}

/** @returns values as the codec json reads them, so that `{"$date":0}` is a date. @throws RemoteProtocolError if it is none of its */
export function valuesIn(text: string): readonly unknown[] {
  const packet = codec.decode(`[${PacketType.Event},"/","values",${text}]`);
  return packet.type === PacketType.Event ? packet.args : [];
}

/** @returns a value as the codec json writes it: JSON. `undefined` is null */
export function valueText(value: unknown = null): string {
  const args = [value] as Extract<Packet, { type: 2 }>['args'];
  const text = codec.encode({ type: PacketType.Event, namespace: '/', event: '', args, ack: undefined }) as string;
  return text.slice(`[2,"/","",[`.length, -2);
}
