// The dialect of the servers written by hand: `[event, id, ...args]` asks, `[id, value]` answers, `[event, ...args]`
// is a delivery. Binary asks are four bytes of id and the payload, answered in kind.
import type { Payload } from '../contract/plan';
import { type Dialect, Kind } from './dialect';
import { maskedFrame, Opcode } from './frames';

const quote = 0x22;

export const raw: Dialect = {
  path: '/',
  subprotocol: undefined,
  event(name: string, args: readonly Payload[], ack: number | undefined) {
    const [payload] = args;
    if (payload instanceof Uint8Array) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(ack ?? 0);
      return maskedFrame(Opcode.Binary, Buffer.concat([head, payload]));
    }
    return maskedFrame(Opcode.Text, JSON.stringify([name, ack ?? 0, ...args]));
  },
  greet: () => 'open',
  opening: () => 'opened',
  kind(opcode, bytes, at) {
    if (opcode === Opcode.Binary) return Kind.Reply;
    return bytes[at + 1] === quote ? Kind.Delivery : Kind.Reply;
  },
  heartbeat: () => maskedFrame(Opcode.Pong, ''),
  confirm: () => undefined,
  remember() {},
};
