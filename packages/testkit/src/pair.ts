// A client's and a server's session machine over links that can be cut, in virtual time. The glue around them is what
// docs/PROTOCOL.md §5 asks of both ends; the server's feed is a small model of the real one.
import * as protocol from '@halyard/protocol';
import { FrameTag, type Packet, PacketType, SessionMachine } from '@halyard/protocol';
import { VirtualClock } from './clock';
import { between, FakeLink, type LinkEnd, type Network, type RangeMs } from './link';
import { type Random, seededRandom } from './random';

const defaults = {
  seed: 1,
  settings: protocol.defaultSettings,
  limits: protocol.defaultOutboxLimits,
  network: { latencyMs: [10, 10], noticeMs: [0, 0], unnoticed: 0 } as Network,
  /** How long an event that asks for an acknowledgement is handled. */
  replyMs: [0, 0] as RangeMs,
  /** How long the client waits before it connects again. */
  reconnectMs: [100, 100] as RangeMs,
  /** A client that resumes is fed so many packets per millisecond. */
  feedPackets: 1_000,
  /** Log messages go out again from the client's positions, or from what the server knows confirmed: then some repeat. */
  replay: 'positions' as 'positions' | 'confirmed',
};
export type PairOptions = typeof defaults;

/** A packet that is its own frame, with its place among all that its sender sends: -1 for those out of that order. */
type PairFrame<P = Packet> = { readonly packet: P; readonly serial: number; readonly length: number };
type Port = LinkEnd<PairFrame>;
type World = { readonly options: PairOptions; readonly clock: VirtualClock; readonly random: Random };

const sessionLost = new protocol.LocalUsageError('ERR_SESSION_LOST');

abstract class Peer {
  /** The events delivered, by name. */
  readonly delivered: string[] = [];
  /** For each settled acknowledgement its event's name and the reply, which is the same name, or the error's code. */
  readonly settled: string[] = [];
  /** Counted packets and log messages that arrived again and were dropped. */
  repeated = 0;
  /** The highest serial of the other side that was handled. */
  handled = -1;
  machine: SessionMachine<PairFrame>;
  protected port: Port | undefined;
  protected session: string | undefined;
  protected readonly world: World;
  #serial = 0;
  #transmitted = -1;
  #cancelTick = () => {};

  constructor(world: World) {
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
    return { packet, serial: this.#serial++, length: 1 };
  }

  protected send(packet: Packet, tag: number): void {
    const frame = this.frame(packet);
    this.machine.send(frame, this.mark(frame, tag));
    this.schedule();
  }

  /** What the outbox keeps with a frame. */
  protected abstract mark(frame: PairFrame, tag: number): number;

  protected control(packet: Packet): void {
    this.port?.send({ packet, serial: -1, length: 1 });
  }

  protected transmit(frame: PairFrame): void {
    this.#transmitted = frame.serial;
    this.port?.send(frame);
  }

  protected transmittedStamp(): number {
    return this.#transmitted;
  }

  protected receive({ packet, serial }: PairFrame): void {
    const { machine, delivered } = this;
    const before = machine.received + delivered.length;
    machine.receive(packet as protocol.SessionPacket, this.now);
    if (serial >= 0 && machine.received + delivered.length === before) this.repeated++;
    this.handled = Math.max(this.handled, serial);
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

  protected newMachine(probeSlackMs = 0): SessionMachine<PairFrame> {
    const sink: protocol.SessionSink<PairFrame> = {
      transmit: (frame) => this.transmit(frame),
      control: (packet) => this.control(packet),
      deliver: (packet) => this.#deliver(packet),
      silent: () => this.detach(),
      transmittedStamp: () => this.transmittedStamp(),
    };
    return new SessionMachine(sink, this.world.options.settings, this.world.options.limits, probeSlackMs);
  }

  #deliver(packet: protocol.DeliveredPacket): void {
    if (packet.type !== PacketType.Event && packet.type !== PacketType.Publish) return;
    this.delivered.push(packet.event);
    if (packet.type === PacketType.Publish || packet.ack === undefined) return;
    const reply: Packet = { type: PacketType.Ack, ack: packet.ack, value: packet.event };
    const { session } = this;
    this.world.clock.after(between(this.world.random, this.world.options.replyMs), () => {
      if (session === this.session) this.send(reply, FrameTag.Session);
    });
  }
}

class Client extends Peer {
  /** How many events were given up because their session was lost. */
  givenUp = 0;
  link: FakeLink<PairFrame> | undefined;
  readonly #server: Server;

  constructor(world: World, server: Server) {
    super(world);
    this.#server = server;
  }

  protected mark(_frame: PairFrame, tag: number): number {
    return tag;
  }

  /** Only a server asks what was handled of it. */
  protected override transmittedStamp(): number {
    return -1;
  }

  /** HELLO, and in the same flight everything unconfirmed. */
  connect(): void {
    const { machine, session } = this;
    this.link = new FakeLink(this.world.clock, this.world.random, this.world.options.network);
    this.#server.accept(this.link.server, this);
    this.link.client.onFrame = (frame) => {
      if (frame.packet.type === PacketType.Welcome) this.#welcome(frame.packet);
      else this.receive(frame);
    };
    this.attach(this.link.client);
    const { received, confirmed, positions } = machine;
    const resume = session === undefined ? undefined : { session, secret: 'secret', received, confirmed, positions };
    if (resume === undefined) this.givenUp += machine.restart(sessionLost, this.now);
    this.control({ type: PacketType.Hello, namespaces: [], client: 'pair', resume, token: '', generation: 0, left: 0 });
    machine.open(this.now);
    this.schedule();
  }

  #welcome(packet: protocol.WelcomePacket): void {
    const { machine } = this;
    if (packet.recovered) machine.confirm(packet.received);
    else if (this.session !== undefined) {
      this.givenUp += machine.restart(sessionLost, this.now);
      this.control({ type: PacketType.Reset });
      machine.open(this.now);
    }
    machine.settings = packet.settings;
    this.session = packet.session;
    this.schedule();
  }

  protected override detach(): void {
    super.detach();
    this.world.clock.after(between(this.world.random, this.world.options.reconnectMs), () => this.connect());
  }

  protected override newMachine(): SessionMachine<PairFrame> {
    return super.newMachine(this.world.options.settings.heartbeatTimeoutMs / 2);
  }
}

class Server extends Peer {
  /** For each session, how much was delivered before it began. */
  readonly began: number[] = [];
  readonly #log: PairFrame<protocol.PublishPacket>[] = [];
  readonly #offsets = new Map<string, number>();
  /** Log messages that the connection is still to be fed. */
  #unfed: PairFrame<protocol.PublishPacket>[] = [];
  /** Length of the log when the session began: what was before is not for it. */
  #joined = 0;

  protected mark({ serial }: PairFrame): number {
    return serial;
  }

  publish(logs: readonly string[], event: string): void {
    const positions = logs.map((log): protocol.Position => [log, (this.#offsets.get(log) ?? 0) + 1]);
    for (const [log, offset] of positions) this.#offsets.set(log, offset);
    const frame = this.frame({ type: PacketType.Publish, namespace: '/', positions, event, args: [] } as const);
    this.#log.push(frame);
    if (this.machine.state === 'live') this.transmit(frame);
    else this.#unfed.push(frame);
  }

  /** Loses the session, as when its window has passed. What is sent from now on is for the next one. */
  forget(): void {
    if (this.port !== undefined) this.detach();
    this.machine.end(sessionLost);
    this.machine = this.newMachine();
    this.session = undefined;
    this.#joined = this.#log.length;
  }

  accept(port: Port, client: Peer): void {
    let waitsForReset = false;
    port.onFrame = (frame) => {
      const { packet } = frame;
      if (packet.type === PacketType.Hello) waitsForReset = this.#hello(port, packet.resume);
      else if (packet.type === PacketType.Reset) waitsForReset = false;
      else if (port === this.port && !waitsForReset) this.receive(frame);
      const { confirmedStamp } = this.machine;
      if (confirmedStamp <= client.handled) return;
      throw new Error(`serial ${confirmedStamp} is taken for handled, but the client is at ${client.handled}`);
    };
  }

  /** @returns whether everything else is to be ignored until RESET */
  #hello(port: Port, resume: protocol.ResumeRequest | undefined): boolean {
    const recovered = resume !== undefined && resume.session === this.session;
    if (!recovered && this.session !== undefined) this.forget();
    try {
      this.machine.hold(recovered ? resume : { received: 0, confirmed: 0 }, this.now);
    } catch (error) {
      if (!(error instanceof protocol.RemoteProtocolError)) throw error;
      port.close(); // A later connection's HELLO has overtaken this one.
      return true;
    }
    this.attach(port);
    if (this.session === undefined) this.session = `session ${this.began.push(this.delivered.length)}`;
    const { received, settings, confirmedStamp } = this.machine;
    const resumed = { received, recovered, reason: recovered ? '' : 'unknown-session' };
    this.control({ type: PacketType.Welcome, session: this.session, secret: 'secret', settings, ...resumed });
    const reached = new Map(resume?.positions);
    const byPosition = this.world.options.replay === 'positions';
    this.#unfed = this.#log.slice(this.#joined).filter(({ packet, serial }) => {
      if (!byPosition) return serial > confirmedStamp;
      return packet.positions.every(([log, offset]) => offset > (reached.get(log) ?? 0));
    });
    this.#feed(port);
    return resume !== undefined && !recovered;
  }

  /** Sends what the client has not received, log messages and outbox merged in the order they were emitted. */
  #feed(port: Port): void {
    for (let i = 0; i < this.world.options.feedPackets && port === this.port; i++) {
      const [logged] = this.#unfed;
      const { waiting, waitingStamp = 0 } = this.machine;
      if (logged === undefined && waiting === undefined) {
        this.machine.open(this.now);
        this.schedule();
        return;
      }
      const loggedFirst = logged !== undefined && (waiting === undefined || logged.serial < waitingStamp);
      if (loggedFirst) this.transmit(this.#unfed.shift() ?? logged);
      else this.machine.transmitWaiting();
    }
    if (port === this.port) this.world.clock.after(1, () => this.#feed(port));
  }
}

/** A client that is about to connect to a server, and reconnects by itself. */
export function pair(given: Partial<PairOptions> = {}) {
  const options = { ...defaults, ...given, network: { ...defaults.network, ...given.network } };
  const world = { options, clock: new VirtualClock(), random: seededRandom(options.seed) };
  const server = new Server(world);
  const client = new Client(world, server);
  client.connect();
  return { client, server, ...world, cut: () => client.link?.cut() };
}
