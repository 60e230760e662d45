// A session machine that takes what its peer sends no faster than that may send it (docs/PROTOCOL.md §5.10): what is beyond waits, and
// is not confirmed meanwhile, so that by its window the peer waits too. Only servers have it.
import { CloseCode } from '../wire/close';
import { RemoteProtocolError } from '../wire/errors';
import { defaultRateLimits, type OutboxLimits, type RateLimits, type SessionSettings } from '../wire/limits';
import { type CountedPacket, type DrainPacket, type HintPacket, PacketType, type SessionPacket } from '../wire/packet';
import { SessionMachine, type SessionSink } from './machine';
import type { MachineOutbox } from './outbox';
import type { OutboxBudget } from './outbox-budget';

/** Bounds on what a server keeps for a client, and takes from it. Without a rate it takes what comes. */
export interface ServerLimits extends OutboxLimits, Partial<RateLimits> {
  /** What the outboxes of all clients may hold together. */
  readonly budget?: OutboxBudget;
}

export interface PacedSink<F> extends SessionSink<F> {
  /** What comes waits from now on, or is a VOLATILE and dropped, because of this limit. */
  paced?(limit: keyof RateLimits, isDropped: boolean): void;
}

/** A packet that has come too fast, its number, and its size. */
type Late = readonly [packet: CountedPacket, number: number, size: number];

export type Window = Pick<SessionSettings, 'windowPacketsMax' | 'windowBytesMax'>;

/** What waits is looked at so often, in milliseconds. */
const lookMs = 100;
/** For so long somebody may be able to take no more, in milliseconds, until the session ends. */
const fullMsMax = 30_000;
const heard: HintPacket = { type: 'hint' };
/** What says nothing new and need not wait (PING, SACK and PONG that confirm nothing, hints): no more in a second. */
const idlePacketsPerSecondMax = 10_000;
/**
 * Bytes of that, and of VOLATILEs that were dropped; more where more is taken. Not less where less is: it is about the work of
 * inflating them, and a client that draws faster than it may has done no wrong.
 */
const idleBytesPerSecondMax = defaultRateLimits.bytesPerSecondMax;

export class PacedMachine<
  F extends { readonly length: number },
  Outbox extends MachineOutbox<F, ServerLimits>,
> extends SessionMachine<F, Outbox, ServerLimits> {
  declare protected readonly sink: PacedSink<F>;
  /** Number of the last counted packet that arrived on this connection: those included that had come before. */
  protected incoming = 0;
  /** What was taken that no time has made up for: packets, … */
  #packetsTaken = 0;
  /** … and their sizes together, … */
  #bytesTaken = 0;
  /** … as of then. All three are whole: other numbers would take an object each. */
  #takenAt = 0;
  /** What said nothing since then: packets, and their sizes together. */
  #idlePackets = 0;
  #idleBytes = 0;
  #idleSince = 0;
  /** What has come too fast. */
  #late: Late[] | undefined = undefined;
  #lateBytes = 0;
  /** How many of those that packets go to can take no more at present. */
  #full = 0;
  /** When the first of them could not, or what comes has begun to wait. */
  #fullAt = 0;
  /** Whether they can since it was looked at last. */
  #isReleased = false;

  override detach(): void {
    this.#late = undefined;
    super.detach();
  }

  protected override attach(now: number): void {
    this.#late = undefined;
    this.incoming = this.received;
    super.attach(now);
  }

  /** One of those that packets go to can take no more: what comes waits from now on, as if it came too fast, until it says that it can. */
  block(now: number): void {
    if (this.#full++ > 0) return;
    this.#fullAt = now;
    // What it waits for may be an answer that has come too fast.
    for (const [packet, , size] of this.#late ?? []) if (isAnswer(packet)) this.handle(packet, 0, size);
  }

  /** What waits goes on with the next `tick`. */
  unblock(): void {
    this.#isReleased = --this.#full === 0;
  }

  override get deadline(): number {
    return this.#late === undefined ? super.deadline : Math.min(super.deadline, this.#looksAt);
  }

  override receive(packet: SessionPacket | DrainPacket | HintPacket, now: number, size = 0): boolean {
    // It is not to overtake what waits, and may be lost.
    if (packet.type === PacketType.Volatile && !this.#takes(now, size)) {
      this.#tell(true);
      this.#idled(now, size, 0);
      return super.receive(heard, now);
    }
    const { confirmed } = this.outbox;
    const isCloser = super.receive(packet, now, size) || this.#late !== undefined;
    if (saysNothing(packet) && confirmed === this.outbox.confirmed) this.#idled(now, size);
    return isCloser;
  }

  /**
   * @param packets 0 of a VOLATILE that was dropped: many small ones do no harm, but one that was compressed may have been large
   * @throws RemoteProtocolError `ERR_RATE`. Nothing of it waits: it is about what is now
   */
  #idled(now: number, size: number, packets = 1): void {
    const bytesMax = Math.max(idleBytesPerSecondMax, this.limits.bytesPerSecondMax ?? Infinity);
    if (now - this.#idleSince >= 1_000) {
      this.#idleSince = now;
      this.#idlePackets = this.#idleBytes = 0;
    }
    this.#idlePackets += packets;
    this.#idleBytes += size;
    if (this.#idlePackets <= idlePacketsPerSecondMax && this.#idleBytes <= bytesMax) return;
    throw new RemoteProtocolError(
      'ERR_RATE',
      `more than ${idlePacketsPerSecondMax} packets that say nothing or are dropped, or ${bytesMax} bytes of them, in a second`,
      CloseCode.RateLimited,
    );
  }

  protected override count(packet: CountedPacket, now: number, size: number): void {
    const number = this.nextNumber();
    // The peer may take it for confirmed already, and send another in its place: it is not to be in the way of that.
    if (this.hasCome(number)) return;
    if (this.#takes(now, size)) this.accept(packet, number, now, size);
    else {
      // They may wait for this answer. It is counted in its turn, and says nothing by then.
      if (this.#full > 0 && isAnswer(packet)) this.handle(packet, 0, size);
      if (this.#late === undefined) this.#fullAt = now;
      this.#putOff(packet, number, size);
    }
  }

  /** @returns the number of the counted packet that comes now */
  protected nextNumber(): number {
    return ++this.incoming;
  }

  /** Whether a packet was accepted before, over this connection or an earlier one. */
  protected hasCome(number: number): boolean {
    return number <= this.received;
  }

  /** What the peer may have unconfirmed of packets up to this number. */
  protected windowAt(_number: number): Window {
    return this.settings;
  }

  /** @throws RemoteProtocolError `ERR_WAITS_LONG` if what the peer has sent has waited for somebody for too long */
  override tick(now: number): void {
    if (this.#full > 0 && this.#late !== undefined && now >= this.#fullAt + fullMsMax) throw waitsLong();
    if (this.#late !== undefined && now >= this.#looksAt) this.#catchUp(this.#late, now);
    super.tick(now);
  }

  /** The peer has ended the session: what waits is what it has said before. */
  takeLate(now: number): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const [packet, number, size] of late) if (this.isAttached) this.#acceptLate(packet, number, now, size);
  }

  get #looksAt(): number {
    if (this.#full > 0) return this.#fullAt + fullMsMax;
    return this.#isReleased ? 0 : this.#takenAt + this.#lookMs;
  }

  /** One packet takes no longer: a part of one would be lost. */
  get #lookMs(): number {
    return Math.max(lookMs, Math.ceil(1_000 / (this.limits.packetsPerSecondMax ?? Infinity)));
  }

  /** @returns whether one more packet is taken, if nothing waits */
  #takes(now: number, size: number): boolean {
    if (this.#late !== undefined || !this.#mayTake(now)) return false;
    if (this.#packetsTaken++ === 0) this.#takenAt = now;
    this.#bytesTaken += size;
    return true;
  }

  #mayTake(now: number): boolean {
    if (this.#full > 0) return false;
    const { packetsPerSecondMax = Infinity, bytesPerSecondMax = Infinity } = this.limits;
    if (this.#packetsTaken < packetsPerSecondMax && this.#bytesTaken < bytesPerSecondMax) return true;
    const ms = now - this.#takenAt;
    if (ms < this.#lookMs) return false;
    this.#takenAt = now;
    this.#packetsTaken = Math.max(0, this.#packetsTaken - Math.floor((ms * packetsPerSecondMax) / 1_000));
    this.#bytesTaken = Math.max(0, this.#bytesTaken - Math.floor((ms * bytesPerSecondMax) / 1_000));
    return this.#packetsTaken < packetsPerSecondMax && this.#bytesTaken < bytesPerSecondMax;
  }

  /** @throws RemoteProtocolError `ERR_WINDOW` if more waits than the peer may have sent */
  #putOff(packet: CountedPacket, number: number, size: number): void {
    if (this.#late === undefined) {
      this.#late = [];
      this.#lateBytes = 0;
      this.#isReleased = false;
      this.#tell(false);
    }
    this.#late.push([packet, number, size]);
    this.#lateBytes += size;
    const { length } = this.#late;
    const window = this.windowAt(number);
    checkWindow(window, length, this.#lateBytes);
  }

  /** Takes as much of what waits as there was time for. */
  #catchUp(late: Late[], now: number): void {
    this.#isReleased = false;
    let taken = 0;
    // What is taken may end the connection: then all that has waited comes again.
    while (taken < late.length && this.#late === late && this.#mayTake(now)) {
      const [packet, number, size] = late[taken++] as Late;
      this.#packetsTaken++;
      this.#bytesTaken += size;
      this.#lateBytes -= size;
      this.#acceptLate(packet, number, now, size);
    }
    late.splice(0, taken);
    if (late.length === 0 && this.#late === late) this.#late = undefined;
  }

  /** It may have been settled while it has waited. */
  #acceptLate(packet: CountedPacket, number: number, now: number, size: number): void {
    if (!this.hasCome(number)) this.accept(packet, number, now, size);
  }

  #tell(isDropped: boolean): void {
    // Who is full says so.
    if (this.#full > 0) return;
    const isByPackets = this.#packetsTaken >= (this.limits.packetsPerSecondMax ?? Infinity);
    this.sink.paced?.(isByPackets ? 'packetsPerSecondMax' : 'bytesPerSecondMax', isDropped);
  }
}

function isAnswer({ type }: CountedPacket): boolean {
  return type === PacketType.Ack || type === PacketType.Error;
}

function waitsLong(): RemoteProtocolError {
  const message = `events wait for middleware for more than ${fullMsMax / 1_000} s, and so does all that comes behind them`;
  return new RemoteProtocolError('ERR_WAITS_LONG', message, CloseCode.SessionEnded);
}

/** One packet alone may have any number of bytes. @throws RemoteProtocolError if the peer has sent more than it was told to */
export function checkWindow({ windowPacketsMax, windowBytesMax }: Window, packets: number, bytes: number): void {
  if (packets > windowPacketsMax) throw windowError(`${windowPacketsMax} packets`, 'windowPacketsMax');
  if (packets > 1 && bytes > windowBytesMax) throw windowError(`${windowBytesMax} bytes`, 'windowBytesMax');
}

function windowError(most: string, limit: keyof Window): RemoteProtocolError {
  const message = `more than ${most} that are not confirmed (${limit})`;
  return new RemoteProtocolError('ERR_WINDOW', message, CloseCode.RateLimited);
}

function saysNothing({ type }: SessionPacket | DrainPacket | HintPacket): boolean {
  return type === PacketType.Ping || type === PacketType.Pong || type === PacketType.Sack || type === 'hint';
}
