// A session among servers that share a store: whose it is, what is stored of it, what other servers send to it, and what they finish
// for each other when it moves. Longer than other files: each of these ends in a write of its record.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  type Close,
  CloseCode,
  checkEventName,
  type DeliveredPacket,
  type Failure,
  type Frame,
  failureOf,
  LocalUsageError,
  type Owed,
  openMsMax,
  PublicError,
  type Value,
} from '@halyard/protocol';
import { compactOf, listOf } from '../base/compact-list';
import type { QueuedTurn } from '../store/queued-turn';
import type { StoredLetter } from '../store/store';
import type { Recorded, Recording } from '../store/turn';
import {
  Borrowed,
  decodeReply,
  encodeFailure,
  encodeReply,
  HandedOver,
  type OpenElsewhere,
  type Reply,
} from './handover';
import { decodeLetter, encodeEnd, encodeLoss } from './letter';
import { Mailbox, type MailRecord, noMail } from './mailbox';
import { Moving } from './moving';
import { dismissal, type Presence } from './presence';
import { encodeValue, keptMsOf } from './record';
import { type Change, type Written, writeRecord } from './record-writer';
import { type Come, isStored, Said, type Unsaid } from './said';

/** How a session came to this node, if there can be others. */
interface Move {
  /** What the store knows this node's claim by. */
  readonly nonce: string;
  /** Generation of the last connection that this node has had. */
  last: number | undefined;
  readonly mailbox: Mailbox;
  readonly said: Said;
  /** Numbers of events whose handlers are running, each with the acknowledgement that it asks for. */
  readonly begun: Map<number, number | undefined>;
}

// Fields of their own would cost every session of a server alone.
const moves = new WeakMap<Recorded, Move>();
/** Up to this number the client has sent packets elsewhere, or may have: what was not settled may have been handled there. */
const doubtful = new WeakMap<Recorded, number>();
/** What was not known to be stored of sessions as they ended here, or were let go. */
const unsaid = new WeakMap<Recorded, readonly Unsaid[]>();
/** Sessions that the app has ended. */
const dismissed = new WeakSet<Recorded>();
/** Sessions that another server has, or goes on with. */
const elsewhere = new WeakSet<Recorded>();
/** What is still to be done here for sessions that were let go, … */
const handedOver = new WeakMap<Recorded, HandedOver>();
/** … and elsewhere for sessions that are here. */
const borrowed = new WeakMap<Recorded, Borrowed>();
/** What servers before this one owe, of events that count as settled because they are open for so long. */
const owedElsewhere = new WeakMap<Recorded, readonly Owed[]>();
/** Those of which the store has lost something, each with the first write of all of it since: once that is stored nothing is missing. */
const unsure = new WeakMap<Recorded, Come | undefined>();

export abstract class Roaming extends Moving implements Recorded {
  // Whose it is.

  /** It is this node's, and no other's. @param mail which letters are taken */
  claimed(nonce: string, mail = noMail): void {
    const mailbox = new Mailbox(mail, {
      letters: (after) => this.queue.letters(this.id, after),
      take: (letter) => this.takeLetter(letter),
      lost: () => this.lost(0),
      report: this.context.report,
    });
    moves.set(this, { nonce, last: undefined, mailbox, said: new Said(), begun: new Map() });
  }

  /** What others had sent to it as it came here is before all that is sent from here, and so is what this server had. */
  protected mailFound(letters: readonly StoredLetter[], own: readonly StoredLetter[]): void {
    const { mailbox } = moves.get(this) ?? {};
    mailbox?.begin(letters);
    mailbox?.takeAhead(own);
  }

  /** Another node has it: what it would do here from now on is done there, and what the app has said to it, and is not stored, is sent on. */
  fenced(generation: number, last: Come | undefined): void {
    this.connection?.discard();
    // Who goes on with what is stored does not know what is missing there.
    if (unsure.has(this)) this.queue.tell(this.id, encodeLoss(this.context.recordCodec));
    else this.sendOn(last);
    // Its client has come back there, or else it is to look for it.
    const code = generation > this.generation ? CloseCode.Evicted : CloseCode.ServiceRestart;
    elsewhere.add(this);
    this.end({ code, reason: 'another server has the session', by: 'server' });
  }

  /** Its app does not know yet that it is elsewhere: what that has said goes where all goes that it says from now on. @param last what is stored */
  private sendOn(last: Come | undefined): void {
    for (const one of unsaid.get(this) ?? this.unstored()) if (!isStored(one, last)) this.queue.tell(this.id, one.body);
  }

  /** @returns what the app has said of it and to it that is not known to be stored, as letters, in its order */
  private unstored(): readonly Unsaid[] {
    const { recordCodec } = this.context;
    const spoken = {
      sent: this.movable.sent,
      frames: this.movable.framesAfter(this.movable.storedSent),
      decode: (frame: Frame) => this.codec.decode(frame),
      socketIn: (namespace: string) => this.socketIn(namespace),
    };
    const all = moves.get(this)?.said.unstored(spoken, recordCodec) ?? [];
    if (dismissed.has(this)) all.push({ sent: undefined, count: Infinity, body: encodeEnd(recordCodec) });
    return all;
  }

  /** @returns id of the socket in a namespace, or of the one that was in it last and that the client may not know to be out */
  private socketIn(namespace: string): string | undefined {
    const out = this.left?.filter((one) => one.namespace === namespace).at(-1)?.presence;
    return (listOf(this.presences).find((presence) => presence.namespace === namespace) ?? out)?.id;
  }

  /** Whether what the app says may be of events that are handled again elsewhere, if another server has it. */
  private get isOfEvents(): boolean {
    // What takes too long is settled all the same, and not handled again.
    return this.movable.isBehind || (this.movable.isOpen && (moves.get(this)?.begun.size ?? 0) > 0);
  }

  override take(frame: Frame, stamp: number): void {
    const move = moves.get(this);
    const isOfEvents = move !== undefined && !this.isOver && this.isOfEvents;
    super.take(frame, stamp);
    if (isOfEvents) move.said.comesAgain(this.movable.sent);
  }

  override dismiss(close: Close): void {
    if (this.context.turn.isShared && !this.isOfEvents) dismissed.add(this);
    super.dismiss(close);
  }

  /** It ends here: another server may have it without this one knowing. */
  protected ending(): void {
    if (this.context.turn.isShared && !elsewhere.has(this)) unsaid.set(this, this.unstored());
  }

  placed({ id, namespace }: Presence, isIn: boolean, rooms: readonly string[]): void {
    moves.get(this)?.said.place(id, namespace, isIn, rooms, this.isOfEvents ? undefined : this.movable.sent);
  }

  /**
   * It goes on at another server, or may: here it is over, and nobody is told that it is.
   * @param node that has asked for it, if one has
   * @returns which events are finished where
   */
  letGo(close: Close, node?: string): OpenElsewhere[] {
    const mine = moves.get(this)?.begun ?? new Map<number, number | undefined>();
    if (node !== undefined) handedOver.set(this, new HandedOver(node, mine));
    const open: OpenElsewhere[] = [[this.context.node, [...mine.keys()]], ...(borrowed.get(this)?.open() ?? [])];
    this.context.turn.forget(this);
    if (this.context.turn.isShared) {
      elsewhere.add(this);
      // Who has asked may not have waited, and what is being stored is too late then.
      unsaid.set(this, this.unstored());
    }
    this.end(close);
    return open;
  }

  async save(data: unknown, timeoutMs: number | undefined): Promise<void> {
    if (!this.context.turn.isShared) return;
    // What cannot be encoded is not in the record.
    encodeValue(data as Value, this.context.recordCodec);
    const stored = this.queue.stored(timeoutMs, 'Save it again');
    const [isOurs] = await Promise.all([this.isOver ? false : this.confirmed(), stored]);
    if (!isOurs) throw new LocalUsageError('ERR_SESSION_ENDED', 'the session is over, or another server has it');
  }

  confirmed(): Promise<boolean> {
    return this.queue.confirm(this);
  }

  whenOver(tell: (hasMoved: boolean) => void): void {
    if (this.isElsewhere || !this.context.turn.isShared) tell(this.isElsewhere);
    else this.confirmed().then((isOurs) => tell(!isOurs));
  }

  /** Whether another server has it, or goes on with it. */
  protected get isElsewhere(): boolean {
    return elsewhere.has(this);
  }

  /**
   * Its client comes over another connection.
   * @param left up to this number it has sent packets over others
   */
  protected arrives(generation: number, left: number): void {
    const move = moves.get(this);
    // The connections since the last one here were other nodes', or nobody's.
    if (move !== undefined && move.last !== generation - 1) this.doubts(left);
  }

  /** What its client has sent up to this number, and was not settled here, may have been handled elsewhere. */
  protected doubts(left: number): void {
    if (left > (doubtful.get(this) ?? 0)) doubtful.set(this, left);
  }

  /** It has a connection of this generation. */
  protected hasArrived(generation: number): void {
    const move = moves.get(this);
    if (move !== undefined) move.last = generation;
  }

  /** Whether the last counted packet of its client is one of those. */
  protected get isDoubtful(): boolean {
    return this.machine.received <= (doubtful.get(this) ?? 0);
  }

  isRedelivered(number: number): boolean {
    return number !== 0 && number <= (doubtful.get(this) ?? 0);
  }

  // What is stored of it.

  write(changed: ReadonlySet<Change>, before: Written | undefined): Recording {
    const { recordCodec, settings } = this.context;
    const record = this.isOver ? undefined : writeRecord(this, changed, before, recordCodec);
    const { nonce = '', mailbox, said } = moves.get(this) ?? {};
    const snapshot = { machine: this.movable.snapshot(), places: said?.places ?? 0 };
    if (before === undefined && unsure.has(this)) unsure.set(this, snapshot);
    return {
      write: {
        session: this.id,
        nonce,
        generation: this.generation,
        mail: mailbox?.position ?? noMail,
        parts: record?.parts,
        isWhole: before === undefined,
        keptMs: keptMsOf(settings),
      },
      tops: record?.tops ?? new Map(),
      written: record?.written,
      snapshot,
    };
  }

  stored(snapshot: Come): void {
    if (unsure.get(this) === snapshot) unsure.delete(this);
    if (this.isOver) return;
    moves.get(this)?.said.stored(snapshot);
    this.movable.stored(snapshot.machine, this.context.wheel.lately());
    this.queued();
    this.schedule();
  }

  rolledBack(): void {
    if (this.isOver) return;
    moves.get(this)?.mailbox.rolledBack();
    unsure.set(this, undefined);
    this.queue.rewrite(this);
  }

  failed(error: unknown): void {
    this.fail(error);
  }

  protected override touch(what?: Change): void {
    this.context.turn.touch(this, what);
  }

  /** With a store that others share. */
  protected get queue(): QueuedTurn {
    return this.context.turn as QueuedTurn;
  }

  // What other servers send to it.

  /** Another node has sent it something. */
  post(letter: StoredLetter): void {
    if (!this.isOver) moves.get(this)?.mailbox.arrived(letter);
  }

  mailed(): void {
    if (!this.isOver) moves.get(this)?.mailbox.mailed();
  }

  protected get mailRecord(): MailRecord {
    return moves.get(this)?.mailbox.record() ?? noMail;
  }

  private takeLetter({ stamp, body }: StoredLetter): void {
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
      if (letter === 'end') {
        this.dismiss(dismissal);
        return;
      }
      const { socket, namespace } = letter;
      const presence = listOf(this.presences).find(({ id }) => id === socket);
      if ('isIn' in letter) {
        presence?.place(letter.isIn, letter.rooms);
        return;
      }
      if ('isOut' in letter) {
        if (presence === undefined) return;
        this.disconnect(presence, dismissal);
        moves.get(this)?.said.comesAgain(this.movable.sent);
        return;
      }
      const { event, args, rooms, except } = letter;
      checkEventName(event);
      // Where it is in one of these rooms it gets it by the room.
      const isMeant =
        presence?.namespace === namespace && !presence.wasExcepted(compactOf([...rooms, ...except]), stamp, stamp);
      if (!isMeant) return;
      this.sendEvent(namespace, event, args);
      moves.get(this)?.said.comesAgain(this.movable.sent);
    } catch (error) {
      report(error, 'a letter of another server');
    }
  }

  // What is finished where it was begun.

  /** What servers before this one owe. MUST be followed by `borrows`. */
  protected owes(owed: readonly Owed[]): void {
    if (owed.length > 0) owedElsewhere.set(this, owed);
    else owedElsewhere.delete(this);
  }

  /** All that is owed: by servers before this one besides. */
  protected owedWith(own: readonly Owed[]): readonly Owed[] {
    const before = owedElsewhere.get(this);
    return before === undefined ? own : [...before, ...own];
  }

  /** Servers before this one finish some of its events. */
  borrows(open: readonly OpenElsewhere[]): void {
    borrowed.set(this, new Borrowed(open));
    this.answerLost();
  }

  /** Whether servers before this one are still to finish some. */
  protected get isBorrowing(): boolean {
    return borrowed.get(this)?.isOver === false;
  }

  /** One of them has: whether the client has said it again here or not, it is over, and in the record. */
  finished(number: number, replies: readonly Reply[]): void {
    if (!borrowed.get(this)?.finished(number)) return;
    for (const reply of replies) {
      const { ack, value, failure } = decodeReply(reply, this.context.recordCodec);
      if (failure === undefined) this.answer(ack, value);
      else this.sendError(ack, failure);
    }
    this.owes(this.owedWith([]).filter(([its]) => its !== number));
    this.settle(number);
  }

  /** A server is gone: what it was to finish is handled here. */
  nodeLeft(node: string): void {
    try {
      for (const delivery of borrowed.get(this)?.left(node) ?? []) if (!this.isOver) this.deliver(...delivery);
      if (!this.isOver) this.answerLost();
    } catch (error) {
      this.fail(error);
    }
  }

  override deliver(packet: DeliveredPacket, number: number, size: number): void {
    const isHere = number <= 0 || (borrowed.get(this)?.take([packet, number, size]) ?? true);
    if (isHere) super.deliver(packet, number, size);
  }

  began(number: number, ack: number | undefined): void {
    const move = moves.get(this);
    if (move === undefined) return;
    move.begun.set(number, ack);
    this.movable.begin(number, this.context.wheel.lately());
  }

  hasBegun(number: number): boolean {
    return moves.get(this)?.begun.has(number) === true || borrowed.get(this)?.has(number) === true;
  }

  waitsLong(): void {
    this.context.warn(
      'ERR_WAITS_LONG',
      `An event waits for middleware for more than ${openMsMax / 1_000} s: so does what comes behind it, and once the window is full ` +
        'all that its client says. Let middleware throw after a time of its own.',
    );
  }

  overdue(): void {
    this.touch();
  }

  settle(number: number): void {
    if (number <= 0) return;
    moves.get(this)?.begun.delete(number);
    const its = handedOver.get(this);
    const replies = its?.settle(number);
    if (its !== undefined && replies !== undefined) this.context.finished(its.node, this.id, number, replies);
    if (this.isOver) return;
    this.touch();
    this.movable.settle(number, this.context.wheel.lately());
    this.schedule();
  }

  override sendAck(ack: number, value: Value | undefined): void {
    const its = this.isOver ? handedOver.get(this) : undefined;
    if (its === undefined) {
      super.sendAck(ack, value);
      this.answered(ack);
    } else its.reply(encodeReply(ack, value, this.context.recordCodec));
  }

  override sendError(ack: number, failure: Failure): void {
    const its = this.isOver ? handedOver.get(this) : undefined;
    if (its === undefined) {
      super.sendError(ack, failure);
      this.answered(ack);
    } else its.reply(encodeFailure(ack, failure, this.context.recordCodec));
  }

  private answered(ack: number): void {
    if (moves.has(this)) this.movable.answered(ack);
  }

  /** What the server before could say with its codec may be too large for the one of the client. */
  private answer(ack: number, value: Value | undefined): void {
    try {
      this.sendAck(ack, value);
    } catch (error) {
      this.context.report(error, 'an answer of another server');
      this.sendError(ack, failureOf(error, 'ERR_HANDLER', 'The handler failed.'));
    }
  }

  /** What nobody finishes any more was owed by a server that is gone. */
  private answerLost(): void {
    const owed = this.owedWith([]);
    if (owed.length === 0) return;
    const isStillOpen = (number: number): boolean => borrowed.get(this)?.has(number) === true;
    this.owes(owed.filter(([number]) => isStillOpen(number)));
    for (const [number, ack] of owed) {
      if (isStillOpen(number)) continue;
      this.sendError(ack, new PublicError('ERR_OWNER_LOST', 'The server that was to answer is gone.'));
    }
  }
}
