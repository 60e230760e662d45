// What the session offers to the sockets above it and the connection under it, and what it asks of the connection.
import type { Frame, Settle, Value } from '@halyard/protocol';
import type { Link } from '../link/transport';
import type { Member } from './presence';

/** What the session asks of the connection under it. */
export interface SessionEvents {
  /** A namespace is wanted: connect if there is no connection and none will be tried. */
  onWanted(): void;
  /** No namespace is wanted any more. */
  onIdle(): void;
  onOpen(recovered: boolean): void;
  /** The server does not answer. */
  onSilent(): void;
}

export interface Session {
  readonly members: Map<string, Member>;
  /** The namespaces to be connected. */
  wanted(): Member[];
  isConnected(member: Member): boolean;
  frameBytesMax(): number;
  /** @throws LocalUsageError `ERR_NAMESPACES_FULL` */
  join(member: Member): void;
  /** @throws LocalUsageError `ERR_OUTBOX_FULL` */
  leave(member: Member): void;
  /**
   * Sends an event, now or as soon as there is a connection.
   * @param settle there if a reply is waited for, at most `timeoutMs`
   * @throws LocalUsageError what is wrong with the event, or the limit it meets
   */
  emit(member: Member, event: string, args: readonly Value[], timeoutMs: number, settle?: Settle): void;
  /** Sends an event if it can leave now. */
  emitVolatile(member: Member, event: string, args: readonly Value[]): void;
  /** Asks the server for a sign of life. */
  probe(): void;
  /** Speaks first on a new link: HELLO and, in the same flight, everything that waits. */
  attach(link: Link): void;
  /** @throws RemoteProtocolError */
  receive(frame: Frame): void;
  /**
   * The link is gone, if there was one, and with `fresh` and `final` the session; with `final` nothing is wanted any more.
   * @returns the namespaces that were wanted, and those of them that were connected
   */
  detach(fate: 'resume' | 'fresh' | 'final', reason: string): { wanted: Member[]; connected: Member[] };
}
