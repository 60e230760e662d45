// A namespace: its sockets and rooms, who may enter, and how a message reaches many.
import {
  type AnyEvents,
  type EventArgs,
  type EventName,
  type EventReply,
  LocalUsageError,
  type Packet,
  PacketType,
  type Position,
  PublicError,
  type Value,
} from '@halyard/protocol';
import { fewOf } from '../few';
import type { Session } from '../session/session';
import { Earlier, RoomOrder } from './except';
import { type Failure, failureOf } from './failure';
import { fireHandlers, type Handler, type Handlers, noHandlers, withHandler } from './handlers';
import type { Handshake } from './handshake';
import type { Journal } from './journal';
import type { Frames } from './log';
import type { Member } from './member';
import { type Membership, membershipOf, Room } from './room';
import { checkEvent, Socket } from './socket';
import { type Replies, Target, type TargetSpec, wholeNamespace } from './target';

/** Whom names mean: what is a room of that name, and who has it as id. */
interface Named {
  readonly rooms: readonly Room[];
  readonly direct: readonly Member[];
}

/** Runs for every socket that wants to enter, in order. Throw to refuse it. */
export type Middleware<Data> = (handshake: Handshake<Data>) => void | Promise<void>;

export interface NamespaceEvents<Incoming, Outgoing, Data> {
  connection(socket: Socket<Incoming, Outgoing, Data>): void;
}

/** What a namespace needs of the server. */
export interface NamespaceContext {
  readonly journal: Journal;
  readonly limits: { readonly roomsPerSocketMax: number; readonly waitingPacketsMax: number };
  /** Encodes once per codec that some session uses. */
  encode(packet: Packet): Frames;
  /** Native fan-out to the members that it reaches, but the one that has this session. */
  fanOut(room: Room, frames: Frames, except: Session | undefined): void;
  /** Hands over what was emitted before and still waits in queues: native fan-out must not overtake it. */
  flush(): void;
  newLogId(): string;
  newSocketId(): string;
  now(): number;
  /** Something in user code failed. */
  report(error: unknown, where: string): void;
  /** The namespace has nobody in it any more. */
  emptied(namespace: string): void;
}

/** Who may enter and who listens. A child of a dynamic namespace starts with a copy of what that has. */
export class NamespaceRules<Incoming, Outgoing, Data> {
  readonly middleware: Middleware<Data>[] = [];
  listeners: Handlers = noHandlers;

  use(middleware: Middleware<Data>): this {
    this.middleware.push(middleware);
    return this;
  }

  /** @internal */
  copy(): NamespaceRules<Incoming, Outgoing, Data> {
    const rules = new NamespaceRules<Incoming, Outgoing, Data>();
    rules.middleware.push(...this.middleware);
    rules.listeners = this.listeners;
    return rules;
  }

  on(event: 'connection', handler: NamespaceEvents<Incoming, Outgoing, Data>['connection']): this {
    this.listeners = withHandler(this.listeners, event, handler as Handler);
    return this;
  }
}

export class Namespace<Incoming = AnyEvents, Outgoing = AnyEvents, Data = Record<string, unknown>> {
  readonly name: string;
  readonly #rules: NamespaceRules<Incoming, Outgoing, Data>;
  readonly #context: NamespaceContext;
  readonly #rooms = new Map<string, Room>();
  /** The namespace as a whole: every socket is a member. */
  readonly #everyone: Room;
  /** Handshakes that are not decided. */
  #pending = 0;

  /** Made by the server. */
  constructor(name: string, rules: NamespaceRules<Incoming, Outgoing, Data>, context: NamespaceContext) {
    this.name = name;
    this.#rules = rules;
    this.#context = context;
    this.#everyone = new Room('', context.newLogId(), context.journal);
  }

  use(middleware: Middleware<Data>): this {
    this.#rules.use(middleware);
    return this;
  }

  on(event: 'connection', handler: NamespaceEvents<Incoming, Outgoing, Data>['connection']): this {
    this.#rules.on(event, handler);
    return this;
  }

  /** Sockets by id, those whose session is away included. */
  get sockets(): ReadonlyMap<string, Socket<Incoming, Outgoing, Data>> {
    return this.#everyone.members as ReadonlyMap<string, Member> as ReadonlyMap<
      string,
      Socket<Incoming, Outgoing, Data>
    >;
  }

  /** Rooms that have members, each with the ids of its members. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map([...this.#rooms].map(([name, room]) => [name, new Set(room.members.keys())]));
  }

  get #all(): Target<Incoming, Outgoing, Data> {
    return new Target(this, wholeNamespace);
  }

  to(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return this.#all.to(...rooms);
  }

  in(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return this.#all.to(...rooms);
  }

  except(...rooms: readonly (string | readonly string[])[]): Target<Incoming, Outgoing, Data> {
    return this.#all.except(...rooms);
  }

  get local(): Target<Incoming, Outgoing, Data> {
    return this.#all.local;
  }

  get volatile(): Target<Incoming, Outgoing, Data> {
    return this.#all.volatile;
  }

  timeout(timeoutMs: number): Target<Incoming, Outgoing, Data> {
    return this.#all.timeout(timeoutMs);
  }

  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#all.emit(event, ...args);
  }

  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#all.emitWithAck(event, ...args);
  }

  fetchSockets(): Promise<Socket<Incoming, Outgoing, Data>[]> {
    return this.#all.fetchSockets();
  }

  socketsJoin(...rooms: readonly (string | readonly string[])[]): void {
    this.#all.socketsJoin(...rooms);
  }

  socketsLeave(...rooms: readonly (string | readonly string[])[]): void {
    this.#all.socketsLeave(...rooms);
  }

  disconnectSockets(session = false): void {
    this.#all.disconnectSockets(session);
  }

  // What follows is for sockets, sessions and targets, not for user code.

  /** @internal The namespace as a whole. */
  get everyone(): Room {
    return this.#everyone;
  }

  /** @internal Of what was emitted last. */
  get serial(): number {
    return this.#context.journal.lastSerial;
  }

  /** @internal */
  get limits(): NamespaceContext['limits'] {
    return this.#context.limits;
  }

  /** @internal For handlers whose result is not the reply. One closure for all sockets. */
  readonly reportAside = (error: unknown): void => this.report(error, 'a handler beside the one that replies');

  /** @internal */
  report(error: unknown, where: string): void {
    this.#context.report(error, `${where} in namespace ${this.name}`);
  }

  /** @internal Runs the middleware, then makes the socket, or tells the session why not. */
  admit(session: Session, handshake: Handshake<Data>): void {
    const { middleware } = this.#rules;
    this.#pending++;
    if (middleware.length === 0) this.#decide(session, handshake, undefined);
    else void this.#ask(middleware, session, handshake);
  }

  async #ask(middleware: readonly Middleware<Data>[], session: Session, handshake: Handshake<Data>): Promise<void> {
    let failure: Failure | undefined;
    try {
      for (const step of middleware) await step(handshake);
    } catch (error) {
      if (!(error instanceof PublicError)) this.report(error, 'middleware');
      failure = failureOf(error, 'ERR_REFUSED', 'The connection was refused.');
    }
    this.#decide(session, handshake, failure);
  }

  #decide(session: Session, handshake: Handshake<Data>, failure: Failure | undefined): void {
    this.#pending--;
    // Meanwhile the client may have left, or be gone.
    if (session.awaits(handshake)) {
      if (failure === undefined) this.#connect(session, handshake);
      else session.refused(handshake, failure);
    }
    this.#emptied();
  }

  #emptied(): void {
    if (this.#pending === 0 && this.#everyone.members.size === 0) this.#context.emptied(this.name);
  }

  /** @internal A socket enters a room. */
  enter(socket: Member, name: string): Membership {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this.#context.newLogId(), this.#context.journal);
      this.#rooms.set(name, room);
    }
    room.members.set(socket.id, socket);
    return membershipOf(room, this.#context.journal.lastSerial);
  }

  /** @internal A socket leaves a room. */
  exit(socket: Member, membership: Membership): void {
    const { room } = membership;
    membership.to = this.#context.journal.lastSerial;
    membership.newest = room.log.newestSerial;
    room.members.delete(socket.id);
    if (room.members.size === 0) this.#rooms.delete(room.name);
  }

  /** @internal A socket is over. */
  remove(socket: Member, memberships: readonly Membership[]): void {
    for (const membership of memberships) this.exit(socket, membership);
    this.#emptied();
  }

  /** @internal The sockets a target means, each once. */
  select(spec: TargetSpec): Socket<Incoming, Outgoing, Data>[] {
    const selected = new Set<Member>();
    const { rooms, direct } = this.#resolve(spec.rooms);
    const except = this.#resolve(spec.except);
    for (const room of rooms) {
      for (const socket of room.members.values()) if (isMeant(socket, except)) selected.add(socket);
    }
    for (const socket of direct) if (isMeant(socket, except)) selected.add(socket);
    return [...selected] as Socket<Incoming, Outgoing, Data>[];
  }

  /** @internal Sends an event to a target. */
  publish(spec: TargetSpec, event: string, args: readonly Value[]): void {
    checkEvent(event);
    const { rooms, direct } = this.#resolve(spec.rooms);
    if (spec.volatile) {
      const packet = { type: PacketType.Volatile, namespace: this.name, event, args };
      const frames = this.#context.encode(packet);
      for (const socket of this.select(spec)) socket.session.forwardVolatile(frames);
      return;
    }
    const except = this.#resolve(spec.except);
    if (rooms.length > 0) this.#append(rooms, spec.except, except, event, args);
    for (const socket of direct) {
      if (isMeant(socket, except) && !rooms.some((room) => room.members.has(socket.id))) {
        socket.session.sendEvent(this.name, event, args);
      }
    }
  }

  /** @internal Sends an event to each socket of a target and gathers the replies. */
  request(spec: TargetSpec, event: string, args: readonly Value[]): Promise<Replies<unknown>> {
    return new Promise((resolve) => {
      checkEvent(event);
      const replies: unknown[] = [];
      const missing: string[] = [];
      const sockets = this.select(spec);
      let waiting = sockets.length;
      if (waiting === 0) resolve({ replies, missing });
      for (const socket of sockets) {
        const settle = (error: unknown, value: unknown): void => {
          if (error === undefined) replies.push(value);
          else missing.push(socket.id);
          if (--waiting === 0) resolve({ replies, missing });
        };
        try {
          socket.session.sendRequest(this.name, event, args, spec.timeoutMs, settle);
        } catch (error) {
          // One that is over, or owes too many replies, is missing; what no codec carries is nobody's to answer.
          if (!(error instanceof LocalUsageError) || error.code === 'ERR_NOT_ENCODABLE') throw error;
          settle(error, undefined);
        }
      }
    });
  }

  #append(
    rooms: readonly Room[],
    exceptNames: readonly string[],
    except: Named,
    event: string,
    args: readonly Value[],
  ): void {
    const [first] = rooms;
    if (first === undefined) return;
    const { journal } = this.#context;
    const [excepted] = except.direct;
    const isNative = rooms.length === 1 && except.rooms.length === 0 && except.direct.length < 2;
    if (isNative) this.#context.flush();
    const frames = rooms.map((room) => this.#encode(room, event, args));
    const serial = journal.nextSerial();
    const names = fewOf(exceptNames);
    journal.append(first.log, serial, names, frames[0] as Frames);
    if (rooms.length > 1) {
      // A member of several gets it by the log of the first, live as when it is read again: by no other.
      const order = new RoomOrder(rooms.map(({ name }) => name));
      for (let i = 1; i < rooms.length; i++) {
        journal.append((rooms[i] as Room).log, serial, new Earlier(names, order, i), frames[i] as Frames);
      }
    }
    for (const room of except.rooms) room.exceptedSerial = serial;
    if (isNative) {
      const [only] = frames as [Frames];
      // If its client has left with the excepted one, another socket of that session may be there.
      this.#context.fanOut(first, only, excepted?.isLeaving ? undefined : excepted?.session);
      if (first.looped !== undefined) {
        for (const socket of first.looped) if (socket !== excepted) socket.session.forward(only);
      }
      return;
    }
    for (const [i, room] of rooms.entries()) {
      for (const socket of room.members.values()) {
        if (socket.isLeaving || (rooms.length > 1 && !socket.session.isFirst(serial))) continue;
        if (!isAmong(socket, except)) socket.session.forward(frames[i] as Frames);
      }
    }
  }

  #encode({ log }: Room, event: string, args: readonly Value[]): Frames {
    const positions: Position[] = [[log.id, log.nextOffset]];
    return this.#context.encode({ type: PacketType.Publish, namespace: this.name, positions, event, args });
  }

  /** @param names undefined is the whole namespace */
  #resolve(names: readonly string[] | undefined): Named {
    if (names === undefined) return { rooms: this.#everyone.members.size > 0 ? [this.#everyone] : [], direct: [] };
    if (names.length === 0) return nobody;
    const rooms: Room[] = [];
    const direct: Member[] = [];
    // There may be any number of them.
    for (const name of names.length > 1 ? new Set(names) : names) {
      const room = this.#rooms.get(name);
      const socket = this.#everyone.members.get(name);
      if (room !== undefined) rooms.push(room);
      if (socket !== undefined) direct.push(socket);
    }
    return { rooms, direct };
  }

  #connect(session: Session, handshake: Handshake<Data>): void {
    const { journal, newSocketId } = this.#context;
    const socket = new Socket(newSocketId(), this, session, handshake, journal.lastSerial);
    this.#everyone.members.set(socket.id, socket);
    session.connected(socket);
    fireHandlers(this.#rules.listeners, 'connection', [socket], (error) =>
      this.report(error, 'a handler of "connection"'),
    );
    session.ready(socket);
  }
}

const nobody: Named = { rooms: [], direct: [] };

/** Whose client has left is sent nothing any more. */
function isMeant(socket: Member, except: Named): boolean {
  return !socket.isLeaving && !isAmong(socket, except);
}

function isAmong(socket: Member, { rooms, direct }: Named): boolean {
  for (const one of direct) if (one === socket) return true;
  for (const room of rooms) if (room.members.has(socket.id)) return true;
  return false;
}
