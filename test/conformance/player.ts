// Plays a transcript on the raw wire against a server: sends what its clients send, and compares every answer. The
// server's clock stands still but for the steps that move it, and no step is taken before the server has had the last
// one, so that a transcript plays the same every time.
import { compileFunction } from 'node:vm';
import { VirtualClock } from '@halyard/harness/clock';
import { type HostFactory, memory, PublicError, Server } from '@halyard/server';
import WebSocket from 'ws';
import { listenIn } from './listen-in';
import { Names } from './names';
import { type Answer, Poller } from './poller';
import type { Action, Headers, Step, Transcript } from './transcript';
import { Watched } from './watched';

type Incoming = Extract<Action, { kind: 'connected' | 'connect' | 'frame' | 'close' }>;
type Request = Extract<Action, { kind: 'request' }>;
type Response = Extract<Action, { kind: 'response' }>;

/** A client's WebSocket, with what came and was not compared yet. */
class Socket extends Watched {
  readonly ws: WebSocket;
  readonly #incoming: Incoming[] = [];

  constructor(url: string, offered: string) {
    super();
    this.ws = new WebSocket(url, offered === '' ? [] : offered.split(', '));
    this.ws.on('open', () => this.#push({ kind: 'connected', subprotocol: this.ws.protocol }));
    this.ws.on('message', (data) => this.#push({ kind: 'frame', text: data.toString(), lost: false }));
    this.ws.on('close', (code, reason) => this.#push({ kind: 'close', code, reason: reason.toString() }));
    this.ws.on('error', () => {});
  }

  next(): Promise<Incoming> {
    return this.until('an answer', () => this.#incoming.shift());
  }

  /** @throws Error if the server has sent what the transcript does not say. A ping of WebSocket is answered behind it. */
  async nothingUnseen(client: string): Promise<void> {
    const { ws } = this;
    let answered = false;
    ws.once('pong', () => {
      answered = true;
      this.changed();
    });
    if (ws.readyState === ws.OPEN) ws.ping();
    await this.until('a pong, or the end', () => answered || ws.readyState === ws.CLOSED);
    const [unseen] = this.#incoming;
    if (unseen !== undefined) throw new Error(`${client} had more: ${JSON.stringify(unseen)}`);
  }

  #push(incoming: Incoming): void {
    this.#incoming.push(incoming);
    this.changed();
  }
}

/** A client's polling connection, as far as the transcript has come. */
interface Polling {
  /** Numbers of the last body, and of the last answer with frames that came. */
  posted: number;
  received: number;
  /** The last poll's step. */
  poll: number;
  closed: boolean;
}

class Player extends Watched {
  readonly #clock = new VirtualClock();
  readonly #names = new Names();
  readonly #sockets = new Map<string, Socket>();
  readonly #polling = new Map<string, Polling>();
  /** Answers that no step has seen, and whose they are, by the step that asked. */
  readonly #answers = new Map<number, Promise<Answer>>();
  readonly #asked = new Map<number, Polling>();
  readonly #server: Server;
  /** How often the server has heard of a client: a request, a message, an end. */
  #heard = 0;

  constructor(host: HostFactory, app: string, shared: boolean) {
    super();
    const heard = (): void => {
      this.#heard++;
      this.changed();
    };
    const clock = {
      now: () => this.#clock.now(),
      after: (delayMs: number, run: () => void) => this.#clock.after(delayMs, run),
      // The time of day that transcripts begin at.
      wall: () => 1_000_000_000_000 + this.#clock.now(),
    };
    this.#server = new Server({ host: listenIn(host, heard), clock, adapter: memory({ shared }) });
    // What the app's handlers throw on purpose.
    this.#server.on('error', () => {});
    compileFunction(app, ['io', 'PublicError'])(this.#server, PublicError);
  }

  async play({ name, steps }: Transcript): Promise<void> {
    await this.#server.listen(0, '127.0.0.1');
    try {
      for (const step of steps) await this.#take(step, name);
      await this.#nothingMore();
    } finally {
      for (const { ws } of this.#sockets.values()) ws.terminate();
      await this.#server.close();
      await Promise.allSettled(this.#answers.values());
    }
  }

  async #take(step: Step, name: string): Promise<void> {
    try {
      if (step.by === 'server') await this.#expect(step);
      else await this.#act(step);
    } catch (error) {
      throw new Error(`${name}, step ${step.number}: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #act({ number, client, action }: Step): Promise<void> {
    const before = this.#heard;
    switch (action.kind) {
      case 'time':
        this.#clock.advance(action.ms);
        return;
      case 'connect':
        this.#sockets.set(client, new Socket(`ws://127.0.0.1:${this.#server.port}/halyard`, action.subprotocol));
        break;
      case 'frame':
        this.#socket(client).ws.send(this.#names.fill(action.text));
        break;
      case 'lost':
        await this.#socket(client).nothingUnseen(client);
        this.#socket(client).ws.terminate();
        this.#sockets.delete(client);
        break;
      case 'close':
        await this.#socket(client).nothingUnseen(client);
        this.#socket(client).ws.close(action.code, action.reason);
        break;
      case 'request':
        this.#answers.set(number, this.#request(action, number));
        break;
      default:
        throw new Error(`a client does not do "${action.kind}"`);
    }
    await this.until('the server', () => this.#heard > before);
  }

  async #expect({ client, action: expected }: Step): Promise<void> {
    if (expected.kind === 'response') return this.#expectResponse(expected);
    const actual = await this.#socket(client).next();
    if (expected.kind === 'frame' && actual.kind === 'frame') {
      this.#names.match(JSON.parse(expected.text), JSON.parse(actual.text), 'the frame');
    } else this.#names.match(expected, actual, 'the event');
  }

  async #expectResponse({ status, to, headers, body }: Response): Promise<void> {
    const answer = this.#answers.get(to);
    this.#answers.delete(to);
    if (answer === undefined) throw new Error(`step ${to} asked for nothing, or has its answer`);
    const actual = await answer;
    this.#names.match(status, actual.status, 'the status');
    const told = [...actual.headers].filter(([name]) => name.startsWith('halyard-') || name in headers);
    this.#names.match(Object.keys(headers).sort(), told.map(([name]) => name).sort(), 'the headers');
    for (const [name, value] of told) this.#names.match(headers[name], value, name);
    this.#names.match(body.map(parse), linesOf(actual.body).map(parse), 'the body');
    const polling = this.#asked.get(to);
    if (polling === undefined) return;
    polling.received = Math.max(polling.received, Number(headers['halyard-seq'] ?? 0));
    polling.closed ||= 'halyard-close' in headers;
  }

  #request({ method, headers, body }: Request, number: number): Promise<Answer> {
    const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, this.#names.fill(value)]));
    const connection = filled['halyard-connection'];
    if (connection !== undefined) {
      const polling = this.#polling.get(connection) ?? { posted: 0, received: 0, poll: 0, closed: false };
      this.#polling.set(connection, polling);
      this.#asked.set(number, polling);
      polling.posted = Math.max(polling.posted, Number(filled['halyard-seq'] ?? 0));
      if (method === 'GET') polling.poll = number;
      if (method === 'DELETE') polling.closed = true;
    }
    return this.#fetch(method, filled, this.#names.fill(body.join('\n')));
  }

  #fetch(method: string, headers: Headers, body = ''): Promise<Answer> {
    return new Poller(this.#server.port).request(method, headers, method === 'POST' ? body : undefined);
  }

  /** The transcript has left out nothing: every request has its answer, and what more is asked is all that is answered. */
  async #nothingMore(): Promise<void> {
    for (const [client, socket] of this.#sockets) await socket.nothingUnseen(client);
    for (const [connection, { posted, received, poll, closed }] of this.#polling) {
      if (closed) continue;
      const own = { 'halyard-connection': connection };
      const said = { ...own, 'halyard-seq': `${posted + 1}`, 'halyard-ack': `${received}` };
      const { status, body } = await this.#fetch('POST', said, '[8]');
      if (!isPong(body)) throw new Error(`${connection} was closed, or had more: ${status} ${body}`);
      const pending = this.#answers.get(poll);
      this.#answers.delete(poll);
      await this.#fetch('DELETE', own);
      const last = await pending;
      if (last !== undefined && last.body !== '') throw new Error(`${connection} had more: ${last.body}`);
    }
    const [open] = this.#answers.keys();
    if (open !== undefined) throw new Error(`step ${open} has no answer`);
  }

  #socket(client: string): Socket {
    const socket = this.#sockets.get(client);
    if (socket === undefined) throw new Error(`${client} is not connected`);
    return socket;
  }
}

const parse = (text: string): unknown => JSON.parse(text);
const linesOf = (body: string): string[] => (body === '' ? [] : body.split('\n'));
const isPong = (text: string): boolean => /^\[9,\d+\]$/.test(text);

/** @param app JavaScript that is given `io` and `PublicError`. @throws Error that names the step that is not true */
export async function play(host: HostFactory, app: string, transcript: Transcript): Promise<void> {
  await new Player(host, app, transcript.shared).play(transcript);
}
