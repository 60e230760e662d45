// What a client over HTTP says: how to open, to post an echo, to poll or to hear a stream, and to count the replies in what came.
import type { Codec } from '@halyard/codec';
import { type Packet, PacketType, pollingHeaders, protocolHeader, subprotocol } from '@halyard/protocol';
import type { Payload } from '../contract/plan';
import { newSession } from './dialect';
import { hello } from './halyard';
import { type HttpLine, type HttpResponse, headerOf, httpRequest } from './http-line';
import { socketioEvent } from './socketio';

export interface PollingSession {
  /** Opens the session. Afterwards one poll at a time is held open, unless `line` brings a stream. */
  open(line: HttpLine, poster: HttpLine): Promise<void>;
  /** Of a stream: is told how many replies have come. */
  onReplies?: ((count: number) => void) | undefined;
  /** The request that sends an echo with this number. */
  post(payload: Payload, ack: number): string;
  poll(): string;
  /** @returns how many replies an answer brought, or undefined if the one to the post under way comes before it */
  taken(response: HttpResponse): number | undefined;
}

const plain = 'Content-Type: text/plain;charset=UTF-8';

export class SocketioPolling implements PollingSession {
  #path = '/socket.io/?EIO=4&transport=polling';

  async open(line: HttpLine): Promise<void> {
    const { body } = await line.ask(httpRequest('GET', this.#path, []));
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    this.#path += `&sid=${sid}`;
    await line.ask(httpRequest('POST', this.#path, [plain], '40'));
    const connected = await line.ask(this.poll());
    if (!connected.body.startsWith('40')) throw new Error(`refused: ${connected.body}`);
  }

  post(payload: Payload, ack: number): string {
    return httpRequest('POST', this.#path, [plain], socketioEvent('echo', [payload], ack));
  }

  poll(): string {
    return httpRequest('GET', this.#path, []);
  }

  taken({ body }: HttpResponse): number {
    return body.split('\x1e').filter((packet) => packet.startsWith('43')).length;
  }
}

export class HalyardPolling implements PollingSession {
  readonly #codec: Codec;
  protected connection = '';
  #sequence = 0;
  #read = 0;
  protected received = 0;
  #told = 0;
  #tellAfter = Number.POSITIVE_INFINITY;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  protected get offer(): string {
    return `${protocolHeader}: ${subprotocol(this.#codec.name)}`;
  }

  async open(line: HttpLine, _poster: HttpLine): Promise<void> {
    const { head } = await line.ask(httpRequest('POST', '/halyard', [this.offer]));
    this.connection = headerOf(head, pollingHeaders.connection) ?? '';
    this.taken(await line.ask(this.greeting()));
    for (let polls = 0; this.received === 0; polls++) {
      if (polls > 3) throw new Error('not connected');
      this.taken(await line.ask(this.poll()));
    }
  }

  post(payload: Payload, ack: number): string {
    const event: Packet = { type: PacketType.Event, namespace: '/', event: 'echo', args: [payload], ack };
    if (this.received - this.#told < this.#tellAfter) return this.#send([event]);
    this.#told = this.received;
    return this.#send([{ type: PacketType.Sack, received: this.received }, event]);
  }

  poll(): string {
    return httpRequest('GET', '/halyard', this.#said());
  }

  taken({ head, body }: HttpResponse): number | undefined {
    const sequence = headerOf(head, pollingHeaders.sequence);
    if (sequence === undefined) return 0;
    if (Number(sequence) > this.#read + 1) return undefined;
    this.#read++;
    let replies = 0;
    for (const frame of body.split('\n')) replies += this.heard(frame);
    return replies;
  }

  protected greeting(): string {
    return this.#send([hello(newSession())]);
  }

  /** @returns how many replies a frame is */
  protected heard(frame: string): number {
    if (frame.startsWith('[1,')) this.#welcome(frame);
    if (/^\[([234]|1[123]),/.test(frame)) this.received++;
    return frame.startsWith('[3,') ? 1 : 0;
  }

  #welcome(frame: string): void {
    const packet = this.#codec.decode(frame);
    if (packet.type === PacketType.Welcome) this.#tellAfter = packet.settings.sackPacketsMax;
  }

  #said(): string[] {
    return [`${pollingHeaders.connection}: ${this.connection}`, `${pollingHeaders.received}: ${this.#read}`];
  }

  #send(packets: readonly Packet[]): string {
    const body = packets.map((packet) => String(this.#codec.encode(packet))).join('\n');
    const sequence = `${pollingHeaders.sequence}: ${++this.#sequence}`;
    return httpRequest(
      'POST',
      '/halyard',
      [...this.#said(), sequence, 'Content-Type: text/plain; charset=utf-8'],
      body,
    );
  }
}

export class HalyardStream extends HalyardPolling {
  onReplies: ((count: number) => void) | undefined = () => {};
  #text = '';
  #isConnected: (() => void) | undefined;

  override async open(line: HttpLine, poster: HttpLine): Promise<void> {
    const connected = new Promise<void>((resolve) => {
      this.#isConnected = resolve;
    });
    const request = httpRequest('GET', '/halyard', [this.offer, 'Accept: text/event-stream']);
    const head = await line.follow(request, (part) => this.#hear(part));
    this.connection = headerOf(head, pollingHeaders.connection) ?? '';
    await poster.ask(this.greeting());
    await connected;
  }

  #hear(part: string): void {
    this.#text += part;
    const events = this.#text.split('\n\n');
    this.#text = events.pop() as string;
    let replies = 0;
    for (const event of events) if (event.startsWith('data: ')) replies += this.heard(event.slice(6));
    if (this.received > 0) this.#isConnected?.();
    if (replies > 0) this.onReplies?.(replies);
  }
}
