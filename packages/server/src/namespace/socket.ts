// A session's presence in one namespace: what user code holds. It lives as long as its session, across connections.
import {
  type AnyEvents,
  type Close,
  CloseCode,
  type EventArgs,
  type EventHandler,
  type EventName,
  type EventPacket,
  type EventReply,
  LocalUsageError,
  PublicError,
  packetLimits,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import { listOf } from '../few';
import type { Session } from '../session/session';
import { type Except, isEarlier } from './except';
import { failureOf } from './failure';
import {
  anyEvent,
  callHandlers,
  fireAnyHandlers,
  fireHandlers,
  type Handler,
  type Handlers,
  hasHandler,
  isThenable,
  noHandlers,
  onceOnly,
  withHandler,
  withoutHandler,
} from './handlers';
import type { Handshake } from './handshake';
import type { Member } from './member';
import type { Namespace } from './namespace';
import { Passage, type SocketMiddleware } from './passage';
import { type Membership, membershipOf } from './room';
import { checkTimeout, flatten, Target, trimmed, wholeNamespace } from './target';

/** Events of the socket itself. They never come from the other side. */
export interface SocketLifecycle {
  /** The session is over, or left this namespace. Nothing follows. */
  disconnect(close: Close): void;
  /** The connection is lost; the session waits for it to come back. */
  away(close: Close): void;
  /** The session is back on a new connection: nothing was lost. */
  resume(): void;
}

const lifecycle: readonly string[] = ['disconnect', 'away', 'resume'] satisfies (keyof SocketLifecycle)[];

export class Socket<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>> implements Member {
  // What every event touches comes first and side by side.
  readonly #namespace: Namespace<Incoming, Outgoing, Data>;
  readonly #session: Session;
  #handlers = noHandlers;
  #passage: Passage | undefined;
  #connected = true;
  readonly id: string;
  readonly handshake: Handshake<Data>;
  /** Whether the session was ever resumed on another connection. */
  recovered = false;
  /** @internal */
  isLeaving = false;
  #lifecycle = noHandlers;
  #memberships: Map<string, Membership> | undefined;
  #past: Membership[] | undefined;
  /** Serial after which it is in the namespace. */
  readonly #since: number;

  /** Made by its namespace. */
  constructor(
    id: string,
    namespace: Namespace<Incoming, Outgoing, Data>,
    session: Session,
    handshake: Handshake<Data>,
    since: number,
  ) {
    this.id = id;
    this.#namespace = namespace;
    this.#session = session;
    this.handshake = handshake;
    this.#since = since;
  }

  /** The app's own, as middleware left it in `handshake.data`. */
  get data(): Data {
    return this.handshake.data;
  }

  get namespace(): string {
    return this.#namespace.name;
  }

  /** False after `disconnect`; true while the session is away. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether the session has no connection now, and waits for one. */
  get away(): boolean {
    return this.#session.connection === undefined;
  }

  /** The transport in use, or undefined while away. */
  get transport(): 'websocket' | 'polling' | undefined {
    return this.#session.connection?.transport;
  }

  /** Its own id, and every room it is in. */
  get rooms(): Set<string> {
    return new Set([this.id, ...(this.#memberships?.keys() ?? [])]);
  }

  /** Listens to a lifecycle event, or to an event of the client: what the handler returns is the reply. */
  on<Name extends keyof SocketLifecycle>(event: Name, handler: SocketLifecycle[Name]): this;
  on<Name extends EventName<Incoming>>(event: Name, handler: EventHandler<Incoming, Name>): this;
  on(event: string, handler: Handler): this {
    this.#listen(event, handler);
    return this;
  }

  once<Name extends keyof SocketLifecycle>(event: Name, handler: SocketLifecycle[Name]): this;
  once<Name extends EventName<Incoming>>(event: Name, handler: EventHandler<Incoming, Name>): this;
  once(event: string, handler: Handler): this {
    this.#listen(
      event,
      onceOnly(event, handler, (wrapper) => this.#unlisten(event, wrapper)),
    );
    return this;
  }

  /** Removes a handler, or all handlers of the event. */
  off(event: keyof SocketLifecycle | EventName<Incoming>, handler?: Handler): this {
    this.#unlisten(event, handler);
    return this;
  }

  /** Calls `handler(name, ...args)` for every event of the client, before its own handlers. */
  onAny(handler: (event: string, ...args: Value[]) => void): this {
    this.#handlers = withHandler(this.#handlers, anyEvent, handler as Handler);
    return this;
  }

  offAny(handler?: (event: string, ...args: Value[]) => void): this {
    this.#handlers = withoutHandler(this.#handlers, anyEvent, handler as Handler | undefined);
    return this;
  }

  use(middleware: SocketMiddleware): this {
    this.#passage ??= new Passage(this.#namespace.limits.waitingPacketsMax);
    this.#passage.use(middleware);
    return this;
  }

  /**
   * Sends an event: once and in order, while the session lives. After the end of the session it does nothing.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, `ERR_RESERVED_EVENT`
   */
  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    checkEvent(event);
    if (this.#connected && !this.isLeaving) this.#session.sendEvent(this.namespace, event, trimmed(args));
  }

  /** Sends an event and waits for the reply, at most `ackTimeoutMs`. Rejects with the client's error, or `ERR_ACK_TIMEOUT`. */
  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<EventReply<Outgoing, Name>> {
    return this.#request(undefined, event, args);
  }

  /** @param timeoutMs how long `emitWithAck` of the result waits */
  timeout(timeoutMs: number): Pick<Socket<Incoming, Outgoing, Data>, 'emitWithAck'> {
    checkTimeout(timeoutMs);
    return { emitWithAck: (event, ...args) => this.#request(timeoutMs, event, args) };
  }

  /** `volatile.emit` is dropped when the client is away or slow. */
  get volatile(): Pick<Socket<Incoming, Outgoing, Data>, 'emit'> {
    return {
      emit: (event, ...args) => {
        checkEvent(event);
        if (this.#connected && !this.isLeaving) this.#session.sendVolatile(this.namespace, event, trimmed(args));
      },
    };
  }

  /** Everyone in these rooms but this socket. */
  to(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return new Target(this.#namespace, { ...wholeNamespace, rooms: flatten(rooms), except: [this.id] });
  }

  in(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return this.to(...rooms);
  }

  except(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return this.broadcast.except(...rooms);
  }

  /** Everyone in the namespace but this socket. */
  get broadcast(): Target<Incoming, Outgoing, Data> {
    return new Target(this.#namespace, { ...wholeNamespace, except: [this.id] });
  }

  /** @throws LocalUsageError `ERR_ROOM_NAME`, or `ERR_ROOMS_FULL` past `roomsPerSocketMax` */
  join(...rooms: readonly (string | readonly string[])[]): void {
    for (const name of flatten(rooms)) this.#join(name);
  }

  leave(...rooms: readonly (string | readonly string[])[]): void {
    for (const name of flatten(rooms)) {
      const membership = this.#memberships?.get(name);
      if (membership === undefined) continue;
      this.#memberships?.delete(name);
      this.#part(membership);
    }
  }

  /**
   * Ends this socket: the client is told and does not come back by itself.
   * @param session ends the whole session, with every namespace and the connection
   */
  disconnect(session = false): void {
    const close: Close = { code: CloseCode.Normal, reason: 'disconnected by the server', by: 'server' };
    if (session) this.#session.end(close);
    else this.#session.disconnect(this, close);
  }

  // What follows is for the session and the namespace, not for user code: see Member.

  /** @internal */
  receive(packet: EventPacket | VolatilePacket): void {
    const ack = 'ack' in packet ? packet.ack : undefined;
    const { event, args } = packet;
    if (this.#passage === undefined) this.#handle(event, args, ack);
    else {
      this.#passage.enter(
        event,
        args,
        () => this.#handle(event, args, ack),
        (error) => this.#refuse(error, `middleware, for "${event}"`, ack, 'ERR_REFUSED', 'The event was refused.'),
      );
    }
  }

  /** @internal */
  wentAway(close: Close): void {
    this.#fire('away', close);
  }

  /** @internal */
  cameBack(): void {
    this.recovered = true;
    this.#fire('resume');
  }

  /** @internal */
  depart(close: Close): boolean {
    if (this.#passage?.isBusy) {
      this.#passage.whenPassed(() => this.over(close));
      return false;
    }
    this.over(close);
    return true;
  }

  /** @internal */
  over(close: Close): void {
    if (!this.#connected) return;
    this.#connected = false;
    // The client may not have read to the end what it was a member of.
    const memberships = [...this.memberships()];
    for (const membership of memberships) this.#session.exit(this, membership.room);
    this.#namespace.remove(this, memberships);
    this.#past = [...(this.#past ?? []), ...memberships];
    this.#memberships = undefined;
    this.#fire('disconnect', close);
    this.#handlers = this.#lifecycle = noHandlers;
  }

  /** @internal */
  get roomCount(): number {
    return this.#memberships?.size ?? 0;
  }

  /** @internal */
  *memberships(): Generator<Membership> {
    yield membershipOf(this.#namespace.everyone, this.#since);
    if (this.#memberships !== undefined) yield* this.#memberships.values();
  }

  /** @internal */
  *pastMemberships(): Generator<Membership> {
    if (this.#past !== undefined) yield* this.#past;
  }

  /** @internal */
  wasExcepted(except: Except, from: number, to: number): boolean {
    if (!isEarlier(except)) return listOf(except).some((name) => this.#wasIn(name, from, to));
    if (listOf(except.except).some((name) => this.#wasIn(name, from, to))) return true;
    // There may be any number of rooms before, and so there may of its own.
    for (const [name, membership] of this.#memberships ?? []) {
      if (membership.from < from && except.has(name)) return true;
    }
    return this.#past?.some((past) => past.from < from && to <= past.to && except.has(past.room.name)) ?? false;
  }

  /** Whether it was in a room of that name all the time from one serial to another, or is what has the name. */
  #wasIn(name: string, from: number, to: number): boolean {
    if (name === this.id) return true;
    const current = this.#memberships?.get(name);
    if (current !== undefined && current.from < from) return true;
    return this.#past?.some((past) => past.room.name === name && past.from < from && to <= past.to) ?? false;
  }

  /** @internal */
  get session(): Session {
    return this.#session;
  }

  #join(name: string): void {
    if (!this.#connected || this.#memberships?.has(name) || name === this.id) return;
    if (typeof name !== 'string' || name.length === 0 || name.length > packetLimits.nameCharsMax) {
      throw new LocalUsageError(
        'ERR_ROOM_NAME',
        `a room's name is text of 1 to ${packetLimits.nameCharsMax} characters`,
      );
    }
    const { roomsPerSocketMax } = this.#namespace.limits;
    this.#memberships ??= new Map();
    if (this.#memberships.size >= roomsPerSocketMax) {
      throw new LocalUsageError('ERR_ROOMS_FULL', `a socket may be in ${roomsPerSocketMax} rooms (roomsPerSocketMax)`);
    }
    const membership = this.#namespace.enter(this, name);
    this.#memberships.set(name, membership);
    this.#session.enter(this, membership);
  }

  #part(membership: Membership): void {
    const { room } = membership;
    this.#namespace.exit(this, membership);
    this.#session.exit(this, room);
    // Nothing was published to the room, or with the exception of it, while it was in: nothing depends on that any more.
    if (room.newestSerial <= membership.from) return;
    const confirmed = this.#session.confirmedSerial;
    this.#past = this.#past?.filter(({ to }) => to > confirmed) ?? [];
    this.#past.push(membership);
    this.#session.pastGrew(this.#past);
  }

  #fire<Name extends keyof SocketLifecycle>(event: Name, ...args: Parameters<SocketLifecycle[Name]>): void {
    // After what is under way: a connection may be lost in the midst of an emit to many, and handlers emit.
    const lifecycle = this.#lifecycle;
    if (lifecycle === noHandlers) return;
    queueMicrotask(() => {
      fireHandlers(lifecycle, event, args, (error) => this.#namespace.report(error, `a handler of "${event}"`));
    });
  }

  #listen(event: string, handler: Handler): void {
    if (lifecycle.includes(event)) this.#lifecycle = withHandler(this.#lifecycle, event, handler);
    else this.#handlers = withHandler(this.#handlers, event, handler);
  }

  #unlisten(event: string, handler: Handler | undefined): void {
    if (lifecycle.includes(event)) this.#lifecycle = withoutHandler(this.#lifecycle, event, handler);
    else this.#handlers = withoutHandler(this.#handlers, event, handler);
  }

  #request<Name extends EventName<Outgoing>>(
    timeoutMs: number | undefined,
    event: Name,
    args: EventArgs<Outgoing, Name>,
  ): Promise<EventReply<Outgoing, Name>> {
    return new Promise((resolve, reject) => {
      checkEvent(event);
      if (!this.#connected || this.isLeaving)
        throw new LocalUsageError('ERR_SESSION_ENDED', 'the socket is disconnected');
      this.#session.sendRequest(this.namespace, event, trimmed(args), timeoutMs, (error, value) => {
        if (error !== undefined) reject(error);
        else resolve(value as EventReply<Outgoing, Name>);
      });
    });
  }

  #handle(event: string, args: readonly Value[], ack: number | undefined): void {
    if (!this.#connected) return;
    const { reportAside } = this.#namespace;
    fireAnyHandlers(this.#handlers, event, args, reportAside);
    // What those have added or removed counts; what the event's own handlers do to the list does not.
    const handlers = this.#handlers;
    let result: unknown;
    try {
      result = callHandlers(handlers, event, args, reportAside);
      // Looking at it may throw as well.
      if (isThenable(result)) {
        result.then(
          (value) => this.#reply(handlers, event, ack, value),
          (error) => this.#failed(error, event, ack),
        );
        return;
      }
    } catch (error) {
      this.#failed(error, event, ack);
      return;
    }
    if (ack !== undefined) this.#reply(handlers, event, ack, result);
  }

  /** @param handlers those that gave the value */
  #reply(handlers: Handlers, event: string, ack: number | undefined, value: unknown): void {
    if (ack === undefined) return;
    if (value === undefined && !hasHandler(handlers, event)) {
      this.#session.sendError(ack, new PublicError('ERR_NO_HANDLER', 'Nothing handles this event.'));
      return;
    }
    try {
      this.#session.sendAck(ack, value as Value | undefined);
    } catch (error) {
      this.#failed(error, event, ack);
    }
  }

  #failed(error: unknown, event: string, ack: number | undefined): void {
    this.#refuse(error, `the handler of "${event}"`, ack, 'ERR_HANDLER', 'The handler failed.');
  }

  #refuse(error: unknown, where: string, ack: number | undefined, code: string, message: string): void {
    if (!(error instanceof PublicError)) this.#namespace.report(error, where);
    if (ack !== undefined) this.#session.sendError(ack, failureOf(error, code, message));
  }
}

/** Names that `on` takes for lifecycle events on either side can never be received. */
const reserved: ReadonlySet<string> = new Set([...lifecycle, 'connect', 'connect_error', 'connection', 'error']);

export function checkEvent(event: string): void {
  if (reserved.has(event))
    throw new LocalUsageError('ERR_RESERVED_EVENT', `"${event}" is the name of a lifecycle event`);
  if (typeof event !== 'string' || event.length === 0 || event.length > packetLimits.nameCharsMax) {
    throw new LocalUsageError(
      'ERR_EVENT_NAME',
      `an event's name is text of 1 to ${packetLimits.nameCharsMax} characters`,
    );
  }
}
