// A client's and a server's session machine, joined by links that can be cut, in virtual time. What of the server's logs a
// machine must get along with is here in its shortest form: messages that go out again.

import { type DeliveredPacket, SessionMachine } from '../src/stream/machine';
import { MovableMachine, type StreamState } from '../src/stream/movable-machine';
import { type Flight, FrameTag } from '../src/stream/outbox';
import { ServerMachine, type ServerSink } from '../src/stream/server-machine';
import { LocalUsageError, RemoteProtocolError } from '../src/wire/errors';
import { packetLimits } from '../src/wire/limits';
import {
  PacketType,
  type Position,
  type PublishPacket,
  type ResumeRequest,
  type WelcomePacket,
} from '../src/wire/packet';
import { Link } from './link';
import { defaults, type PairFrame, type PairOptions, type PairWorld, Peer, type Port } from './peer';
import { seededRandom } from './random';
import { stateOf } from './state';
import { VirtualClock } from './virtual-clock';

const helloWindow = {
  windowPacketsMax: packetLimits.helloWindowPacketsMax,
  windowBytesMax: packetLimits.helloWindowBytesMax,
};

const sessionLost = new LocalUsageError('ERR_SESSION_LOST');

class Client extends Peer {
  /** How many events were given up because their session was lost. */
  givenUp = 0;
  link: Link<PairFrame> | undefined;
  readonly #server: Server;
  declare private flight: Flight;

  constructor(world: PairWorld, server: Server) {
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
    this.link = new Link(this.world);
    this.#server.accept(this.link.server, this);
    this.link.client.onFrame = (frame) => {
      if (frame.packet.type === PacketType.Welcome) this.#welcome(frame.packet);
      else this.receive(frame);
    };
    this.attach(this.link.client);
    const { received, confirmed, positions, settled } = machine;
    const resume =
      session === undefined ? undefined : { session, secret: 'secret', received, confirmed, positions, settled };
    if (resume === undefined) this.givenUp += machine.restart(sessionLost, this.now);
    this.control({
      type: PacketType.Hello,
      namespaces: [],
      client: 'pair',
      resume,
      token: '',
      generation: 0,
      left: machine.left,
    });
    this.flight.window = helloWindow;
    machine.open(this.now);
    this.schedule();
  }

  #welcome(packet: WelcomePacket): void {
    const { machine } = this;
    this.flight.window = packet.settings;
    if (packet.recovered) machine.confirm(packet.received, packet.settled);
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
    this.world.clock.after(this.world.random.between(this.world.options.reconnectMs), () => this.connect());
  }

  protected override machineOf(sink: ServerSink<PairFrame>): SessionMachine<PairFrame> {
    const { settings, limits } = this.world.options;
    this.flight = { packets: 0, bytes: 0, settled: 0, window: helloWindow };
    return new SessionMachine(sink, settings, limits, settings.heartbeatTimeoutMs / 2, this.flight);
  }
}

class Server extends Peer {
  declare machine: ServerMachine<PairFrame>;
  /** For each session, how much was delivered before it began. */
  readonly began: number[] = [];
  readonly #log: PairFrame<PublishPacket>[] = [];
  readonly #offsets = new Map<string, number>();
  /** Log messages that the connection is still to be sent. */
  #unsent: PairFrame<PublishPacket>[] = [];
  /** Length of the log when the session began: what was before is not for it. */
  #joined = 0;
  /** Of a machine before, while one is made. */
  declare private state: StreamState<PairFrame> | undefined;
  readonly #settledEvents = new Set<string>();

  protected mark({ stamp }: PairFrame): number {
    return stamp;
  }

  publish(logs: readonly string[], event: string): void {
    const positions = logs.map((log): Position => [log, (this.#offsets.get(log) ?? 0) + 1]);
    for (const [log, offset] of positions) this.#offsets.set(log, offset);
    const frame = this.frame({ type: PacketType.Publish, namespace: '/', positions, event, args: [] } as const);
    this.#log.push(frame);
    if (this.machine.state === 'live') this.transmit(frame);
    else this.#unsent.push(frame);
  }

  /** The session goes on in another machine, with what this one has come to. */
  move(): void {
    if (this.port !== undefined) this.detach();
    this.state = stateOf(this.machine as MovableMachine<PairFrame>);
    this.machine = this.newMachine() as ServerMachine<PairFrame>;
    this.state = undefined;
  }

  protected override machineOf(sink: ServerSink<PairFrame>): ServerMachine<PairFrame> {
    const { settings, limits, settleMs } = this.world.options;
    if (settleMs === undefined) return new ServerMachine(sink, settings, limits);
    return new MovableMachine(sink, settings, limits, this.state);
  }

  protected override deliver(packet: DeliveredPacket, number: number): void {
    const { settleMs } = this.world.options;
    if (settleMs === undefined || packet.type !== PacketType.Event) {
      super.deliver(packet, number);
      return;
    }
    const { machine } = this;
    this.delivered.push(packet.event);
    const settle = () => {
      if (machine !== this.machine) return;
      this.#settledEvents.add(packet.event);
      const { ack, event } = packet;
      if (ack !== undefined) this.send({ type: PacketType.Ack, ack, value: event }, FrameTag.Session);
      (machine as MovableMachine<PairFrame>).settle(number, this.now);
      this.schedule();
    };
    if (this.#settledEvents.has(packet.event)) throw new Error(`${packet.event} was settled, and comes again`);
    const ms = this.world.random.between(settleMs);
    if (ms > 0) this.world.clock.after(ms, settle);
    else settle();
  }

  /** Loses the session, as when its window has passed. What is sent from now on is for the next one. */
  forget(): void {
    if (this.port !== undefined) this.detach();
    this.machine.end(sessionLost);
    this.machine = this.newMachine() as ServerMachine<PairFrame>;
    this.session = undefined;
    this.#joined = this.#log.length;
  }

  accept(port: Port, client: Peer): void {
    let waitsForReset = false;
    port.onFrame = (frame) => {
      const { packet } = frame;
      if (packet.type === PacketType.Hello) waitsForReset = this.#hello(port, packet.resume, packet.left);
      else if (packet.type === PacketType.Reset) waitsForReset = false;
      else if (port === this.port && !waitsForReset) this.receive(frame);
      const { confirmedStamp } = this.machine;
      if (confirmedStamp <= client.handled) return;
      throw new Error(`stamp ${confirmedStamp} is taken for handled, but the client is at ${client.handled}`);
    };
  }

  /** @returns whether everything else is to be ignored until RESET */
  #hello(port: Port, resume: ResumeRequest | undefined, left: number): boolean {
    const recovered = resume !== undefined && resume.session === this.session;
    if (!recovered && this.session !== undefined) this.forget();
    try {
      this.machine.hold(recovered ? { ...resume, left } : { received: 0, confirmed: 0 }, this.now);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      port.close(); // A later connection's HELLO has overtaken this one.
      return true;
    }
    this.attach(port);
    if (this.session === undefined) this.session = `session ${this.began.push(this.delivered.length)}`;
    const { received, settings, confirmedStamp, settledAbove: settled } = this.machine;
    const resumed = { received, settled, recovered, reason: recovered ? '' : 'unknown-session' };
    this.control({ type: PacketType.Welcome, session: this.session, secret: 'secret', settings, ...resumed });
    const reached = new Map(resume?.positions);
    const byPosition = this.world.options.replay === 'positions';
    this.#unsent = this.#log.slice(this.#joined).filter(({ packet, stamp }) => {
      if (!byPosition) return stamp > confirmedStamp;
      return packet.positions.every(([log, offset]) => offset > (reached.get(log) ?? 0));
    });
    this.#replay(port);
    return resume !== undefined && !recovered;
  }

  /** Sends what the client has not received, log messages and outbox merged in the order they were emitted. */
  #replay(port: Port): void {
    for (let i = 0; i < this.world.options.replayPackets && port === this.port; i++) {
      const [logged] = this.#unsent;
      const { waiting, waitingStamp = 0 } = this.machine;
      if (logged === undefined && waiting === undefined) {
        this.machine.open(this.now);
        this.schedule();
        return;
      }
      const loggedFirst = logged !== undefined && (waiting === undefined || logged.stamp < waitingStamp);
      if (loggedFirst) this.transmit(this.#unsent.shift() ?? logged);
      else this.machine.transmitWaiting();
    }
    if (port === this.port) this.world.clock.after(1, () => this.#replay(port));
  }
}

/** A client that is about to connect to a server, and reconnects by itself. */
export function pair(given: Partial<PairOptions> = {}) {
  const network = { ...defaults.network, ...given.network };
  const options = { ...defaults, ...given, network };
  const world = { options, network, clock: new VirtualClock(), random: seededRandom(options.seed) };
  const server = new Server(world);
  const client = new Client(world, server);
  client.connect();
  return { client, server, ...world, cut: () => client.link?.cut() };
}
