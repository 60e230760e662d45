// The contract of a dialect: what the generator must know of a protocol to open a session, ask, and count what comes.
import type { Payload } from '../contract/plan';

/** What a frame is, as far as the generator cares. */
export const Kind = { Other: 0, Reply: 1, Delivery: 2, Heartbeat: 3 } as const;
/** Added to a kind whose packet the session counts (docs/PROTOCOL.md §5). */
export const counted = 8;

/** What a peer remembers of its session, to keep it alive and to resume it. */
export interface SessionState {
  id: string;
  secret: string;
  received: number;
  /** A confirmation is due after so many counted packets. */
  confirmEvery: number;
  /** Last position in each log, or the last offset under one name. */
  readonly positions: Map<string, string | number>;
  recovered: boolean;
}

export interface Dialect {
  readonly path: string;
  readonly subprotocol: string | undefined;
  /** Masked frames of an event. @param ack the number its reply names; undefined if it wants none */
  event(name: string, args: readonly Payload[], ack: number | undefined): Buffer;
  /** What the client says first, or that it waits for the server, or that there is nothing to say. */
  greet(session: SessionState): Buffer | 'listen' | 'open';
  /** A whole frame before the session is open. @returns frames to send, or what the frame was */
  opening(opcode: number, payload: Buffer, session: SessionState): Buffer | 'opened' | 'awaited' | 'ordinary';
  /** Hot: called for every frame that arrives, with at least `peekBytes` of its payload. */
  kind(opcode: number, bytes: Buffer, at: number, size: number): number;
  /** What a heartbeat is answered with. */
  heartbeat(session: SessionState): Buffer;
  /** Tells how much was received, if the protocol does that. */
  confirm(session: SessionState): Buffer | undefined;
  /** A whole frame of an open session whose positions are to be known for a resume. */
  remember(opcode: number, payload: Buffer, session: SessionState): void;
}

export function newSession(): SessionState {
  return { id: '', secret: '', received: 0, confirmEvery: Infinity, positions: new Map(), recovered: false };
}
