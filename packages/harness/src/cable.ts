// The network between client and server: a TCP proxy on the loopback that can be pulled, cut at any byte, stalled, slow,
// silent, and hostile to WebSocket.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of a WebSocket handshake. */
export type WebSocketPolicy = 'pass' | 'reset' | 'swallow';

/** `up` is towards the server. */
export type Direction = 'up' | 'down';

/** How a connection is cut: at once, with what is under way lost; or with a FIN to both ends, behind what was carried. */
export type Ending = 'reset' | 'fin';

/** `stalled`: nothing is read, so that the sender's buffers fill. `silent`: everything is read and dropped. */
type Pace = 'full' | 'slow' | 'stalled' | 'silent';

const tickMs = 5;

/** An end of a connection is carried like everything else. */
const wireOptions = { noDelay: true, allowHalfOpen: true } as const;

export class Cable {
  readonly #server = createServer(wireOptions, (client) => this.#plug(client));
  /** Every socket that is not closed, cut or not. */
  readonly #sockets = new Set<Socket>();
  readonly #wires = new Set<Wire>();
  readonly #paces: Record<Direction, Pace> = { up: 'full', down: 'full' };
  #bytesPerTick = Number.POSITIVE_INFINITY;
  /** What goes at once on a slow line, as a segment of TCP does, and as much less often. Default: what it carries in 5 ms. */
  segmentBytes = 0;
  #cutIn: { bytes: number; ending: Ending } | undefined;
  #pulled = false;
  /** Where new connections lead. */
  targetPort: number;
  /** What becomes of handshakes from now on. */
  webSockets: WebSocketPolicy;
  /** Times that something was cut: one for all connections there were. */
  cuts = 0;
  /** Connections refused while it was pulled. */
  refused = 0;

  private constructor(targetPort: number, webSockets: WebSocketPolicy) {
    this.targetPort = targetPort;
    this.webSockets = webSockets;
  }

  static async open(targetPort: number, webSockets: WebSocketPolicy = 'pass'): Promise<Cable> {
    const cable = new Cable(targetPort, webSockets);
    cable.#server.listen(0, '127.0.0.1');
    await once(cable.#server, 'listening');
    return cable;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Breaks every connection and refuses new ones until `mend`. What is under way is lost. */
  pull(): void {
    this.#pulled = true;
    this.cut();
  }

  mend(): void {
    this.#pulled = false;
  }

  /** Breaks every connection; new ones work. */
  cut(ending: Ending = 'reset'): void {
    this.#cutIn = undefined;
    if (this.#wires.size > 0) this.cuts++;
    for (const wire of this.#wires) wire.cut(ending);
    this.#wires.clear();
    if (ending === 'reset') for (const socket of this.#sockets) reset(socket);
  }

  /** Breaks every connection when this many more bytes were carried, to either side: in the midst of a frame, mostly. */
  cutAfter(bytes: number, ending: Ending = 'reset'): void {
    this.#cutIn = { bytes, ending };
  }

  /** Carries nothing, and reads nothing: the sender is held up. */
  stall(...directions: readonly Direction[]): void {
    this.#setPace('stalled', directions);
  }

  /** Carries this many bytes each 5 ms on each connection, and reads no more than that. @param directions default: both */
  slow(bytesPerTick: number, ...directions: Direction[]): void {
    this.#bytesPerTick = bytesPerTick;
    this.#setPace('slow', directions.length > 0 ? directions : ['up', 'down']);
  }

  /** Half-open: both sides go on sending, and nothing arrives. */
  silence(): void {
    this.#setPace('silent', ['up', 'down']);
  }

  /** Lets everything go on. A connection that has lost bytes cannot, and is cut. */
  flow(): void {
    for (const wire of this.#wires) {
      if (!wire.hasLost) continue;
      wire.cut('reset');
      this.#wires.delete(wire);
    }
    this.#setPace('full', ['up', 'down']);
  }

  async close(): Promise<void> {
    this.pull();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #setPace(pace: Pace, directions: readonly Direction[]): void {
    for (const direction of directions) this.#paces[direction] = pace;
    for (const wire of this.#wires) wire.paceChanged();
  }

  #plug(client: Socket): void {
    if (this.#pulled) {
      this.refused++;
      reset(client.on('error', () => {}));
      return;
    }
    this.#watch(client);
    client.once('data', (head) => {
      if (/^upgrade: websocket\r$/im.test(head.toString('latin1'))) {
        if (this.webSockets === 'reset') reset(client);
        if (this.webSockets !== 'pass') return;
      }
      const server = this.#watch(connect({ ...wireOptions, port: this.targetPort, host: '127.0.0.1' }));
      const wire: Wire = new Wire(client, server, {
        paceOf: (direction) => this.#paces[direction],
        bytesPerTick: () => this.#bytesPerTick,
        segmentBytes: () => this.segmentBytes,
        bytesBeforeCut: () => this.#cutIn?.bytes ?? Number.POSITIVE_INFINITY,
        carried: (bytes) => this.#carried(bytes),
        closed: () => this.#wires.delete(wire),
      });
      this.#wires.add(wire);
      wire.begin(head);
    });
  }

  #carried(bytes: number): void {
    if (this.#cutIn === undefined) return;
    this.#cutIn.bytes -= bytes;
    if (this.#cutIn.bytes <= 0) this.cut(this.#cutIn.ending);
  }

  #watch(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    return socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Node resets behind what it has still to write, and a peer that does not read would keep that waiting for ever. */
function reset(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}

/** What a wire asks of its cable. */
interface Rules {
  paceOf(direction: Direction): Pace;
  bytesPerTick(): number;
  segmentBytes(): number;
  bytesBeforeCut(): number;
  /** May cut the wire. */
  carried(bytes: number): void;
  closed(): void;
}

/** One connection through the cable. */
class Wire {
  readonly #lanes: readonly Lane[];
  readonly #ends: readonly Socket[];

  constructor(client: Socket, server: Socket, rules: Rules) {
    this.#ends = [client, server];
    this.#lanes = [new Lane(client, server, 'up', rules), new Lane(server, client, 'down', rules)];
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('close', () => {
        rules.closed();
        other.destroy();
      });
    }
  }

  begin(head: Buffer): void {
    this.#lanes[0]?.take(head);
  }

  get hasLost(): boolean {
    return this.#lanes.some((lane) => lane.hasLost);
  }

  paceChanged(): void {
    for (const lane of this.#lanes) lane.go();
  }

  cut(ending: Ending): void {
    for (const lane of this.#lanes) lane.stop();
    for (const end of this.#ends) {
      if (ending === 'reset') reset(end);
      else end.end();
    }
  }
}

/** One direction of a wire. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #rules: Rules;
  /** What was read and not carried. */
  #held: Buffer | undefined;
  #ended = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  hasLost = false;

  constructor(from: Socket, to: Socket, direction: Direction, rules: Rules) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#rules = rules;
    from.on('data', (chunk: Buffer) => this.take(chunk));
    from.on('end', () => {
      this.#ended = true;
      this.go();
    });
    to.on('drain', () => this.go());
    to.on('close', () => this.stop());
  }

  take(chunk: Buffer): void {
    if (this.#stopped) return;
    this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.go();
  }

  /** Carries what may be carried now. */
  go(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    const pace = this.#rules.paceOf(this.#direction);
    if (pace === 'silent' && (this.#held !== undefined || this.#ended)) {
      this.hasLost = true;
      this.#held = undefined;
    }
    if (this.#held !== undefined && pace !== 'stalled' && !this.#to.writableNeedDrain) this.#carry(this.#held, pace);
    if (this.#stopped) return;
    if (this.#held === undefined && this.#ended && !this.hasLost) this.#to.end();
    if (pace === 'stalled' || this.#held !== undefined) this.#from.pause();
    else this.#from.resume();
  }

  /** Nothing more is carried. What still comes is read, so that the end of it is seen. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#held = undefined;
    this.#from.resume();
  }

  #carry(held: Buffer, pace: Pace): void {
    const perTick = this.#rules.bytesPerTick();
    const atOnce = Math.max(perTick, this.#rules.segmentBytes());
    const most = Math.min(this.#rules.bytesBeforeCut(), pace === 'slow' ? atOnce : held.length);
    const part = held.subarray(0, most);
    this.#held = part.length < held.length ? held.subarray(part.length) : undefined;
    this.#to.write(part);
    if (pace === 'slow') {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          this.go();
        },
        (tickMs * atOnce) / perTick,
      );
    }
    this.#rules.carried(part.length);
  }
}
