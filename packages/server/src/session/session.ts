// A client across its connections, as the server has it: who it is, the connection it has now, if any, and its record. Longer
// than other files: all ways to get, to lose and to resume a connection end in the same few fields.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  afterClose,
  type Close,
  CloseCode,
  type ControlPacket,
  checkEventName,
  type DeliveredPacket,
  type Failure,
  type Frame,
  type HelloPacket,
  LocalUsageError,
  PacketType,
  PublicError,
  packetLimits,
  RemoteProtocolError,
  type ResumeCounts,
  type ResumeRequest,
  type Snapshot,
  type StreamState,
  type Value,
} from '@halyard/protocol';
import { compactOf, listOf } from '../base/compact-list';
import { warningOf } from '../base/warnings';
import { TimedCall } from '../base/wheel';
import type { QueuedTurn } from '../store/queued-turn';
import type { StoredLetter } from '../store/store';
import type { Recorded, Recording } from '../store/turn';
import { type Connection, nobody, type Receiver } from '../wire/connection';
import type { SessionContext } from './context';
import { Borrowed, HandedOver, type OpenElsewhere, type Reply } from './handover';
import { isSame, type Key } from './key';
import type { Delivery } from './leavings';
import { decodeLetter, encodeLoss } from './letter';
import { Mailbox, noMail } from './mailbox';
import { Moving } from './moving';
import { type CountsRecord, hashOf, type IdentityRecord, noHash, type SessionRecord } from './record';
import { type Change, type Written, writeRecord } from './record-writer';

/** How far a client has got. */
type ResumePoint = Pick<ResumeRequest, 'received' | 'confirmed' | 'positions' | 'settled'>;

const never = Number.POSITIVE_INFINITY;

/** Who a session is. */
export interface Identity {
  readonly id: string;
  readonly secret: string;
  readonly client: string;
  /** Of the connection that has the session, or had it last, as the client counts. */
  readonly generation: number;
  /** The token of a client that has perhaps not been told of the session, and the namespaces it listed then. */
  readonly untold: Untold | undefined;
}

export interface Untold {
  readonly token: string;
  readonly listed: readonly string[];
}

const tooLong: Close = {
  code: CloseCode.SessionEnded,
  reason: 'away longer than recoveryWindowMs',
  by: 'server',
};

/** Longer than a session that nobody comes back to, so that its own node ends it while that lives. */
const keptSlackMs = 30_000;

/** How a session came to this node, if there can be others. */
interface Move {
  /** What the store knows this node's claim by. */
  readonly nonce: string;
  /** Up to this number the client has sent packets to other nodes: what was not settled may have been handled. */
  left: number;
  /** Generation of the last connection that this node has had. */
  last: number | undefined;
  readonly mailbox: Mailbox;
  /** Numbers of events whose handlers are running. */
  readonly begun: Set<number>;
}

const moves = new WeakMap<Recorded, Move>();
/** Sessions that another server has, or goes on with. Fields of their own would cost every session. */
const elsewhere = new WeakSet<Recorded>();
/** What is still to be done here for sessions that were let go, … */
const handedOver = new WeakMap<Recorded, HandedOver>();
/** … and elsewhere for sessions that are here. */
const borrowed = new WeakMap<Recorded, Borrowed>();
/** Those whose client was not told of them yet, because they are not stored, and what is to be said behind WELCOME. */
const unwelcomed = new WeakMap<Recorded, ControlPacket[]>();
/** Those of which the store has lost something that is not written again yet. */
const unsure = new WeakSet<Recorded>();
/** What waits for the store to keep up. */
const waits = new WeakMap<Recorded, Delivery[]>();

export class Session extends Moving implements Receiver, Recorded {
  /** Until the client is known to have been told of the session. */
  #untold: Untold | undefined;
  /** Why it is not the session that HELLO asked for: until RESET everything belonged to that one. Else empty. */
  refusal = '';
  /** When a session without a connection ends. */
  #endsAt: number | undefined = undefined;
  readonly id: string;
  readonly secret: string;
  protected readonly client: string;
  #generation: number;

  constructor(
    { id, secret, client, generation, untold }: Identity,
    codecIndex: number,
    context: SessionContext,
    state?: StreamState<Frame>,
  ) {
    super(codecIndex, context, state);
    this.id = id;
    this.secret = secret;
    this.client = client;
    this.#generation = generation;
    this.#untold = untold;
  }

  get generation(): number {
    return this.#generation;
  }

  // Its record.

  /** It is this node's, and no other's. */
  claimed(nonce: string, mail = noMail): void {
    const mailbox = new Mailbox(mail, {
      letters: (after) => (this.context.turn as QueuedTurn).letters(this.id, after),
      take: (letter) => this.#takeLetter(letter),
      lost: () => this.lost(0),
      report: this.context.report,
    });
    moves.set(this, { nonce, left: 0, last: undefined, mailbox, begun: new Set() });
  }

  /** Another node has sent it something. */
  post(letter: StoredLetter): void {
    if (!this.isOver) moves.get(this)?.mailbox.arrived(letter);
  }

  mailed(): void {
    if (!this.isOver) moves.get(this)?.mailbox.mailed();
  }

  rolledBack(): void {
    if (this.isOver) return;
    moves.get(this)?.mailbox.rolledBack();
    unsure.add(this);
    (this.context.turn as QueuedTurn).rewrite(this);
  }

  #takeLetter({ stamp, body }: StoredLetter): void {
    if (this.isOver) return;
    const { turn, recordCodec, report } = this.context;
    turn.stamps.observe(stamp);
    this.touch();
    try {
      const letter = decodeLetter(body, recordCodec);
      if (letter === 'loss') {
        this.lost(0);
        return;
      }
      const { socket, namespace, event, args, rooms, except } = letter;
      checkEventName(event);
      const presence = listOf(this.presences).find(({ id }) => id === socket);
      // Where it is in one of these rooms it gets it by the room.
      const isMeant =
        presence?.namespace === namespace && !presence.wasExcepted(compactOf([...rooms, ...except]), stamp, stamp);
      if (isMeant) this.sendEvent(namespace, event, args);
    } catch (error) {
      report(error, 'a letter of another server');
    }
  }

  /** Goes on with what it was on another server. */
  restore(record: SessionRecord): void {
    const { refusal, forgotten, owed } = record.counts;
    this.refusal = refusal;
    if (forgotten) this.forgottenStamp = 0;
    // What it says goes on behind what it has said.
    for (const [, stamp] of record.frames) this.context.turn.stamps.observe(stamp);
    this.comesFromElsewhere();
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    this.attendAgain(record);
    for (const ack of owed) {
      this.sendError(ack, new PublicError('ERR_OWNER_LOST', 'The server that was to answer is gone.'));
    }
    this.schedule();
  }

  override identity(): IdentityRecord {
    return {
      id: this.id,
      secret: hashOf(this.secret),
      token: this.#untold === undefined ? noHash : hashOf(this.#untold.token),
      listed: this.#untold?.listed ?? [],
      codec: this.codec.name,
      client: this.client,
    };
  }

  override counts(): CountsRecord {
    return {
      ...this.movable.counts(),
      ...{ generation: this.#generation, refusal: this.refusal, mail: moves.get(this)?.mailbox.record() ?? noMail },
      forgotten: this.forgottenStamp > this.confirmedStamp,
    };
  }

  write(changed: ReadonlySet<Change>, before: Written | undefined): Recording {
    const { recordCodec, settings } = this.context;
    const { recoveryWindowMs, heartbeatMs, heartbeatTimeoutMs } = settings;
    const record = this.isOver ? undefined : writeRecord(this, changed, before, recordCodec);
    return {
      write: {
        session: this.id,
        nonce: moves.get(this)?.nonce ?? '',
        generation: this.#generation,
        mail: moves.get(this)?.mailbox.position ?? noMail,
        parts: record?.parts,
        isWhole: before === undefined,
        // It is written again when its client has answered a PING.
        keptMs: recoveryWindowMs + heartbeatMs + heartbeatTimeoutMs + keptSlackMs,
      },
      tops: record?.tops ?? new Map(),
      written: record?.written,
      snapshot: this.movable.snapshot(),
    };
  }

  stored(snapshot: Snapshot): void {
    unsure.delete(this);
    if (this.isOver) return;
    this.movable.stored(snapshot, this.context.wheel.lately());
    this.queued();
    this.schedule();
  }

  /** Another node has it: what it would do here from now on is done there, and what was not stored is not said. */
  fenced(generation: number): void {
    this.connection?.discard();
    // Who goes on with what is stored does not know what is missing there.
    if (unsure.has(this)) (this.context.turn as QueuedTurn).post(this.id, encodeLoss(this.context.recordCodec));
    // Its client has come back there, or else it is to look for it.
    const code = generation > this.#generation ? CloseCode.Evicted : CloseCode.ServiceRestart;
    elsewhere.add(this);
    this.end({ code, reason: 'another server has the session', by: 'server' });
  }

  /**
   * It goes on at another server, or may: here it is over, and nobody is told that it is.
   * @param node that has asked for it, if one has
   * @returns which events are finished where
   */
  letGo(close: Close, node?: string): OpenElsewhere[] {
    const begun = moves.get(this)?.begun ?? new Set();
    const its = borrowed.get(this);
    const done = its?.done ?? new Map<number, readonly Reply[]>();
    if (node !== undefined) handedOver.set(this, new HandedOver(node, [...begun, ...done.keys()]));
    const open: OpenElsewhere[] = [[this.context.node, [...begun, ...done.keys()]], ...(its?.open() ?? [])];
    this.context.turn.forget(this);
    if (this.context.turn.isShared) elsewhere.add(this);
    this.end(close);
    for (const [number, replies] of done) {
      for (const reply of replies) handedOver.get(this)?.reply(reply);
      this.settle(number);
    }
    return open;
  }

  /** Servers before this one finish some of its events. */
  borrows(open: readonly OpenElsewhere[]): void {
    borrowed.set(this, new Borrowed(open));
  }

  /** One of them has. */
  finished(number: number, replies: readonly Reply[]): void {
    if (borrowed.get(this)?.finished(number, replies)) this.#finish(number, replies);
  }

  #finish(number: number, replies: readonly Reply[]): void {
    for (const [ack, value, failure] of replies) {
      if (failure === undefined) this.sendAck(ack, value);
      else this.sendError(ack, failure);
    }
    this.settle(number);
  }

  /** A server is gone: what it was to finish is handled here. */
  nodeLeft(node: string): void {
    try {
      for (const delivery of borrowed.get(this)?.left(node) ?? []) if (!this.isOver) super.deliver(...delivery);
    } catch (error) {
      this.fail(error);
    }
  }

  override sendAck(ack: number, value: Value | undefined): void {
    const its = this.isOver ? handedOver.get(this) : undefined;
    if (its === undefined) super.sendAck(ack, value);
    else its.reply([ack, value, undefined]);
  }

  override sendError(ack: number, failure: Failure): void {
    const { code, message, data } = failure;
    const its = this.isOver ? handedOver.get(this) : undefined;
    if (its === undefined) super.sendError(ack, failure);
    else its.reply([ack, undefined, { code, message, data }]);
  }

  began(number: number): void {
    moves.get(this)?.begun.add(number);
  }

  failed(error: unknown): void {
    this.fail(error);
  }

  override deliver(packet: DeliveredPacket, number: number, size: number): void {
    const { turn } = this.context;
    const taken = number === 0 ? false : (borrowed.get(this)?.take([packet, number, size]) ?? false);
    if (taken !== false) {
      if (taken !== true) this.#finish(number, taken);
      return;
    }
    const waiting = waits.get(this);
    if (number === 0 || (waiting === undefined && !turn.isHigh)) super.deliver(packet, number, size);
    else if (waiting !== undefined) waiting.push([packet, number, size]);
    else {
      // The store does not keep up: it waits, and by the window its client does.
      waits.set(this, [[packet, number, size]]);
      turn.whenLow(() => this.#goOnDelivering());
    }
  }

  #goOnDelivering(): void {
    const waiting = waits.get(this) ?? [];
    waits.delete(this);
    try {
      for (const delivery of waiting) if (!this.isOver) this.deliver(...delivery);
    } catch (error) {
      this.fail(error);
    }
  }

  settle(number: number): void {
    if (number === 0) return;
    moves.get(this)?.begun.delete(number);
    const its = handedOver.get(this);
    const replies = its?.settle(number);
    if (its !== undefined && replies !== undefined) this.context.finished(its.node, this.id, number, replies);
    if (this.isOver) return;
    this.touch();
    this.movable.settle(number, this.context.wheel.lately());
    this.schedule();
  }

  settled(): void {
    try {
      this.goOn();
    } catch (error) {
      this.fail(error);
    }
  }

  isRedelivered(number: number): boolean {
    return number > 0 && number <= (moves.get(this)?.left ?? 0);
  }

  protected override touch(what?: Change): void {
    this.context.turn.touch(this, what);
  }

  // Connections.

  /** Takes its first connection. @param refusal why it is not the session that HELLO asked for; empty if it asked for none */
  start(connection: Connection, hello: HelloPacket, refusal: string): void {
    this.attach(connection, { received: 0, confirmed: 0 });
    this.#endsAt = this.context.wheel.now() + this.context.helloTimeoutMs;
    this.refusal = refusal;
    this.welcome(connection, false, refusal);
    this.machine.open(this.context.wheel.now());
    for (const { namespace, auth } of hello.namespaces) this.ask(namespace, auth);
    this.schedule();
  }

  /** Whether its client can have got so far. */
  canBe({ received, confirmed, settled = [] }: ResumePoint): boolean {
    const { machine } = this;
    if (received < machine.confirmed || received > machine.sent || confirmed > machine.received) return false;
    return machine.hasSettled(settled);
  }

  /** Its client has handled so many packets: that is true whatever becomes of the resume that says so. */
  confirm(received: number): void {
    this.machine.confirm(received);
  }

  /** @returns once everything is here that its client has not read, and is still there */
  loaded({ positions }: Pick<ResumePoint, 'positions'>): Promise<void> {
    return this.load(new Map(positions));
  }

  /** @returns why the session cannot go on from where its client is, or undefined if it can */
  refusesResume({ positions }: Pick<ResumePoint, 'positions'>): string | undefined {
    if (positions.length > packetLimits.helloPositionsMax) return 'too-many-positions';
    return this.reachesBack(new Map(positions)) ? undefined : 'log-trimmed';
  }

  /** Whether a client that names its session so may have it. */
  isNamedBy({ text, kind }: Pick<Key, 'text' | 'kind'>): boolean {
    const its = kind === 'secret' ? this.secret : this.#untold?.token;
    return its !== undefined && isSame(Buffer.from(its), Buffer.from(text));
  }

  /** Its client is on its way to another server: nothing more is taken from the connection that it had here. */
  pause(): void {
    const evicted: Close = { code: CloseCode.Evicted, reason: 'another server has the session', by: 'server' };
    this.detach()?.close(evicted);
    this.schedule();
  }

  /** Whether a HELLO was overtaken by a later one of the same client, and comes for a connection that is given up. */
  isAfter({ generation }: HelloPacket): boolean {
    return this.isLater(generation);
  }

  /** Whether its client has had a connection that is not before one of this generation. */
  isLater(generation: number): boolean {
    return generation !== 0 && generation <= this.#generation;
  }

  /** Goes on over another connection; one that is still there is closed. */
  resume(
    connection: Connection,
    request: ResumePoint,
    { generation, left }: Pick<HelloPacket, 'generation' | 'left'>,
  ): void {
    this.#generation = Math.max(this.#generation, generation);
    this.refusal = '';
    unwelcomed.delete(this);
    const evicted: Close = { code: CloseCode.Evicted, reason: 'another connection resumed the session', by: 'server' };
    this.detach()?.close(evicted);
    const move = moves.get(this);
    // The connections since the last one here were other nodes', or nobody's.
    if (move !== undefined && move.last !== generation - 1) move.left = Math.max(move.left, left);
    this.attach(connection, { ...request, left });
    this.welcome(connection, true, '');
    this.readFrom(new Map(request.positions));
    for (const presence of listOf(this.presences)) presence.cameBack();
    this.settled();
    this.pump();
    this.schedule();
  }

  /** Goes on over another connection with a client that says HELLO again, because WELCOME has not reached it. */
  repeat(connection: Connection, hello: HelloPacket): void {
    const listed = this.#untold?.listed ?? [];
    this.resume(connection, { received: 0, confirmed: 0, positions: [] }, hello);
    for (const { namespace, auth } of hello.namespaces) {
      if (!listed.includes(namespace)) this.ask(namespace, auth);
    }
  }

  /** The client names the session by its id: it was told of it. */
  named(): void {
    if (this.#untold !== undefined) this.told(this.#untold);
  }

  onFrame(frame: Frame): void {
    this.touch();
    try {
      const packet = this.codec.decode(frame);
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
          if (this.machine.receive(packet, this.context.wheel.lately(), frame.length)) this.schedule();
          if (packet.type === PacketType.Pong) this.onPong();
          else if (packet.type === PacketType.Ping) this.onPing();
      }
      // WELCOME went out before the first counted packet.
      if (this.#untold !== undefined && this.machine.confirmed > 0) this.told(this.#untold);
    } catch (error) {
      this.fail(error);
    }
  }

  onDrain(): void {
    this.pump();
  }

  onClose(close: Close): void {
    if (afterClose(close.code) !== 'resume') {
      try {
        this.lastWords();
      } catch (error) {
        this.fail(error);
      }
      this.detach();
      this.end(close);
      return;
    }
    this.away(close);
  }

  override silent(): void {
    const close: Close = { code: CloseCode.HeartbeatTimeout, reason: 'no answer to PING', by: 'server' };
    this.connection?.close(close);
    this.away(close);
  }

  /** Over for good: every presence gets its `disconnect`, every acknowledgement waited for settles. */
  override end(close: Close, delayMs = 0): void {
    if (this.isOver) return;
    const warning = warningOf(close);
    if (warning !== undefined) this.context.warn(...warning);
    const connection = this.detach();
    this.machine.end(new LocalUsageError('ERR_SESSION_ENDED', `the session is over: ${close.reason || close.code}`));
    this.context.wheel.cancel(this);
    if (this.#untold !== undefined) this.told(this.#untold);
    this.context.ended(this);
    this.touch();
    if (delayMs === 0) connection?.close(close);
    else this.context.wheel.schedule(new TimedCall(() => connection?.close(close)), this.context.wheel.now() + delayMs);
    const presences = listOf(this.presences);
    this.presences = undefined;
    if (close.by === 'client' && close.code === CloseCode.Normal) this.departAll(presences, close);
    else this.dropAll(presences, close, elsewhere.has(this));
    this.schedule();
  }

  override due(now: number): void {
    if (now >= this.departsAt) this.departNow();
    if (this.isOver) {
      this.schedule();
      return;
    }
    if (this.#endsAt !== undefined && now >= this.#endsAt) {
      if (unwelcomed.has(this))
        this.end({ code: CloseCode.TryAgainLater, reason: 'the store does not answer', by: 'server' });
      if (this.context.turn.isShared) this.#endLater(this.context.turn as QueuedTurn);
      else this.end(tooLong);
      return;
    }
    this.machine.tick(now);
    this.schedule();
  }

  /** If the store is away, nobody could come back: the time counts from when it is there again. */
  #endLater(turn: QueuedTurn): void {
    this.#endsAt = never;
    turn.confirm(this).then(() => {
      const { wheel, settings } = this.context;
      if (this.isOver || this.connection !== undefined) return;
      this.#endsAt = turn.backAt + settings.recoveryWindowMs;
      if (wheel.now() >= this.#endsAt) this.end(tooLong);
      this.schedule();
    });
  }

  protected override fail(error: unknown): void {
    if (error instanceof RemoteProtocolError) {
      this.end({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    } else {
      this.context.report(error, `session ${this.id}`);
      this.end({ code: CloseCode.InternalError, reason: 'the server failed', by: 'server' });
    }
  }

  protected override schedule(): void {
    const dueAt = this.isOver ? never : Math.min(this.machine.deadline, this.#endsAt ?? never);
    this.context.wheel.schedule(this, Math.min(dueAt, this.departsAt));
  }

  private told({ token }: Untold): void {
    this.context.told(token);
    this.#untold = undefined;
    this.touch('identity');
  }

  private attach(connection: Connection, peer: ResumeCounts): void {
    this.machine.hold(peer, this.context.wheel.now());
    this.#endsAt = undefined;
    this.connection = connection;
    connection.receiver = this;
    const move = moves.get(this);
    if (move !== undefined) move.last = this.#generation;
    this.touch();
  }

  private detach(): Connection | undefined {
    const { connection } = this;
    if (connection === undefined) return undefined;
    connection.receiver = nobody;
    this.connection = undefined;
    this.machine.detach();
    this.stopReading(connection);
    return connection;
  }

  private away(close: Close): void {
    if (this.detach() === undefined || this.isOver) return;
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    this.touch();
    this.schedule();
    for (const presence of listOf(this.presences)) presence.wentAway(close);
  }

  private welcome(connection: Connection, recovered: boolean, reason: string): void {
    const { received, settledAbove: settled } = this.machine;
    const { settings, turn } = this.context;
    const { id: session, secret } = this;
    const packet = {
      type: PacketType.Welcome,
      session,
      secret,
      settings,
      received,
      recovered,
      reason,
      settled,
    } as const;
    const frame = this.codec.encode(packet);
    if (recovered) connection.send(frame);
    // A new session is stored before its client is told of it.
    else {
      unwelcomed.set(this, []);
      turn.after(() => this.#welcomed(connection, frame));
    }
  }

  #welcomed(connection: Connection, frame: Frame): void {
    if (this.isOver) return;
    const behind = unwelcomed.get(this) ?? [];
    unwelcomed.delete(this);
    if (this.connection === connection) this.#endsAt = undefined;
    connection.send(frame);
    for (const packet of behind) super.control(packet);
    this.schedule();
  }

  /** Nothing is said before WELCOME. */
  override control(packet: ControlPacket): void {
    const behind = unwelcomed.get(this);
    if (behind === undefined) {
      super.control(packet);
      return;
    }
    // One of a kind says what those before it have said.
    const before = behind.findIndex(({ type }) => type === packet.type);
    if (before >= 0) behind.splice(before, 1);
    behind.push(packet);
  }
}
