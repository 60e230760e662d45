// A peer that may break every rule: what a test writes goes into TCP as it is.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Watched } from './watched';

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class RawSocket extends Watched {
  /** Arrived and not yet taken. */
  bytes: Buffer = Buffer.alloc(0);
  /** Whether the server has ended or cut the connection. */
  ended = false;
  /** Whether nothing of it is left. */
  gone = false;
  protected readonly socket: Socket;

  protected constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.arrived();
      this.changed();
    });
    socket.on('error', () => {});
    socket.on('end', () => this.end());
    socket.on('close', () => {
      this.gone = true;
      this.end();
    });
  }

  /**
   * @param stays keeps its half open when the server has closed the other
   * @param address of its own, such as 127.0.0.2 where the system has all of 127.0.0.0/8
   */
  static async open(port: number, stays = false, address?: string): Promise<RawSocket> {
    return new RawSocket(await tcp(port, stays, address));
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Goes away without a word. */
  cut(): void {
    this.socket.destroy();
  }

  /** Goes away with a reset: what the server has sent and not been confirmed is an error there. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Reads nothing more, so that the server's buffers fill. */
  pause(): void {
    this.socket.pause();
  }

  /** Says that it sends no more, and goes on reading. */
  finish(): void {
    this.socket.end();
  }

  /** Takes the next HTTP response. */
  response(): Promise<HttpResponse> {
    return this.until('an HTTP response', () => {
      const parsed = parseResponse(this.bytes, this.ended);
      if (parsed !== undefined) this.bytes = this.bytes.subarray(parsed.length);
      return parsed?.response;
    });
  }

  protected arrived(): void {}

  protected override seen(): string {
    return `${this.ended ? 'the connection has ended' : 'the connection is open'}, there is ${JSON.stringify(this.bytes.toString())}`;
  }

  protected end(): void {
    this.ended = true;
    this.changed();
  }
}

/** Sends the text of an HTTP request on a connection of its own. @returns the answer */
export async function http(port: number, request: string): Promise<HttpResponse> {
  const socket = await RawSocket.open(port);
  socket.write(request);
  try {
    return await socket.response();
  } finally {
    socket.cut();
  }
}

/** @returns the text of a request; `headers` with `undefined` are left out, `Host` is there unless it is one of them */
export function request(line: string, headers: Record<string, string | undefined> = {}, body = ''): string {
  const all = { Host: 'halyard.test', ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** @returns the text of a good WebSocket handshake, but for what `headers` change */
export function handshake(headers: Record<string, string | undefined> = {}, path = '/halyard'): string {
  return request(`GET ${path}`, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  });
}

export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** @returns a masked frame as RFC 6455 §5.2 has it */
export function wsFrame(payload: string | Uint8Array, opcode: number = Opcode.Text, final = true): Buffer {
  const data = Buffer.from(payload as string);
  const mask = randomBytes(4);
  const { length } = data;
  const size = length < 126 ? Buffer.from([length]) : Buffer.alloc(length < 65_536 ? 3 : 9);
  if (size.length === 3) size.writeUInt16BE(length, 1);
  else if (size.length === 9) size.writeBigUInt64BE(BigInt(length), 1);
  if (size.length > 1) size[0] = size.length === 3 ? 126 : 127;
  size[0] = (size[0] as number) | 0x80;
  const masked = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) masked[i] = (data[i] as number) ^ (mask[i & 3] as number);
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode]), size, mask, masked]);
}

export class RawWebSocket extends RawSocket {
  /** JSON packets that arrived. */
  readonly packets: unknown[][] = [];
  /** Messages that are not text. */
  readonly binary: Buffer[] = [];
  /** The server's close frame; 1006 if the connection ended without one. */
  closed: { code: number; reason: string } | undefined;
  subprotocol: string | undefined;

  /** Shakes hands. @param headers more of them, or others. @param address of its own */
  static async connect(
    port: number,
    headers: Record<string, string | undefined> = {},
    path = '/halyard',
    address?: string,
  ): Promise<RawWebSocket> {
    const socket = new RawWebSocket(await tcp(port, false, address));
    socket.write(handshake(headers, path));
    const head = await socket.until('101', () => {
      const end = socket.bytes.indexOf('\r\n\r\n');
      return end < 0 ? undefined : socket.bytes.subarray(0, end).toString('latin1');
    });
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(`not upgraded: ${head}`);
    socket.bytes = socket.bytes.subarray(head.length + 4);
    socket.subprotocol = /^sec-websocket-protocol: *(.*?)\r?$/im.exec(head)?.[1];
    socket.#upgraded = true;
    socket.arrived();
    return socket;
  }

  #upgraded = false;

  /** Sends packets, each in a text message. */
  send(...packets: unknown[][]): void {
    for (const packet of packets) this.message(JSON.stringify(packet));
  }

  message(
    payload: string | Uint8Array,
    opcode: number = typeof payload === 'string' ? Opcode.Text : Opcode.Binary,
  ): void {
    this.write(wsFrame(payload, opcode));
  }

  /** The first packet that arrived of this type. */
  packet(type: number): Promise<unknown[]> {
    return this.until(`a packet of type ${type}`, () => this.packets.find((packet) => packet[0] === type));
  }

  /** How the server closed. */
  close(): Promise<{ code: number; reason: string }> {
    return this.until('a close', () => this.closed);
  }

  /** HELLO for the main namespace. @returns what a resume needs, and the socket's id */
  async hello(): Promise<{ session: string; secret: string; id: string }> {
    this.send([0]);
    const [, session, secret] = (await this.packet(1)) as [number, string, string];
    const [, , id] = (await this.packet(11)) as [number, string, string];
    return { session, secret, id };
  }

  protected override arrived(): void {
    while (this.#upgraded && this.bytes.length >= 2) {
      const [first = 0, second = 0] = this.bytes;
      const at = second < 126 ? 2 : second === 126 ? 4 : 10;
      if (this.bytes.length < at) return;
      const length = at === 2 ? second : at === 4 ? this.bytes.readUInt16BE(2) : Number(this.bytes.readBigUInt64BE(2));
      if (this.bytes.length < at + length) return;
      const payload = Buffer.from(this.bytes.subarray(at, at + length));
      this.bytes = this.bytes.subarray(at + length);
      this.#frame(first & 15, payload);
    }
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.Text) this.packets.push(JSON.parse(payload.toString()) as unknown[]);
    else if (opcode === Opcode.Binary) this.binary.push(payload);
    else if (opcode === Opcode.Close) {
      const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
      this.closed ??= { code, reason: payload.subarray(2).toString() };
      // A peer that answers lets the server go.
      this.write(wsFrame(payload.subarray(0, 2), Opcode.Close));
    }
  }

  protected override seen(): string {
    return `there are ${JSON.stringify(this.packets).slice(0, 500)} and ${JSON.stringify(this.closed)}`;
  }

  protected override end(): void {
    this.closed ??= { code: 1006, reason: '' };
    super.end();
  }
}

async function tcp(port: number, allowHalfOpen = false, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen, localAddress });
  socket.setNoDelay(true);
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function parseResponse(bytes: Buffer, ended: boolean): { response: HttpResponse; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [status = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const declared = headers['content-length'];
  const length = end + 4 + (declared === undefined ? 0 : Number(declared));
  if (bytes.length < length || (declared === undefined && headers['transfer-encoding'] !== undefined && !ended)) {
    return undefined;
  }
  return {
    response: { status: Number(status.split(' ')[1]), headers, body: bytes.subarray(end + 4, length).toString() },
    length,
  };
}
