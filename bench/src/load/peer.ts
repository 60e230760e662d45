// One client connection on a raw socket: opens a session, counts what arrives, answers heartbeats, confirms. What to
// send and when is the pattern's business: it hears once per read how many replies and deliveries came.
import { connect, type Socket } from 'node:net';
import { counted, type Dialect, Kind, newSession } from './dialect';
import { FrameReader, type FrameVisitor, maskedFrame, Opcode } from './frames';

export interface PeerOwner {
  readonly dialect: Dialect;
  readonly port: number;
  opened(peer: Peer): void;
  /** Hot: before anything of a read is looked at. */
  read(): void;
  /** Hot: after each read that brought something. */
  arrived(peer: Peer, replies: number, deliveries: number): void;
  heartbeat(): void;
  /** The connection ended and nobody here asked for that. */
  failed(peer: Peer, reason: string): void;
}

const headEnd = '\r\n\r\n';
/** Lent to one socket at a time: a read is handled before the next one starts. */
const readBuffer = Buffer.allocUnsafe(1 << 18);

export class Peer implements FrameVisitor {
  readonly index: number;
  /** Of the server that it connects to. */
  port: number;
  readonly session = newSession();
  /** For the pattern: its place among lanes, or in a room. */
  place = 0;
  /** How many acknowledgements it has asked for. */
  asked = 0;
  state: 'closed' | 'upgrading' | 'opening' | 'open' = 'closed';
  readonly #owner: PeerOwner;
  #socket: Socket | undefined;
  #reader = new FrameReader(this);
  #head = '';
  #replies = 0;
  #deliveries = 0;
  #confirmed = 0;
  #control: Buffer[] = [];
  #remembering = false;

  constructor(owner: PeerOwner, index: number) {
    this.#owner = owner;
    this.index = index;
    this.port = owner.port;
  }

  connect(localAddress?: string): void {
    const { dialect } = this.#owner;
    const { port } = this;
    this.state = 'upgrading';
    this.#head = '';
    this.#reader = new FrameReader(this);
    const socket: Socket = connect({
      host: '127.0.0.1',
      port,
      localAddress,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (size, bytes) => this.#read(socket, bytes as Buffer, size) },
    });
    this.#socket = socket;
    socket.on('error', (error) => this.#ended(socket, error.message));
    socket.on('close', () => this.#ended(socket, 'closed by the server'));
    const lines = [
      `GET ${dialect.path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `Origin: http://127.0.0.1:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: aGFseWFyZCBiZW5jaG1hcg==',
    ];
    if (dialect.subprotocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${dialect.subprotocol}`);
    socket.write(lines.join('\r\n') + headEnd);
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (this.#control.length === 0) socket.write(bytes);
    else {
      this.#control.push(bytes);
      socket.write(Buffer.concat(this.#control));
      this.#control = [];
    }
  }

  /** Says how much was received, if the server has not heard. */
  confirm(): void {
    const frame = this.#confirmation(1);
    if (frame !== undefined && this.state === 'open') this.write(frame);
  }

  /** From now on reads positions from what arrives, as a resume needs. */
  remember(): void {
    this.#remembering = this.#reader.whole = true;
  }

  /** Ends the connection: in good form, or as a network does. */
  close(manner: 'close-frame' | 'cut'): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.state = 'closed';
    if (manner === 'cut') socket?.destroy();
    else socket?.end(maskedFrame(Opcode.Close, Buffer.from([0x03, 0xe8])));
  }

  frame(opcode: number, bytes: Buffer, at: number, size: number): void {
    if (opcode >= Opcode.Close) {
      this.#controlFrame(opcode, bytes.subarray(at, at + size));
      return;
    }
    const { dialect } = this.#owner;
    if (this.state === 'opening') {
      const answer = dialect.opening(opcode, bytes.subarray(at, at + size), this.session);
      if (answer === 'opened') this.#open();
      else if (answer instanceof Uint8Array) this.#socket?.write(answer);
      if (answer !== 'ordinary') return;
    }
    const kind = dialect.kind(opcode, bytes, at, size);
    if (kind >= counted) {
      this.session.received++;
      const frame = this.#confirmation(this.session.confirmEvery);
      if (frame !== undefined) this.#control.push(frame);
    }
    switch (kind & ~counted) {
      case Kind.Reply:
        this.#replies++;
        break;
      case Kind.Delivery:
        this.#deliveries++;
        if (this.#remembering) dialect.remember(opcode, bytes.subarray(at, at + size), this.session);
        break;
      case Kind.Heartbeat:
        this.#beat(dialect.heartbeat(this.session));
        break;
    }
  }

  /** @param due after how many counted packets one is owed */
  #confirmation(due: number): Buffer | undefined {
    if (this.session.received - this.#confirmed < due) return undefined;
    this.#confirmed = this.session.received;
    return this.#owner.dialect.confirm(this.session);
  }

  #read(socket: Socket, bytes: Buffer, size: number): boolean {
    if (socket !== this.#socket) return true;
    this.#owner.read();
    try {
      if (this.state === 'upgrading') this.#upgrade(bytes.subarray(0, size));
      else this.#reader.read(bytes, size);
    } catch (error) {
      this.#ended(socket, error instanceof Error ? error.message : String(error));
      socket.destroy();
      return true;
    }
    const replies = this.#replies;
    const deliveries = this.#deliveries;
    this.#replies = this.#deliveries = 0;
    if (replies + deliveries > 0) this.#owner.arrived(this, replies, deliveries);
    if (this.#control.length > 0) {
      const frames = Buffer.concat(this.#control);
      this.#control = [];
      this.#socket?.write(frames);
    }
    return true;
  }

  #upgrade(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(headEnd);
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${this.#head.slice(0, 200)}`);
    const rest = Buffer.from(this.#head.slice(end + headEnd.length), 'latin1');
    this.#head = '';
    this.state = 'opening';
    const { dialect } = this.#owner;
    const greeting = dialect.greet(this.session);
    if (greeting === 'open') this.#open();
    else if (greeting !== 'listen') this.#socket?.write(greeting);
    if (rest.length > 0) this.#reader.read(rest, rest.length);
  }

  #open(): void {
    this.state = 'open';
    this.#confirmed = this.session.recovered ? this.session.received : 0;
    this.#reader.whole = this.#remembering;
    this.#owner.opened(this);
  }

  #controlFrame(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.Ping) this.#beat(maskedFrame(Opcode.Pong, payload));
    if (opcode !== Opcode.Close) return;
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    throw new Error(`closed with ${code} ${payload.subarray(2).toString()}`);
  }

  #beat(answer: Buffer): void {
    this.#owner.heartbeat();
    this.#control.push(answer);
  }

  #ended(socket: Socket, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.state = 'closed';
    this.#owner.failed(this, reason);
  }
}
