// A socket: the session's presence in one namespace, as an application holds it. Longer than other files: a third of it is what an
// application is told of each member.
import {
  type AnyEvents,
  checkEventName,
  type EventArgs,
  type EventName,
  type EventReply,
  firstSettled,
  isReservedEvent,
  LocalUsageError,
  type OfEvents,
  PublicError,
  packetLimits,
  type Settle,
  timeoutMsMin,
  trimmedArgs,
  type Value,
} from '@halyard/protocol';
import { debug } from '#debug';
import { answerHabits, explain, lookForCallback } from '#habits';
import { type Call, callAll, createEmitter } from '../base/emitter';
import { checkNumber, optionError } from '../base/option-error';
import type { Connection } from '../link/connector';
import type { ConnectInfo } from '../session/lifecycle';
import type { Auth, Presence } from '../session/presence';
import { noHandler } from '../session/reply';
import type { Speech } from '../session/session';
import type { Listener, ReservedEvent } from './events';
import type { Options, SocketOptions } from './options';

/** How an event is sent whose reply is waited for. */
export interface EmitWithAck<Emit> {
  emitWithAck<Name extends keyof Emit & string>(
    event: Name,
    ...args: EventArgs<Emit, Name>
  ): Promise<EventReply<Emit, Name>>;
}

/** @param args as they were sent */
export type AnyListener = (event: string, ...args: unknown[]) => unknown;

/** How an event is sent that may be dropped. */
export interface EmitVolatile<Emit> {
  emit<Name extends keyof Emit & string>(event: Name, ...args: EventArgs<Emit, Name>): void;
}

/**
 * The session's presence in one namespace. It lives as long as the app wants it, over any number of connections.
 * @typeParam Listen the events that the server emits
 * @typeParam Emit those that the client emits
 */
export interface Socket<Listen = AnyEvents, Emit = AnyEvents> extends EmitWithAck<Emit> {
  /** For the compiler alone, and never there: which events it is a socket of. */
  readonly '~events'?: readonly [OfEvents<Listen>, OfEvents<Emit>];
  /** Its name, which starts with `/`. */
  readonly namespace: string;
  /** Shared by the sockets of all namespaces of this client. */
  readonly connection: Connection;
  /** Whether the namespace is connected now. */
  readonly connected: boolean;
  /** The server's name for this socket while it is connected. It stays the same when the session is resumed. */
  readonly id: string | undefined;
  /** Whether the namespace is wanted: connected, or will be by itself. False after `disconnect()`, a refusal or a final error. */
  readonly active: boolean;
  /** Whether the last `connect` resumed the session of before. */
  readonly recovered: boolean;
  /** What the namespace is asked for with from the next attempt on: data, or a function that gives it at every attempt. */
  auth: Auth;
  /**
   * Hears an event of the server, whose reply is what the listener returns, or what that resolves to; or an event of the socket's own life.
   * What a listener throws is told by `error`.
   */
  on<Name extends (keyof Listen & string) | ReservedEvent>(
    event: Name,
    listener: Listener<Listen, NoInfer<Name>>,
  ): this;
  /** The same, for the first time alone. */
  once<Name extends (keyof Listen & string) | ReservedEvent>(
    event: Name,
    listener: Listener<Listen, NoInfer<Name>>,
  ): this;
  /** Without a listener: all of the event. */
  off<Name extends (keyof Listen & string) | ReservedEvent>(
    event: Name,
    listener?: Listener<Listen, NoInfer<Name>>,
  ): this;
  /** Without an event: all of all events. Those of `onAny` and its like stay. */
  removeAllListeners(event?: EventName<Listen> | ReservedEvent): this;
  /** Hears every event of the other side, whether or not it has a handler. What it returns is no acknowledgement. */
  onAny(listener: AnyListener): this;
  /** The same, before those that are there. */
  prependAny(listener: AnyListener): this;
  /** Without a listener: all. */
  offAny(listener?: AnyListener): this;
  /** Hears every event that is emitted here, once it is taken to be sent; volatile ones also if they are dropped then. */
  onAnyOutgoing(listener: AnyListener): this;
  prependAnyOutgoing(listener: AnyListener): this;
  offAnyOutgoing(listener?: AnyListener): this;
  /**
   * Sends an event: once, in order, as soon as there is a connection. Before the first `connect()` it waits for that; after
   * `disconnect()`, a refusal or a final close it goes nowhere, and `error` tells so by `ERR_NOT_CONNECTED`.
   * @throws LocalUsageError `ERR_OUTBOX_FULL`, `ERR_FRAME_TOO_BIG`, `ERR_NOT_ENCODABLE`, `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  emit<Name extends keyof Emit & string>(event: Name, ...args: EventArgs<Emit, Name>): void;
  /**
   * Sends an event and waits for its handler's result, `ackTimeoutMs` long.
   * Rejects with what `emit` throws or tells; with the handler's error as a `PublicError`; with `ERR_ACK_TIMEOUT`; with
   * `ERR_SESSION_LOST` or `ERR_DISCONNECTED` if the reply cannot come any more.
   */
  emitWithAck<Name extends keyof Emit & string>(
    event: Name,
    ...args: EventArgs<Emit, Name>
  ): Promise<EventReply<Emit, Name>>;
  /**
   * The same with a time limit, from 1 to Infinity milliseconds, for the reply and for leaving: an event that has not left by then
   * never will. `emit` tells so by `error`. The `details.left` of an `ERR_ACK_TIMEOUT` says whether it has. @throws LocalUsageError `ERR_OPTION`
   */
  timeout(timeoutMs: number): EmitWithAck<Emit> & EmitVolatile<Emit>;
  /**
   * Sends at most once: what cannot leave now, because there is no connection or it is slow, is dropped. @throws LocalUsageError what is
   * wrong with the event itself, also if it is dropped
   */
  readonly volatile: EmitVolatile<Emit>;
  /**
   * Connects, or connects again after `disconnect()`, a refusal or a close.
   * @throws LocalUsageError `ERR_NAMESPACES_FULL` for more than 64 namespaces at one time
   */
  connect(): this;
  /**
   * Leaves the namespace. The last one to leave ends the session and the connection. What was connected in the same turn is left at its end,
   * unless `connect()` comes again before: what is emitted until then goes with it, or fails with `ERR_DISCONNECTED`.
   */
  disconnect(): this;
  /** The socket of another namespace over the same connection. */
  of<OtherListen = AnyEvents, OtherEmit = AnyEvents>(
    namespace: string,
    options?: SocketOptions,
  ): Socket<OtherListen, OtherEmit>;
}

interface SocketPresence extends Presence {
  readonly socket: Socket;
}

/** What the sockets of a client share. */
export interface Client {
  readonly session: Speech;
  readonly connection: Connection;
  readonly options: Pick<Options, 'ackTimeoutMs' | 'autoConnect'>;
  readonly presences: Map<string, SocketPresence>;
}

/** @returns the socket of a namespace: the one there is, or a new one */
export function openSocket(client: Client, namespace: string, { auth }: SocketOptions): Socket {
  const known = client.presences.get(namespace);
  const presence = known ?? createPresence(client, namespace);
  if (auth) presence.auth = auth;
  if (client.options.autoConnect) {
    if (known) known.socket.connect();
    else client.session.join(presence);
  }
  return presence.socket;
}

function createPresence(client: Client, namespace: string): SocketPresence {
  const { session, connection, options } = client;
  if (namespace[0] !== '/' || namespace.length > packetLimits.nameCharsMax) {
    throw optionError('namespace', '"/" and up to 255 characters');
  }
  const emitter = createEmitter();
  /** Those that hear every event, by its direction. */
  const taps = createEmitter();
  let recovered = false;
  /** Whether it was told that it is connected, and not that it is not any more. */
  let isUp = false;
  let isTelling = false;
  /** What was wanted in this turn is left at its end, if at all: StrictMode of React undoes and does again what it does. */
  let fresh: false | 'wanted' | 'unwanted' = false;
  /** The `auth` that it was wanted with. */
  let wantedWith: Auth;

  const fire: Presence['fire'] = (event, value) => {
    if (event === 'connect') {
      isUp = true;
      recovered = (value as ConnectInfo).recovered;
    }
    if (event === 'disconnect') {
      // Who leaves as the session is back, before it is told so, was told that it was gone.
      if (!isUp) return;
      isUp = false;
    }
    debug.log?.('socket', namespace, event, value);
    const isError = event === 'error';
    // What a listener of errors does wrong is not told to it again.
    const listeners = isError && isTelling ? [] : emitter.take(event);
    if (isError && !listeners.length) return console.error(value);
    isTelling ||= isError;
    callAll(listeners, [value], isError ? console.error : aside);
    if (isError) isTelling = false;
  };

  const errorOf = (thrown: unknown) => (Object(thrown) === thrown ? thrown : new Error(`thrown: ${String(thrown)}`));

  const aside = (thrown: unknown) => fire('error', errorOf(thrown));

  const handle: Presence['handle'] = ({ event, args }, reply) => {
    callAll(taps.take('in'), [event, ...args], aside);
    // A remote event may be named like one of the socket's own life; nobody can have a handler for it.
    const handlers = isReservedEvent(event) ? [] : emitter.take(event);
    if (!handlers.length) {
      debug.log?.('socket', namespace, 'unhandled', event);
      reply?.(noHandler);
    } else if (!reply) callAll(handlers, args, aside);
    else {
      const results = handlers.map((handler) => new Promise((resolve) => resolve(handler(...(args as never[])))));
      firstSettled(results, aside).then(
        (value) => {
          lookForCallback(event, handlers, args, value);
          reply(undefined, value as Value);
        },
        (thrown) => {
          const error = errorOf(thrown);
          explain(error);
          if (!(error instanceof PublicError)) aside(error);
          reply(error);
        },
      );
    }
  };

  const send = (event: string, args: readonly unknown[], timeoutMs = 0, settle?: Settle) => {
    const values = checked(event, args);
    if (!presence.phase && !presence.held) {
      const error = new LocalUsageError('ERR_NOT_CONNECTED', `emit("${event}") of ${namespace}: connect() first`);
      return settle ? settle(error) : fire('error', error);
    }
    session.emit(presence, event, values, timeoutMs, settle);
    callAll(taps.take('out'), [event, ...args], aside);
  };

  const chain =
    <Args extends readonly unknown[]>(run: (...args: Args) => void) =>
    (...args: Args) => {
      run(...args);
      return socket;
    };

  const request = (timeoutMs: number, event: string, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      send(event, args, timeoutMs, (error, value) => (error ? reject(error) : resolve(value as never)));
    });

  const socket: Socket = {
    namespace,
    connection,
    get connected() {
      return session.isConnected(presence);
    },
    get id() {
      return session.isConnected(presence) ? presence.id : undefined;
    },
    get active() {
      return !!presence.phase && fresh !== 'unwanted';
    },
    get recovered() {
      return recovered;
    },
    get auth() {
      return presence.auth;
    },
    set auth(auth) {
      presence.auth = auth;
    },
    on: chain((event: string, listener: Call) => emitter.on(event, listener)),
    once: chain((event: string, listener: Call) => emitter.on(event, listener, true)),
    off: chain(emitter.off),
    removeAllListeners: chain((event?: string) => emitter.off(event)),
    onAny: chain((listener) => taps.on('in', listener)),
    prependAny: chain((listener) => taps.on('in', listener, false, true)),
    offAny: chain((listener) => taps.off('in', listener)),
    onAnyOutgoing: chain((listener) => taps.on('out', listener)),
    prependAnyOutgoing: chain((listener) => taps.on('out', listener, false, true)),
    offAnyOutgoing: chain((listener) => taps.off('out', listener)),
    emit: (event, ...args) => send(event, args),
    emitWithAck: (event, ...args) => request(options.ackTimeoutMs, event, args),
    timeout(timeoutMs) {
      checkNumber('timeoutMs', timeoutMs, timeoutMsMin, Infinity);
      const timed: ReturnType<Socket['timeout']> = {
        emit: (event, ...args) => send(event, args, timeoutMs),
        emitWithAck: (event, ...args) => request(timeoutMs, event, args),
      };
      answerHabits('socket.timeout(ms)', timed);
      return timed;
    },
    volatile: {
      emit(event, ...args) {
        session.emitVolatile(presence, event, checked(event, args));
        callAll(taps.take('out'), [event, ...args], aside);
      },
    },
    connect: chain(() => {
      // What it would present is another's.
      if (fresh === 'unwanted' && wantedWith !== presence.auth) session.leave(presence);
      const { phase } = presence;
      if (fresh) fresh = 'wanted';
      session.join(presence);
      if (phase) return;
      wantedWith = presence.auth;
      fresh = 'wanted';
      queueMicrotask(() => {
        const isLeft = fresh === 'unwanted';
        fresh = false;
        if (isLeft) session.leave(presence);
      });
    }),
    disconnect: chain(() => {
      if (fresh) fresh = 'unwanted';
      else session.leave(presence);
    }),
    of: (name, other = {}) => openSocket(client, name, other) as never,
  };
  const presence: SocketPresence = { namespace, socket, auth: undefined, held: new Set(), fire, handle };
  answerHabits('socket', socket);
  answerHabits('socket.volatile', socket.volatile);
  answerHabits('socket.connection', connection);
  client.presences.set(namespace, presence);
  return presence;
}

/** @returns the arguments as they go out */
function checked(event: string, args: readonly unknown[]): readonly Value[] {
  checkEventName(event);
  // As Socket.IO waits for a reply.
  if (typeof args.at(-1) === 'function')
    throw new LocalUsageError('ERR_NOT_ENCODABLE', 'emit takes no callback: await emitWithAck()');
  return trimmedArgs(args);
}
