// A connection as an attacker has it, over each transport: frames go out as they are written, nothing is answered by itself.
import { type HttpResponse, Opcode, type RawSocket, type RawWebSocket, request, wsFrame } from '../conformance/raw';
import { Watched } from '../conformance/watched';

export type Packet = readonly unknown[];

/** What a resume needs, and the socket's id. */
export interface Key {
  readonly session: string;
  readonly secret: string;
  readonly id: string;
}

export interface Line {
  /** Frames in one flight: messages of their own, or one body. */
  send(...frames: readonly string[]): void;
  /** Waits for the first packet that passes. */
  packet(passes: (packet: Packet) => boolean): Promise<Packet>;
  /** Says HELLO, for the main namespace unless another one is given. */
  hello(frame?: string): Promise<Key>;
  /** Waits for the end. @returns code and reason */
  close(): Promise<string>;
  /** Closes with 1000, behind what was sent. */
  leave(): Promise<void>;
  /** Goes away without a word. */
  cut(): void;
  readonly packets: readonly Packet[];
}

interface Requests {
  ask(text: string | Uint8Array): Promise<HttpResponse>;
  at(method: string, headers?: Record<string, string | undefined>, body?: string): Promise<HttpResponse>;
  tcp(): Promise<RawSocket>;
}

async function greet(line: Line, frame = '[0]'): Promise<Key> {
  line.send(frame);
  const [, session, secret] = (await line.packet(([type]) => type === 1)) as [number, string, string];
  const [, , id] = (await line.packet(([type]) => type === 11)) as [number, string, string];
  return { session, secret, id };
}

export class WebSocketLine implements Line {
  readonly socket: RawWebSocket;

  constructor(socket: RawWebSocket) {
    this.socket = socket;
  }

  get packets(): readonly Packet[] {
    return this.socket.packets;
  }

  send(...frames: readonly string[]): void {
    // At once: what comes after the server has closed would take with it what that has said.
    this.socket.write(Buffer.concat(frames.map((frame) => wsFrame(frame))));
  }

  packet(passes: (packet: Packet) => boolean): Promise<Packet> {
    return this.socket.until('a packet', () => {
      const found = this.socket.packets.find(passes);
      if (found === undefined && this.socket.closed !== undefined) throw new Error(`closed: ${this.#closed()}`);
      return found;
    });
  }

  hello(frame?: string): Promise<Key> {
    return greet(this, frame);
  }

  async close(): Promise<string> {
    await this.socket.close();
    return this.#closed();
  }

  async leave(): Promise<void> {
    this.socket.message(Uint8Array.of(3, 232), Opcode.Close);
    await this.socket.close();
  }

  cut(): void {
    this.socket.cut();
  }

  #closed(): string {
    const { code, reason } = this.socket.closed as { code: number; reason: string };
    return `${code} ${reason}`.trimEnd();
  }
}

/** What the lines over HTTP have in common: bodies, numbered, one after the other. */
abstract class HttpLine extends Watched implements Line {
  readonly packets: Packet[] = [];
  readonly id: string;
  protected readonly requests: Requests;
  protected closed: string | undefined;
  protected received = 0;
  #sent = 0;
  #sending: Promise<void> = Promise.resolve();

  protected constructor(requests: Requests, id: string) {
    super();
    this.requests = requests;
    this.id = id;
  }

  abstract cut(): void;

  send(...frames: readonly string[]): void {
    this.#sending = this.#sending.then(() => this.#post(frames.join('\n'))).catch(() => {});
  }

  packet(passes: (packet: Packet) => boolean): Promise<Packet> {
    return this.until('a packet', () => {
      const found = this.packets.find(passes);
      if (found === undefined && this.closed !== undefined) throw new Error(`closed: ${this.closed}`);
      return found;
    });
  }

  hello(frame?: string): Promise<Key> {
    return greet(this, frame);
  }

  close(): Promise<string> {
    return this.until('a close', () => this.closed);
  }

  async leave(): Promise<void> {
    await this.#sending;
    await this.requests.at('DELETE', { 'Halyard-Connection': this.id, 'Halyard-Close': '1000' });
    this.cut();
  }

  protected take(frames: string): void {
    for (const frame of frames.split('\n')) if (frame !== '') this.packets.push(JSON.parse(frame) as Packet);
    this.changed();
  }

  protected end(close: string): void {
    this.closed ??= close;
    this.changed();
  }

  protected answered(_answer: HttpResponse): void {}

  protected override seen(): string {
    return `there are ${JSON.stringify(this.packets).slice(0, 500)} and ${this.closed}`;
  }

  async #post(body: string): Promise<void> {
    const headers = { 'Halyard-Connection': this.id, 'Halyard-Seq': String(++this.#sent) };
    this.answered(await this.requests.at('POST', { ...headers, 'Halyard-Ack': String(this.received) }, body));
  }
}

export class PollingLine extends HttpLine {
  #isCut = false;

  static async open(requests: Requests): Promise<PollingLine> {
    const { headers } = await requests.at('POST');
    const line = new PollingLine(requests, headers['halyard-connection'] as string);
    void line.#poll();
    return line;
  }

  cut(): void {
    this.#isCut = true;
  }

  protected override answered(answer: HttpResponse): void {
    if (Number(answer.headers['halyard-seq']) !== this.received + 1) return;
    this.received++;
    this.take(answer.body);
    if (answer.headers['halyard-close'] !== undefined) this.end(answer.headers['halyard-close']);
  }

  async #poll(): Promise<void> {
    while (!this.#isCut && this.closed === undefined) {
      try {
        const own = { 'Halyard-Connection': this.id, 'Halyard-Ack': String(this.received) };
        const answer = await this.requests.at('GET', own);
        if (answer.status === 404) this.end('404');
        this.answered(answer);
      } catch {
        this.end('1006');
      }
    }
  }
}

export class SseLine extends HttpLine {
  readonly socket: RawSocket;

  private constructor(requests: Requests, id: string, socket: RawSocket) {
    super(requests, id);
    this.socket = socket;
    void this.#read();
  }

  static async open(requests: Requests): Promise<SseLine> {
    const socket = await requests.tcp();
    socket.write(request('GET /halyard', { Accept: 'text/event-stream', 'Halyard-Protocol': 'halyard.v1+json' }));
    const id = await socket.until(
      'a stream',
      () => /halyard-connection: (\S+)[\s\S]*\n\n/i.exec(socket.bytes.toString())?.[1],
    );
    return new SseLine(requests, id, socket);
  }

  cut(): void {
    this.socket.cut();
  }

  async #read(): Promise<void> {
    const { socket } = this;
    try {
      for (let seen = 0; ; seen = socket.bytes.length) {
        await socket.until('more of the stream', () => socket.ended || socket.bytes.length > seen);
        this.#take();
        if (socket.ended) break;
      }
    } catch {}
    this.end('1006');
  }

  /** Takes the events that are there whole. Sizes of chunks stand between line ends that no event has. */
  #take(): void {
    const { socket } = this;
    const end = socket.bytes.lastIndexOf('\n\n');
    if (end < 0) return;
    const text = socket.bytes.subarray(0, end).toString();
    socket.bytes = socket.bytes.subarray(end + 2);
    const events = text.replace(/\r\n[0-9a-f]+\r\n/gi, '').split('\n\n');
    this.take(events.flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : [])).join('\n'));
    const close = events.find((event) => event.startsWith('event: close\n'));
    if (close !== undefined) this.end(close.slice('event: close\ndata: '.length));
  }
}
