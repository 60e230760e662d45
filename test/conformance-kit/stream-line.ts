// A line over server-sent events (docs/PROTOCOL.md §7.1), as a client has it: one answer that does not end, and bodies.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ask } from './http';
import { Inbox } from './inbox';
import { type Heard, heardFrame, joined, type Line, type Tuple, type Writing } from './line';

export class StreamLine implements Line {
  readonly heard = new Inbox<Heard>();
  readonly named: string;
  readonly connection: string;
  readonly #url: string;
  readonly #writing: Writing;
  readonly #stream: IncomingMessage;
  readonly #queue: (string | Uint8Array)[] = [];
  #bodies = 0;
  #posting: Promise<void> | undefined;
  #over = false;

  private constructor(url: string, stream: IncomingMessage, writing: Writing, begun: () => void) {
    const { headers } = stream;
    this.#url = url;
    this.#stream = stream;
    this.#writing = writing;
    this.named = String(headers['halyard-protocol'] ?? '');
    this.connection = String(headers['halyard-connection']);
    this.#read(begun).catch((error) => this.#fail(error));
  }

  /** @returns once the comment has come that a stream begins with. @throws Error if the server opens none */
  static async open(url: string, offered: string, writing: Writing, withinMs: number): Promise<StreamLine> {
    const make = url.startsWith('https:') ? requestHttps : requestHttp;
    const headers = { accept: 'text/event-stream', 'halyard-protocol': offered };
    let sent: ClientRequest | undefined;
    return new Promise((resolve, reject) => {
      sent = make(url, { headers, agent: false, timeout: withinMs }, (stream) => {
        const { statusCode, headers } = stream;
        const type = headers['content-type'];
        if (statusCode !== 200 || type !== 'text/event-stream' || headers['halyard-connection'] === undefined) {
          stream.destroy();
          reject(new Error(`a stream was refused: ${statusCode} ${type}`));
          return;
        }
        const line: StreamLine = new StreamLine(url, stream, writing, () => resolve(line));
      });
      sent.on('timeout', () => sent?.destroy(new Error(`a stream did not begin within ${withinMs} ms`)));
      sent.on('error', reject);
      sent.end();
    });
  }

  send(frame: Tuple): void {
    this.sendRaw(this.#writing.write(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    if (this.#over) return;
    this.#queue.push(data);
    this.#posting ??= this.#post();
  }

  close(code: number): void {
    const goodbye = async (): Promise<void> => {
      await this.#posting;
      // The server answers with the event `close`, which is heard as any other.
      const headers = { 'halyard-connection': this.connection, 'halyard-close': String(code) };
      await ask(this.#url, 'DELETE', headers).answer;
    };
    goodbye().catch((error) => this.#fail(error));
  }

  cut(): void {
    this.#over = true;
    this.#stream.destroy();
  }

  async #post(): Promise<void> {
    // What is sent in one turn goes in one body.
    await undefined;
    const body = joined(this.#queue.splice(0), this.#writing.binary);
    try {
      const headers = { 'halyard-connection': this.connection, 'halyard-seq': String(++this.#bodies) };
      const { status } = await ask(this.#url, 'POST', headers, body as string).answer;
      // How it was closed is told by the stream.
      if (status !== 204 && status !== 404 && status !== 400) throw new Error(`a body was answered ${status}`);
    } catch (error) {
      this.#fail(error);
    }
    this.#posting = this.#queue.length > 0 && !this.#over ? this.#post() : undefined;
  }

  async #read(begun: () => void): Promise<void> {
    let text = '';
    this.#stream.setEncoding('utf8');
    for await (const part of this.#stream as AsyncIterable<string>) {
      text += part;
      const events = text.split('\n\n');
      text = events.pop() as string;
      for (const event of events) {
        if (event.startsWith(':')) begun();
        else this.#take(event);
      }
    }
    this.#fail('the stream has ended');
  }

  #take(event: string): void {
    if (this.#over) return;
    const [, close, data] = /^(event: close\n)?data: ([^\n]*)$/.exec(event) ?? [];
    if (data === undefined) throw new Error(`no event of §7.1: ${event.slice(0, 200)}`);
    if (close === undefined) {
      const frame = this.#writing.binary ? new Uint8Array(Buffer.from(data, 'base64')) : data;
      this.heard.push(heardFrame(this.#writing, frame));
    } else {
      this.#over = true;
      this.heard.push({ kind: 'closed', code: Number(data.slice(0, 4)), reason: data.slice(5) });
    }
  }

  #fail(error: unknown): void {
    if (!this.#over) this.heard.push({ kind: 'closed', code: 0, reason: String(error) });
    this.#over = true;
  }
}
