// A line over polling (docs/PROTOCOL.md §7), as a client has it.
import { type Asked, ask } from './http';
import { Inbox } from './inbox';
import { type Heard, heardFrame, joined, type Line, split, type Tuple, type Writing } from './line';

export class PollingLine implements Line {
  readonly heard = new Inbox<Heard>();
  readonly named: string;
  readonly connection: string;
  readonly #url: string;
  readonly #writing: Writing;
  readonly #queue: (string | Uint8Array)[] = [];
  #bodies = 0;
  /** Number of the last answer with frames that has come whole. */
  #received = 0;
  #posting: Promise<void> | undefined;
  #poll: Asked | undefined;
  #over = false;

  private constructor(url: string, connection: string, named: string, writing: Writing) {
    this.#url = url;
    this.connection = connection;
    this.named = named;
    this.#writing = writing;
    void this.#pollOn();
  }

  /** @throws Error if the server opens none */
  static async open(url: string, offered: string, writing: Writing): Promise<PollingLine> {
    const { status, headers, body } = await ask(url, 'POST', { 'halyard-protocol': offered }).answer;
    const connection = headers['halyard-connection'];
    if (status !== 200 || connection === undefined) throw new Error(`polling was refused: ${status} ${body}`);
    return new PollingLine(url, connection, headers['halyard-protocol'] ?? '', writing);
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
      this.#over = true;
      await ask(this.#url, 'DELETE', this.#headers({ 'halyard-close': String(code) })).answer;
      this.heard.push({ kind: 'closed', code, reason: '' });
    };
    goodbye().catch((error) => this.#fail(error));
  }

  cut(): void {
    this.#over = true;
    this.#poll?.cut();
  }

  #headers(more: Readonly<Record<string, string>>): Record<string, string> {
    return { 'halyard-connection': this.connection, 'halyard-ack': String(this.#received), ...more };
  }

  async #post(): Promise<void> {
    // What is sent in one turn goes in one body.
    await undefined;
    const body = joined(this.#queue.splice(0), this.#writing.binary);
    try {
      const headers = this.#headers({ 'halyard-seq': String(++this.#bodies) });
      const { status, headers: told, body: frames } = await ask(this.#url, 'POST', headers, body as string).answer;
      if (status === 200) this.#take(Number(told['halyard-seq']), frames);
      // How it was closed is told to the poll.
      else if (status !== 204 && status !== 404 && status !== 400) throw new Error(`a body was answered ${status}`);
    } catch (error) {
      this.#fail(error);
    }
    this.#posting = this.#queue.length > 0 && !this.#over ? this.#post() : undefined;
  }

  async #pollOn(): Promise<void> {
    try {
      while (!this.#over) {
        this.#poll = ask(this.#url, 'GET', this.#headers({}));
        const { status, headers, body } = await this.#poll.answer;
        if (this.#over) return;
        if (status !== 200 && status !== 204) throw new Error(`a poll was answered ${status} ${body}`);
        if (status === 204) continue;
        const number = Number(headers['halyard-seq']);
        // It has overtaken the answer to the body under way, whose frames come first.
        if (number > this.#received + 1) await this.#posting;
        this.#take(number, body);
        const close = headers['halyard-close'];
        if (close === undefined) continue;
        this.#over = true;
        this.heard.push({ kind: 'closed', code: Number(close.slice(0, 4)), reason: close.slice(5) });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(number: number, body: Buffer): void {
    if (number !== this.#received + 1) throw new Error(`an answer has the number ${number} behind ${this.#received}`);
    this.#received = number;
    for (const data of split(body, this.#writing.binary)) this.heard.push(heardFrame(this.#writing, data));
  }

  #fail(error: unknown): void {
    if (!this.#over) this.heard.push({ kind: 'closed', code: 0, reason: String(error) });
    this.#over = true;
  }
}
