// Server-sent events (docs/PROTOCOL.md §7.1) as a server has them: the stream is the connection, and bodies are answered with 204.
import { randomBytes } from 'node:crypto';
import { Inbox } from './inbox';
import { type Heard, heardFrame, type Line, split, type Tuple, type Writing } from './line';
import type { Request, Stream } from './request';

/** Of more than 2,048 bytes, with which each stream begins. */
const opening = `:${' '.repeat(2_048)}\n\n`;
const unknown = JSON.stringify({ code: 'ERR_CONNECTION_UNKNOWN', message: 'No such connection.' });

export class StreamStage {
  readonly #writing: Writing;
  readonly #lines: Inbox<Line>;
  readonly #connections = new Map<string, StreamStageLine>();

  constructor(writing: Writing, lines: Inbox<Line>) {
    this.#writing = writing;
    this.#lines = lines;
  }

  /** @returns whether it is a request of this transport */
  handle(request: Request): boolean {
    const { method, headers } = request;
    const id = headers['halyard-connection'];
    if (id === undefined) {
      if (method !== 'GET' || headers.accept !== 'text/event-stream') return false;
      const line = new StreamStageLine(this.#writing, request);
      this.#connections.set(line.connection, line);
      this.#lines.push(line);
      return true;
    }
    const line = this.#connections.get(id);
    if (line === undefined) return false;
    if (method === 'GET' || line.isGone) request.answer(404, { 'content-type': 'application/json' }, unknown);
    else line.handle(request);
    return true;
  }

  close(): void {
    for (const line of this.#connections.values()) line.cut();
  }
}

class StreamStageLine implements Line {
  readonly heard = new Inbox<Heard>();
  readonly named: string;
  readonly connection = randomBytes(16).toString('base64url');
  isGone = false;
  readonly #writing: Writing;
  readonly #stream: Stream;
  #bodies = 0;

  constructor(writing: Writing, request: Request) {
    this.#writing = writing;
    this.named = `halyard.v1+${writing.name}`;
    const headers = {
      'content-type': 'text/event-stream',
      'halyard-protocol': this.named,
      'halyard-connection': this.connection,
    };
    this.#stream = request.begin(headers, () => {
      if (!this.isGone) this.heard.push({ kind: 'closed', code: 1006, reason: '' });
      this.isGone = true;
    });
    this.#stream.write(opening);
  }

  send(frame: Tuple): void {
    this.sendRaw(this.#writing.write(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    if (!this.isGone)
      this.#stream.write(`data: ${typeof data === 'string' ? data : Buffer.from(data).toString('base64')}\n\n`);
  }

  close(code: number, reason = ''): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#stream.write(`event: close\ndata: ${code} ${reason}\n\n`);
    this.#stream.end();
  }

  cut(): void {
    this.isGone = true;
    this.#stream.lose();
  }

  handle(request: Request): void {
    const { method, headers } = request;
    if (method === 'DELETE') {
      request.answer(204, { 'halyard-connection': this.connection }, '');
      const code = Number(headers['halyard-close'] ?? 1000);
      this.close(code);
      this.heard.push({ kind: 'closed', code, reason: '' });
      return;
    }
    const number = Number(headers['halyard-seq']);
    if (Number(headers['halyard-ack'] ?? 0) !== 0 || !(number <= this.#bodies + 1)) {
      this.#wrong(request, `body ${number}, ack ${headers['halyard-ack']}, behind ${this.#bodies}`);
      return;
    }
    if (number === this.#bodies + 1) {
      this.#bodies = number;
      try {
        for (const data of split(request.body, this.#writing.binary)) this.heard.push(heardFrame(this.#writing, data));
      } catch (error) {
        this.#wrong(request, String(error));
        return;
      }
    }
    request.answer(204, { 'halyard-connection': this.connection }, '');
  }

  #wrong(request: Request, what: string): void {
    request.answer(400, {}, JSON.stringify({ code: 'ERR_SEQUENCE', message: what }));
    this.heard.push({ kind: 'closed', code: 0, reason: `§7.1: ${what}` });
  }
}
