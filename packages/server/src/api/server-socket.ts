// What `Socket` says, done. Longer than other files: it is where what the app says meets what its session asks.
// Methods are private by the compiler alone: one with # costs every instance a field.
import type { Codec } from '@halyard/codec';
import {
  answerMissing,
  checkEventName,
  type EventArgs,
  type EventName,
  type EventReply,
  type Failure,
  type Frame,
  failureOf,
  LocalUsageError,
  PublicError,
  type RenewPacket,
  type Settle,
  type Value,
} from '@halyard/protocol';
import { type OnConsole, onConsole, shownAs } from '../base/on-console';
import { Headers } from '../host/host';
import type { Audience } from '../namespace/audience';
import type { SocketMiddleware } from '../namespace/event-middleware';
import { type EventContext, EventSocket, type SocketLifecycle } from '../namespace/event-socket';
import {
  anyEvent,
  fireAnyHandlers,
  type Handler,
  type Handlers,
  noHandlers,
  onceOnly,
  withHandler,
  withoutHandler,
} from '../namespace/handlers';
import { orThrow, type ResumeCheck } from '../namespace/middleware';
import type { Renewals, RenewedSocket } from '../namespace/renewals';
import { sentArgs } from '../namespace/sent-args';
import { flatten, type Names, socketAlone, wholeNamespace } from '../namespace/target-spec';
import { checkTimeout } from '../namespace/timeout';
import type { Rooms } from '../room/rooms';
import { Handshake, type HandshakeOrigin } from '../session/handshake';
import { dismissal, type Owner, type Presence } from '../session/presence';
import { encodeValue, type PresenceRecord } from '../session/record';
import type { Top } from '../store/turn';
import type { TransportName } from '../wire/connection';
import {
  checkSocketEvent,
  connHabits,
  dashedHabits,
  handshakeHabits,
  headersHabits,
  socketHabits,
  timeoutHabits,
  volatileHabits,
} from './habits';
import type { AnyHandler, Socket, SocketHandler } from './socket';
import { AudienceTarget, type Target } from './target';

/** What the sockets of a namespace need of it: one for all. */
export interface SocketContext extends EventContext {
  readonly rooms: Rooms;
  readonly audience: Audience;
  readonly renewals: Renewals;
  readonly resumeChecks: readonly ResumeCheck<never>[];
}

/** Handlers of what is sent, of sockets that have any, and whether one ever had. */
const outgoing = new WeakMap<Presence, Handlers>();
let isWatched = false;

/** What `data` was when it could be encoded last, of sockets whose session has a record. If it cannot be now, that was told. */
const savedData = new WeakMap<Presence, { readonly frame: Frame; readonly isStale: boolean }>();

export class ServerSocket<Incoming, Outgoing, Data> extends EventSocket implements Socket<Incoming, Outgoing, Data> {
  declare protected readonly context: SocketContext;
  handshake: Handshake<Data>;

  constructor(
    id: string,
    owner: Owner,
    handshake: Handshake<Data>,
    context: SocketContext,
    record: PresenceRecord | undefined,
  ) {
    super(id, owner, context.rooms, context, record);
    this.handshake = handshake;
  }

  override record(codec: Codec, tops: Map<string, Top>): Omit<PresenceRecord, 'data'> {
    const { id, namespace, handshake, expiresAtMs } = this;
    return {
      ...{ id, namespace, peer: handshake.peer },
      ...(expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs }),
      auth: encodeValue(handshake.auth as Value, codec),
      memberships: this.membershipRecords(this.line.confirmedStamp, tops),
    };
  }

  override encodedData(codec: Codec): Frame {
    const saved = savedData.get(this);
    try {
      const frame = encodeValue(this.data as Value, codec);
      savedData.set(this, { frame, isStale: false });
      return frame;
    } catch (error) {
      const frame = saved?.frame ?? encodeValue({}, codec);
      if (!saved?.isStale) this.context.report(error, `saving the data of socket ${this.id}`);
      savedData.set(this, { frame, isStale: true });
      return frame;
    }
  }

  override get expiresAtMs(): number | undefined {
    return this.handshake.expiresAtMs;
  }

  override get renewMs(): number | undefined {
    return this.context.renewals.renewMsOf(this.handshake);
  }

  override renew(packet: RenewPacket, number: number, origin: HandshakeOrigin | undefined): void {
    this.context.renewals.renew(this as unknown as RenewedSocket, packet, number, origin);
  }

  override get isChecked(): boolean {
    return this.context.resumeChecks.length > 0;
  }

  override async checkResume(): Promise<Failure | undefined> {
    try {
      for (const check of this.context.resumeChecks)
        orThrow(await check(this as never), 'The session may not come back.');
      return undefined;
    } catch (error) {
      if (!(error instanceof PublicError)) this.context.report(error, 'a handler of onResume');
      return failureOf(error, 'ERR_REFUSED', 'The session may not come back.');
    }
  }

  override get ticket(): Handshake<Data> {
    return this.handshake;
  }

  get data(): Data {
    return this.handshake.data;
  }

  set data(data: Data) {
    this.handshake.data = data;
  }

  /** @internal What a console shows: not the session, and what opens it. */
  [onConsole](...how: Parameters<OnConsole>): string {
    const { id, namespace, connected, recovered, rooms, data, handshake } = this;
    return shownAs('Socket', { id, namespace, connected, recovered, rooms, data, handshake }, how);
  }

  get away(): boolean {
    return this.line.connection === undefined;
  }

  get transport(): TransportName | undefined {
    return this.line.connection?.transport;
  }

  get conn(): { readonly transport: TransportName; readonly bufferedBytes: number } | undefined {
    const { connection } = this.line;
    if (connection === undefined) return undefined;
    const { transport, bufferedBytes } = connection;
    return Object.assign(Object.create(connPrototype), { transport, bufferedBytes });
  }

  get rooms(): ReadonlySet<string> {
    return new Set([this.id, ...this.ownRooms]);
  }

  on<Name extends keyof SocketLifecycle | EventName<Incoming>>(
    event: Name,
    handler: SocketHandler<Incoming, Name>,
  ): this;
  on(event: string, handler: Handler): this {
    checkSocketEvent(event);
    this.listen(event, handler);
    return this;
  }

  once<Name extends keyof SocketLifecycle | EventName<Incoming>>(
    event: Name,
    handler: SocketHandler<Incoming, Name>,
  ): this;
  once(event: string, handler: Handler): this {
    checkSocketEvent(event);
    this.listen(
      event,
      onceOnly(event, handler, (wrapper) => this.unlisten(event, wrapper)),
    );
    return this;
  }

  off(event?: keyof SocketLifecycle | EventName<Incoming>, handler?: Handler): this {
    if (event === undefined) this.unlistenAll();
    else this.unlisten(event, handler);
    return this;
  }

  removeAllListeners(event?: keyof SocketLifecycle | EventName<Incoming>): this {
    if (event === undefined) this.unlistenAll();
    else this.unlisten(event, undefined);
    return this;
  }

  onAny(handler: AnyHandler): this {
    this.listen(anyEvent, handler as Handler);
    return this;
  }

  offAny(handler?: AnyHandler): this {
    this.unlisten(anyEvent, handler as Handler | undefined);
    return this;
  }

  prependAny(handler: AnyHandler): this {
    this.listenFirst(handler as Handler);
    return this;
  }

  onAnyOutgoing(handler: AnyHandler): this {
    outgoing.set(this, withHandler(outgoing.get(this) ?? noHandlers, anyEvent, handler as Handler));
    isWatched = true;
    return this;
  }

  offAnyOutgoing(handler?: AnyHandler): this {
    outgoing.set(this, withoutHandler(outgoing.get(this) ?? noHandlers, anyEvent, handler as Handler | undefined));
    return this;
  }

  use(middleware: SocketMiddleware): this {
    this.addMiddleware(middleware);
    return this;
  }

  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    checkEventName(event);
    const sent = sentArgs(args);
    this.context.gates.checkSent(event, sent);
    if (isWatched) this.tellOutgoing(event, sent);
    if (this.isReached) this.line.sendEvent(this.namespace, event, sent);
    // A handler that goes on here speaks to its client wherever that is.
    else if (this.hasMoved) this.context.audience.publish(socketAlone(this.id), event, sent);
    else this.context.audience.check(event, sent);
  }

  async emitDurable<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<void> {
    checkEventName(event);
    const sent = sentArgs(args);
    if (isWatched) this.tellOutgoing(event, sent);
    await this.context.audience.publishDurably(socketAlone(this.id), event, sent);
  }

  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<EventReply<Outgoing, Name>> {
    return this.ask(undefined, event, args);
  }

  timeout(timeoutMs: number): Pick<Socket<Incoming, Outgoing, Data>, 'emitWithAck' | 'save'> {
    checkTimeout(timeoutMs);
    const timed: ReturnType<Socket<Incoming, Outgoing, Data>['timeout']> = {
      emitWithAck: (event, ...args) => this.ask(timeoutMs, event, args),
      save: () => this.store(timeoutMs),
    };
    return Object.assign(Object.create(timedPrototype), timed);
  }

  save(): Promise<void> {
    return this.store(undefined);
  }

  get volatile(): Pick<Socket<Incoming, Outgoing, Data>, 'emit'> {
    return new VolatileEmit<Socket<Incoming, Outgoing, Data>['emit']>((event, ...args) => {
      checkEventName(event);
      const sent = sentArgs(args);
      this.context.gates.checkSent(event, sent);
      if (isWatched) this.tellOutgoing(event, sent);
      if (this.isReached) this.line.sendVolatile(this.namespace, event, sent);
      else this.context.audience.check(event, sent);
    });
  }

  to(...rooms: Names): Target<Outgoing, Data> {
    return this.target(flatten(rooms));
  }

  in(...rooms: Names): Target<Outgoing, Data> {
    return this.to(...rooms);
  }

  except(...rooms: Names): Target<Outgoing, Data> {
    return this.broadcast.except(...rooms);
  }

  get broadcast(): Target<Outgoing, Data> {
    return this.target(undefined);
  }

  join(...rooms: Names): void {
    this.placeIn(true, flatten(rooms));
  }

  leave(...rooms: Names): void {
    this.placeIn(false, flatten(rooms));
  }

  disconnect(session = false): void {
    if (this.hasMoved) this.context.audience.act(socketAlone(this.id), ['disconnect', session]);
    else if (session) this.line.dismiss(dismissal);
    else this.line.disconnect(this, dismissal);
  }

  private async store(timeoutMs: number | undefined): Promise<void> {
    if (!this.connected)
      throw new LocalUsageError('ERR_SESSION_ENDED', 'the socket is disconnected, or goes on elsewhere');
    await this.line.save(this.data, timeoutMs);
  }

  private placeIn(isIn: boolean, rooms: readonly string[]): void {
    if (this.hasMoved) this.context.audience.place(this.id, isIn, rooms);
    else {
      this.place(isIn, rooms);
      this.line.placed(this, isIn, rooms);
    }
  }

  /** Whether its client may still be sent something. */
  private get isReached(): boolean {
    return this.connected && !this.isLeaving;
  }

  private tellOutgoing(event: string, args: readonly Value[]): void {
    fireAnyHandlers(outgoing.get(this) ?? noHandlers, event, args, (error) =>
      this.context.report(error, `a handler of any outgoing event, for "${event}"`),
    );
  }

  private target(rooms: readonly string[] | undefined): Target<Outgoing, Data> {
    return new AudienceTarget(this.context.audience, { ...wholeNamespace, rooms, except: [this.id] });
  }

  private ask<Name extends keyof Outgoing & string>(
    timeoutMs: number | undefined,
    event: Name,
    args: EventArgs<Outgoing, Name>,
  ): Promise<EventReply<Outgoing, Name>> {
    return new Promise((resolve, reject) => {
      checkEventName(event);
      if (!this.isReached) throw new LocalUsageError('ERR_SESSION_ENDED', 'the socket is disconnected');
      const sent = sentArgs(args);
      const { gates } = this.context;
      gates.checkSent(event, sent);
      if (isWatched) this.tellOutgoing(event, sent);
      const settle: Settle = (error, value) => {
        if (error !== undefined) reject(error);
        else resolve(value as EventReply<Outgoing, Name>);
      };
      this.line.sendRequest(this.namespace, event, sent, timeoutMs, gates.settling(event, settle));
    });
  }
}

/** A class, so that it can say what it has not. */
class VolatileEmit<Emit> {
  readonly emit: Emit;

  constructor(emit: Emit) {
    this.emit = emit;
  }
}

const timedPrototype = {};
const connPrototype = {};
answerMissing(VolatileEmit.prototype, 'socket.volatile', volatileHabits);
answerMissing(timedPrototype, 'socket.timeout(ms)', timeoutHabits);
answerMissing(ServerSocket.prototype, 'socket', socketHabits);
answerMissing(Headers.prototype, 'handshake.headers', headersHabits);
Object.setPrototypeOf(Headers.prototype, dashedHabits);
answerMissing(connPrototype, 'socket.conn', connHabits);
answerMissing(Handshake.prototype, 'handshake', handshakeHabits);
