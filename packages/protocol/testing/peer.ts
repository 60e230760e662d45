// One of two session machines that are joined: the glue around it that docs/PROTOCOL.md §5 asks of both ends.
import type { DeliveredPacket, SessionMachine } from '../src/stream/machine';
import { FrameTag } from '../src/stream/outbox';
import type { ServerSink } from '../src/stream/server-machine';
import { defaultOutboxLimits, defaultSettings } from '../src/wire/limits';
import { type Packet, PacketType, type SessionPacket } from '../src/wire/packet';
import type { LinkEnd, Network, World } from './link';
import type { RangeMs } from './random';

export const defaults = {
  seed: 1,
  settings: defaultSettings,
  limits: defaultOutboxLimits,
  network: { latencyMs: [10, 10], noticeMs: [0, 0], unnoticed: 0 } as Network,
  /** How long an event that asks for an acknowledgement is handled. */
  replyMs: [0, 0] as RangeMs,
  /** How long the client waits before it connects again. */
  reconnectMs: [100, 100] as RangeMs,
  /** A client that resumes is sent so many packets per millisecond. */
  replayPackets: 1_000,
  /** Log messages go out again from the client's positions, or from what the server knows confirmed: then some repeat. */
  replay: 'positions' as 'positions' | 'confirmed',
  /** How long the server takes to settle an event, if it does not on delivery. */
  settleMs: undefined as RangeMs | undefined,
};
export type PairOptions = typeof defaults;

/** A packet that is its own frame, with its place among all that its sender sends: -1 for those out of that order. */
export type PairFrame<P = Packet> = { readonly packet: P; readonly stamp: number; readonly length: number };
export type Port = LinkEnd<PairFrame>;
export type PairWorld = World & { readonly options: PairOptions };

export abstract class Peer {
  /** The events delivered, by name. */
  readonly delivered: string[] = [];
  /** For each settled acknowledgement its event's name and the reply, which is the same name, or the error's code. */
  readonly settled: string[] = [];
  /** Counted packets and log messages that arrived again and were dropped. */
  repeated = 0;
  /** The highest stamp of the other side that was handled. */
  handled = -1;
  machine: SessionMachine<PairFrame>;
  protected port: Port | undefined;
  protected session: string | undefined;
  protected readonly world: PairWorld;
  #stamp = 0;
  #transmitted = -1;
  #cancelTick = () => {};

  constructor(world: PairWorld) {
    this.world = world;
    this.machine = this.newMachine();
  }

  emit(event: string): void {
    this.send({ type: PacketType.Event, namespace: '/', event, args: [], ack: undefined }, FrameTag.Event);
  }

  request(event: string, timeoutMs = 60_000): void {
    const ack = this.machine.expectAck(this.now + timeoutMs, (error, value) => {
      this.settled.push(`${event}: ${error?.code ?? value}`);
    });
    this.send({ type: PacketType.Event, namespace: '/', event, args: [], ack }, ack);
  }

  protected get now(): number {
    return this.world.clock.now();
  }

  protected frame<P>(packet: P): PairFrame<P> {
    return { packet, stamp: this.#stamp++, length: 1 };
  }

  protected send(packet: Packet, tag: number): void {
    const frame = this.frame(packet);
    this.machine.send(frame, this.mark(frame, tag));
    this.schedule();
  }

  /** What the outbox keeps with a frame. */
  protected abstract mark(frame: PairFrame, tag: number): number;

  protected control(packet: Packet): void {
    this.port?.send({ packet, stamp: -1, length: 1 });
  }

  protected transmit(frame: PairFrame): void {
    this.#transmitted = frame.stamp;
    this.port?.send(frame);
  }

  protected transmittedStamp(): number {
    return this.#transmitted;
  }

  protected receive({ packet, stamp }: PairFrame): void {
    const { machine, delivered } = this;
    const before = machine.received + delivered.length;
    machine.receive(packet as SessionPacket, this.now);
    if (stamp >= 0 && machine.received + delivered.length === before) this.repeated++;
    this.handled = Math.max(this.handled, stamp);
    this.schedule();
  }

  /** Has `tick` called when it is due: after everything that may have moved the deadline. */
  protected schedule(): void {
    this.#cancelTick();
    this.#cancelTick = this.world.clock.after(this.machine.deadline - this.now, () => {
      this.machine.tick(this.now);
      this.schedule();
    });
  }

  /** @returns the port, which is this side's only one from now on */
  protected attach(port: Port): void {
    this.port?.close();
    this.port = port;
    this.#transmitted = -1;
    port.onClose = () => this.detach();
  }

  protected detach(): void {
    this.port?.close();
    this.port = undefined;
    this.machine.detach();
    this.schedule();
  }

  protected newMachine(): SessionMachine<PairFrame> {
    const sink: ServerSink<PairFrame> = {
      transmit: (frame) => this.transmit(frame),
      control: (packet) => this.control(packet),
      deliver: (packet, number) => this.deliver(packet, number),
      silent: () => this.detach(),
      transmittedStamp: () => this.transmittedStamp(),
    };
    return this.machineOf(sink);
  }

  protected abstract machineOf(sink: ServerSink<PairFrame>): SessionMachine<PairFrame>;

  protected deliver(packet: DeliveredPacket, _number: number): void {
    if (packet.type !== PacketType.Event && packet.type !== PacketType.Publish) return;
    this.delivered.push(packet.event);
    if (packet.type === PacketType.Publish || packet.ack === undefined) return;
    const reply: Packet = { type: PacketType.Ack, ack: packet.ack, value: packet.event };
    const { session } = this;
    this.world.clock.after(this.world.random.between(this.world.options.replyMs), () => {
      if (session === this.session) this.send(reply, FrameTag.Session);
    });
  }
}
