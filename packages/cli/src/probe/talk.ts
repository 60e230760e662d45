// Packets over a line: PING is answered, counted packets are counted, and what is not waited for is passed over.
import type { Codec } from '@halyard/codec';
import { type Packet, PacketType } from '@halyard/protocol';
import type { Heard, Line } from './line';

type Wanted = Exclude<Packet['type'], 'hint'>;

export type Reply<Type extends Wanted> =
  | { readonly kind: 'packet'; readonly packet: Extract<Packet, { type: Type }> }
  | Extract<Heard, { kind: 'closed' }>
  /** Nothing of it within the time. */
  | { readonly kind: 'silent' };

const counted: readonly Packet['type'][] = [
  ...[PacketType.Event, PacketType.Ack, PacketType.Error],
  ...[PacketType.Connected, PacketType.Refused, PacketType.Disconnect],
];

export class Talk {
  readonly line: Line;
  readonly #codec: Codec;
  /** How many counted packets have come. */
  received = 0;

  constructor(line: Line, codec: Codec, received = 0) {
    this.line = line;
    this.#codec = codec;
    this.received = received;
  }

  send(packet: Packet): void {
    this.line.send(this.#codec.encode(packet));
  }

  /** @returns the first packet of one of these types, or how the line has closed before */
  async next<Type extends Wanted>(types: readonly Type[], waitMs: number): Promise<Reply<Type>> {
    const until = performance.now() + waitMs;
    for (;;) {
      const heard = await this.line.next(Math.max(until - performance.now(), 0));
      if (heard === undefined) return { kind: 'silent' };
      if (heard.kind === 'closed') return heard;
      const packet = this.#read(heard.frame);
      if (packet === undefined) return { kind: 'closed', code: 1006, reason: 'what came is no frame of the codec' };
      if (counted.includes(packet.type)) this.received++;
      if (packet.type === PacketType.Ping) this.send({ type: PacketType.Pong, received: this.received });
      if ((types as readonly Packet['type'][]).includes(packet.type)) {
        return { kind: 'packet', packet: packet as Extract<Packet, { type: Type }> };
      }
    }
  }

  #read(frame: Extract<Heard, { kind: 'frame' }>['frame']): Packet | undefined {
    try {
      return this.#codec.decode(frame);
    } catch {
      return undefined;
    }
  }
}
