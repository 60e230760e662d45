// The polling transport (docs/PROTOCOL.md §7): bodies and answers are numbered, so that a lost, repeated or reordered
// one is harmless. At most two answers are not confirmed: one to a body, and behind it one to a poll. Longer than other files: the
// numbers of bodies and those of answers hold each other.
import {
  type Close,
  CloseCode,
  closeWords,
  type Frame,
  FrameSplitter,
  joinFrames,
  pollingHeaders,
  RemoteProtocolError,
} from '@halyard/protocol';
import { debugOf } from '../../base/debug';
import type { Platform } from '../../base/platform';
import { Timed, type TimerWheel } from '../../base/wheel';
import type { HttpAnswer, HttpReply, Peer } from '../../host/host';
import { jsonError } from '../../host/json-error';
import type { Connection, Receiver } from '../connection';
import type { Flushable, Flusher } from '../flusher';

const debug = debugOf('halyard:server:transport');

export interface PollingSettings {
  readonly wheel: TimerWheel;
  readonly flusher: Flusher;
  readonly platform: Platform;
  readonly pollHoldMs: number;
  readonly backpressureBytesMax: number;
  readonly frameBytesMax: number;
  /** What connection ids begin with: which server they are of, where servers share a store; else empty. */
  readonly idPrefix: string;
}

/** How long a connection the server has closed still tells so to the next poll. */
const tombstoneMs = 30_000;
/** Between two polls something always waits: this much of it means that the peer does not keep up. */
const slowBytes = 1 << 16;
/** An answer is closed at about this many bytes; the next has the rest. */
const answerBytesMax = 1 << 20;
/** With more than this the queue goes by the poll: a client waits longer for a poll than for the answer to its body. */
const bodyAnswerBytesMax = 1 << 16;

/** As much of a body is handled in one turn of the event loop: others are served between two. */
const framesPerTurnMax = 256;
const bytesPerTurnMax = 1 << 16;

/** An answer with frames, kept until the client says that it has come. */
interface NumberedAnswer extends HttpAnswer {
  readonly number: number;
}

export class PollingConnection extends Timed implements Connection, Flushable {
  readonly transport = 'polling';
  readonly native = false;
  readonly id: string;
  readonly codecIndex: number;
  readonly peer: Peer;
  receiver!: Receiver;
  readonly #binary: boolean;
  readonly #settings: PollingSettings;
  readonly #forget: (id: string) => void;
  #queue: Frame[] = [];
  #queuedBytes = 0;
  /** The body whose frames are being handled, turn by turn. */
  #handling: { readonly frames: FrameSplitter; reply: HttpReply } | undefined;
  /** The client has closed while its body is being handled. */
  #leaving: Close | undefined;
  /** The body that was handled in this turn, and the poll that waits. */
  #body: HttpReply | undefined;
  #poll: HttpReply | undefined;
  #toBody: NumberedAnswer | undefined;
  #toPoll: NumberedAnswer | undefined;
  /** Numbers: of the last body, of the last answer, and of the last answer to a poll that has come. */
  #bodies = 0;
  #answers = 0;
  #polled = 0;
  #flushing = false;
  #wantsDrain = false;
  #closed: Close | undefined;

  constructor(
    codecIndex: number,
    binary: boolean,
    peer: Peer,
    settings: PollingSettings,
    forget: (id: string) => void,
  ) {
    super();
    this.codecIndex = codecIndex;
    this.#binary = binary;
    this.peer = peer;
    this.#settings = settings;
    this.id = settings.idPrefix + settings.platform.randomBytes(16).toString('base64url');
    this.#forget = forget;
  }

  get slow(): boolean {
    return this.#queuedBytes > slowBytes;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes;
  }

  send(given: Frame): void {
    if (this.#closed !== undefined) return;
    const frame = typeof given === 'string' || this.#binary ? given : sharedText(given);
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (this.#queuedBytes > this.#settings.backpressureBytesMax + frame.length) {
      // As a WebSocket past its limit: an unbroken beginning, then the end. The session resumes from there.
      const close: Close = { code: CloseCode.Abnormal, reason: 'backpressureBytesMax', by: 'server' };
      this.close(close);
      // The owner hears of it after it has finished sending.
      this.#settings.platform.soon(() => this.receiver.onClose(close));
      return;
    }
    this.#flushLater();
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    this.#settings.flusher.add(this);
  }

  subscribe(): void {}

  unsubscribe(): void {}

  publish(): boolean {
    return false;
  }

  published(): void {}

  discard(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  close(close: Close): void {
    if (this.#closed !== undefined) return;
    debug?.(`a polling connection of ${this.peer.address} is closed: ${closeWords(close)}`);
    this.#closed = close;
    this.#settings.wheel.cancel(this);
    this.#settings.wheel.schedule(this, this.#settings.wheel.now() + tombstoneMs);
    this.flush();
  }

  /** `POST` with a number: frames from the client, which says how far answers have come. */
  receive(number: number, received: number, body: Uint8Array, reply: HttpReply): void {
    // Sent twice within one turn: both get the same answer.
    if (this.#body !== undefined) this.flush();
    if (!this.#confirm(received, reply)) return;
    if (this.#handling !== undefined && number >= this.#bodies) {
      if (number > this.#bodies) this.#fail(reply, 'ERR_SEQUENCE', 'the body before has no answer yet');
      else {
        // It is repeated before it was handled: the answer goes to the request that still waits.
        this.#handling.reply.send(accepted);
        this.#handling.reply = reply;
      }
      return;
    }
    if (number >= 1 && number <= this.#bodies) {
      reply.send((number === this.#bodies ? this.#toBody : undefined) ?? accepted);
      return;
    }
    if (this.#closed !== undefined) {
      reply.send(connectionUnknown);
      return;
    }
    if (number !== this.#bodies + 1) {
      this.#fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.sequence} ${this.#bodies + 1}`);
      return;
    }
    if (this.#toBody !== undefined) {
      // It is repeated to its own body only, so it would never come.
      this.#fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.received} ${this.#toBody.number}`);
      return;
    }
    try {
      this.#handling = { frames: new FrameSplitter(this.#binary ? body : decoder.decode(body)), reply };
    } catch (error) {
      if (error instanceof RemoteProtocolError) this.#fail(reply, error.code, error.message);
      else this.#fail(reply, 'ERR_INVALID_UTF8', 'the body is not UTF-8', CloseCode.InvalidPayload);
      return;
    }
    this.#bodies = number;
    this.#handle();
  }

  /** Handles frames of the body, and goes on in the next turn if there are many. */
  readonly #handle = (): void => {
    const handling = this.#handling;
    if (handling === undefined) return;
    const { frames } = handling;
    const { frameBytesMax } = this.#settings;
    const from = frames.position;
    // What is sent meanwhile waits for the answer to this body.
    this.#flushing = true;
    for (let count = 0; this.#closed === undefined; count++) {
      if (count === framesPerTurnMax || frames.position - from >= bytesPerTurnMax) {
        this.#flushing = false;
        if (this.#queue.length > 0) this.#flushLater();
        this.#settings.platform.soon(this.#handle);
        return;
      }
      const frame = frames.next();
      if (frame === undefined) break;
      if (isLonger(frame, frameBytesMax)) {
        const reason = `frames may have ${frameBytesMax} bytes (frameBytesMax)`;
        this.#end({ code: CloseCode.TooBig, reason, by: 'server' });
      } else this.receiver.onFrame(frame);
    }
    this.#handling = undefined;
    this.#flushing = true;
    this.#body = handling.reply;
    this.#settings.flusher.add(this);
    if (this.#leaving !== undefined) this.#end(this.#leaving);
  };

  /** `GET`: the client waits for frames, and says how far answers have come. */
  poll(received: number, reply: HttpReply): void {
    if (!this.#confirm(received, reply)) return;
    if (received < this.#polled) {
      // It was overtaken by a later request, which said that the answer to it has come.
      reply.send(noContent);
      return;
    }
    this.#poll?.send(noContent);
    this.#poll = undefined;
    if (this.#toPoll !== undefined) {
      reply.send(this.#toPoll);
      return;
    }
    this.#poll = reply;
    reply.onAbort = () => {
      if (this.#poll === reply) this.#poll = undefined;
    };
    if (this.#queue.length > 0 || this.#closed !== undefined) this.flush();
    else this.#settings.wheel.schedule(this, this.#settings.wheel.now() + this.#settings.pollHoldMs);
  }

  /** `DELETE`: the client closes. */
  leave(code: number): void {
    if (this.#closed !== undefined) return;
    const close: Close = { code, reason: '', by: 'client' };
    // What came before is handled first.
    if (this.#handling !== undefined) this.#leaving = close;
    else this.#end(close);
  }

  flush(): void {
    this.#flushing = false;
    this.#answerBody();
    this.#answerPoll();
    if (this.#wantsDrain && this.#queue.length === 0 && this.#closed === undefined) {
      this.#wantsDrain = false;
      this.receiver.onDrain();
    }
  }

  override due(): void {
    if (this.#closed !== undefined) {
      this.#queue = [];
      this.#toBody = undefined;
      this.#toPoll = undefined;
      this.#forget(this.id);
      return;
    }
    // The hold of an earlier poll may have left its mark in the wheel: nothing waits, nothing is due.
    this.#poll?.send(noContent);
    this.#poll = undefined;
  }

  #answerBody(): void {
    const reply = this.#body;
    if (reply === undefined) return;
    this.#body = undefined;
    const isSmall = this.#queue.length > 0 && this.#queuedBytes <= bodyAnswerBytesMax;
    // An answer to a body never overtakes one to a poll, and how the connection was closed is told to polls only.
    if (isSmall && this.#toPoll === undefined && this.#closed === undefined) {
      this.#toBody = this.#nextAnswer();
      reply.send(this.#toBody);
    } else reply.send(accepted);
  }

  #answerPoll(): void {
    const reply = this.#poll;
    if (reply === undefined || (this.#queue.length === 0 && this.#closed === undefined)) return;
    this.#poll = undefined;
    this.#settings.wheel.cancel(this);
    this.#toPoll = this.#nextAnswer();
    reply.send(this.#toPoll);
    if (this.#closed !== undefined) this.#settings.wheel.schedule(this, this.#settings.wheel.now() + tombstoneMs);
  }

  #nextAnswer(): NumberedAnswer {
    let count = 0;
    let bytes = 0;
    for (const frame of this.#queue) {
      if (count > 0 && bytes + frame.length > answerBytesMax) break;
      bytes += frame.length;
      count++;
    }
    const frames = this.#queue.splice(0, count);
    this.#queuedBytes -= bytes;
    const number = ++this.#answers;
    const headers: Record<string, string> = {
      'content-type': this.#binary ? 'application/octet-stream' : 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      [pollingHeaders.sequence]: String(number),
    };
    if (this.#closed !== undefined && this.#queue.length === 0)
      headers[pollingHeaders.close] = closeHeader(this.#closed);
    return { number, status: 200, headers, body: joinFrames(frames, this.#binary) };
  }

  /**
   * Forgets what has come.
   * @returns whether that can be; else the request is answered, and the connection ends
   */
  #confirm(received: number, reply: HttpReply): boolean {
    if (!(received <= this.#answers)) {
      this.#fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.received} ${this.#answers}`);
      return false;
    }
    if (this.#toBody !== undefined && this.#toBody.number <= received) this.#toBody = undefined;
    if (this.#toPoll !== undefined && this.#toPoll.number <= received) {
      this.#polled = this.#toPoll.number;
      this.#toPoll = undefined;
    }
    return true;
  }

  #flushLater(): void {
    if (this.#flushing || this.#poll === undefined) return;
    this.#flushing = true;
    this.#settings.flusher.add(this);
  }

  /** The request broke a rule: it is answered, and the connection ends. */
  #fail(reply: HttpReply, code: string, rule: string, closeCode: number = CloseCode.BadPacket): void {
    reply.send(jsonError(400, code, rule));
    this.#end({ code: closeCode, reason: `${code}: ${rule}`, by: 'server' });
  }

  #end(close: Close): void {
    if (this.#closed !== undefined) return;
    this.close(close);
    this.receiver.onClose(close);
  }
}

/** To a poll: nothing to say. */
export const noContent: HttpAnswer = { status: 204, headers: { 'cache-control': 'no-store' } };
/** To a POST, which nobody keeps (RFC 9110 §9.3.3). */
const accepted: HttpAnswer = { status: 204 };

export const connectionUnknown: HttpAnswer = jsonError(
  404,
  'ERR_CONNECTION_UNKNOWN',
  'No such connection: open a new one, and resume the session there.',
);

const decoder = new TextDecoder('utf-8', { fatal: true });

function isLonger(frame: Frame, bytesMax: number): boolean {
  // No UTF-16 unit takes more than three bytes.
  if (typeof frame !== 'string' || frame.length * 3 <= bytesMax) return frame.length > bytesMax;
  return Buffer.byteLength(frame) > bytesMax;
}

/** Header values are visible ASCII: anything else in a reason becomes `?`. */
function closeHeader({ code, reason }: Close): string {
  return `${code} ${reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 512)}`;
}

let shared: { readonly bytes: Uint8Array; readonly text: string } | undefined;

/** @returns the text of a frame in UTF-8. What is published goes to many in turn: they have one text together. */
function sharedText(bytes: Uint8Array): string {
  if (shared?.bytes !== bytes) shared = { bytes, text: decoder.decode(bytes) };
  return shared.text;
}
