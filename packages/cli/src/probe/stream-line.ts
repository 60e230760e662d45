// A line over server-sent events: an answer that does not end.
import type { IncomingMessage } from 'node:http';
import { pollingHeaders } from '@halyard/protocol';
import { type Answer, noAnswerOf } from './http';
import { closedOf, HttpLine, openingHeaders, refusedBy } from './http-line';
import { type Dial, lineBytesMax, type Opening } from './line';

export async function openStream(dial: Dial): Promise<Opening> {
  const { asker, url, waitMs } = dial;
  const begun = performance.now();
  const controller = new AbortController();
  const limit = setTimeout(() => controller.abort(), waitMs);
  let behind: 'request' | 'header' = 'request';
  try {
    const headers = { ...openingHeaders(dial), accept: 'text/event-stream' };
    const response = await asker.begin(url, { method: 'GET', headers, waitMs }, controller.signal);
    const tookMs = performance.now() - begun;
    const id = response.headers[pollingHeaders.connection];
    if (response.statusCode !== 200 || typeof id !== 'string') {
      return { kind: 'refused', answer: await wholeOf(response, tookMs) };
    }
    behind = 'header';
    const line = new StreamLine(dial, id, response, controller);
    await line.begun;
    return { kind: 'open', line, tookMs: performance.now() - begun, headers: response.headers };
  } catch (error) {
    if (controller.signal.aborted) return { kind: 'silent', behind };
    return { kind: 'failed', reason: noAnswerOf(error).message };
  } finally {
    clearTimeout(limit);
  }
}

const refusalBytesMax = 1 << 16;

async function wholeOf(response: IncomingMessage, tookMs: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > refusalBytesMax) break;
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body: Buffer.concat(chunks), tookMs, at: Date.now() };
}

class StreamLine extends HttpLine {
  readonly transport = 'sse';
  /** The comment that a stream begins with has come. */
  readonly begun: Promise<void>;
  readonly #controller: AbortController;

  constructor(dial: Dial, id: string, response: IncomingMessage, controller: AbortController) {
    super(dial, id);
    this.#controller = controller;
    this.begun = new Promise((resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason));
      this.#read(response, resolve).then(() => reject(new Error('the stream has ended before it began')), reject);
    });
    this.begun.catch(() => {});
  }

  protected override letGo(): void {
    this.#controller.abort();
  }

  /** Its answers have no frames. What a wrong connection is about, the stream may tell. */
  protected override take(answer: Answer): void {
    if (answer.status !== 204) this.over(refusedBy(answer));
  }

  async #read(response: IncomingMessage, onBegun: () => void): Promise<void> {
    let text = '';
    response.setEncoding('utf8');
    try {
      for await (const part of response as AsyncIterable<string>) {
        text += part;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        if (text.length > lineBytesMax) break;
        if (events.length > 0) onBegun();
        for (const event of events) this.#hear(event);
      }
      this.over({ kind: 'closed', code: 1006, reason: 'the stream has ended' });
    } catch (error) {
      this.failed(error);
    }
  }

  #hear(event: string): void {
    const [, close, data] = /^(event: close\n)?data: ([^\n]*)/.exec(event) ?? [];
    if (data === undefined) return;
    if (close !== undefined) this.over(closedOf(data));
    else {
      const frame = this.dial.codec.binary ? new Uint8Array(Buffer.from(data, 'base64')) : data;
      this.heard.push({ kind: 'frame', frame });
    }
  }
}
