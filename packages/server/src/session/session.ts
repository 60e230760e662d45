// A client across its connections, as the server has it: who it is, and the connection it has now, if any. Longer
// than other files: all ways to get, to lose and to resume a connection end in the same few fields.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  afterClose,
  type Close,
  CloseCode,
  type ControlPacket,
  closeWords,
  type DeliveredPacket,
  type DrainPacket,
  type Frame,
  type HelloPacket,
  LocalUsageError,
  type NamespaceRequest,
  PacketType,
  packetLimits,
  type RateLimits,
  RemoteProtocolError,
  type ResumeCounts,
  type ResumeRequest,
  type StreamState,
} from '@halyard/protocol';
import { listOf } from '../base/compact-list';
import { debugOf } from '../base/debug';
import { type Facts, factsOf, type Happening } from '../base/happenings';
import { warnOfClose } from '../base/warnings';
import { TimedCall } from '../base/wheel';
import type { StoredLetter } from '../store/store';
import type { Recorded } from '../store/turn';
import { type Connection, nobody, type Receiver } from '../wire/connection';
import type { SessionContext } from './context';
import { isSame, type Key } from './key';
import type { Delivery } from './leavings';
import type { Presence } from './presence';
import { type CountsRecord, hashOf, type IdentityRecord, noHash, type SessionRecord } from './record';
import { Roaming } from './roaming';

/** How far a client has got. */
type ResumePoint = Pick<ResumeRequest, 'received' | 'confirmed' | 'positions' | 'settled'>;

const never = Number.POSITIVE_INFINITY;
/** In place of the number of a packet that nobody settles, and that may have been handled before. */
const again = -1;

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

const debug = debugOf('halyard:server:session');

const tooLong: Close = { code: CloseCode.SessionEnded, reason: 'away longer than recoveryWindowMs', by: 'server' };
const unstored: Close = { code: CloseCode.TryAgainLater, reason: 'the store does not answer', by: 'server' };

/** Those whose client was not told of them yet, because they are not stored, and what is to be said behind WELCOME. */
const unwelcomed = new WeakMap<Recorded, (ControlPacket | DrainPacket)[]>();
/** What waits for the store to keep up. */
const waits = new WeakMap<Recorded, Delivery[]>();

export class Session extends Roaming implements Receiver {
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

  // For who looks at it.

  /** Name and version of the client's software, as it says. */
  get software(): string {
    return this.client;
  }

  /** Its sockets. */
  get attended(): readonly Presence[] {
    return listOf(this.presences);
  }

  // Its record.

  /**
   * Goes on with what it was on another server.
   * @param letters that are stored for it @param own what this server has sent to it that may not be stored yet
   */
  restore(record: SessionRecord, letters: readonly StoredLetter[], own: readonly StoredLetter[]): void {
    debug?.(`session ${this.id} has come from another server`);
    this.tell('session arrived', {});
    const { refusal, forgotten, owed } = record.counts;
    this.refusal = refusal;
    if (forgotten) this.forgottenStamp = 0;
    // What it says goes on behind what it has said.
    for (const [, stamp] of record.frames) this.context.turn.stamps.observe(stamp);
    this.comesFromElsewhere();
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    this.attendAgain(record, () => this.mailFound(letters, own));
    this.owes(owed);
    // The claim keeps its record for as long as it waits here for its client.
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
    // Written with every change, so one object by its fields: a spread makes a slow one, of more than a kilobyte.
    const { received, settled, owed, sent, confirmed, asked } = this.movable.counts();
    const generation = this.#generation;
    const { refusal, mailRecord: mail } = this;
    const forgotten = this.forgottenStamp > this.confirmedStamp;
    return {
      received,
      settled,
      owed: this.owedWith(owed),
      sent,
      confirmed,
      asked,
      generation,
      refusal,
      mail,
      forgotten,
    };
  }

  override deliver(packet: DeliveredPacket, number: number, size: number): void {
    const { turn } = this.context;
    const waiting = waits.get(this);
    if (number === 0 || (waiting === undefined && !turn.isHigh)) {
      const isAgain = number === 0 && packet.type !== PacketType.Volatile && this.isDoubtful;
      super.deliver(packet, isAgain ? again : number, size);
      return;
    }
    // The store does not keep up: it waits, and by the window its client does.
    this.movable.putOff(number);
    if (waiting !== undefined) waiting.push([packet, number, size]);
    else {
      waits.set(this, [[packet, number, size]]);
      turn.whenLow(() => this.goOnDelivering());
    }
  }

  private goOnDelivering(): void {
    const waiting = waits.get(this) ?? [];
    waits.delete(this);
    try {
      for (const delivery of waiting) {
        if (this.isOver) return;
        this.movable.begin(delivery[1], this.context.wheel.now());
        this.deliver(...delivery);
      }
      this.schedule();
    } catch (error) {
      this.fail(error);
    }
  }

  settled(): void {
    try {
      this.goOn();
    } catch (error) {
      this.fail(error);
    }
  }

  // Connections.

  /**
   * Takes its first connection.
   * @param refusal why it is not the session that HELLO asked for; empty if it asked for none, or for one that nobody has heard of:
   * then it is taken for that one, and what has left before is handled as what another server may have handled
   */
  start(connection: Connection, hello: HelloPacket, refusal: string): void {
    debug?.(
      `session ${this.id} begins over ${connection.transport}, ${this.codec.name}${refusal && `: resume refused, ${refusal}`}`,
    );
    const { left } = hello;
    const isRepeated = refusal === '' && left > 0;
    if (isRepeated) this.doubts(left);
    this.attach(connection, { received: 0, confirmed: 0 });
    this.tell('session begun', { transport: connection.transport, connection: connection.number });
    this.#endsAt = this.context.wheel.now() + this.context.helloTimeoutMs;
    this.refusal = refusal;
    const frame = this.welcomeFrame(isRepeated, refusal);
    // It is stored before its client is told of it.
    unwelcomed.set(this, []);
    this.context.turn.after(() => this.welcomed(connection, frame));
    this.machine.open(this.context.wheel.now());
    for (const { namespace, auth } of distinct(hello)) this.ask(namespace, auth);
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

  /** Whether somebody is asked before it is resumed. */
  get isChecked(): boolean {
    return listOf(this.presences).some(({ isChecked }) => isChecked);
  }

  /** Asks the app whether it may come back. @returns once that is known; if it may not the session is over. Never rejects */
  async checkResume(): Promise<Close | undefined> {
    const asked = listOf(this.presences).filter(({ isChecked }) => isChecked);
    for (const failure of await Promise.all(asked.map((presence) => presence.checkResume()))) {
      if (failure === undefined) continue;
      const reason = `${failure.code}: ${failure.message}`;
      const close: Close = { code: CloseCode.Unauthorized, reason, by: 'server' };
      this.end(close);
      return close;
    }
    return undefined;
  }

  /** Goes on over another connection; one that is still there is closed. */
  resume(
    connection: Connection,
    request: ResumePoint,
    { generation, left }: Pick<HelloPacket, 'generation' | 'left'>,
  ): void {
    debug?.(
      `session ${this.id} is resumed over ${connection.transport}, connection ${generation}: the client has handled ` +
        `${request.received} of ${this.machine.sent}, the server ${this.machine.received}`,
    );
    this.#generation = Math.max(this.#generation, generation);
    this.refusal = '';
    unwelcomed.delete(this);
    const evicted: Close = { code: CloseCode.Evicted, reason: 'another connection resumed the session', by: 'server' };
    this.detach()?.close(evicted);
    this.arrives(generation, left);
    this.attach(connection, { ...request, left });
    this.tell('session resumed', { transport: connection.transport, connection: connection.number });
    connection.send(this.welcomeFrame(true, ''));
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
    for (const { namespace, auth } of distinct(hello)) {
      if (!listed.includes(namespace)) this.ask(namespace, auth);
    }
  }

  /** The client names the session by its id: it was told of it. */
  named(): void {
    if (this.#untold !== undefined) this.told(this.#untold);
  }

  /**
   * Its server is about to stop, and others go on with it: its client is told to leave by itself.
   * @param afterMs in so many milliseconds. @param url origin of another server; empty: any that it comes to
   */
  sayDrain(afterMs: number, url: string): void {
    if (!this.isAway) this.control({ type: PacketType.Drain, afterMs, url });
  }

  /** Its client has no connection here, or is told that it has none any more. */
  get isAway(): boolean {
    return this.connection === undefined;
  }

  /** Its server is about to stop, and its client has not left: it is to come to another one. */
  goElsewhere(): void {
    this.comeAgain({ code: CloseCode.ServiceRestart, reason: 'the server is about to stop', by: 'server' });
  }

  /** Its server has more to do than it can: its client is to come again later. */
  comeAgain(close: Close): void {
    this.machine.tellHandled();
    this.connection?.close(close);
    this.away(close);
  }

  /** Whether its client has everything that was said to it, or is not there; and no other server is still to say what it has finished. */
  get isAtRest(): boolean {
    return (this.isAway || this.machine.confirmed === this.machine.sent) && !this.isBorrowing;
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
        this.machine.takeLate(this.context.wheel.lately());
        this.lastWords();
      } catch (error) {
        this.fail(error);
      }
      this.detach();
      this.end(close);
      return;
    }
    // A client may give any reason.
    if (close.by === 'server' && close.reason === 'backpressureBytesMax') {
      this.context.counts.cut++;
      if (this.isCutIfSlow) {
        this.detach();
        this.end({ code: CloseCode.SlowConsumer, reason: close.reason, by: 'server' });
        return;
      }
    }
    this.away(close);
  }

  paced(limit: keyof RateLimits, isDropped: boolean): void {
    const { warn, serverLimits, meters } = this.context;
    if (isDropped) meters.volatileRefused++;
    const what = limit === 'packetsPerSecondMax' ? 'packets' : 'bytes';
    const message =
      `A session sends more than ${serverLimits[limit]} ${what} in a second (${limit}): what is beyond waits, at its client ` +
      'once the window is full, and volatile events are dropped.';
    warn(limit, message);
  }

  override silent(): void {
    const close: Close = { code: CloseCode.HeartbeatTimeout, reason: 'no answer to PING', by: 'server' };
    this.connection?.close(close);
    this.away(close);
  }

  /** Over for good: every presence gets its `disconnect`, every acknowledgement waited for settles. */
  override end(close: Close, delayMs = 0): void {
    if (this.isOver) return;
    this.ending();
    debug?.(`session ${this.id} ${this.isElsewhere ? 'goes on elsewhere' : 'is over'}: ${closeWords(close)}`);
    this.tell(this.isElsewhere ? 'session moved' : 'session ended', factsOf(close));
    warnOfClose(close, this.context.warn);
    // What its client is not told of may have been lost, as far as that knows. Who breaks the protocol is told that, and nothing else.
    if (close.by === 'server' && close.code !== CloseCode.BadPacket) this.machine.tellHandled();
    const connection = this.detach();
    const what = this.isElsewhere
      ? 'another server has the session now, and a reply would go there'
      : 'the session is over';
    this.machine.end(new LocalUsageError('ERR_SESSION_ENDED', `${what}: ${close.reason || close.code}`));
    this.context.wheel.cancel(this);
    this.unwatchAuth();
    if (this.#untold !== undefined) this.told(this.#untold);
    this.context.ended(this);
    this.touch();
    if (delayMs === 0) connection?.close(close);
    else this.context.wheel.schedule(new TimedCall(() => connection?.close(close)), this.context.wheel.now() + delayMs);
    const presences = listOf(this.presences);
    this.presences = undefined;
    if (close.by === 'client' && close.code === CloseCode.Normal) this.departAll(presences, close);
    else this.dropAll(presences, close, this.isElsewhere);
    this.schedule();
  }

  override due(now: number): void {
    if (now >= this.departsAt) this.departNow();
    if (this.isOver) {
      this.schedule();
      return;
    }
    if (this.#endsAt !== undefined && now >= this.#endsAt) {
      if (unwelcomed.has(this)) this.end(unstored);
      else if (this.context.turn.isShared) this.endLater();
      else this.end(tooLong);
      return;
    }
    try {
      this.machine.tick(now);
    } catch (error) {
      // Of what has waited.
      this.fail(error);
    }
    this.schedule();
  }

  /** If the store is away, nobody could come back: the time counts from when it is there again. */
  private endLater(): void {
    this.#endsAt = never;
    this.queue.confirm(this).then(() => {
      // Its client may have come, and gone again.
      if (this.isOver || this.#endsAt !== never) return;
      this.#endsAt = this.queue.backAt + this.context.settings.recoveryWindowMs;
      if (this.context.wheel.now() >= this.#endsAt) this.end(tooLong);
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

  private tell(happening: Happening, facts: Facts): void {
    this.context.tell(happening, { session: this.id, ...facts });
  }

  private told({ token }: Untold): void {
    this.context.told(token, this.#generation);
    this.#untold = undefined;
    this.touch('identity');
  }

  private attach(connection: Connection, peer: ResumeCounts): void {
    this.machine.hold(peer, this.context.wheel.now());
    this.#endsAt = undefined;
    this.context.away.delete(this);
    this.connection = connection;
    connection.receiver = this;
    this.hasArrived(this.#generation);
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
    const connection = this.detach();
    if (connection === undefined || this.isOver) return;
    this.context.away.add(this, connection.peer);
    debug?.(`session ${this.id} is away: ${closeWords(close)}`);
    this.tell('session away', factsOf(close));
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    this.touch();
    this.schedule();
    for (const presence of listOf(this.presences)) presence.wentAway(close);
  }

  private welcomeFrame(recovered: boolean, reason: string): Frame {
    const { received, settledAbove: settled } = this.machine;
    const { settings } = this.context;
    const { id: session, secret } = this;
    const type = PacketType.Welcome;
    return this.codec.encode({ type, session, secret, settings, received, recovered, reason, settled });
  }

  private welcomed(connection: Connection, frame: Frame): void {
    if (this.isOver) return;
    const behind = unwelcomed.get(this) ?? [];
    unwelcomed.delete(this);
    if (this.connection === connection) this.#endsAt = undefined;
    connection.send(frame);
    for (const packet of behind) super.control(packet);
    this.schedule();
  }

  /** Nothing is said before WELCOME. */
  override control(packet: ControlPacket | DrainPacket): void {
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

/** @returns the namespaces that a HELLO lists: a name that comes twice counts once, with what was presented first */
function distinct({ namespaces }: HelloPacket): readonly NamespaceRequest[] {
  if (namespaces.length < 2) return namespaces;
  const first = new Map<string, NamespaceRequest>();
  for (const request of namespaces) if (!first.has(request.namespace)) first.set(request.namespace, request);
  return [...first.values()];
}
