// How what is published reaches a session: directly while it is live, read from the logs while it catches up, one by one
// and counted while its client may know more logs than it can name. Longer than other files: these ways take turns, and a
// session is on one of them at any time.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  type Close,
  CloseCode,
  type ControlPacket,
  type DrainPacket,
  LocalUsageError,
  PacketType,
  packetLimits,
} from '@halyard/protocol';
import { type CompactList, listOf } from '../base/compact-list';
import type { Frames } from '../log/frames';
import { stampsPerMs } from '../log/stamp';
import type { Membership } from '../room/membership';
import { findsOut, type Room } from '../room/room';
import type { QueuedTurn } from '../store/queued-turn';
import type { Connection } from '../wire/connection';
import { CatchUp } from './catch-up';
import { LogBudget } from './log-budget';
import { Outgoing } from './outgoing';
import type { Presence } from './presence';
import type { Spans } from './spans';

const behind: Close = { code: CloseCode.SlowConsumer, reason: 'log-trimmed', by: 'server' };

/** More waits for the peer than this: what newer messages take the place of is kept back. */
const laggingBytes = 65_536;
const none = Number.POSITIVE_INFINITY;

/** A presence that the server has ended, and when: a stamp. */
export interface Left {
  readonly presence: Spans;
  readonly namespace: string;
  readonly stamp: number;
}

/** When a session came here from another server, as a stamp: few do. */
const since = new WeakMap<Reading, number>();

export abstract class Reading extends Outgoing {
  /** There while it is not up to date: until then nothing that is published is sent to it directly. */
  protected catchUp: CatchUp | undefined = undefined;
  /** One for each namespace. */
  protected presences: CompactList<Presence> = undefined;
  /** Presences the server ended whose last messages the client may not have read, and when that was, as stamps. */
  protected left: Left[] | undefined = undefined;
  /** Stamp up to which memberships were forgotten: a resume from before it would have a hole. */
  forgottenStamp = -1;
  #seenStamp = -1;
  /** There once a client may get to know more logs than it can name in HELLO. */
  #budget: LogBudget | undefined = undefined;

  protected abstract fail(error: unknown): void;

  /** Sends what was published last, unless it will be read from the log. */
  forward(frames: Frames): void {
    const frame = frames[this.codecIndex];
    if (frame === undefined || this.catchUp !== undefined || this.connection === undefined) return;
    if (this.isCounted && !this.spend()) return;
    this.connection.send(frame);
  }

  forwardLatest(frames: Frames): void {
    const { connection } = this;
    if (
      this.catchUp === undefined &&
      connection !== undefined &&
      connection.bufferedBytes > laggingBytes &&
      !this.isCutIfSlow
    ) {
      this.lag(connection, true);
    } else this.forward(frames);
  }

  /** Whether a namespace of it would rather lose who reads slowly than let them catch up: they are not held back either. */
  protected get isCutIfSlow(): boolean {
    return listOf(this.presences).some(({ slowReaders }) => slowReaders === 'cut');
  }

  forwardVolatile(frames: Frames): void {
    const frame = frames[this.codecIndex];
    if (frame === undefined) return;
    if (this.takesVolatile) this.connection?.send(frame);
    else this.context.counts.volatileDropped++;
  }

  /** Whether what may be dropped is not. */
  protected get takesVolatile(): boolean {
    return this.catchUp === undefined && this.connection?.slow === false && this.context.overload?.isShedding !== true;
  }

  publishToOthers(topic: string, frame: Uint8Array): boolean {
    return this.catchUp === undefined && this.connection?.publish(topic, frame) === true;
  }

  published(bytes: number, hasLatest: boolean): void {
    const { connection } = this;
    if (connection === undefined) return;
    // What is sent to it one by one has not been sent yet.
    const isFannedOut = connection.native && !this.isCounted && this.catchUp === undefined;
    if (hasLatest && isFannedOut && connection.bufferedBytes - bytes > laggingBytes && !this.isCutIfSlow) {
      this.lag(connection, false);
    } else connection.published(bytes);
  }

  isFirst(stamp: number): boolean {
    const first = stamp !== this.#seenStamp;
    this.#seenStamp = stamp;
    return first;
  }

  /** A presence has entered a room. */
  enter(presence: Presence, membership: Membership): void {
    const { connection } = this;
    if (presence.isLeaving) return;
    this.touch(presence.id);
    const isAdded = membership.heldSince !== none && this.catchUp === undefined && connection !== undefined;
    // It is among its readers already.
    if (isAdded) this.readAgain();
    if (!this.isCounted) {
      this.seeWhetherTight(() => this.spokenLogs());
      if (this.isCounted) this.count();
    }
    if (isAdded) return;
    if (this.catchUp !== undefined) this.catchUp.add(presence, membership, 0);
    else if (connection !== undefined) this.listen(connection, presence, membership.room);
  }

  /** A presence has left a room. */
  exit(presence: Presence, membership: Membership): void {
    // Then it has, or it never was; another presence of this session may be in the room by now.
    if (presence.isLeaving) return;
    const { room } = membership;
    room.looped?.delete(presence);
    if (this.isOver) return;
    this.touch(presence.id);
    this.connection?.unsubscribe(room.topic(this.codecIndex));
    this.#budget ??= new LogBudget();
    this.#budget.left();
    if (membership.heldSince === none || this.connection === undefined) return;
    // What was emitted before has not come yet, and comes before what is said from now on.
    const catchUp = this.catchUp ?? this.readAgain();
    if (!catchUp.hold(membership)) catchUp.add(presence, membership, membership.seen);
  }

  unheld(): void {
    if (!this.isOver) this.pump();
  }

  lost(spreadMs: number): void {
    const delayMs = spreadMs === 0 ? 0 : (this.context.platform.randomBytes(2).readUInt16BE() / 65_536) * spreadMs;
    this.end({ code: CloseCode.SessionEnded, reason: behind.reason, by: 'server' }, delayMs);
  }

  goesOn(membership: object): boolean {
    return this.catchUp === undefined || this.catchUp.goesOn(membership);
  }

  renewed(socket: string): void {
    this.touch(socket);
  }

  askHandled(): void {
    this.machine.ask(this.context.wheel.now());
    this.schedule();
  }

  forgot(stamp: number): void {
    this.forgottenStamp = Math.max(this.forgottenStamp, stamp);
    // Its record has to say so.
    this.touch();
    // What is still to be read may have been for it, or not, by what is forgotten here.
    if (this.catchUp !== undefined && stamp > this.catchUp.stamp) this.end(behind);
  }

  override control(packet: ControlPacket | DrainPacket): void {
    if (packet.type === PacketType.Ping) this.#budget?.pinged();
    super.control(packet);
  }

  override transmittedStamp(): number {
    return this.catchUp === undefined ? this.context.turn.stamps.last : this.catchUp.stamp;
  }

  protected override queued(): void {
    if (this.catchUp !== undefined) this.pump();
  }

  /** The client has answered a PING: what was held until then goes on. */
  protected onPong(): void {
    // With the next PING it may forget how far it has read: the record has to know.
    for (const { id } of listOf(this.presences)) this.touch(id);
    if (this.left !== undefined) this.touch('left');
    if (this.catchUp !== undefined) this.pump();
  }

  /** The client may ask for a PING of ours, to forget logs. */
  protected onPing(): void {
    if (this.#budget?.isUsed) this.askToForget();
  }

  /** @param positions what the client has read of the logs. @returns whether all that it has not is still there */
  protected reachesBack(positions: ReadonlyMap<string, number>): boolean {
    const { confirmedStamp } = this.machine;
    if (this.forgottenStamp > confirmedStamp) return false;
    for (const [presence, membership] of this.readers()) {
      const { epoch, read, to, newest, until, ends } = membership;
      const { log } = membership.room;
      // Where it has left it is not known, and will not be.
      if (to === none && until !== none && ends === undefined) return false;
      // It begins just now: nothing of it is missing.
      if (epoch === '' || log.id === '') continue;
      if (log.id !== epoch && presence.hasLeft(membership, this.unknownSince())) return false;
      const position = Math.max(read, positions.get(epoch) ?? 0);
      if (newest <= confirmedStamp || to <= position) continue;
      if (log.id !== epoch || position < log.base) return false;
      if (log.misses(presence, confirmedStamp, position, to)) return false;
    }
    return true;
  }

  /** Reads what the client has not read, and is not here, from the store. @param positions what it has read of the logs */
  protected async load(positions: ReadonlyMap<string, number>): Promise<void> {
    const { turn } = this.context;
    if (!turn.isShared) return;
    const loads: Promise<boolean>[] = [];
    for (const [, { room, epoch, read, to, begins }] of this.readers()) {
      if (begins !== undefined) continue;
      const position = Math.max(read, positions.get(epoch) ?? 0);
      if (to > position) loads.push((turn as QueuedTurn).load(room.log, position));
    }
    await Promise.all(loads);
  }

  /** Reads everything that the client has not. @param positions what it has read of the logs */
  protected readFrom(positions: ReadonlyMap<string, number>): void {
    const { confirmedStamp } = this.machine;
    const catchUp = this.newCatchUp(confirmedStamp);
    if (positions.size > 0) this.#budget ??= new LogBudget();
    this.#budget?.resumed(positions.size);
    for (const [presence, membership] of this.readers()) {
      const { epoch, room, newest, to } = membership;
      const position = positions.get(epoch) ?? 0;
      // A client forgets its position in a log that it has read to the end.
      const confirmed = room.log.id === epoch ? room.log.offsetOf(confirmedStamp) : newest <= confirmedStamp ? to : 0;
      catchUp.add(presence, membership, Math.max(position, confirmed));
    }
    // Of its rooms' logs the client knows those it names.
    this.seeWhetherTight(() => 0);
    this.catchUp = catchUp;
  }

  /** The connection is gone: nothing is sent to it. */
  protected stopReading(connection: Connection): void {
    this.catchUp = undefined;
    if (!connection.native || this.isCounted) {
      for (const [presence, { room }] of this.readers()) room.looped?.delete(presence);
    }
    this.#budget?.stop();
  }

  /** Sends on from the logs, as much as the connection takes. */
  protected pump(): void {
    const { connection, catchUp } = this;
    if (connection === undefined || catchUp === undefined) return;
    try {
      const budget = this.isCounted ? this.#budget : undefined;
      const done = catchUp.pump(connection, this.codecIndex, budget);
      this.context.counts.replaced += catchUp.replaced;
      catchUp.replaced = 0;
      if (budget?.isLow) this.askToForget();
      // Spent: the answer to a PING goes on with it.
      if (!done && !catchUp.isWaiting && !budget?.isSpent) connection.notifyDrain();
      if (!done || this.connection !== connection) return;
    } catch (error) {
      if (error instanceof LocalUsageError && error.code === 'ERR_LOG_TRIMMED') this.end(behind);
      else this.fail(error);
      return;
    }
    // Caught up, in the same turn: from here on what is published reaches it directly.
    this.catchUp = undefined;
    this.context.counts.caughtUp++;
    this.machine.open(this.context.wheel.now());
    for (const presence of listOf(this.presences)) {
      for (const { room } of presence.memberships()) this.listen(connection, presence, room);
    }
  }

  private listen(connection: Connection, presence: Presence, room: Room): void {
    if (connection.native && !this.isCounted) connection.subscribe(room.topic(this.codecIndex));
    else {
      room.looped ??= new Set();
      room.looped.add(presence);
    }
  }

  /** Whether messages of logs are counted, and sent one by one for that. */
  private get isCounted(): boolean {
    return this.#budget?.isCounting === true;
  }

  /** They are once its client may be sent messages of more logs than it can know. */
  private seeWhetherTight(spoken: () => number): void {
    let rooms = 0;
    for (const presence of listOf(this.presences)) rooms += 1 + presence.roomCount;
    if (rooms > packetLimits.helloPositionsMax / 2) this.#budget ??= new LogBudget();
    this.#budget?.look(rooms, spoken);
  }

  /** How many of its logs have had a message that it may have been sent. */
  private spokenLogs(): number {
    let count = 0;
    for (const [, { room, from }] of this.readers()) if (room.log.lastOffset > from) count++;
    return count;
  }

  /** From here on messages of logs are counted. */
  private count(): void {
    const { connection } = this;
    if (connection === undefined || this.catchUp !== undefined) return;
    for (const presence of listOf(this.presences)) {
      for (const { room } of presence.memberships()) {
        connection.unsubscribe(room.topic(this.codecIndex));
        this.listen(connection, presence, room);
      }
    }
  }

  /** With a PING a client may forget logs. */
  private askToForget(): void {
    this.machine.ask(this.context.wheel.now(), true);
    this.schedule();
  }

  /** @returns whether the client may know one more log. Else it is told to confirm, and the rest is read from the logs */
  private spend(): boolean {
    const budget = this.#budget as LogBudget;
    if (budget.isLow) this.askToForget();
    if (!budget.isSpent) {
      budget.sent();
      return true;
    }
    this.readAgain(true);
    return false;
  }

  /**
   * What is sent goes through the logs again, because some of it is not here yet, or has to wait.
   * @param isFull whether that which was published last has not been sent
   */
  private readAgain(isFull = false): CatchUp {
    this.machine.pause();
    const { stamps } = this.context.turn;
    const catchUp = this.newCatchUp(isFull ? stamps.last - 1 : stamps.last);
    this.catchUp = catchUp;
    for (const [presence, membership] of this.readers()) {
      const { room, to, seen, heldSince } = membership;
      const { log } = room;
      const isLast = isFull && log.newestStamp === stamps.last;
      if (to === Number.POSITIVE_INFINITY && membership.ends === undefined) {
        catchUp.add(presence, membership, isLast ? log.lastOffset - 1 : log.lastOffset);
        // Of those that it has left it has got all, unless that is not known.
      } else if (heldSince !== none) catchUp.add(presence, membership, seen);
    }
    return catchUp;
  }

  /**
   * What waits for the peer is enough: the rest is read from the logs when it takes more, where newer messages have taken the place of others.
   * @param isFull as of `readAgain`
   */
  private lag(connection: Connection, isFull: boolean): void {
    this.readAgain(isFull);
    for (const presence of listOf(this.presences)) {
      for (const { room } of presence.memberships()) connection.unsubscribe(room.topic(this.codecIndex));
    }
    connection.notifyDrain();
  }

  /** It comes from another server. */
  protected comesFromElsewhere(): void {
    since.set(this, this.context.turn.stamps.next());
  }

  /**
   * Since when it may have left rooms whose logs have lost something, and no server was left that tells it so: where it was before
   * may not have found that out. It cannot have been away for longer than a recovery window.
   * @returns a stamp; Infinity if it has been here all the time
   */
  private unknownSince(): number {
    const came = since.get(this) ?? Number.POSITIVE_INFINITY;
    return came - this.context.settings.recoveryWindowMs * stampsPerMs - findsOut;
  }

  private newCatchUp(stamp: number): CatchUp {
    return new CatchUp(this.machine, this.context.turn.stamps, stamp, since.get(this) ?? 0);
  }

  private *readers(): Generator<[Spans, Membership]> {
    for (const presence of listOf(this.presences)) {
      for (const membership of presence.memberships()) yield [presence, membership];
      for (const membership of presence.pastMemberships()) yield [presence, membership];
    }
    for (const { presence } of this.left ?? []) {
      for (const membership of presence.pastMemberships()) yield [presence, membership];
    }
  }
}
