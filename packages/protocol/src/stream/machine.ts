// The session machine, what both ends have of it (docs/PROTOCOL.md §5 and §6). No I/O, timers or codecs: time arrives as
// `now`, effects leave through the sink. Longer than other files: what a packet does to the streams is read in one piece.
// What only servers do is in server-machine.ts, and for sessions that move in movable-machine.ts.

import type { HalyardError } from '../wire/errors';
import type { SessionSettings } from '../wire/limits';
import type {
  ConnectedPacket,
  ConnectPacket,
  ControlPacket,
  CountedPacket,
  DisconnectPacket,
  DrainPacket,
  EventPacket,
  HintPacket,
  PublishPacket,
  RefusedPacket,
  RenewPacket,
  SessionPacket,
  VolatilePacket,
} from '../wire/packet';
import { type NumberRanges, PacketType } from '../wire/packet';
import { PendingAcks } from './acks';
import type { MachineOutbox } from './outbox';

/**
 * A SACK is also due after counted packets of so many bytes (or characters), so that what is confirmed keeps pace with any
 * size (docs/PROTOCOL.md §5.3).
 */
const sackBytesMax = 16_384;

/** What the machine hands to its owner: each once, in order. */
export type DeliveredPacket =
  | EventPacket
  | VolatilePacket
  | PublishPacket
  | ConnectPacket
  | ConnectedPacket
  | RefusedPacket
  | DisconnectPacket
  | RenewPacket;

export interface SessionSink<F> {
  /** Put an outbox frame on the connection. */
  transmit(frame: F): void;
  /** Encode a control packet and put it on the connection. */
  control(packet: ControlPacket): void;
  /**
   * @param number to settle it by, with a machine that leaves that to its owner; else, and if it is not counted, 0
   * @param size of its frame
   */
  deliver(packet: DeliveredPacket, number: number, size: number): void;
  /** The peer did not answer a PING in time: the connection is dead. */
  silent(): void;
}

/**
 * `away`: no connection. `catching-up`: connected, and the owner feeds the outbox itself, with `waiting` and
 * `transmitWaiting`. `live`: connected, and what is sent goes out at once. `ended`: over for good.
 */
export type SessionState = 'away' | 'catching-up' | 'live' | 'ended';

export class SessionMachine<F extends { readonly length: number }, Outbox extends MachineOutbox<F, Limits>, Limits> {
  // What every packet touches comes first and side by side, so that it takes fewer lines of the processor's cache.
  state: SessionState = 'away';
  /** All counted packets of the peer up to this number were handled. */
  received = 0;
  settings: SessionSettings;
  protected readonly sink: SessionSink<F>;
  protected readonly limits: Limits;
  /** Silence after which this side sends PING; the side with the longer one seldom has to. */
  readonly #probeSlackMs: number;
  /** Another takes its place only before there is a connection. */
  outbox: Outbox;
  acks: PendingAcks | undefined;
  /** Counted packets that were handled, and the peer was not told so, … */
  protected untoldPackets = 0;
  /** … and their sizes together. */
  protected untoldBytes = 0;
  #sackAt: number | undefined = undefined;
  #heardAt = 0;
  #pingAt: number | undefined = undefined;
  /** PINGs of this connection that wait for their PONG. */
  protected pongsDue = 0;
  /** Whether a PING of this connection was answered: then the next one waits for its answer. */
  #answers = false;

  constructor(sink: SessionSink<F>, settings: SessionSettings, limits: Limits, outbox: Outbox, probeSlackMs = 0) {
    this.sink = sink;
    this.settings = settings;
    this.limits = limits;
    this.#probeSlackMs = probeSlackMs;
    this.outbox = outbox;
  }

  protected get isAttached(): boolean {
    return this.state === 'live' || this.state === 'catching-up';
  }

  /** When silence is answered: with PING, or once that was sent, with the end of the connection. */
  get #silentAt(): number {
    const { heartbeatMs, heartbeatTimeoutMs } = this.settings;
    return this.#pingAt === undefined
      ? this.#heardAt + heartbeatMs + this.#probeSlackMs
      : this.#pingAt + heartbeatTimeoutMs;
  }

  /** When `tick` must be called next, or Infinity. Read it after every call but a `receive` that returns false: it may have come closer. */
  get deadline(): number {
    const acks = this.acks?.deadline ?? Infinity;
    return this.isAttached ? Math.min(acks, this.#silentAt, this.#sackAt ?? Infinity) : acks;
  }

  /** Starts or goes on: everything unconfirmed that this connection has not carried goes out, in order. */
  open(now: number): void {
    if (this.move('live') === 'away') this.attach(now);
    this.flow();
  }

  /** The connection is gone. */
  detach(): void {
    if (this.state !== 'ended') this.move('away');
    this.outbox.rewind();
  }

  /** The session is over: every acknowledgement waited for settles with `error`. */
  end(error: HalyardError): void {
    this.move('ended');
    this.acks?.fail(error);
  }

  /**
   * Client: there will be a new session, because the server did not resume or there was none to ask for. Its outbox has
   * been restarted. Call `open` after it, if there is a connection.
   * @param kept acknowledgements that are still to come: all others settle with `error`
   */
  restart(error: HalyardError, kept: ReadonlySet<number>): void {
    this.detach();
    this.received = 0;
    this.acks?.fail(error, kept);
  }

  /**
   * The peer has handled the counted packets up to a number, and others above it.
   * @returns the mark of the last frame that is newly confirmed. @throws RemoteProtocolError
   */
  confirm(received: number, settled?: NumberRanges): number | undefined {
    const mark = this.outbox.confirm(received, settled);
    this.flow();
    return mark;
  }

  /**
   * Sends a counted frame, now or as soon as there is a connection.
   * @param mark of the server: the frame's stamp, its place among everything the server emits, outbox or not; of the
   * client: `FrameTag`, or the number of the acknowledgement that the frame asks for
   * @throws LocalUsageError `ERR_OUTBOX_FULL`
   */
  send(frame: F, mark: number): void {
    this.outbox.push(frame, mark, this.limits);
    this.flow();
  }

  /**
   * @param size of its frame, in bytes or characters; 0 if it is not known
   * @returns whether the deadline may have come closer; what `deliver` sends is not counted
   * @throws RemoteProtocolError if the packet breaks a rule
   */
  receive(packet: SessionPacket | DrainPacket | HintPacket, now: number, size = 0): boolean {
    // With a SACK due no PING is waiting, because that told the count too: then silence only moves away.
    const isCloser = !this.untoldPackets;
    this.#heardAt = now;
    this.#pingAt = undefined;
    this.#take(packet, now, size);
    return isCloser;
  }

  #take(packet: SessionPacket | DrainPacket | HintPacket, now: number, size: number): void {
    switch (packet.type) {
      case PacketType.Publish:
      case PacketType.Volatile:
        this.sink.deliver(packet, 0, size);
        // Nobody says anything to what is not counted: a sign of life, should the peer's PING wait behind more of it.
        if (packet.type === PacketType.Publish)
          this.#sackAt ??= now + this.settings.heartbeatMs + this.settings.heartbeatTimeoutMs / 2;
        return;
      case PacketType.Sack:
      case PacketType.Ping:
      case PacketType.Pong:
        if (packet.received !== undefined) this.confirm(packet.received, packet.settled);
        if (packet.type === PacketType.Ping) this.#tell(PacketType.Pong);
        else if (packet.type === PacketType.Pong) {
          this.#answers = true;
          if (this.pongsDue) this.pongsDue--;
        }
        return;
      case PacketType.Drain:
      case 'hint':
        return;
    }
    // All others are counted.
    this.count(packet, now, size);
  }

  /** A counted packet: the peer begins behind those that it was told are received. */
  protected count(packet: CountedPacket, now: number, size: number): void {
    this.accept(packet, this.received + 1, now, size);
  }

  /** A counted packet that has not come before. */
  protected accept(packet: CountedPacket, number: number, now: number, size: number): void {
    this.received = number;
    this.handled(1, size, now);
    this.handle(packet, 0, size);
    this.tellIfDue();
  }

  protected handle(packet: CountedPacket, number: number, size: number): void {
    if (packet.type === PacketType.Ack || packet.type === PacketType.Error) {
      (this.acks ?? new PendingAcks()).receive(packet);
    } else this.sink.deliver(packet, number, size);
  }

  /** Numbers above `received` that were handled too, if there are any. */
  get settledAbove(): NumberRanges | undefined {
    return undefined;
  }

  /** Packets that need not come again. @param bytes their sizes together */
  protected handled(packets: number, bytes: number, now: number): void {
    if (this.untoldPackets === 0) this.#sackAt = Math.min(this.#sackAt ?? Infinity, now + this.settings.sackDelayMs);
    this.untoldPackets += packets;
    this.untoldBytes += bytes;
  }

  /** A SACK is due, unless the peer was told since. @param packetsMax so many may wait for more */
  protected tellIfDue(packetsMax = this.settings.sackPacketsMax): void {
    if (this.untoldPackets >= packetsMax || this.untoldBytes > sackBytesMax) this.#tell(PacketType.Sack);
  }

  protected flow(): void {
    while (this.state === 'live') {
      const frame = this.outbox.take();
      if (frame === undefined) return;
      this.sink.transmit(frame);
    }
  }

  /** Does what is due at `now`. */
  tick(now: number): void {
    this.acks?.expire(now);
    if (!this.isAttached) return;
    if (this.#sackAt !== undefined && now >= this.#sackAt) this.#tell(PacketType.Sack);
    if (now < this.#silentAt) return;
    if (this.#pingAt === undefined) this.probe(now);
    else this.sink.silent();
  }

  /** Asks the peer for a sign of life now. */
  probe(now: number): void {
    if (this.#pingAt !== undefined || !this.isAttached) return;
    // Who answers has the question already: what comes next is the answer, or silence.
    if (this.pongsDue && this.#answers) this.#pingAt = now;
    else this.ping(now);
  }

  /** Asks what the peer has handled, whether it was asked before or not. */
  ping(now: number): void {
    this.#pingAt = now;
    this.pongsDue++;
    this.#tell(PacketType.Ping);
  }

  protected attach(now: number): void {
    this.outbox.rewind();
    this.untoldPackets = this.untoldBytes = 0;
    this.#heardAt = now;
    this.#pingAt = this.#sackAt = undefined;
    this.pongsDue = 0;
    this.#answers = false;
  }

  /** @returns the state before */
  protected move(to: SessionState): SessionState {
    const { state } = this;
    this.state = to;
    return state;
  }

  #tell(type: ControlPacket['type']): void {
    if (!this.isAttached) return;
    this.untoldPackets = this.untoldBytes = 0;
    this.#sackAt = undefined;
    this.sink.control({ type, received: this.received, settled: this.settledAbove });
  }
}
