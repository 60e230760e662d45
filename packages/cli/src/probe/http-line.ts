// Lines over HTTP (docs/PROTOCOL.md §7): what both have in common, which is how frames are sent and how it ends.

import type { TransportName } from '@halyard/client';
import { type Frame, joinFrames, pollingHeaders, protocolHeader, subprotocol } from '@halyard/protocol';
import { type Answer, NoAnswer, noAnswerOf } from './http';
import { Inbox } from './inbox';
import type { Dial, Heard, Line } from './line';

export abstract class HttpLine implements Line {
  abstract readonly transport: TransportName;
  protected readonly heard = new Inbox<Heard>();
  protected readonly dial: Dial;
  protected readonly id: string;
  /** Number of the last answer with frames. */
  protected received = 0;
  protected isOver = false;
  readonly #waiting: Frame[] = [];
  #posting = Promise.resolve();
  #bodies = 0;

  constructor(dial: Dial, id: string) {
    this.dial = dial;
    this.id = id;
  }

  send(frame: Frame): void {
    this.#waiting.push(frame);
    this.#posting = this.#posting.then(() => this.#post());
  }

  next(waitMs: number): Promise<Heard | undefined> {
    return this.heard.next(waitMs);
  }

  async close(code: 1000 | 1006): Promise<void> {
    if (!this.isOver) {
      await this.#posting;
      this.isOver = true;
      const headers = this.headersOf({ [pollingHeaders.close]: String(code) });
      await this.ask('DELETE', headers).catch(() => {});
    }
    this.letGo();
  }

  /** Nothing more is waited for. */
  protected abstract letGo(): void;

  /** An answer to a body. */
  protected abstract take(answer: Answer): void;

  protected ask(method: string, headers: Record<string, string>, body?: string | Uint8Array): Promise<Answer> {
    const { asker, url, waitMs } = this.dial;
    return asker.ask(url, { method, headers, waitMs, ...(body !== undefined && { body }) });
  }

  protected headersOf(more: Record<string, string>): Record<string, string> {
    return {
      ...this.dial.headers,
      [pollingHeaders.connection]: this.id,
      [pollingHeaders.received]: String(this.received),
      ...more,
    };
  }

  protected over(closed: Extract<Heard, { kind: 'closed' }>): void {
    if (this.isOver) return;
    this.isOver = true;
    this.heard.push(closed);
  }

  protected failed(error: unknown): void {
    const { code, message } = noAnswerOf(error);
    this.over({ kind: 'closed', code: 1006, reason: error instanceof NoAnswer ? message : `${code}: ${message}` });
  }

  /** One body at a time. */
  async #post(): Promise<void> {
    if (this.isOver || this.#waiting.length === 0) return;
    const body = joinFrames(this.#waiting.splice(0), this.dial.codec.binary);
    this.#bodies++;
    const type = this.dial.codec.binary ? 'application/octet-stream' : 'text/plain; charset=utf-8';
    const headers = this.headersOf({ [pollingHeaders.sequence]: String(this.#bodies), 'content-type': type });
    try {
      this.take(await this.ask('POST', headers, body));
    } catch (error) {
      this.failed(error);
    }
  }
}

/** @returns how a server says in a header, or in an event, that it has closed a connection */
export function closedOf(text: string): Extract<Heard, { kind: 'closed' }> {
  return { kind: 'closed', code: Number(text.slice(0, 4)), reason: text.slice(5) };
}

/** What opens a connection. */
export function openingHeaders({ codec, headers }: Dial): Record<string, string> {
  return { ...headers, [protocolHeader]: subprotocol(codec.name) };
}

export function refusedBy(answer: Answer): Extract<Heard, { kind: 'closed' }> {
  return { kind: 'closed', code: 1006, reason: `an answer with ${answer.status}`, answer };
}
