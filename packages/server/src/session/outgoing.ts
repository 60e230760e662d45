// What a session says to its client: packets become frames, numbered and kept by the session machine until the client has
// handled them.
import type { Codec } from '@halyard/codec';
import {
  type Close,
  CloseCode,
  type ControlPacket,
  type DeliveredPacket,
  type DrainPacket,
  type ErrorPacket,
  type Failure,
  type Frame,
  LocalUsageError,
  MovableMachine,
  type Packet,
  PacketType,
  PublicError,
  type RefusedPacket,
  ServerMachine,
  type ServerSink,
  type SessionState,
  type Settle,
  type StreamState,
  type Value,
} from '@halyard/protocol';
import type { Meters } from '../base/meters';
import { Timed } from '../base/wheel';
import type { Sender } from '../store/turn';
import type { Connection } from '../wire/connection';
import type { SessionContext } from './context';
import type { Change } from './record-writer';
import { encodeSized } from './sent-size';

export abstract class Outgoing extends Timed implements ServerSink<Frame>, Sender<Frame> {
  // What every packet touches comes first and side by side, so that it takes fewer lines of the processor's cache.
  readonly codecIndex: number;
  connection: Connection | undefined = undefined;
  protected readonly context: SessionContext;
  protected readonly machine: ServerMachine<Frame>;

  /** @param state what its stream had come to on another server */
  constructor(codecIndex: number, context: SessionContext, state: StreamState<Frame> | undefined) {
    super();
    this.codecIndex = codecIndex;
    this.context = context;
    const { settings, serverLimits, turn } = context;
    this.machine = turn.isShared
      ? new MovableMachine<Frame>(this, settings, serverLimits, state)
      : new ServerMachine<Frame>(this, settings, serverLimits);
  }

  get codec(): Codec {
    return this.context.codecs[this.codecIndex] as Codec;
  }

  /** With a store that others share. */
  protected get movable(): MovableMachine<Frame> {
    return this.machine as MovableMachine<Frame>;
  }

  get streamState(): SessionState {
    return this.machine.state;
  }

  /** Packets that its client has not confirmed, … */
  get outboxPackets(): number {
    return this.machine.unconfirmed;
  }

  /** … and their sum in bytes; of text, its characters. */
  get outboxBytes(): number {
    return this.machine.unconfirmedBytes;
  }

  get isOver(): boolean {
    return this.machine.state === 'ended';
  }

  get confirmedStamp(): number {
    return this.machine.confirmedStamp;
  }

  /** @param delayMs its client is told so much later */
  abstract end(close: Close, delayMs?: number): void;
  /** It is not what was stored of it any more. @param what besides its counts */
  protected abstract touch(what?: Change): void;
  /** Sees to it that `due` is called when it is time. */
  protected abstract schedule(): void;
  /** Something was given to the machine: if that is held, it goes out with what is read from the logs. */
  protected abstract queued(): void;

  sendEvent(namespace: string, event: string, args: readonly Value[]): void {
    this.push({ type: PacketType.Event, namespace, event, args, ack: undefined });
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
    const { meters, wheel, ackTimeoutMs } = this.context;
    const deadline = wheel.now() + (timeoutMs ?? ackTimeoutMs);
    const ack = this.#expectAck(deadline, meters.isOn ? timed(settle, meters) : settle);
    try {
      this.push({ type: PacketType.Event, namespace, event, args, ack });
    } catch (error) {
      this.machine.cancelAck(ack);
      throw error;
    }
    this.schedule();
  }

  #expectAck(deadline: number, settle: Settle): number {
    try {
      return this.machine.expectAck(deadline, settle);
    } catch {
      const { pendingAcksMax } = this.context.serverLimits;
      const message = `The app waits for ${pendingAcksMax} replies of one session (pendingAcksMax): it could not ask for another.`;
      this.context.warn('pendingAcksMax', message);
      throw new LocalUsageError(
        'ERR_ACKS_FULL',
        `${pendingAcksMax} replies are waited for, which is the most (pendingAcksMax)`,
      );
    }
  }

  sendAck(ack: number, value: Value | undefined): void {
    this.push({ type: PacketType.Ack, ack, value });
  }

  sendError(ack: number, { code, message, data }: Failure): void {
    this.pushFailure({ type: PacketType.Error, ack, code, message, data });
  }

  /** Data that no codec carries is left out, and reported: a failure has to arrive. */
  protected pushFailure(packet: ErrorPacket | RefusedPacket): void {
    try {
      this.push(packet);
    } catch (error) {
      this.context.report(error, 'the data of a PublicError, which goes without it');
      this.push({ ...packet, data: undefined });
    }
  }

  protected push(packet: Packet): void {
    if (this.isOver) return;
    const frame = encodeSized(this.codec, packet, this.context.sentFrameBytesMax);
    this.context.turn.send(this, frame);
  }

  /** One more frame is stored, and leaves. */
  release(): void {
    if (!this.isOver) this.movable.release(this.context.turn.stamps.next());
    this.queued();
  }

  take(frame: Frame, stamp: number): void {
    if (this.isOver) return;
    this.touch();
    try {
      this.machine.send(frame, stamp);
    } catch (error) {
      // The peer does not confirm: it has to start anew, and is told so.
      const reason = error instanceof LocalUsageError ? `${error.code}: ${error.message}` : String(error);
      this.end({ code: CloseCode.SlowConsumer, reason, by: 'server' });
    }
    this.queued();
  }

  // The machine's sink.

  transmit(frame: Frame): void {
    this.connection?.send(frame);
  }

  control(packet: ControlPacket | DrainPacket): void {
    this.connection?.send(this.codec.encode(packet));
  }

  abstract deliver(packet: DeliveredPacket, number: number, size: number): void;
  abstract silent(): void;
  abstract transmittedStamp(): number;
}

/** @returns what settles, and says how long that took. An error of the client's is a reply too */
function timed(settle: Settle, meters: Meters): Settle {
  const weight = meters.weight();
  const startedAt = meters.now();
  return (error, value) => {
    if (error === undefined || error instanceof PublicError) meters.replied(startedAt, weight);
    else meters.repliesMissed++;
    settle(error, value);
  };
}
