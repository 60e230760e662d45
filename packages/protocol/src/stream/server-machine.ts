// A server's session machine (docs/PROTOCOL.md §5.4): it is resumed over one connection after another, its outbox waits while
// logs are read, and it knows up to which stamp its client has handled everything.
import { type HalyardError, LocalUsageError, RemoteProtocolError } from '../wire/errors';
import type { SessionSettings } from '../wire/limits';
import type {
  CountedPacket,
  DrainPacket,
  HelloPacket,
  HintPacket,
  NumberRanges,
  ResumeRequest,
  SessionPacket,
} from '../wire/packet';
import { PacketType } from '../wire/packet';
import { PendingAcks, type Settle } from './acks';
import type { SessionState } from './machine';
import { Outbox } from './outbox';
import { PacedMachine, type PacedSink, type ServerLimits } from './paced-machine';

/** How far the client has got, as HELLO tells. */
export type ResumeCounts = Pick<ResumeRequest, 'received' | 'confirmed' | 'settled'> &
  Partial<Pick<HelloPacket, 'left'>>;

export interface ServerSink<F> extends PacedSink<F> {
  /** The stamp up to which everything, in or out of the outbox, was put on this connection or handled before it. */
  transmittedStamp(): number;
  /** Of a machine whose owner settles: more is settled of what came first. */
  settled?(): void;
  /** Of such a machine: whether the owner has begun with a packet. Without it, it begins as they come. */
  hasBegun?(number: number): boolean;
  /** Of such a machine: the owner has not begun with a packet for `openMsMax`, or for as long again. */
  waitsLong?(number: number): void;
  /** Of such a machine: more counts as settled that its owner is not done with. */
  overdue?(): void;
}

/** Which state may follow which. */
const next: Record<SessionState, readonly SessionState[]> = {
  away: ['catching-up', 'live', 'ended'],
  'catching-up': ['catching-up', 'live', 'away', 'ended'],
  live: ['catching-up', 'away', 'ended'],
  ended: ['ended'],
};

export class ServerMachine<F extends { readonly length: number }> extends PacedMachine<F, Outbox<F>> {
  declare protected readonly sink: ServerSink<F>;
  /** Everything that was transmitted with a stamp up to this one is known to be handled by the client. */
  confirmedStamp = -1;
  /** Number of the last acknowledgement that the client has asked for here. */
  #askedFor = 0;
  /** When the client is asked what it has handled, however much it says. */
  #askAt = 0;
  /** What had been transmitted before the newest PING: all of it is handled once every PING is answered. */
  #pingStamp = -1;

  constructor(sink: ServerSink<F>, settings: SessionSettings, limits: ServerLimits, probeSlackMs = 0) {
    super(sink, settings, limits, new Outbox(limits.budget), probeSlackMs);
  }

  /** What is handled is told now: nothing will tell it later. */
  tellHandled(): void {
    this.tellIfDue(1);
  }

  override end(error: HalyardError): void {
    this.outbox.giveUp();
    super.end(error);
  }

  /** @throws RemoteProtocolError `ERR_ACK_ORDER` if the number of an acknowledgement is not above those before */
  protected override handle(packet: CountedPacket, number: number, size: number): void {
    if ((packet.type === PacketType.Event || packet.type === PacketType.Renew) && packet.ack !== undefined) {
      if (packet.ack <= this.#askedFor)
        throw new RemoteProtocolError(
          'ERR_ACK_ORDER',
          `acknowledgement ${packet.ack} after ${this.#askedFor}: they grow`,
        );
      this.#askedFor = packet.ack;
    }
    super.handle(packet, number, size);
  }

  override get deadline(): number {
    return this.isAttached ? Math.min(super.deadline, this.#askAt) : super.deadline;
  }

  /** The client has confirmed all frames up to this number. */
  get confirmed(): number {
    return this.outbox.confirmed;
  }

  /** Frames that are not confirmed. */
  get unconfirmed(): number {
    return this.outbox.unconfirmed;
  }

  /** Their sum in bytes; of text, its characters. */
  get unconfirmedBytes(): number {
    return this.outbox.bytes;
  }

  /** How many frames were sent in all. */
  get sent(): number {
    return this.outbox.sent;
  }

  /** @throws LocalUsageError `ERR_SESSION_ENDED`, `ERR_OUTBOX_FULL` */
  override send(frame: F, mark: number): void {
    if (this.state === 'ended') throw new LocalUsageError('ERR_SESSION_ENDED', 'the session is over');
    super.send(frame, mark);
  }

  /** The stamp of `waiting`. */
  get waitingStamp(): number | undefined {
    return this.outbox.waitingMark;
  }

  /** Whether all of these were handled, as the client was told. */
  hasSettled(ranges: NumberRanges): boolean {
    return ranges.length === 0;
  }

  /** The first outbox frame that this connection has not carried. */
  get waiting(): F | undefined {
    return this.outbox.waiting;
  }

  /** @returns whether there was one that the peer takes now */
  transmitWaiting(): boolean {
    const frame = this.outbox.take();
    if (frame === undefined) return false;
    this.sink.transmit(frame);
    return true;
  }

  /** @returns the number to send with the event. @throws LocalUsageError `ERR_ACKS_FULL` */
  expectAck(deadline: number, settle: Settle): number {
    this.acks ??= new PendingAcks();
    return this.acks.expect(deadline, this.limits.pendingAcksMax, settle);
  }

  cancelAck(id: number): void {
    this.acks?.cancel(id);
  }

  /**
   * A connection asks for this session, and takes it from the one that may have it. The outbox is held until `open`.
   * @throws RemoteProtocolError if the client counts what cannot be, and then nothing has changed
   */
  hold({ received, confirmed }: ResumeCounts, now: number): void {
    if (confirmed > this.received) {
      throw new RemoteProtocolError('ERR_RESUME_AHEAD', `${confirmed} confirmed, ${this.received} received`);
    }
    this.confirm(received);
    this.move('catching-up');
    this.attach(now);
    this.incoming = confirmed;
  }

  /** The outbox is held, until `open`. */
  pause(): void {
    this.move('catching-up');
  }

  override confirm(received: number, settled?: NumberRanges): number | undefined {
    const stamp = super.confirm(received, settled);
    if (stamp !== undefined && this.isOwn(this.outbox.confirmed)) this.#confirmStamp(stamp);
    return stamp;
  }

  override receive(packet: SessionPacket | DrainPacket | HintPacket, now: number, size = 0): boolean {
    const isCloser = super.receive(packet, now, size);
    // An answer to an earlier PING tells nothing about what was transmitted after that one.
    if (packet.type === PacketType.Pong && this.pongsDue === 0) this.#confirmStamp(this.#pingStamp);
    return isCloser;
  }

  override tick(now: number): void {
    super.tick(now);
    if (this.isAttached && now >= this.#askAt) this.ask(now);
  }

  /**
   * Asks the client what it has handled, unless it has such a question already.
   * @param always even if everything that was transmitted is known to be handled
   */
  ask(now: number, always = false): void {
    this.#askAt = now + this.settings.heartbeatMs;
    if (!this.isAttached || this.pongsDue > 0) return;
    if (always || this.sink.transmittedStamp() > this.confirmedStamp) this.ping(now);
  }

  override ping(now: number): void {
    this.#askAt = now + this.settings.heartbeatMs;
    this.#pingStamp = this.sink.transmittedStamp();
    super.ping(now);
  }

  protected override attach(now: number): void {
    super.attach(now);
    this.#askAt = now + this.settings.heartbeatMs;
    this.#pingStamp = -1;
  }

  protected override move(to: SessionState): SessionState {
    const { state } = this;
    if (!next[state].includes(to)) throw new LocalUsageError('ERR_STATE', `cannot be ${to} after ${state}`);
    return super.move(to);
  }

  /** Whether the frame of this number was sent by this machine first: the mark of another says nothing of what else was transmitted here. */
  protected isOwn(_number: number): boolean {
    return true;
  }

  #confirmStamp(stamp: number): void {
    if (stamp > this.confirmedStamp) this.confirmedStamp = stamp;
  }
}
