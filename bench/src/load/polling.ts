// Clients over HTTP, one echo in flight each: a poll is always held open, or a stream, and a post goes out when the last is answered.
import type { LoadOptions, LoadTally } from '../contract/operations';
import { type Payload, payloadOf } from '../contract/plan';
import { HttpLine, type HttpResponse } from './http-line';
import { settled } from './pattern';
import type { PollingSession } from './polling-dialect';

interface Client {
  readonly session: PollingSession;
  readonly poller: HttpLine;
  readonly poster: HttpLine;
  /** Post answered and reply there: the next may go. */
  waitingFor: number;
  /** The answer to a poll that has overtaken the one to the post under way. */
  early: HttpResponse | undefined;
  /** Number of the last acknowledgement it has asked for: they grow. */
  ack: number;
}

export class PollingSwarm {
  readonly tally: LoadTally = { replies: 0, deliveries: 0, heartbeats: 0 };
  readonly #options: LoadOptions;
  readonly #payload: Payload;
  readonly #clients: Client[] = [];
  #failure: Error | undefined;
  #running = false;
  #busy = 0;
  #stopped: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#payload = payloadOf(options.plan);
  }

  async connect(count: number): Promise<number> {
    const start = performance.now();
    const { port } = this.#options;
    const failed = (reason: string) => {
      this.#failure ??= new Error(reason);
    };
    for (let i = 0; i < count; i++) {
      const poller = new HttpLine(port, failed);
      const session = await this.#session();
      const poster = new HttpLine(port, failed);
      await Promise.race([session.open(poller, poster), this.#watch()]);
      const client = { session, poller, poster, waitingFor: 0, early: undefined, ack: 1_000 };
      this.#clients.push(client);
      if (session.onReplies === undefined) this.#poll(client);
      else session.onReplies = (replies) => this.#replied(client, replies);
    }
    return performance.now() - start;
  }

  start(): void {
    this.#running = true;
    for (const client of this.#clients) this.#post(client);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await settled((resolve) => {
      this.#stopped = resolve;
      if (this.#busy === 0) resolve();
    });
    this.check();
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #session(): Promise<PollingSession> {
    const { HalyardPolling, HalyardStream, SocketioPolling } = await import('./polling-dialect');
    if (this.#options.dialect === 'socketio-polling') return new SocketioPolling();
    const { json } = await import('@halyard/codec/json');
    return this.#options.dialect === 'halyard-sse' ? new HalyardStream(json()) : new HalyardPolling(json());
  }

  /** Rejects when a connection fails while another promise is waited for. */
  async #watch(): Promise<never> {
    for (;;) {
      this.check();
      await new Promise((resolve) => setTimeout(resolve, 20).unref());
    }
  }

  #poll(client: Client): void {
    client.poller.send(client.session.poll(), (response) => this.#polled(client, response));
  }

  #polled(client: Client, response: HttpResponse): void {
    const replies = client.session.taken(response);
    client.early = replies === undefined ? response : undefined;
    if (replies === undefined) return;
    this.#poll(client);
    this.#replied(client, replies);
  }

  #replied(client: Client, replies: number): void {
    this.tally.replies += replies;
    this.#answered(client, replies);
  }

  #post(client: Client): void {
    this.#busy++;
    client.waitingFor = 2;
    client.poster.send(client.session.post(this.#payload, ++client.ack), (response) => {
      const replies = client.session.taken(response) ?? 0;
      if (client.early !== undefined) this.#polled(client, client.early);
      this.tally.replies += replies;
      this.#answered(client, 1 + replies);
    });
  }

  #answered(client: Client, count: number): void {
    client.waitingFor -= count;
    if (count === 0 || client.waitingFor > 0) return;
    this.#busy--;
    if (this.#running) this.#post(client);
    else if (this.#busy === 0) this.#stopped?.();
  }
}
