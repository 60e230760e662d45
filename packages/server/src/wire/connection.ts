// The contract of a transport: one attachment of a session.
import type { Close, Frame } from '@halyard/protocol';
import type { Peer } from '../host/host';

export type TransportName = 'websocket' | 'sse' | 'polling';
export const transportNames: readonly TransportName[] = ['websocket', 'sse', 'polling'];

/** Whoever a connection currently belongs to: first a greeting, then a session, then nobody. */
export interface Receiver {
  /** Bytes are valid until the call returns. */
  onFrame(frame: Frame): void;
  /** Most of what was sent has left. Called once for each `notifyDrain`. */
  onDrain(): void;
  /** The connection is gone, and not by our own `close`. Called at most once. */
  onClose(close: Close): void;
}

/** Has a connection that was let go: what it still has to tell concerns nobody. */
export const nobody: Receiver = { onFrame() {}, onDrain() {}, onClose() {} };

export interface Connection {
  readonly transport: TransportName;
  readonly codecIndex: number;
  readonly peer: Peer;
  /** Counts the connections of this server, from 1: what is told of it names it so. 0 if it was not taken. */
  number: number;
  receiver: Receiver;
  /** Bytes accepted by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Whether the peer takes less than it is sent: what may be dropped is. */
  readonly slow: boolean;
  /** Whether native fan-out reaches it: then `subscribe`, `unsubscribe` and `publish` do something. */
  readonly native: boolean;
  /** MUST keep order and MUST NOT throw. Text may come as UTF-8. After `close` it does nothing. Past its limit the connection closes itself. */
  send(frame: Frame): void;
  /** Asks for one `onDrain`, later than this call. */
  notifyDrain(): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /**
   * Sends a frame to every other subscriber of a topic. It has subscribed to that or another before.
   * @returns false if it could not, because native fan-out does not reach it, or no more
   */
  publish(topic: string, frame: Frame): boolean;
  /** So much was sent to it by native fan-out since this was called last: it closes itself if that is past its limit. */
  published(bytes: number): void;
  /** Forgets what was sent and has not been handed over. */
  discard(): void;
  /** Ends the connection after what was sent. MUST NOT call `onClose`. */
  close(close: Close): void;
}
