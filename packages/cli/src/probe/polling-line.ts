// A line over polling: a request that waits for frames, one after the other.
import { framesHeader, pollingHeaders, pollingLimitHeaders, splitFrames } from '@halyard/protocol';
import { type Answer, NoAnswer, noAnswerOf } from './http';
import { closedOf, HttpLine, openingHeaders, refusedBy } from './http-line';
import { type Dial, lineBytesMax, type Opening } from './line';

const holdMsDefault = 20_000;

export async function openPolling(dial: Dial): Promise<Opening> {
  const { asker, url, waitMs } = dial;
  try {
    const answer = await asker.ask(url, { method: 'POST', headers: openingHeaders(dial), waitMs });
    const id = answer.headers[pollingHeaders.connection];
    if (answer.status !== 200 || typeof id !== 'string') return { kind: 'refused', answer };
    const line = new PollingLine(dial, id, Number(answer.headers[pollingLimitHeaders.pollHoldMs]) || holdMsDefault);
    line.begin();
    return { kind: 'open', line, tookMs: answer.tookMs, headers: answer.headers };
  } catch (error) {
    const { code, message } = noAnswerOf(error);
    return code === 'ERR_SILENT' ? { kind: 'silent', behind: 'request' } : { kind: 'failed', reason: message };
  }
}

class PollingLine extends HttpLine {
  readonly transport = 'polling';
  readonly #holdMs: number;
  /** The poll under way. */
  #poll = new AbortController();

  constructor(dial: Dial, id: string, holdMs: number) {
    super(dial, id);
    this.#holdMs = holdMs;
  }

  begin(): void {
    void this.#pollOn();
  }

  protected override letGo(): void {
    this.#poll.abort();
  }

  protected override take(answer: Answer): void {
    const { status, headers, body } = answer;
    const number = Number(headers[pollingHeaders.sequence] ?? 0);
    if (status !== 204 && (status !== 200 || number === 0)) {
      this.over(refusedBy(answer));
      return;
    }
    // One that has come before, or has overtaken another: the rest is on its way, and comes again.
    if (number !== this.received + 1) return;
    const frames = splitFrames(this.dial.codec.binary ? new Uint8Array(body) : body.toString());
    // Without its end it is asked for again.
    if (frames.length < Number(headers[framesHeader] ?? 0)) return;
    this.received = number;
    for (const frame of frames) this.heard.push({ kind: 'frame', frame });
    const close = headers[pollingHeaders.close];
    if (typeof close === 'string') this.over(closedOf(close));
  }

  async #pollOn(): Promise<void> {
    const { asker, url, waitMs } = this.dial;
    while (!this.isOver) {
      this.#poll = new AbortController();
      const stop = this.#poll.signal;
      try {
        const headers = this.headersOf({});
        const question = { method: 'GET', headers, waitMs: this.#holdMs + waitMs, bodyBytesMax: lineBytesMax };
        const stopped = new Promise<never>((_resolve, reject) => {
          stop.addEventListener('abort', () => reject(new NoAnswer('ERR_STOPPED', 'stopped')));
        });
        stopped.catch(() => {});
        this.take(await Promise.race([asker.ask(url, question), stopped]));
      } catch (error) {
        if (!stop.aborted) this.failed(error);
        return;
      }
    }
  }
}
