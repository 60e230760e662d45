// The polling transport (docs/PROTOCOL.md §7): answers are numbered as bodies are, so that a lost, repeated or reordered one is
// harmless. At most two answers are not confirmed: one to a body, and behind it one to a poll.
import { framesHeader, joinFrames, pollingHeaders } from '@halyard/protocol';
import type { HttpAnswer, HttpReply } from '../../host/host';
import { accepted, closeText, HttpConnection, noContent, tombstoneMs } from './http-connection';

/**
 * An answer is closed at about so many bytes; the next has the rest. At first it is few, so that it comes in time over a line of 2 KB/s:
 * a client waits for the answer to a body for 10 s.
 */
const answerBytes = { first: 1 << 14, max: 1 << 20 } as const;
/** With more than this the queue goes by the poll: a client waits longer for a poll than for the answer to its body. */
const bodyAnswerBytesMax = 1 << 16;
/** One that is known to have come so soon is followed by larger ones, and one that takes so long by smaller ones. */
const soonMs = 1_000;
const lateMs = 4_000;

/** An answer with frames, kept until the client says that it has come. */
interface NumberedAnswer extends HttpAnswer {
  readonly number: number;
  readonly sentMs: number;
}

export class PollingConnection extends HttpConnection {
  readonly transport = 'polling';
  /** The poll that waits. */
  #poll: HttpReply | undefined;
  #toBody: NumberedAnswer | undefined;
  #toPoll: NumberedAnswer | undefined;
  /** Numbers: of the last answer, and of the last answer to a poll that has come. */
  #answers = 0;
  #polled = 0;
  #answerBytes: number = answerBytes.first;

  protected override get unconfirmed(): NumberedAnswer | undefined {
    return this.#toBody;
  }

  protected override get takes(): boolean {
    return this.#poll !== undefined;
  }

  /** `GET`: the client waits for frames, and says how far answers have come. */
  override poll(received: number, reply: HttpReply): void {
    if (!this.confirm(received, reply)) return;
    if (received < this.#polled) {
      // It was overtaken by a later request, which said that the answer to it has come.
      reply.send(noContent(this.id));
      return;
    }
    this.#poll?.send(noContent(this.id));
    this.#poll = undefined;
    if (this.#toPoll !== undefined) {
      reply.send(this.#toPoll);
      return;
    }
    this.#poll = reply;
    reply.onAbort = () => {
      if (this.#poll === reply) this.#poll = undefined;
    };
    const { wheel, pollHoldMs } = this.settings;
    if (this.queue.length > 0 || this.closed !== undefined) this.flush();
    else wheel.schedule(this, wheel.now() + pollHoldMs);
  }

  override due(): void {
    if (this.closed !== undefined) {
      this.#toBody = undefined;
      this.#toPoll = undefined;
      this.forget();
      return;
    }
    // The hold of an earlier poll may have left its mark in the wheel: nothing waits, nothing is due.
    this.#poll?.send(noContent(this.id));
    this.#poll = undefined;
  }

  protected override answerBody(reply: HttpReply): void {
    const isSmall = this.queue.length > 0 && this.queuedBytes <= Math.min(this.#answerBytes, bodyAnswerBytesMax);
    // An answer to a body never overtakes one to a poll, and how the connection was closed is told to polls only.
    if (isSmall && this.#toPoll === undefined && this.closed === undefined) {
      this.#toBody = this.#nextAnswer();
      reply.send(this.#toBody);
    } else reply.send(accepted(this.id));
  }

  protected override sendOut(): void {
    const reply = this.#poll;
    if (reply === undefined || (this.queue.length === 0 && this.closed === undefined)) return;
    const { wheel } = this.settings;
    this.#poll = undefined;
    wheel.cancel(this);
    this.#toPoll = this.#nextAnswer();
    reply.send(this.#toPoll);
    if (this.closed !== undefined) wheel.schedule(this, wheel.now() + tombstoneMs);
  }

  #nextAnswer(): NumberedAnswer {
    const frames = this.takeQueued(this.#answerBytes);
    const number = ++this.#answers;
    const headers: Record<string, string> = {
      'content-type': this.binary ? 'application/octet-stream' : 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      [pollingHeaders.sequence]: String(number),
      [framesHeader]: String(frames.length),
    };
    if (this.closed !== undefined && this.queue.length === 0) headers[pollingHeaders.close] = closeText(this.closed);
    const sentMs = this.settings.wheel.now();
    return { number, sentMs, status: 200, headers, body: joinFrames(frames, this.binary) };
  }

  /** Forgets what has come. */
  protected override confirm(received: number, reply: HttpReply): boolean {
    if (!(received <= this.#answers)) {
      this.fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.received} ${this.#answers}`);
      return false;
    }
    if (this.#toBody !== undefined && this.#toBody.number <= received) {
      this.#hasCome(this.#toBody);
      this.#toBody = undefined;
    }
    if (this.#toPoll !== undefined && this.#toPoll.number <= received) {
      this.#polled = this.#toPoll.number;
      this.#hasCome(this.#toPoll);
      this.#toPoll = undefined;
    }
    return true;
  }

  #hasCome({ sentMs, body = '' }: NumberedAnswer): void {
    const tookMs = this.settings.wheel.now() - sentMs;
    const { first, max } = answerBytes;
    // A small one says nothing of how fast the line is.
    if (tookMs >= lateMs) this.#answerBytes = Math.max(this.#answerBytes / 2, first);
    else if (tookMs <= soonMs && body.length >= this.#answerBytes / 2) {
      this.#answerBytes = Math.min(this.#answerBytes * 2, max);
    }
  }
}
