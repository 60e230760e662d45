// The dialect of Socket.IO 4 over a WebSocket of Engine.IO 4: `42N["e",…]` asks, `43N[…]` answers, `2` is a heartbeat.
// A binary argument goes as `451-N[…]` with a placeholder and a binary frame behind it.
import type { Payload } from '../contract/plan';
import { type Dialect, Kind, type SessionState } from './dialect';
import { maskedFrame, Opcode } from './frames';

const text = (payload: string) => maskedFrame(Opcode.Text, payload);
const pong = text('3');

const digit = { two: 0x32, three: 0x33, four: 0x34, five: 0x35, six: 0x36 } as const;

/** The text of an event with text arguments, as Engine.IO carries it. */
export function socketioEvent(name: string, args: readonly Payload[], ack: number | undefined): string {
  return `42${ack ?? ''}${JSON.stringify([name, ...args])}`;
}

/** What CONNECT says: with recovery, which session and how far it was read. */
function connect(session: SessionState): string {
  return session.secret === ''
    ? '40'
    : `40${JSON.stringify({ pid: session.secret, offset: session.positions.get('offset') })}`;
}

export const socketio: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  subprotocol: undefined,
  event(name, args, ack) {
    const binary = args.find((arg) => arg instanceof Uint8Array);
    if (!(binary instanceof Uint8Array)) return text(socketioEvent(name, args, ack));
    const head = JSON.stringify([name, { _placeholder: true, num: 0 }]);
    return Buffer.concat([text(`451-${ack ?? ''}${head}`), maskedFrame(Opcode.Binary, binary)]);
  },
  greet: () => 'listen',
  opening(_opcode, payload, session) {
    const message = payload.toString();
    if (message.startsWith('0')) return text(connect(session));
    if (message.startsWith('2')) return pong;
    // What a resumed session missed comes before the confirmation.
    if (message.startsWith('42')) return 'ordinary';
    if (!message.startsWith('40')) throw new Error(`refused: ${message}`);
    const { sid, pid } = JSON.parse(message.slice(2)) as { sid: string; pid?: string };
    session.recovered = pid !== undefined && pid === session.secret;
    session.id = sid;
    session.secret = pid ?? '';
    return 'opened';
  },
  kind(opcode, bytes, at) {
    // Of a binary answer or event the binary frame is counted, since it ends it.
    if (opcode === Opcode.Binary) return Kind.Reply;
    const first = bytes[at];
    if (first === digit.two) return Kind.Heartbeat;
    if (first !== digit.four) return Kind.Other;
    const second = bytes[at + 1];
    if (second === digit.two) return Kind.Delivery;
    return second === digit.three ? Kind.Reply : Kind.Other;
  },
  heartbeat: () => pong,
  confirm: () => undefined,
  remember(opcode, payload, session) {
    const message = opcode === Opcode.Text ? payload.toString() : '';
    if (!message.startsWith('42[')) return;
    const offset: unknown = (JSON.parse(message.slice(2)) as unknown[]).at(-1);
    if (typeof offset === 'string') session.positions.set('offset', offset);
  },
};
