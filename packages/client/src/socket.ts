// A socket: the session's presence in one namespace, as an application holds it.
import {
  type AnyEvents,
  type EventArgs,
  type EventName,
  type EventPacket,
  type EventReply,
  LocalUsageError,
  PublicError,
  type PublishPacket,
  packetLimits,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import type { Connection } from './connection/connection';
import { type Member, type MemberOwner, noHandler, type Reply } from './connection/member';
import type { Session } from './connection/session';
import { Emitter } from './emitter';
import type { ConnectInfo, LifecycleEvents, Listener, ReservedEvent } from './events';
import { checkNumber, optionError, type SocketOptions } from './options';

const reserved: readonly string[] = ['connect', 'disconnect', 'connect_error', 'error'] satisfies ReservedEvent[];

/** What is registered for any event: no event has an empty name. */
const any = '';

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

export class Socket<Listen extends object = AnyEvents, Emit extends object = AnyEvents> {
  readonly namespace: string;
  /** Shared by the sockets of all namespaces of this client. */
  readonly connection: Connection;
  readonly #session: Session;
  readonly #member: Member;
  readonly #emitter = new Emitter();
  #recovered = false;

  /** Internal: use `connect()` or `of()`. */
  constructor(session: Session, connection: Connection, namespace: string, { auth }: SocketOptions) {
    if (namespace[0] !== '/' || namespace.length > packetLimits.nameCharsMax) {
      throw optionError('namespace', `"/" and up to ${packetLimits.nameCharsMax - 1} characters`);
    }
    this.namespace = namespace;
    this.connection = connection;
    this.#session = session;
    const owner: MemberOwner = {
      socket: this as unknown as Socket,
      fire: (event, value) => this.#fire(event, value),
      handle: (packet, reply) => this.#handle(packet, reply),
    };
    this.#member = { namespace, owner, auth, phase: 'idle', id: undefined, held: undefined, listed: false };
    session.members.set(namespace, this.#member);
  }

  /** Whether the namespace is connected now. */
  get connected(): boolean {
    return this.#session.isConnected(this.#member);
  }

  /** The server's name for this socket while it is connected. It stays the same when the session is resumed. */
  get id(): string | undefined {
    return this.connected ? this.#member.id : undefined;
  }

  /** Whether the last `connect` resumed the session of before. */
  get recovered(): boolean {
    return this.#recovered;
  }

  on<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener: Listener<Listen, Name>): this {
    this.#emitter.on(event, listener);
    return this;
  }

  once<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener: Listener<Listen, Name>): this {
    this.#emitter.on(event, listener, true);
    return this;
  }

  /** Without a listener: all of the event. */
  off<Name extends EventName<Listen> | ReservedEvent>(event: Name, listener?: Listener<Listen, Name>): this {
    this.#emitter.off(event, listener);
    return this;
  }

  /** Hears every event of the other side, whether or not it has a handler. What it returns is no acknowledgement. */
  onAny(listener: (event: string, ...args: unknown[]) => void): this {
    this.#emitter.on(any, listener);
    return this;
  }

  offAny(listener?: (event: string, ...args: unknown[]) => void): this {
    this.#emitter.off(any, listener);
    return this;
  }

  /**
   * Sends an event: once, in order, as soon as there is a connection.
   * @throws LocalUsageError `ERR_NOT_CONNECTED` after `disconnect()` or a refusal, `ERR_OUTBOX_FULL`,
   * `ERR_FRAME_TOO_BIG`, `ERR_NOT_ENCODABLE`, `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  emit<Name extends Emittable<Emit>>(event: Name, ...args: EventArgs<Emit, Name>): void {
    this.#session.emit(this.#member, event, checkEvent(event, args), 0);
  }

  /**
   * Sends an event and waits for its handler's result, `ackTimeoutMs` long.
   * Rejects with what `emit` throws; with the handler's error as a `PublicError`; with `ERR_ACK_TIMEOUT`; with
   * `ERR_SESSION_LOST` or `ERR_DISCONNECTED` if the reply cannot come any more.
   */
  emitWithAck<Name extends Emittable<Emit>>(
    event: Name,
    ...args: EventArgs<Emit, Name>
  ): Promise<EventReply<Emit, Name>> {
    return this.#request(this.#session.options.ackTimeoutMs, event, args);
  }

  /** The same with another time to wait for the reply, in milliseconds. */
  timeout(timeoutMs: number): EmitWithAck<Emit> {
    checkNumber('timeoutMs', timeoutMs, 1, Number.POSITIVE_INFINITY);
    return { emitWithAck: (event, ...args) => this.#request(timeoutMs, event, args) };
  }

  /** Sends at most once: what cannot leave now, because there is no connection or it is slow, is dropped. */
  get volatile(): EmitVolatile<Emit> {
    return { emit: (event, ...args) => this.#session.volatile(this.#member, event, checkEvent(event, args)) };
  }

  /** Connects, or connects again after `disconnect()`, a refusal or a close. */
  connect(): this {
    this.#session.join(this.#member);
    return this;
  }

  /** Leaves the namespace. The last one ends the session and the connection. */
  disconnect(): this {
    this.#session.leave(this.#member);
    return this;
  }

  /** The socket of another namespace over the same connection. */
  of<OtherListen extends object = AnyEvents, OtherEmit extends object = AnyEvents>(
    namespace: string,
    options: SocketOptions = {},
  ): Socket<OtherListen, OtherEmit> {
    return openSocket(this.#session, this.connection, namespace, options);
  }

  #request<Reply>(timeoutMs: number, event: string, args: readonly unknown[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#session.emit(this.#member, event, checkEvent(event, args), timeoutMs, (error, value) => {
        if (error) reject(error);
        else resolve(value as Reply);
      });
    });
  }

  #fire<Name extends ReservedEvent>(event: Name, value: Parameters<LifecycleEvents[Name]>[0]): void {
    if (event === 'connect') this.#recovered = (value as ConnectInfo).recovered;
    const listeners = this.#emitter.take(event);
    if (event === 'error' && !listeners.length) console.error(value);
    for (const listener of listeners) {
      try {
        listener(value as never);
      } catch (error) {
        if (event === 'error') console.error(error);
        else this.#fire('error', error);
      }
    }
  }

  /** The first handler to fail, or to have a result, decides the reply. */
  #handle({ event, args }: EventPacket | PublishPacket | VolatilePacket, reply: Reply | undefined): void {
    for (const listener of this.#emitter.take(any)) {
      try {
        listener(...([event, ...args] as never[]));
      } catch (error) {
        this.#fire('error', error);
      }
    }
    // A remote event may be named like one of the socket's own life; nobody can have a handler for it.
    const handlers = reserved.includes(event) ? [] : this.#emitter.take(event);
    let running = handlers.length;
    if (!running) reply?.(noHandler);
    const run = async (handler: (...args: never[]) => unknown) => {
      let value: unknown;
      let error: unknown;
      try {
        value = await handler(...(args as never[]));
      } catch (thrown) {
        error = thrown ?? new Error('thrown: nothing');
      }
      running--;
      if (error && !(reply && error instanceof PublicError)) this.#fire('error', error);
      if (error || value !== undefined || !running) {
        reply?.(error, value as Value);
        reply = undefined;
      }
    };
    for (const handler of handlers) run(handler);
  }
}

export function openSocket<Listen extends object, Emit extends object>(
  session: Session,
  connection: Connection,
  namespace: string,
  options: SocketOptions,
): Socket<Listen, Emit> {
  const known = session.members.get(namespace);
  if (known && options.auth !== undefined) known.auth = options.auth;
  const socket = known?.owner.socket ?? new Socket(session, connection, namespace, options);
  if (session.options.autoConnect) socket.connect();
  return socket as unknown as Socket<Listen, Emit>;
}

/** @returns the arguments without those at the end that are undefined */
function checkEvent(event: string, args: readonly unknown[]): Value[] {
  if (reserved.includes(event)) throw new LocalUsageError('ERR_RESERVED_EVENT', event);
  if (!event || event.length > packetLimits.nameCharsMax) {
    throw new LocalUsageError('ERR_EVENT_NAME', `1 to ${packetLimits.nameCharsMax} characters`);
  }
  let count = args.length;
  while (count && args[count - 1] === undefined) count--;
  return args.slice(0, count) as Value[];
}
