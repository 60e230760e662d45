// A client across its connections, as the server has it: the session machine, its codec, its sockets, and the
// connection it has now, if any.

import type { Codec } from '@halyard/codec';
import {
  type AckPacket,
  afterClose,
  assertNever,
  type Close,
  CloseCode,
  type ControlPacket,
  type DeliveredPacket,
  type ErrorPacket,
  type EventPacket,
  type Frame,
  type HelloPacket,
  LocalUsageError,
  type Packet,
  PacketType,
  PublicError,
  packetLimits,
  type RefusedPacket,
  RemoteProtocolError,
  type ResumeRequest,
  SessionMachine,
  type SessionSink,
  type Settle,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import { type Few, isList, keepOf, listOf, withOne } from '../few';
import type { Failure } from '../namespace/failure';
import { Handshake } from '../namespace/handshake';
import type { Frames } from '../namespace/log';
import type { Member } from '../namespace/member';
import type { Membership, Room } from '../namespace/room';
import { type Connection, nobody, type Receiver } from '../transport/connection';
import { warningOf } from '../warnings';
import { Timed } from '../wheel';
import { Departures } from './departures';
import { Feed } from './feed';
import { Lobby } from './lobby';
import { LogBudget } from './log-budget';
import type { SessionContext } from './sessions';

/** How far a client has got. */
type ResumePoint = Pick<ResumeRequest, 'received' | 'confirmed' | 'positions'>;

const pastMembershipsMax = 1_024;

const never = Number.POSITIVE_INFINITY;

const behind: Close = { code: CloseCode.SlowConsumer, reason: 'log-trimmed', by: 'server' };

export class Session extends Timed implements Receiver, SessionSink<Frame> {
  // What every packet touches comes first and side by side, so that it takes fewer lines of the processor's cache.
  readonly codecIndex: number;
  connection: Connection | undefined = undefined;
  #feed: Feed | undefined = undefined;
  readonly #context: SessionContext;
  readonly #machine: SessionMachine<Frame>;
  /** One for each namespace. */
  #sockets: Few<Member> = undefined;
  #lobby: Lobby | undefined = undefined;
  #departures: Departures | undefined = undefined;
  /** The HELLO that made it, until the client is known to have been told of the session. */
  #untold: HelloPacket | undefined;
  /** Why it is not the session that HELLO asked for: until RESET everything belonged to that one. Else empty. */
  refusal = '';
  /** When a session without a connection ends. */
  #endsAt: number | undefined = undefined;
  readonly id: string;
  readonly secret: string;
  readonly #client: string;
  /** Of the connection that has the session, or had it last, as the client counts. */
  #generation: number;
  /** Sockets the server disconnected whose last messages the client may not have read, and when that was, as serials. */
  #left: { readonly socket: Member; readonly serial: number }[] | undefined = undefined;
  /** Serial up to which memberships were forgotten: a resume from before it would have a hole. */
  #forgottenSerial = -1;
  #seenSerial = -1;
  /** There once a client may get to know more logs than it can name in HELLO. */
  #budget: LogBudget | undefined = undefined;

  constructor(id: string, secret: string, codecIndex: number, hello: HelloPacket, context: SessionContext) {
    super();
    this.id = id;
    this.secret = secret;
    this.codecIndex = codecIndex;
    this.#client = hello.client;
    this.#generation = hello.generation;
    this.#untold = hello.token === '' ? undefined : hello;
    this.#context = context;
    this.#machine = new SessionMachine<Frame>(this, context.settings, context.outboxLimits);
  }

  get codec(): Codec {
    return this.#context.codecs[this.codecIndex] as Codec;
  }

  get isOver(): boolean {
    return this.#machine.state === 'ended';
  }

  get confirmedSerial(): number {
    return this.#machine.confirmedSerial;
  }

  // Connections.

  /** Takes its first connection. @param refusal why it is not the session that HELLO asked for; empty if it asked for none */
  start(connection: Connection, hello: HelloPacket, refusal: string): void {
    this.#attach(connection, { received: 0, confirmed: 0 });
    this.refusal = refusal;
    this.#welcome(connection, false, refusal);
    this.#machine.open(this.#context.wheel.now());
    for (const { namespace, auth } of hello.namespaces) this.#enter(namespace, auth);
    this.#schedule();
  }

  /** @returns why the session cannot go on from there, or undefined if it can. A connection it has is not touched. */
  refusesResume({ received, confirmed, positions }: ResumePoint): string | undefined {
    const machine = this.#machine;
    const sent = machine.confirmed + machine.unconfirmed;
    if (received < machine.confirmed || received > sent || confirmed > machine.received) return 'impossible-counts';
    machine.confirm(received);
    const { confirmedSerial } = machine;
    if (positions.length > packetLimits.helloPositionsMax) return 'too-many-positions';
    if (this.#forgottenSerial > confirmedSerial) return 'log-trimmed';
    const read = new Map(positions);
    for (const [socket, { room, from, newest }] of this.#socketMemberships()) {
      const { log } = room;
      const floor = Math.max(from, confirmedSerial);
      if (newest > floor && log.trimmed.misses(socket, floor, read.get(log.id) ?? 0)) return 'log-trimmed';
    }
    return undefined;
  }

  /** Whether a HELLO was overtaken by a later one of the same client, and comes for a connection that is given up. */
  isAfter({ generation }: HelloPacket): boolean {
    return generation !== 0 && generation <= this.#generation;
  }

  /** Goes on over another connection; one that is still there is closed. */
  resume(connection: Connection, request: ResumePoint, generation: number): void {
    this.#generation = Math.max(this.#generation, generation);
    this.refusal = '';
    const evicted: Close = { code: CloseCode.Evicted, reason: 'another connection resumed the session', by: 'server' };
    this.#detach()?.close(evicted);
    this.#attach(connection, request);
    this.#welcome(connection, true, '');
    const feed = new Feed(this.#machine, this.#context.journal, this.#machine.confirmedSerial);
    const read = new Map(request.positions);
    if (read.size > 0) this.#budget ??= new LogBudget();
    this.#budget?.resumed(read.size);
    for (const [socket, membership] of this.#socketMemberships()) {
      feed.add(socket, membership, read.get(membership.room.log.id) ?? 0);
    }
    // Of its rooms' logs the client knows those it names.
    this.#seeWhetherTight(() => 0);
    this.#feed = feed;
    for (const socket of listOf(this.#sockets)) socket.cameBack();
    this.#pump();
    this.#schedule();
  }

  /** Goes on over another connection with a client that says HELLO again, because WELCOME has not reached it. */
  repeat(connection: Connection, hello: HelloPacket): void {
    const listed = this.#untold?.namespaces ?? [];
    this.resume(connection, { received: 0, confirmed: 0, positions: [] }, hello.generation);
    for (const { namespace, auth } of hello.namespaces) {
      if (!listed.some((entry) => entry.namespace === namespace)) this.#enter(namespace, auth);
    }
  }

  onFrame(frame: Frame): void {
    let packet: Packet;
    if (this.#lobby !== undefined) this.#lobby.frameBytes = frame.length;
    try {
      packet = this.codec.decode(frame);
      if (this.refusal !== '') {
        if (packet.type === PacketType.Reset) this.refusal = '';
        return;
      }
      switch (packet.type) {
        case PacketType.Hello:
        case PacketType.Reset:
        case PacketType.Welcome:
        case PacketType.Publish:
        case PacketType.Connected:
        case PacketType.Refused:
          throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED', `packet type ${packet.type} has no place here`);
        default:
          if (this.#machine.receive(packet, this.#context.wheel.lately(), frame.length)) this.#schedule();
          // It may have been held until this answer.
          if (packet.type === PacketType.Pong && this.#feed !== undefined) this.#pump();
          // The client may ask for a PING of ours, to forget logs.
          if (packet.type === PacketType.Ping && this.#budget?.isUsed) this.#ask();
      }
      // WELCOME went out before the first counted packet.
      if (this.#untold !== undefined && this.#machine.confirmed > 0) this.#told(this.#untold);
    } catch (error) {
      this.#fail(error);
    }
  }

  onDrain(): void {
    if (this.#feed !== undefined) this.#pump();
  }

  onClose(close: Close): void {
    if (afterClose(close.code) !== 'resume') {
      this.#detach();
      this.end(close);
      return;
    }
    this.#away(close);
  }

  /** Over for good: every socket gets its `disconnect`, every acknowledgement waited for settles. */
  end(close: Close): void {
    if (this.isOver) return;
    const warning = warningOf(close);
    if (warning !== undefined) this.#context.warn(...warning);
    const connection = this.#detach();
    this.#machine.end(new LocalUsageError('ERR_SESSION_ENDED', `the session is over: ${close.reason || close.code}`));
    this.#context.wheel.cancel(this);
    if (this.#untold !== undefined) this.#told(this.#untold);
    this.#context.ended(this);
    connection?.close(close);
    const sockets = listOf(this.#sockets);
    this.#sockets = undefined;
    if (close.by === 'client' && close.code === CloseCode.Normal) {
      for (const socket of sockets) this.#over(socket, close);
      this.#lobby?.leaveAll();
      this.#vacate();
      if (this.#lobby !== undefined) this.#departures ??= new Departures(this.#context.wheel.now(), []);
    } else {
      for (const socket of sockets) socket.over(close);
      this.#lobby = undefined;
      this.#hurry(close);
    }
    this.#schedule();
  }

  /** What the client said before it left is not waited for any longer. */
  #hurry(close: Close): void {
    this.#departures?.end(close);
    this.#departures = undefined;
  }

  override due(now: number): void {
    if (now >= this.#departsAt) {
      this.#hurry({ code: CloseCode.Normal, reason: 'middleware takes too long', by: 'client' });
      if (this.isOver) this.#lobby = undefined;
    }
    if (this.isOver) {
      this.#schedule();
      return;
    }
    if (this.#endsAt !== undefined && now >= this.#endsAt) {
      this.end({ code: CloseCode.SessionEnded, reason: 'away longer than recoveryWindowMs', by: 'server' });
      return;
    }
    this.#machine.tick(now);
    this.#schedule();
  }

  // The machine's sink.

  transmit(frame: Frame): void {
    this.connection?.send(frame);
  }

  control(packet: ControlPacket): void {
    if (packet.type === PacketType.Ping) this.#budget?.pinged();
    this.connection?.send(this.codec.encode(packet));
  }

  deliver(packet: DeliveredPacket): void {
    switch (packet.type) {
      case PacketType.Event:
      case PacketType.Volatile:
        this.#receive(packet);
        return;
      case PacketType.Connect:
        if (this.#has(packet.namespace)) {
          throw new RemoteProtocolError('ERR_CONNECT_REPEATED', `${packet.namespace} is connected already`);
        }
        this.#enter(packet.namespace, packet.auth);
        return;
      case PacketType.Disconnect: {
        const socket = this.#find(packet.namespace);
        this.#forget(socket);
        this.#lobby?.leave(packet.namespace);
        this.#vacate();
        this.#over(socket, { code: CloseCode.Normal, reason: packet.reason, by: 'client' });
        return;
      }
      case PacketType.Publish:
      case PacketType.Connected:
      case PacketType.Refused:
        return;
      default:
        assertNever(packet);
    }
  }

  silent(): void {
    const close: Close = { code: CloseCode.HeartbeatTimeout, reason: 'no answer to PING', by: 'server' };
    this.connection?.close(close);
    this.#away(close);
  }

  transmittedSerial(): number {
    return this.#feed === undefined ? this.#context.journal.lastSerial : this.#feed.serial;
  }

  // Namespaces.

  /** Whether this handshake is still the one that its namespace has to decide. */
  awaits(handshake: { readonly namespace: string }): boolean {
    return this.#lobby?.awaits(handshake) ?? false;
  }

  /** A namespace let this session in. */
  connected(socket: Member): void {
    if (this.#lobby?.isLeaving(socket.handshake)) {
      // It comes for what it has said, and nobody hears of it any more.
      socket.isLeaving = true;
      return;
    }
    this.#sockets = withOne(this.#sockets, socket);
    this.#push({ type: PacketType.Connected, namespace: socket.namespace, id: socket.id });
    for (const membership of socket.memberships()) this.enter(socket, membership);
  }

  /** The app's handlers of the namespace are in place. */
  ready(socket: Member): void {
    for (const packet of this.#take(socket.handshake)) socket.receive(packet);
    if (socket.isLeaving) this.#over(socket, { code: CloseCode.Normal, reason: '', by: 'client' });
  }

  /** A namespace did not let this session in. */
  refused(handshake: { readonly namespace: string }, failure: Failure): void {
    const isLeaving = this.#lobby?.isLeaving(handshake);
    const packets = this.#take(handshake);
    if (!isLeaving) this.#refuse(handshake.namespace, failure);
    for (const packet of packets) this.#notConnected(packet);
  }

  /** The server ends one of its sockets. */
  disconnect(socket: Member, close: Close): void {
    if (!socket.connected) return;
    if (socket.isLeaving) {
      // Its client has left it, and may have another one by now.
      socket.over(close);
      return;
    }
    this.#feed?.leave(socket, this.#context.journal.lastSerial);
    this.#forget(socket);
    this.#push({ type: PacketType.Disconnect, namespace: socket.namespace, reason: close.reason });
    socket.over(close);
    if (this.isOver) return;
    const { confirmedSerial } = this;
    this.#left = this.#left?.filter(({ serial }) => serial > confirmedSerial) ?? [];
    this.#left.push({ socket, serial: this.#context.journal.lastSerial });
  }

  // Rooms: how what is published reaches the connection.

  enter(socket: Member, membership: Membership): void {
    const { connection } = this;
    if (socket.isLeaving) return;
    if (!this.#isCounted) {
      this.#seeWhetherTight(() => this.#spokenLogs());
      if (this.#isCounted) this.#count();
    }
    if (this.#feed !== undefined) this.#feed.add(socket, membership, membership.room.log.nextOffset - 1);
    else if (connection !== undefined) this.#listen(connection, socket, membership.room);
  }

  exit(socket: Member, room: Room): void {
    // Then it has, or it never was; another socket of this session may be in the room by now.
    if (socket.isLeaving) return;
    room.looped?.delete(socket);
    if (this.isOver) return;
    this.connection?.unsubscribe(room.topic(this.codecIndex));
    this.#budget ??= new LogBudget();
    this.#budget.left();
  }

  /** Memberships that ended are kept until the client is known to have read them to the end. */
  pastGrew(past: Membership[]): void {
    if (past.length > pastMembershipsMax / 2) {
      this.#machine.ask(this.#context.wheel.now());
      this.#schedule();
    }
    const forgotten = past.length > pastMembershipsMax ? past.shift() : undefined;
    if (forgotten === undefined) return;
    this.#forgottenSerial = Math.max(this.#forgottenSerial, forgotten.to);
    // What is still to be read may have been for it, or not, by what is forgotten here.
    if (this.#feed !== undefined && forgotten.to > this.#feed.serial) this.end(behind);
  }

  /** Whether messages of logs are counted, and sent one by one for that. */
  get #isCounted(): boolean {
    return this.#budget?.isCounting === true;
  }

  /** They are once its client may be sent messages of more logs than it can know. */
  #seeWhetherTight(spoken: () => number): void {
    let rooms = 0;
    for (const socket of listOf(this.#sockets)) rooms += 1 + socket.roomCount;
    if (rooms > packetLimits.helloPositionsMax / 2) this.#budget ??= new LogBudget();
    this.#budget?.look(rooms, spoken);
  }

  /** How many of its logs have had a message that it may have been sent. */
  #spokenLogs(): number {
    let count = 0;
    for (const [, { room, from }] of this.#socketMemberships()) if (room.log.newestSerial > from) count++;
    return count;
  }

  /** From here on messages of logs are counted. */
  #count(): void {
    const { connection } = this;
    if (connection === undefined || this.#feed !== undefined) return;
    for (const socket of listOf(this.#sockets)) {
      for (const { room } of socket.memberships()) {
        connection.unsubscribe(room.topic(this.codecIndex));
        this.#listen(connection, socket, room);
      }
    }
  }

  // Sending.

  sendEvent(namespace: string, event: string, args: readonly Value[]): void {
    this.#push({ type: PacketType.Event, namespace, event, args, ack: undefined });
  }

  /** @throws LocalUsageError as `Socket.emitWithAck` says */
  sendRequest(
    namespace: string,
    event: string,
    args: readonly Value[],
    timeoutMs: number | undefined,
    settle: Settle,
  ): void {
    if (this.isOver) throw new LocalUsageError('ERR_SESSION_ENDED', 'the session is over');
    const deadline = this.#context.wheel.now() + (timeoutMs ?? this.#context.ackTimeoutMs);
    const ack = this.#machine.expectAck(deadline, settle);
    try {
      this.#push({ type: PacketType.Event, namespace, event, args, ack });
    } catch (error) {
      this.#machine.cancelAck(ack);
      throw error;
    }
    this.#schedule();
  }

  sendAck(ack: number, value: Value | undefined): void {
    const packet: AckPacket = { type: PacketType.Ack, ack, value };
    this.#push(packet);
  }

  sendError(ack: number, { code, message, data }: Failure): void {
    this.#pushFailure({ type: PacketType.Error, ack, code, message, data });
  }

  sendVolatile(namespace: string, event: string, args: readonly Value[]): void {
    const frame = this.codec.encode({ type: PacketType.Volatile, namespace, event, args });
    if (this.#feed === undefined && this.connection?.slow === false) this.connection.send(frame);
  }

  /** Sends what was published last, unless it will be read from the log. */
  forward(frames: Frames): void {
    const frame = frames[this.codecIndex];
    if (frame === undefined || this.#feed !== undefined || this.connection === undefined) return;
    if (this.#isCounted && !this.#spend()) return;
    this.connection.send(frame);
  }

  /** With a PING a client may forget logs. */
  #ask(): void {
    this.#machine.ask(this.#context.wheel.now(), true);
    this.#schedule();
  }

  /** @returns whether the client may know one more log. Else it is told to confirm, and the rest is read from the logs */
  #spend(): boolean {
    const budget = this.#budget as LogBudget;
    if (budget.isLow) this.#ask();
    if (!budget.isSpent) {
      budget.sent();
      return true;
    }
    this.#machine.pause();
    const { journal } = this.#context;
    const feed = new Feed(this.#machine, journal, journal.lastSerial - 1);
    for (const [socket, membership] of this.#socketMemberships()) {
      const { log } = membership.room;
      feed.add(socket, membership, log.nextOffset - (log.newestSerial === journal.lastSerial ? 2 : 1));
    }
    this.#feed = feed;
    return false;
  }

  /**
   * Sends what was published to every other member of a room, as far as native fan-out in its codec reaches them.
   * @returns false if that does not reach this session now
   */
  publishToOthers(topic: string, frame: Uint8Array): boolean {
    return this.#feed === undefined && this.connection?.publish(topic, frame) === true;
  }

  /** Native fan-out has sent it so much. */
  published(bytes: number): void {
    this.connection?.published(bytes);
  }

  forwardVolatile(frames: Frames): void {
    const frame = frames[this.codecIndex];
    if (frame !== undefined && this.#feed === undefined && this.connection?.slow === false) this.connection.send(frame);
  }

  /** @returns whether this is the first time it is asked about this serial */
  isFirst(serial: number): boolean {
    const first = serial !== this.#seenSerial;
    this.#seenSerial = serial;
    return first;
  }

  /** The client names the session by its id: it was told of it. */
  named(): void {
    if (this.#untold !== undefined) this.#told(this.#untold);
  }

  #told(hello: HelloPacket): void {
    this.#context.told(hello.token);
    this.#untold = undefined;
  }

  #attach(connection: Connection, peer: { received: number; confirmed: number }): void {
    this.#machine.hold(peer, this.#context.wheel.now());
    this.#endsAt = undefined;
    this.connection = connection;
    connection.receiver = this;
  }

  #detach(): Connection | undefined {
    const { connection } = this;
    if (connection === undefined) return undefined;
    connection.receiver = nobody;
    this.connection = this.#feed = undefined;
    this.#machine.detach();
    if (!connection.native || this.#isCounted) {
      for (const [socket, { room }] of this.#socketMemberships()) room.looped?.delete(socket);
    }
    this.#budget?.stop();
    return connection;
  }

  #away(close: Close): void {
    if (this.#detach() === undefined || this.isOver) return;
    this.#endsAt = this.#context.wheel.now() + this.#context.settings.recoveryWindowMs;
    this.#schedule();
    for (const socket of listOf(this.#sockets)) socket.wentAway(close);
  }

  #welcome(connection: Connection, recovered: boolean, reason: string): void {
    const { received } = this.#machine;
    const { settings } = this.#context;
    const { id: session, secret } = this;
    connection.send(
      this.codec.encode({ type: PacketType.Welcome, session, secret, settings, received, recovered, reason }),
    );
  }

  #pump(): void {
    const { connection } = this;
    const feed = this.#feed;
    if (connection === undefined || feed === undefined) return;
    try {
      const budget = this.#isCounted ? this.#budget : undefined;
      const done = feed.pump(connection, this.codecIndex, budget);
      if (budget?.isLow) this.#ask();
      // Spent: the answer to a PING goes on with it.
      if (!done && !budget?.isSpent) connection.notifyDrain();
      if (!done || this.connection !== connection) return;
    } catch (error) {
      if (!(error instanceof LocalUsageError)) {
        this.#fail(error);
        return;
      }
      this.end(behind);
      return;
    }
    // Caught up, in the same turn: from here on what is published reaches it directly.
    this.#feed = undefined;
    this.#machine.open(this.#context.wheel.now());
    for (const socket of listOf(this.#sockets)) {
      for (const { room } of socket.memberships()) this.#listen(connection, socket, room);
    }
  }

  #listen(connection: Connection, socket: Member, room: Room): void {
    if (connection.native && !this.#isCounted) connection.subscribe(room.topic(this.codecIndex));
    else {
      room.looped ??= new Set();
      room.looped.add(socket);
    }
  }

  #find(namespace: string): Member | undefined {
    const sockets = this.#sockets;
    if (isList(sockets)) return sockets.find((socket) => socket.namespace === namespace);
    return sockets?.namespace === namespace ? sockets : undefined;
  }

  #forget(socket: Member | undefined): void {
    this.#sockets = keepOf(this.#sockets, (entry) => entry !== socket);
  }

  /** Whether the namespace is connected, or its middleware is deciding. */
  #has(namespace: string): boolean {
    return this.#find(namespace) !== undefined || (this.#lobby?.has(namespace) ?? false);
  }

  #enter(name: string, auth: Value | undefined): void {
    const { trustProxy, namespacesPerSessionMax } = this.#context;
    const { connection } = this;
    if (connection === undefined || this.#has(name)) return;
    if (listOf(this.#sockets).length + (this.#lobby?.size ?? 0) >= namespacesPerSessionMax) {
      const message = `A session may be in ${namespacesPerSessionMax} namespaces (namespacesPerSessionMax).`;
      this.#refuse(name, { code: 'ERR_NAMESPACES_FULL', message, data: undefined });
      return;
    }
    const handshake = new Handshake(name, auth, this.#client, connection, trustProxy);
    const namespace = this.#context.namespace(name, auth, { session: this.id, address: handshake.address });
    if (!('admit' in namespace)) {
      this.#refuse(name, namespace);
      return;
    }
    this.#lobby ??= new Lobby(this.#context);
    this.#lobby.enter(handshake);
    namespace.admit(this, handshake);
  }

  #refuse(namespace: string, failure: Failure): void {
    if (!this.isOver) this.#pushFailure({ type: PacketType.Refused, namespace, ...failure });
  }

  /** @returns what waited for a namespace to decide about a handshake */
  #take(handshake: { readonly namespace: string }): ReturnType<Lobby['take']> {
    const packets = this.#lobby?.take(handshake) ?? [];
    this.#vacate();
    return packets;
  }

  #vacate(): void {
    if (this.#lobby?.isEmpty) this.#lobby = undefined;
  }

  /** The client has left with this socket: what it said before is handled first, if that does not take too long. */
  #over(socket: Member | undefined, close: Close): void {
    if (socket === undefined) return;
    for (const { room } of socket.memberships()) this.exit(socket, room);
    socket.isLeaving = true;
    this.#feed?.leave(socket, -1);
    if (socket.depart(close)) return;
    const now = this.#context.wheel.now();
    this.#departures = this.#departures?.with(socket, now) ?? new Departures(now, [socket]);
    this.#schedule();
  }

  #receive(packet: EventPacket | VolatilePacket): void {
    if (this.#lobby?.keeps(packet)) return;
    const socket = this.#find(packet.namespace);
    if (socket === undefined) this.#notConnected(packet);
    else socket.receive(packet);
  }

  #notConnected(packet: EventPacket | VolatilePacket): void {
    if (packet.type !== PacketType.Event || packet.ack === undefined) return;
    this.sendError(packet.ack, new PublicError('ERR_NAMESPACE_NOT_CONNECTED', 'The namespace is not connected.'));
  }

  /** Data that no codec carries is left out: a failure has to arrive. */
  #pushFailure(packet: ErrorPacket | RefusedPacket): void {
    try {
      this.#push(packet);
    } catch {
      this.#push({ ...packet, data: undefined });
    }
  }

  #push(packet: Packet): void {
    if (this.isOver) return;
    const frame = this.codec.encode(packet);
    try {
      this.#machine.send(frame, this.#context.journal.nextSerial());
    } catch (error) {
      // The peer does not confirm: it has to start anew, and is told so.
      const reason = error instanceof LocalUsageError ? error.code : String(error);
      this.end({ code: CloseCode.SlowConsumer, reason, by: 'server' });
    }
    if (this.#feed !== undefined) this.#pump();
  }

  #fail(error: unknown): void {
    if (error instanceof RemoteProtocolError) {
      this.end({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    } else {
      this.#context.report(error, `session ${this.id}`);
      this.end({ code: CloseCode.InternalError, reason: 'the server failed', by: 'server' });
    }
  }

  /** Until when it is waited for what the client said before it left. */
  get #departsAt(): number {
    return this.#departures === undefined ? never : this.#departures.since + this.#context.ackTimeoutMs;
  }

  #schedule(): void {
    const dueAt = this.isOver ? never : Math.min(this.#machine.deadline, this.#endsAt ?? never);
    this.#context.wheel.schedule(this, Math.min(dueAt, this.#departsAt));
  }

  *#socketMemberships(): Generator<[Member, Membership]> {
    for (const socket of listOf(this.#sockets)) {
      for (const membership of socket.memberships()) yield [socket, membership];
      for (const membership of socket.pastMemberships()) yield [socket, membership];
    }
    for (const { socket } of this.#left ?? []) {
      for (const membership of socket.pastMemberships()) yield [socket, membership];
    }
  }
}
