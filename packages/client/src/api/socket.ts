// A socket: the session's presence in one namespace, as an application holds it.
import {
  type AnyEvents,
  type EventArgs,
  type EventName,
  type EventReply,
  LocalUsageError,
  PublicError,
  packetLimits,
  type Value,
} from '@halyard/protocol';
import { type Call, createEmitter } from '../base/emitter';
import { checkNumber, optionError } from '../base/option-error';
import type { Connection } from '../link/connector';
import type { Member } from '../session/presence';
import { noHandler } from '../session/reply';
import type { Session } from '../session/session-contract';
import type { ConnectInfo, Listener, ReservedEvent } from './events';
import type { Options, SocketOptions } from './options';

/** The events that may be emitted. */
export type Emittable<Events> = Exclude<EventName<Events>, ReservedEvent>;

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
  /** The same with another time to wait for the reply, in milliseconds. */
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

const reserved: readonly string[] = ['connect', 'disconnect', 'connect_error', 'error'] satisfies ReservedEvent[];

/** What is registered for any event: no event has an empty name. */
const any = '';

/** @returns the socket of a namespace: the one there is, or a new one */
export function openSocket(
  session: Session,
  connection: Connection,
  options: Options,
  namespace: string,
  { auth }: SocketOptions,
): Socket {
  const known = session.members.get(namespace);
  const socket = known?.socket ?? createSocket(session, connection, options, namespace);
  if (auth) session.members.get(namespace)!.auth = auth;
  if (options.autoConnect) socket.connect();
  return socket;
}

function createSocket(session: Session, connection: Connection, options: Options, namespace: string): Socket {
  if (namespace[0] !== '/' || namespace.length > packetLimits.nameCharsMax) {
    throw optionError('namespace', '"/" and up to 255 characters');
  }
  const emitter = createEmitter();
  let recovered = false;

  const fire: Member['fire'] = (event, value) => {
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

  /** The first handler to fail, or to have a result, decides the reply. */
  const handle: Member['handle'] = ({ event, args }, reply) => {
    for (const listener of emitter.take(any)) {
      try {
        listener(...([event, ...args] as never[]));
      } catch (error) {
        fire('error', error);
      }
    }
    // A remote event may be named like one of the socket's own life; nobody can have a handler for it.
    const handlers = reserved.includes(event) ? [] : emitter.take(event);
    let running = handlers.length;
    if (!running) reply?.(noHandler);
    const run = async (handler: Call) => {
      let value: unknown;
      let error: unknown;
      try {
        value = await handler(...(args as never[]));
      } catch (thrown) {
        error = thrown ?? new Error('thrown: nothing');
      }
      running--;
      if (error && !(reply && error instanceof PublicError)) fire('error', error);
      if (error || value !== undefined || !running) {
        reply?.(error, value as Value);
        reply = undefined;
      }
    };
    for (const handler of handlers) run(handler);
  };

  const request = (timeoutMs: number, event: string, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      session.emit(member, event, checkEvent(event, args), timeoutMs, (error, value) => {
        if (error) reject(error);
        else resolve(value as never);
      });
    });

  const socket: Socket = {
    namespace,
    connection,
    get connected() {
      return session.isConnected(member);
    },
    get id() {
      return session.isConnected(member) ? member.id : undefined;
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
    emit: (event, ...args) => session.emit(member, event, checkEvent(event, args), 0),
    emitWithAck: (event, ...args) => request(options.ackTimeoutMs, event, args),
    timeout(timeoutMs) {
      checkNumber('timeoutMs', timeoutMs, 1, Infinity);
      return { emitWithAck: (event, ...args) => request(timeoutMs, event, args) };
    },
    volatile: { emit: (event, ...args) => session.emitVolatile(member, event, checkEvent(event, args)) },
    connect() {
      session.join(member);
      return this;
    },
    disconnect() {
      session.leave(member);
      return this;
    },
    of: (name, other = {}) => openSocket(session, connection, options, name, other) as never,
  };
  const member: Member = { namespace, socket, auth: undefined, fire, handle };
  session.members.set(namespace, member);
  return socket;
}

/** @returns the arguments without those at the end that are undefined */
function checkEvent(event: string, args: readonly unknown[]): Value[] {
  if (reserved.includes(event))
    throw new LocalUsageError('ERR_RESERVED_EVENT', `${event} is an event of the socket itself`);
  if (!event || event.length > packetLimits.nameCharsMax) {
    throw new LocalUsageError('ERR_EVENT_NAME', `1 to ${packetLimits.nameCharsMax} characters`);
  }
  let count = args.length;
  while (count && args[count - 1] === undefined) count--;
  return args.slice(0, count) as Value[];
}
