// A session's presence in one namespace, as user code holds it. It lives as long as its session, across connections.
import type {
  AnyEvents,
  EventArgs,
  EventHandler,
  EventName,
  EventReply,
  OfEvents,
  ReservedEventName,
  Value,
} from '@halyard/protocol';
import type { SocketMiddleware } from '../namespace/event-middleware';
import type { SocketLifecycle } from '../namespace/event-socket';
import type { Handler } from '../namespace/handlers';
import type { Names } from '../namespace/target-spec';
import type { AnyData, Handshake } from '../session/handshake';
import type { TransportName } from '../wire/connection';
import type { RemoteSocket } from './remote-socket';
import type { Target } from './target';

/** Hears events of any name. What it returns is no reply; it may be asynchronous. */
export type AnyHandler = (event: string, ...args: Value[]) => unknown;

/** What handles an event of a socket: of its own life, or of its client. */
export type SocketHandler<Incoming, Name> = Name extends keyof SocketLifecycle
  ? SocketLifecycle[Name]
  : Name extends ReservedEventName
    ? never
    : Name extends keyof Incoming
      ? EventHandler<Incoming, Name>
      : never;

/**
 * The presence of a client's session in one namespace. It lives as long as the session, over any number of connections.
 * @typeParam Incoming the events of the client
 * @typeParam Outgoing the events of the server
 * @typeParam Data what the app keeps with it
 */
export interface Socket<Incoming = AnyEvents, Outgoing = AnyEvents, Data = AnyData>
  extends RemoteSocket<Outgoing, Data> {
  /** For the compiler alone, and never there: which events it handles. */
  readonly '~incoming'?: OfEvents<Incoming>;
  /** What it came with. */
  readonly handshake: Handshake<Data>;
  /** The app's own, as middleware left it in `handshake.data`. It goes where its session goes: what is in it has to be what a codec carries. */
  data: Data;
  /** Its own id, and every room it is in; once it is over, those it was in. */
  readonly rooms: ReadonlySet<string>;
  /** Whether the session was ever resumed on another connection. */
  readonly recovered: boolean;
  /**
   * Whether the event whose handlers run now may have been handled before: by a server that was lost in the middle of it, where servers
   * share a store; or, of what a client has sent with a first HELLO that this server has never heard of, by one that was there before,
   * or is beside this one. Look at it before the first `await`.
   */
  readonly redelivered: boolean;
  /** False after `disconnect`; true while the session is away. */
  readonly connected: boolean;
  /** Whether the session has no connection now, and waits for one. */
  readonly away: boolean;
  /** The transport in use, or undefined while away. */
  readonly transport: TransportName | undefined;
  /** The connection in use, or undefined while away. `bufferedBytes` wait for the client to read, as far as this process knows. */
  readonly conn: { readonly transport: TransportName; readonly bufferedBytes: number } | undefined;

  /** Listens to a lifecycle event, or to an event of the client: what the handler returns is the reply. */
  on<Name extends keyof SocketLifecycle | EventName<Incoming>>(
    event: Name,
    handler: SocketHandler<Incoming, NoInfer<Name>>,
  ): this;
  /** The same, for the first time alone. */
  once<Name extends keyof SocketLifecycle | EventName<Incoming>>(
    event: Name,
    handler: SocketHandler<Incoming, NoInfer<Name>>,
  ): this;
  /** Removes a handler, or all handlers of the event; without an event as `removeAllListeners`. */
  off(event?: keyof SocketLifecycle | EventName<Incoming>, handler?: Handler): this;
  /** Removes all handlers of the event, or of all events: those of `onAny` stay. */
  removeAllListeners(event?: keyof SocketLifecycle | EventName<Incoming>): this;
  /** Calls `handler(name, ...args)` for every event of the client, before its own handlers. */
  onAny(handler: AnyHandler): this;
  /** Without a handler: all. */
  offAny(handler?: AnyHandler): this;
  /** As `onAny`, before the handlers of any event that are there. */
  prependAny(handler: AnyHandler): this;
  /**
   * Calls `handler(name, ...args)` for every event that this socket is sent by itself, before it is: by its own `emit`, `emitWithAck`,
   * `emitDurable` and `volatile.emit`. What goes to rooms, or to sockets by their ids, is sent to many at once, and is not seen here.
   */
  onAnyOutgoing(handler: AnyHandler): this;
  /** Without a handler: all. */
  offAnyOutgoing(handler?: AnyHandler): this;
  /** Runs before the handlers of every arriving event. */
  use(middleware: SocketMiddleware): this;

  /**
   * Sends an event and waits for the reply, at most `ackTimeoutMs`. Rejects with the client's error, with `ERR_ACK_TIMEOUT`, and with
   * `ERR_SESSION_ENDED` if the session is over, or goes on at another server before the reply is here: the client may have answered it.
   */
  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<EventReply<Outgoing, Name>>;
  /** @param timeoutMs how long `emitWithAck` and `save` of the result wait: 1 to Infinity. @throws LocalUsageError `ERR_OPTION` */
  timeout(timeoutMs: number): Pick<Socket<Incoming, Outgoing, Data>, 'emitWithAck' | 'save'>;
  /** `volatile.emit` is dropped when the client is away or slow. */
  readonly volatile: Pick<Socket<Incoming, Outgoing, Data>, 'emit'>;

  /**
   * Resolves once the session is stored as it is now, `data` and rooms included, so that any server can go on with it; with a store of
   * its own at once. Without it what has changed in `data` is stored with what the session does next, which is soon: after each
   * handler, with each reply. Rejects with `ERR_STORE_AWAY` if it takes longer than `ackTimeoutMs`, and then it may be stored all the
   * same; `ERR_NOT_ENCODABLE` with the path of the value in `data` that no codec carries; `ERR_SESSION_ENDED` if the session is over, or
   * another server has it.
   */
  save(): Promise<void>;

  /** Everyone in these rooms but this socket. */
  to(...rooms: Names): Target<Outgoing, Data>;
  /** As `to`. */
  in(...rooms: Names): Target<Outgoing, Data>;
  /** Everyone in the namespace but this socket, and who is in these rooms. */
  except(...rooms: Names): Target<Outgoing, Data>;
  /** Everyone in the namespace but this socket. */
  readonly broadcast: Target<Outgoing, Data>;
}
