// A reverse proxy that knows where requests and answers end: it loses them, has them come twice, and holds them back, so that they
// overtake each other. The answer that is a stream is begun like any other, and then carried as it comes, and so is a WebSocket.
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@halyard/harness/random';

export interface HttpFaultCounts {
  requestsLost: number;
  answersLost: number;
  requestsDoubled: number;
  delays: number;
}

/** How often each befalls a request. */
const chances = { requestLost: 0.03, answerLost: 0.03, doubled: 0.06, delayed: 0.15 };
/** What is held back comes within this; what comes twice, so long after the first time. In milliseconds. */
const delayMsMax = 100;
const againMsMax = 400;

export class LossyHttp {
  /** From now on everything passes. */
  isCalm = false;
  readonly #targetPort: number;
  readonly #random: Random;
  readonly #counts: HttpFaultCounts;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #carried = new Set<Socket>();
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch(() => request.socket.destroy());
  });

  private constructor(targetPort: number, random: Random, counts: HttpFaultCounts) {
    this.#targetPort = targetPort;
    this.#random = random;
    this.#counts = counts;
  }

  static async open(targetPort: number, random: Random, counts: HttpFaultCounts): Promise<LossyHttp> {
    const proxy = new LossyHttp(targetPort, random, counts);
    proxy.#server.on('upgrade', (request, socket, head) => proxy.#carry(request, socket as Socket, head));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#carried) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#agent.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    await this.#hold();
    if (this.#happens(chances.requestLost)) {
      this.#counts.requestsLost++;
      request.socket.destroy();
      return;
    }
    if (this.#happens(chances.doubled)) void this.#again(request, body);
    const asked = this.#ask(request, body);
    response.on('close', () => asked.destroy());
    const answer = await answerTo(asked);
    if (answer.headers['content-type'] === 'text/event-stream') {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      // Its end, and its being cut, are told as they are.
      answer.on('error', () => request.socket.destroy()).pipe(response);
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
    await this.#hold();
    if (this.#happens(chances.answerLost)) {
      this.#counts.answersLost++;
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 0, answer.headers).end(Buffer.concat(parts));
  }

  #carry({ method, url, rawHeaders }: IncomingMessage, socket: Socket, head: Buffer): void {
    const there = connect(this.#targetPort, '127.0.0.1');
    this.#carried.add(socket);
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#carried.delete(socket);
      });
    }
    const fields = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
    there.write(`${method} ${url} HTTP/1.1\r\n${fields}\r\n`);
    there.write(head);
  }

  /** What was asked comes once more, and nobody hears the answer. */
  async #again(request: IncomingMessage, body: Buffer): Promise<void> {
    this.#counts.requestsDoubled++;
    await delay(this.#random.int(againMsMax));
    const asked = this.#ask(request, body);
    const answer = await answerTo(asked).catch(() => undefined);
    // A stream would not end.
    if (answer?.headers['content-type'] === 'text/event-stream') asked.destroy();
    else answer?.on('error', () => {}).resume();
  }

  #ask({ method, url, headers }: IncomingMessage, body: Buffer): ClientRequest {
    const asked = requestHttp({
      port: this.#targetPort,
      host: '127.0.0.1',
      method,
      path: url,
      headers,
      agent: this.#agent,
    });
    asked.on('error', () => {});
    asked.end(body);
    return asked;
  }

  async #hold(): Promise<void> {
    if (!this.#happens(chances.delayed)) return;
    this.#counts.delays++;
    await delay(this.#random.int(delayMsMax));
  }

  #happens(chance: number): boolean {
    return this.#random.chance(chance) && !this.isCalm;
  }
}

function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
    asked.on('close', () => reject(new Error('the request has ended without an answer')));
  });
}
