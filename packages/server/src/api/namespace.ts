// A namespace, as user code holds it.

import type { AnyEvents, EventArgs, OfEvents } from '@halyard/protocol';
import type { Middleware, ResumeCheck } from '../namespace/middleware';
import type { RoomEvents } from '../namespace/room-events';
import type { Names } from '../namespace/target-spec';
import type { SlowReaders } from '../room/rooms';
import type { AnyData } from '../session/handshake';
import type { Socket } from './socket';
import type { Target } from './target';

/** Says whether an event of a socket's client may pass: `true` lets it, and nothing else does; a `PublicError` says why not. */
export type Guard<Incoming, Outgoing, Data, Name extends keyof Incoming & string> = (
  socket: Socket<Incoming, Outgoing, Data>,
  ...args: GuardedArgs<Incoming, Name>
) => boolean | Promise<boolean>;

/** Those of an event; of several, each may be that of any of them, and is undefined where one has fewer. */
type GuardedArgs<Events, Name extends keyof Events> =
  true extends IsUnion<Name>
    ? [ArgAt<Events, Name, 0>, ArgAt<Events, Name, 1>, ArgAt<Events, Name, 2>, ArgAt<Events, Name, 3>]
    : EventArgs<Events, Name>;

type IsUnion<T, Whole = T> = T extends unknown ? ([Whole] extends [T] ? false : true) : never;

type ArgAt<Events, Name extends keyof Events, Index extends number> = Name extends unknown
  ? EventArgs<Events, Name> extends infer Args extends readonly unknown[]
    ? number extends Args['length']
      ? Args[number]
      : `${Index}` extends keyof Args
        ? Args[Index]
        : undefined
    : never
  : never;

/** Who may enter, what may be said there, and who listens. */
export interface NamespaceRules<Incoming = AnyEvents, Outgoing = AnyEvents, Data = AnyData> {
  /** For the compiler alone, and never there: which events its sockets handle. */
  readonly '~incoming'?: OfEvents<Incoming>;
  /** Runs for every socket that wants to enter. Throw to refuse it. */
  use(middleware: Middleware<Data>): this;
  /**
   * Runs when a client whose `handshake.expiresAt` comes near presents another `auth`, over the connection that it has; only with such
   * a middleware are clients asked to. `handshake` has the new `auth`, and `data` is that of the socket: look whether it is the same
   * user. What it sets as `expiresAt` counts from then on; if nothing, it does not end any more. Throw to refuse it: what there was stays
   * good until it ends. `socket.handshake` is the new one then.
   */
  renew(middleware: Middleware<Data>): this;
  /**
   * Runs when a session comes back over another connection, to this server or from another one, before its client is told anything: so
   * also when a client goes from one transport to another. Throw to end the session, with 4401 and the `code` and `message` of the
   * `PublicError`, or `ERR_REFUSED`. What takes longer than `helloTimeoutMs` has its client try again.
   */
  onResume(check: ResumeCheck<Socket<Incoming, Outgoing, Data>>): this;
  /**
   * Asked about each event of these names before its handlers, and before middleware of the socket; behind the contract, if there is one.
   * `true` lets it pass. Whatever else it gives refuses it, and so does an error: its caller is told `ERR_FORBIDDEN`, or the `code`,
   * `message` and `data` of a `PublicError`, and nothing else is done. It may be asynchronous: what comes later waits, in order.
   * @throws LocalUsageError `ERR_UNKNOWN_EVENT` of a name that the contract has not, `ERR_EVENT_NAME`, `ERR_RESERVED_EVENT`,
   *   `ERR_HANDLER_TYPE`
   */
  guard<Name extends keyof Incoming & string>(
    events: Name | readonly Name[],
    guard: Guard<Incoming, Outgoing, Data, Name>,
  ): this;
  /**
   * What a client gets that does not keep up with what is emitted to rooms, past `backpressureBytesMax`: `catch-up` (default), everything, once it reads
   * again; `latest`, of each event only the newest, as with `Target.latest`; `cut`, nothing: its session ends with 4413.
   * @throws LocalUsageError `ERR_OPTION`
   */
  slowReaders(mode: SlowReaders): this;
  /** A socket is connected to the namespace. The handler may be asynchronous: nothing waits for it. */
  on(event: 'connection', handler: (socket: Socket<Incoming, Outgoing, Data>) => unknown): this;
  /**
   * `create-room`, `delete-room`, `join-room`, `leave-room`: of the rooms as they are on this server, a moment later. Of all servers that
   * share a store nobody is told at once; `count` asks them. The room of a socket's own id is no room here: `connection` and
   * `disconnect` tell of that.
   */
  on<Name extends keyof RoomEvents>(event: Name, handler: RoomEvents[Name]): this;
}

/**
 * Sockets that are apart from those of other namespaces, with rooms of their own. As a target it is all of them.
 * @typeParam Incoming the events of clients
 * @typeParam Outgoing the events of the server
 * @typeParam Data what the app keeps with each socket
 */
export interface Namespace<Incoming = AnyEvents, Outgoing = AnyEvents, Data = AnyData>
  extends NamespaceRules<Incoming, Outgoing, Data>,
    Target<Outgoing, Data> {
  /** It starts with `/`. */
  readonly name: string;
  /** Sockets by id, those whose session is away included. */
  readonly sockets: ReadonlyMap<string, Socket<Incoming, Outgoing, Data>>;
  /** Rooms that have members on this server, each with the ids of its members: as they are at each look. */
  readonly rooms: ReadonlyMap<string, ReadonlySet<string>>;
  to(...rooms: Names): Target<Outgoing, Data>;
}
