// A socket: the session's presence in one namespace, as an application holds it.
import {
  type AnyEvents,
  callHandlers,
  checkEventName,
  type EventArgs,
  type EventName,
  type EventReply,
  isReservedEvent,
  PublicError,
  packetLimits,
  timeoutMsMin,
  trimmedArgs,
  type Value,
} from '@halyard/protocol';
import { createEmitter } from '../base/emitter';
import { checkNumber, optionError } from '../base/option-error';
import type { Connection } from '../link/connector';
import type { ConnectInfo } from '../session/lifecycle';
import type { Presence } from '../session/presence';
import { noHandler } from '../session/reply';
import type { Session } from '../session/session';
import type { Emittable, Listener, ReservedEvent } from './events';
import type { Options, SocketOptions } from './options';

export interface EmitWithAck<Emit> {
  emitWithAck<Name extends Emittable<Emit>>(
    event: Name,
    ...args: EventArgs<Emit, Name>
  ): Promise<EventReply<Emit, Name>>;
}

export interface EmitVolatile<Emit> {
  emit<Name extends Emittable<Emit>>(event: Name, ...args: EventArgs<Emit, Name>): void;
}

export interface Socket<Listen = AnyEvents, Emit = AnyEvents> extends EmitWithAck<Emit> {
  readonly namespace: string;
  /** Shared by the sockets of all namespaces of this client. */
  readonly connection: Connection;
  /** Whether the namespace is connected now. */
  readonly connected: boolean;
  /** The server's name for this socket while it is connected. It stays the same when the session is resumed. */
  readonly id: string | undefined;
  /** Whether the last `connect` resumed the session of before. */
  readonly recovered: boolean;
  on<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener: Listener<Listen, Name>): this;
  once<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener: Listener<Listen, Name>): this;
  /** Without a listener: all of the event. */
  off<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener?: Listener<Listen, Name>): this;
  /** Hears every event of the other side, whether or not it has a handler. What it returns is no acknowledgement. */
  onAny(listener: (event: string, ...args: unknown[]) => void): this;
  offAny(listener?: (event: string, ...args: unknown[]) => void): this;
  /**
   * Sends an event: once, in order, as soon as there is a connection.
   * @throws LocalUsageError `ERR_NOT_CONNECTED` before `connect()`, after `disconnect()` or a refusal;
   * `ERR_OUTBOX_FULL`, `ERR_FRAME_TOO_BIG`, `ERR_NOT_ENCODABLE`, `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  emit<Name extends Emittable<Emit>>(event: Name, ...args: EventArgs<Emit, Name>): void;
  /**
   * Sends an event and waits for its handler's result, `ackTimeoutMs` long.
   * Rejects with what `emit` throws; with the handler's error as a `PublicError`; with `ERR_ACK_TIMEOUT`; with
   * `ERR_SESSION_LOST` or `ERR_DISCONNECTED` if the reply cannot come any more.
   */
  emitWithAck<Name extends Emittable<Emit>>(
    event: Name,
    ...args: EventArgs<Emit, Name>
  ): Promise<EventReply<Emit, Name>>;
  /** The same with another time to wait for the reply, from 1 to Infinity milliseconds. @throws LocalUsageError `ERR_OPTION` */
  timeout(timeoutMs: number): EmitWithAck<Emit>;
  /** Sends at most once: what cannot leave now, because there is no connection or it is slow, is dropped. */
  readonly volatile: EmitVolatile<Emit>;
  /**
   * Connects, or connects again after `disconnect()`, a refusal or a close.
   * @throws LocalUsageError `ERR_NAMESPACES_FULL` for more than 64 namespaces at one time
   */
  connect(): this;
  /** Leaves the namespace. The last one to leave ends the session and the connection. */
  disconnect(): this;
  /** The socket of another namespace over the same connection. */
  of<OtherListen = AnyEvents, OtherEmit = AnyEvents>(
    namespace: string,
    options?: SocketOptions,
  ): Socket<OtherListen, OtherEmit>;
}

/** What is registered for any event: no event has an empty name. */
const any = '';

interface SocketPresence extends Presence {
  readonly socket: Socket;
}

/** What the sockets of a client share. */
export interface Client {
  readonly session: Session;
  readonly connection: Connection;
  readonly options: Options;
  readonly presences: Map<string, SocketPresence>;
}

/** @returns the socket of a namespace: the one there is, or a new one */
export function openSocket(client: Client, namespace: string, { auth }: SocketOptions): Socket {
  const presence = client.presences.get(namespace) ?? createPresence(client, namespace);
  if (auth) presence.auth = auth;
  if (client.options.autoConnect) client.session.join(presence);
  return presence.socket;
}

function createPresence(client: Client, namespace: string): SocketPresence {
  const { session, connection, options } = client;
  if (namespace[0] !== '/' || namespace.length > packetLimits.nameCharsMax) {
    throw optionError('namespace', '"/" and up to 255 characters');
  }
  const emitter = createEmitter();
  let recovered = false;

  const fire: Presence['fire'] = (event, value) => {
    if (event === 'connect') recovered = (value as ConnectInfo).recovered;
    const listeners = emitter.take(event);
    if (event === 'error' && !listeners.length) console.error(value);
    for (const listener of listeners) {
      try {
        listener(value as never);
      } catch (error) {
        if (event === 'error') console.error(error);
        else fire('error', error);
      }
    }
  };

  const aside = (error: unknown) => fire('error', error);

  const handle: Presence['handle'] = ({ event, args }, reply) => {
    for (const listener of emitter.take(any)) {
      try {
        listener(...([event, ...args] as never[]));
      } catch (error) {
        aside(error);
      }
    }
    // A remote event may be named like one of the socket's own life; nobody can have a handler for it.
    const handlers = isReservedEvent(event) ? [] : emitter.take(event);
    if (!handlers.length) reply?.(noHandler);
    else {
      const failed = (thrown: unknown) => {
        const error = thrown || new Error(`thrown: ${thrown}`);
        if (!(reply && error instanceof PublicError)) aside(error);
        reply?.(error);
      };
      try {
        const result = callHandlers(handlers, args, aside);
        if (result instanceof Promise) result.then((value) => reply?.(undefined, value), failed);
        else reply?.(undefined, result as Value);
      } catch (error) {
        failed(error);
      }
    }
  };

  const request = (timeoutMs: number, event: string, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      session.emit(presence, event, checked(event, args), timeoutMs, (error, value) => {
        if (error) reject(error);
        else resolve(value as never);
      });
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
    get recovered() {
      return recovered;
    },
    on(event, listener) {
      emitter.on(event, listener);
      return this;
    },
    once(event, listener) {
      emitter.on(event, listener, true);
      return this;
    },
    off(event, listener) {
      emitter.off(event, listener);
      return this;
    },
    onAny(listener) {
      emitter.on(any, listener);
      return this;
    },
    offAny(listener) {
      emitter.off(any, listener);
      return this;
    },
    emit: (event, ...args) => session.emit(presence, event, checked(event, args), 0),
    emitWithAck: (event, ...args) => request(options.ackTimeoutMs, event, args),
    timeout(timeoutMs) {
      checkNumber('timeoutMs', timeoutMs, timeoutMsMin, Infinity);
      return { emitWithAck: (event, ...args) => request(timeoutMs, event, args) };
    },
    volatile: { emit: (event, ...args) => session.emitVolatile(presence, event, checked(event, args)) },
    connect() {
      session.join(presence);
      return this;
    },
    disconnect() {
      session.leave(presence);
      return this;
    },
    of: (name, other = {}) => openSocket(client, name, other) as never,
  };
  const presence: SocketPresence = { namespace, socket, auth: undefined, fire, handle };
  client.presences.set(namespace, presence);
  return presence;
}

/** @returns the arguments as they go out */
function checked(event: string, args: readonly unknown[]): readonly Value[] {
  checkEventName(event);
  return trimmedArgs(args);
}
