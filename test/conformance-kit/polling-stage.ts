// Polling (docs/PROTOCOL.md §7) as a server has it: bodies are answered with 204, and all frames go by the poll.
import { randomBytes } from 'node:crypto';
import { Inbox } from './inbox';
import { type Heard, heardFrame, joined, type Line, split, type Tuple, type Writing } from './line';
import type { Request } from './request';

const unknown = JSON.stringify({ code: 'ERR_CONNECTION_UNKNOWN', message: 'No such connection.' });

export class PollingStage {
  readonly #writing: Writing;
  readonly #lines: Inbox<Line>;
  readonly #connections = new Map<string, PollingStageLine>();

  constructor(writing: Writing, lines: Inbox<Line>) {
    this.#writing = writing;
    this.#lines = lines;
  }

  handle(request: Request): void {
    const { method, headers } = request;
    const id = headers['halyard-connection'];
    if (id === undefined && method === 'POST') {
      const line = new PollingStageLine(this.#writing);
      this.#connections.set(line.id, line);
      request.answer(
        200,
        {
          'halyard-protocol': `halyard.v1+${this.#writing.name}`,
          'halyard-connection': line.id,
          'halyard-poll-hold-ms': '20000',
          'halyard-body-bytes-max': '1048576',
        },
        '',
      );
      this.#lines.push(line);
      return;
    }
    const line = this.#connections.get(id ?? '');
    if (line === undefined || line.isGone) request.answer(404, { 'content-type': 'application/json' }, unknown);
    else line.handle(request);
  }

  close(): void {
    for (const line of this.#connections.values()) line.cut();
  }
}

class PollingStageLine implements Line {
  readonly heard = new Inbox<Heard>();
  readonly named: string;
  readonly id = randomBytes(16).toString('base64url');
  /** What tells an answer without content from one of something on the way. */
  readonly #own = { 'halyard-connection': this.id };
  isGone = false;
  readonly #writing: Writing;
  readonly #queue: (string | Uint8Array)[] = [];
  #bodies = 0;
  #answers = 0;
  /** The answer to a poll that was not confirmed. */
  #kept:
    | { readonly number: number; readonly headers: Record<string, string>; readonly body: string | Buffer }
    | undefined;
  #poll: Request | undefined;
  #closed: string | undefined;

  constructor(writing: Writing) {
    this.#writing = writing;
    this.named = `halyard.v1+${writing.name}`;
  }

  send(frame: Tuple): void {
    this.sendRaw(this.#writing.write(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#queue.push(data);
    // What is sent in one turn goes in one answer.
    setImmediate(() => this.#flush());
  }

  close(code: number, reason = ''): void {
    this.#closed = `${code} ${reason}`;
    setImmediate(() => this.#flush());
  }

  cut(): void {
    this.isGone = true;
    this.#poll?.lose();
  }

  handle(request: Request): void {
    const received = Number(request.headers['halyard-ack'] ?? 0);
    if (!(received <= this.#answers)) {
      this.#wrong(request, `it confirms ${received} of ${this.#answers} answers`);
      return;
    }
    if (this.#kept !== undefined && received >= this.#kept.number) this.#kept = undefined;
    if (request.method === 'POST') this.#body(request);
    else if (request.method === 'GET') this.#polled(request);
    else {
      this.isGone = true;
      request.answer(204, this.#own, '');
      this.#poll?.answer(204, this.#own, '');
      this.heard.push({ kind: 'closed', code: Number(request.headers['halyard-close'] ?? 1000), reason: '' });
    }
  }

  #body(request: Request): void {
    const number = Number(request.headers['halyard-seq']);
    if (number === this.#bodies + 1) {
      this.#bodies = number;
      try {
        for (const data of split(request.body, this.#writing.binary)) this.heard.push(heardFrame(this.#writing, data));
      } catch (error) {
        this.#wrong(request, String(error));
        return;
      }
    } else if (!(number <= this.#bodies)) {
      this.#wrong(request, `body ${number} comes behind ${this.#bodies}`);
      return;
    }
    request.answer(204, this.#own, '');
  }

  #polled(request: Request): void {
    this.#poll?.answer(204, this.#own, '');
    this.#poll = request;
    this.#flush();
  }

  #flush(): void {
    const poll = this.#poll;
    if (poll === undefined || (this.#kept === undefined && this.#queue.length === 0 && this.#closed === undefined))
      return;
    this.#poll = undefined;
    if (this.#kept === undefined) {
      const number = ++this.#answers;
      const headers: Record<string, string> = { 'halyard-seq': String(number) };
      if (this.#closed !== undefined) headers['halyard-close'] = this.#closed;
      this.#kept = { number, headers, body: joined(this.#queue.splice(0), this.#writing.binary) };
    }
    const { headers, body } = this.#kept;
    poll.answer(200, headers, body);
  }

  #wrong(request: Request, what: string): void {
    request.answer(400, {}, JSON.stringify({ code: 'ERR_SEQUENCE', message: what }));
    this.heard.push({ kind: 'closed', code: 0, reason: `§7: ${what}` });
  }
}
