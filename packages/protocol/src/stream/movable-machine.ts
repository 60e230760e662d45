// A session machine that can go on elsewhere: its state as plain data, and what the peer has sent is settled by its owner, once
// it is handled to the end, so that what is not is sent and handled again elsewhere. Only servers have it.
import { RemoteProtocolError } from '../wire/errors';
import { defaultOutboxLimits, type SessionSettings } from '../wire/limits';
import { type CountedPacket, type NumberRanges, PacketType } from '../wire/packet';
import { PendingAcks } from './acks';
import { type OpenPacket, OpenPackets } from './open-packets';
import { checkWindow, type ServerLimits, type Window } from './paced-machine';
import { type ResumeCounts, ServerMachine, type ServerSink } from './server-machine';
import { Settled } from './settled';

/** What its owner has begun with counts as settled once it is open for so long, in milliseconds. */
export const openMsMax = 30_000;

/** As long as that, and no longer, what its owner has not begun with does not: it holds up what comes behind it. */
export const waitMsMax = 120_000;

/** An event that counts as settled, and the acknowledgement that its peer waits for. */
export type Owed = readonly [number: number, ack: number];

/** What a stream has come to, but for its frames. */
export interface StreamCounts {
  /** All counted packets of the peer up to this number need not come again, … */
  readonly received: number;
  /** … nor these above it. */
  readonly settled: NumberRanges;
  /** What the peer waits for of packets that count as settled because they are open for so long. */
  readonly owed: readonly Owed[];
  /** How many frames were sent in all, … */
  readonly sent: number;
  /** … and how many of them the peer has confirmed. */
  readonly confirmed: number;
  /** Number of the last acknowledgement that was asked for. */
  readonly asked: number;
}

/** What a machine had come to, to be told and sent once that is stored. */
export interface Snapshot extends Pick<StreamCounts, 'received' | 'settled' | 'sent'> {
  /** How many packets were settled in all, and their sizes together. */
  readonly packets: number;
  readonly bytes: number;
}

export interface StreamState<Frame> extends StreamCounts {
  /** Those after the confirmed ones, each with its mark. */
  readonly frames: readonly (readonly [frame: Frame, mark: number])[];
}

/** No server has a larger one. */
export const largestWindow: Window = { windowPacketsMax: 8_192, windowBytesMax: 1 << 30 };

export class MovableMachine<F extends { readonly length: number }> extends ServerMachine<F> {
  /** What is settled, … */
  readonly #settled: Settled;
  #settledPackets = 0;
  #settledBytes = 0;
  /** … and what of it is stored, and may be told: the prefix is `received`. */
  #stored: Pick<Snapshot, 'settled' | 'packets' | 'bytes'>;
  /** Frames up to this number are stored, and may leave. */
  #storedSent = 0;
  /** Frames up to this number were sent by a machine before this one. */
  #sentBefore = 0;
  readonly #open = new OpenPackets();
  /** Numbers that settle once all before them have, ascending. */
  readonly #inTurn: number[] = [];
  /** By number: those that count as settled, and will be answered. */
  readonly #owed = new Map<number, number>();
  /** Up to this number the peer has sent packets before, as it says: by the window of a server that may have had another one. */
  #left = 0;
  /** Numbers that the peer does not send on this connection. */
  #skipped: NumberRanges = [];

  /** @param state what a machine before this one had come to */
  constructor(sink: ServerSink<F>, settings: SessionSettings, limits: ServerLimits, state: StreamState<F> | undefined) {
    super(sink, settings, limits);
    this.#settled = new Settled(state?.received, state?.settled);
    this.#stored = { settled: state?.settled ?? [], packets: 0, bytes: 0 };
    if (state === undefined) return;
    this.received = state.received;
    this.#storedSent = this.#sentBefore = state.sent;
    this.outbox.confirmed = this.outbox.carried = state.confirmed;
    // They were within the limits when they were sent.
    const all = { ...limits, outboxPacketsMax: Infinity, outboxBytesMax: Infinity };
    for (const [frame, mark] of state.frames) this.outbox.push(frame, mark, all);
    if (state.asked === 0) return;
    this.acks = new PendingAcks();
    this.acks.last = state.asked;
  }

  /** @returns what another machine needs to go on, but for `framesAfter` */
  counts(): StreamCounts {
    return {
      received: this.#settled.prefix,
      settled: this.#settled.ranges,
      owed: [...this.#owed],
      sent: this.sent,
      confirmed: this.confirmed,
      asked: this.acks?.last ?? 0,
    };
  }

  /** @returns what it has come to: `stored` is called with it once that is stored */
  snapshot(): Snapshot {
    const { prefix, ranges } = this.#settled;
    const { sent } = this;
    return { received: prefix, settled: [...ranges], sent, packets: this.#settledPackets, bytes: this.#settledBytes };
  }

  /** It is stored what the machine had come to: that is told, and frames up to there leave. */
  stored(snapshot: Snapshot, now: number): void {
    const { packets, bytes } = this.#stored;
    this.#stored = snapshot;
    this.received = snapshot.received;
    this.#storedSent = Math.max(this.#storedSent, snapshot.sent);
    if (snapshot.packets > packets) {
      this.handled(snapshot.packets - packets, snapshot.bytes - bytes, now);
      this.tellIfDue();
    }
    this.flow();
  }

  /** One more frame is stored, and leaves. @param mark its place among everything that has left */
  release(mark: number): void {
    this.outbox.mark(++this.#storedSent, mark);
    this.flow();
  }

  /** All counted packets of the peer up to this number are settled, whether that is stored or not. */
  get settledThrough(): number {
    return this.#settled.prefix;
  }

  protected override isOwn(number: number): boolean {
    return number > this.#sentBefore;
  }

  protected override flow(): void {
    while (this.state === 'live' && this.transmitWaiting());
  }

  override get waiting(): F | undefined {
    return this.outbox.carried < this.#storedSent ? super.waiting : undefined;
  }

  override transmitWaiting(): boolean {
    return this.outbox.carried < this.#storedSent && super.transmitWaiting();
  }

  /** Whether packets of the peer are delivered and not settled: elsewhere they are delivered again. */
  get isOpen(): boolean {
    return this.#open.first !== undefined;
  }

  /** Whether packets of the peer were handled, and that is not known to be stored: elsewhere they are handled again. */
  get isBehind(): boolean {
    return this.#settledPackets > this.#stored.packets;
  }

  /** Frames up to this number are stored: it may have more of them, but for what `stored` was not called with yet. */
  get storedSent(): number {
    return this.#storedSent;
  }

  /** @returns the frames with a number above this one that are not confirmed, each with its number and its mark */
  framesAfter(number: number): Iterable<readonly [number: number, frame: F, mark: number]> {
    return this.outbox.after(number);
  }

  override get deadline(): number {
    return Math.min(super.deadline, this.#overdueAt);
  }

  override hold(peer: ResumeCounts, now: number): void {
    const { settled = [] } = peer;
    if (!this.hasSettled(settled)) throw new RemoteProtocolError('ERR_RESUME_AHEAD', 'settled is not what was told');
    super.hold(peer, now);
    this.#skipped = settled;
    this.#left = peer.left ?? 0;
  }

  override hasSettled(ranges: NumberRanges): boolean {
    for (let i = 0; i < ranges.length; i += 2) {
      if (!this.#settled.hasRange(ranges[i] as number, ranges[i + 1] as number)) return false;
    }
    return true;
  }

  /**
   * A packet that was delivered under this number is handled to the end; or one that a machine before this one delivered, whether it
   * has come here or not. The deadline may have come closer.
   */
  settle(number: number, now: number): void {
    const open = this.#open.take(number);
    if (open !== undefined) this.#close(open, now);
    else if (!this.#owed.delete(number) && !this.#settled.has(number)) this.#close({ number, size: 0 }, now);
  }

  /** Its owner has not begun with a packet that was delivered under this number: it is not open for as long as it is put off. */
  putOff(number: number): void {
    this.#open.move(number, Infinity);
  }

  /** Its owner begins with a packet: it is open from now on. The deadline may have come closer, if it was put off. */
  begin(number: number, now: number): void {
    this.#open.begin(number, now);
  }

  /** What the peer waits for is said, whatever is still to be done with the packet. */
  answered(ack: number): void {
    this.#open.answered(ack);
    if (this.#owed.size === 0) return;
    for (const [number, its] of this.#owed) if (its === ack) this.#owed.delete(number);
  }

  /** As `settle`, but once all packets before this one are settled. */
  settleInTurn(number: number, now: number): void {
    const later = this.#inTurn.findIndex((one) => one > number);
    this.#inTurn.splice(later < 0 ? this.#inTurn.length : later, 0, number);
    this.#passTurns(now);
  }

  override tick(now: number): void {
    for (let { first } = this.#open; first !== undefined && now >= first.since + openMsMax; { first } = this.#open) {
      // Nobody would do what is not begun if it went on elsewhere.
      if (now < first.comeAt + waitMsMax && this.sink.hasBegun?.(first.number) === false) {
        this.#open.move(first.number, now);
        this.sink.waitsLong?.(first.number);
        continue;
      }
      this.#open.take(first.number);
      if (first.ack !== undefined) this.#owe(first.number, first.ack);
      this.#close(first, now);
      this.sink.overdue?.();
    }
    super.tick(now);
  }

  override get settledAbove(): NumberRanges | undefined {
    const { settled } = this.#stored;
    return settled.length > 0 ? settled : undefined;
  }

  protected override windowAt(number: number): Window {
    return number > this.#left ? this.settings : largestWindow;
  }

  protected override nextNumber(): number {
    let number = this.incoming + 1;
    const skipped = this.#skipped;
    if (skipped[0] === number) {
      number = (skipped[1] as number) + 1;
      this.#skipped = skipped.slice(2);
    }
    this.incoming = number;
    return number;
  }

  protected override hasCome(number: number): boolean {
    return this.#open.has(number) || this.#settled.has(number);
  }

  protected override accept(packet: CountedPacket, number: number, now: number, size: number): void {
    if (packet.type === PacketType.Ack || packet.type === PacketType.Error) {
      this.handle(packet, 0, size);
      this.#add(number, size);
      return;
    }
    const ack = packet.type === PacketType.Event || packet.type === PacketType.Renew ? packet.ack : undefined;
    this.#open.add({ number, comeAt: now, since: now, size, ack });
    this.#checkWindow(this.windowAt(number));
    this.handle(packet, number, size);
  }

  get #overdueAt(): number {
    return (this.#open.first?.since ?? Infinity) + openMsMax;
  }

  /** @throws RemoteProtocolError if the peer sends more than it was told to */
  #checkWindow(window: Window): void {
    const packets = this.#open.count + this.#settledPackets - this.#stored.packets + this.untoldPackets;
    const bytes = this.#open.bytes + this.#settledBytes - this.#stored.bytes + this.untoldBytes;
    checkWindow(window, packets, bytes);
  }

  #close({ number, size }: Pick<OpenPacket, 'number' | 'size'>, now: number): void {
    this.#add(number, size);
    this.#passTurns(now);
  }

  #passTurns(now: number): void {
    while ((this.#inTurn[0] ?? Infinity) <= this.#settled.prefix + 1) this.settle(this.#inTurn.shift() as number, now);
  }

  #add(number: number, size: number): void {
    const { prefix } = this.#settled;
    this.#settled.add(number);
    this.#settledPackets++;
    this.#settledBytes += size;
    if (this.#settled.prefix > prefix) this.sink.settled?.();
  }

  #owe(number: number, ack: number): void {
    this.#owed.set(number, ack);
    // No client waits for more.
    if (this.#owed.size <= defaultOutboxLimits.pendingAcksMax) return;
    const [oldest] = this.#owed.keys();
    this.#owed.delete(oldest as number);
  }
}
