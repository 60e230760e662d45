// A socket as any server of a cluster can give it: of another server it is a snapshot, what is sent to it finds its session, and what
// else it does is asked of that server.
import type { AnyEvents, EventArgs, EventReply, OfEvents } from '@halyard/protocol';
import type { Names } from '../namespace/target-spec';
import type { AnyData, Handshake } from '../session/handshake';

/** A socket of this server or another one, as `fetchSockets` gives it. */
export interface RemoteSocket<Outgoing = AnyEvents, Data = AnyData> {
  /** For the compiler alone, and never there: which events it is sent. */
  readonly '~outgoing'?: OfEvents<Outgoing>;
  /** Names it, among all of all servers. It stays the same when its session is resumed. */
  readonly id: string;
  /** Name of its namespace. */
  readonly namespace: string;
  /** What the socket came with. */
  readonly handshake: Omit<Handshake<Data>, 'data'>;
  /** The app's own, as middleware left it in `handshake.data`. Of another server a copy: what is changed in it stays here. */
  readonly data: Data;
  /** Its own id, and every room it is in. */
  readonly rooms: ReadonlySet<string>;
  /**
   * Sends an event: once, while the session lives, whichever server has it by then; in the order in which this server has sent it others, but
   * in the moments in which it moves. After the end of the session it does nothing.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, `ERR_FRAME_TOO_BIG` past
   *   `sentFrameBytesMax`, `ERR_RESERVED_EVENT`
   */
  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void;
  /** The same, and settles as `Target.emitDurable`. */
  emitDurable<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): Promise<void>;
  /**
   * Sends an event and waits for the reply, at most `ackTimeoutMs`. Of another server it rejects with `ERR_ACK_TIMEOUT` if there is none,
   * whatever the reason; of this one as `Socket.emitWithAck`.
   */
  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<EventReply<Outgoing, Name>>;
  /** @param timeoutMs how long `emitWithAck` of the result waits: 1 to Infinity. @throws LocalUsageError `ERR_OPTION` */
  timeout(timeoutMs: number): Pick<RemoteSocket<Outgoing, Data>, 'emitWithAck'>;
  /**
   * Of a socket of another server this and what follows happens a little later; what fails there is reported by `error`.
   * @throws LocalUsageError `ERR_ROOM_NAME`, or `ERR_ROOMS_FULL` past `roomsPerSocketMax`; of another server's `ERR_STORE_AWAY` if too much waits
   *   to be stored
   */
  join(...rooms: Names): void;
  /** As `join`. A room that it is not in is left as well. */
  leave(...rooms: Names): void;
  /**
   * Ends this socket: the client is told and does not come back by itself.
   * @param session ends the whole session, with every namespace and the connection
   */
  disconnect(session?: boolean): void;
}
