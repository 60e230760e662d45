// What connections over HTTP have in common (docs/PROTOCOL.md §7): frames come in numbered bodies, each of which is handled once, and
// go out of a queue. How they go out is the transport's. Longer than other files: all that may become of a body is to be seen side by side.
import { TextDecoder } from 'node:util';
import {
  type Close,
  CloseCode,
  closeWords,
  type Frame,
  FrameSplitter,
  pollingHeaders,
  RemoteProtocolError,
} from '@halyard/protocol';
import { debugOf } from '../../base/debug';
import type { Platform } from '../../base/platform';
import { sizeOf, type Traffic } from '../../base/traffic';
import { Timed, type TimerWheel } from '../../base/wheel';
import type { HttpAnswer, HttpReply, Peer } from '../../host/host';
import { jsonError } from '../../host/json-error';
import type { Connection, Receiver, TransportName } from '../connection';
import type { Flushable, Flusher } from '../flusher';

const debug = debugOf('halyard:server:transport');

export interface HttpSettings {
  readonly wheel: TimerWheel;
  readonly flusher: Flusher;
  readonly platform: Platform;
  readonly pollHoldMs: number;
  readonly patience: { readonly backpressureBytesMax: number };
  readonly frameBytesMax: number;
  /** What connection ids begin with: which server they are of, where servers share a store; else empty. */
  readonly idPrefix: string;
  traffic(transport: TransportName, codecIndex: number): Traffic;
  /** A connection is over. */
  closed(connection: Connection, close: Close): void;
}

/** How long a connection the server has closed still tells so. */
export const tombstoneMs = 30_000;
/** Something always waits between two polls, or writes: this much of it means that the peer does not keep up. */
const slowBytes = 1 << 16;

/** As much of a body is handled in one turn of the event loop: others are served between two. */
const framesPerTurnMax = 256;
const bytesPerTurnMax = 1 << 16;

export abstract class HttpConnection extends Timed implements Connection, Flushable {
  abstract readonly transport: TransportName;
  readonly native = false;
  readonly id: string;
  readonly codecIndex: number;
  readonly peer: Peer;
  number = 0;
  receiver!: Receiver;
  protected readonly binary: boolean;
  protected readonly settings: HttpSettings;
  protected queue: Frame[] = [];
  protected queuedBytes = 0;
  protected closed: Close | undefined;
  readonly #forget: (id: string) => void;
  /** The body whose frames are being handled, turn by turn. */
  #handling: { readonly frames: FrameSplitter; reply: HttpReply } | undefined;
  /** The client has closed while its body is being handled. */
  #leaving: Close | undefined;
  /** The body that was handled in this turn. */
  #body: HttpReply | undefined;
  /** Number of the last body. */
  #bodies = 0;
  #flushing = false;
  #wantsDrain = false;
  /** Of the frames that were in the queue since it was empty: one of any size gets through, whatever is said behind it. */
  #largest = 0;

  constructor(codecIndex: number, binary: boolean, peer: Peer, settings: HttpSettings, forget: (id: string) => void) {
    super();
    this.codecIndex = codecIndex;
    this.binary = binary;
    this.peer = peer;
    this.settings = settings;
    this.id = settings.idPrefix + settings.platform.randomBytes(16).toString('base64url');
    this.#forget = forget;
  }

  /**
   * The client says how far answers have come.
   * @returns whether that can be; else the request is answered, and the connection ends
   */
  protected abstract confirm(received: number, reply: HttpReply): boolean;
  /** Number and content of the answer to the last body, as long as it is not confirmed. */
  protected abstract get unconfirmed(): (HttpAnswer & { readonly number: number }) | undefined;
  /** Answers a body that was handled. */
  protected abstract answerBody(reply: HttpReply): void;
  /** Whether something could go out now. */
  protected abstract get takes(): boolean;
  /** Sends out what waits, and that the connection is closed, as far as that can be now. */
  protected abstract sendOut(): void;
  /** `GET` with the id of this connection. */
  abstract poll(received: number, reply: HttpReply): void;

  get slow(): boolean {
    return this.queuedBytes > slowBytes;
  }

  get bufferedBytes(): number {
    return this.queuedBytes;
  }

  send(given: Frame): void {
    if (this.closed !== undefined) return;
    const frame = typeof given === 'string' || this.binary ? given : sharedText(given);
    this.queue.push(frame);
    this.queuedBytes += frame.length;
    if (this.queue.length === 1 || frame.length > this.#largest) this.#largest = frame.length;
    if (this.queuedBytes - this.#largest > 2 * this.settings.patience.backpressureBytesMax) {
      // As a WebSocket past its limit, of which a kernel holds as much again: an unbroken beginning, then the end. The session resumes
      // from there.
      const close: Close = { code: CloseCode.Abnormal, reason: 'backpressureBytesMax', by: 'server' };
      this.close(close);
      // The owner hears of it after it has finished sending.
      this.settings.platform.soon(() => this.receiver.onClose(close));
      return;
    }
    this.flushLater();
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    this.settings.flusher.add(this);
  }

  subscribe(): void {}

  unsubscribe(): void {}

  publish(): boolean {
    return false;
  }

  published(): void {}

  discard(): void {
    this.queue = [];
    this.queuedBytes = 0;
  }

  close(close: Close): void {
    if (this.closed !== undefined) return;
    debug?.(`a connection of ${this.peer.address} by ${this.transport} is closed: ${closeWords(close)}`);
    this.closed = close;
    this.settings.closed(this, close);
    this.settings.wheel.cancel(this);
    this.settings.wheel.schedule(this, this.settings.wheel.now() + tombstoneMs);
    this.flush();
  }

  /** `POST` with a number: frames from the client, which says how far answers have come. */
  receive(number: number, received: number, body: Uint8Array, reply: HttpReply): void {
    // Sent twice within one turn: both get the same answer.
    if (this.#body !== undefined) this.flush();
    if (!this.confirm(received, reply)) return;
    if (this.#handling !== undefined && number >= this.#bodies) {
      if (number > this.#bodies) this.fail(reply, 'ERR_SEQUENCE', 'the body before has no answer yet');
      else {
        // It is repeated before it was handled: the answer goes to the request that still waits.
        this.#handling.reply.send(accepted(this.id));
        this.#handling.reply = reply;
      }
      return;
    }
    if (number >= 1 && number <= this.#bodies) {
      reply.send((number === this.#bodies ? this.unconfirmed : undefined) ?? accepted(this.id));
      return;
    }
    if (this.closed !== undefined) {
      reply.send(connectionUnknown);
      return;
    }
    if (number !== this.#bodies + 1) {
      this.fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.sequence} ${this.#bodies + 1}`);
      return;
    }
    if (this.unconfirmed !== undefined) {
      // It is repeated to its own body only, so it would never come.
      this.fail(reply, 'ERR_SEQUENCE', `expected ${pollingHeaders.received} ${this.unconfirmed.number}`);
      return;
    }
    try {
      this.#handling = { frames: new FrameSplitter(this.binary ? body : decoder.decode(body)), reply };
    } catch (error) {
      if (error instanceof RemoteProtocolError) this.fail(reply, error.code, error.message);
      else this.fail(reply, 'ERR_INVALID_UTF8', 'the body is not UTF-8', CloseCode.InvalidPayload);
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
    const { frameBytesMax } = this.settings;
    const traffic = this.settings.traffic(this.transport, this.codecIndex);
    const from = frames.position;
    // What is sent meanwhile waits for the answer to this body.
    this.#flushing = true;
    for (let count = 0; this.closed === undefined; count++) {
      if (count === framesPerTurnMax || frames.position - from >= bytesPerTurnMax) {
        this.#flushing = false;
        if (this.queue.length > 0) this.flushLater();
        this.settings.platform.soon(this.#handle);
        return;
      }
      const frame = frames.next();
      if (frame === undefined) break;
      if (traffic.isCounted) traffic.received(sizeOf(frame));
      if (isLonger(frame, frameBytesMax)) {
        const reason = `frames may have ${frameBytesMax} bytes (frameBytesMax)`;
        this.end({ code: CloseCode.TooBig, reason, by: 'server' });
      } else this.receiver.onFrame(frame);
    }
    this.#handling = undefined;
    this.#flushing = true;
    this.#body = handling.reply;
    this.settings.flusher.add(this);
    if (this.#leaving !== undefined) this.end(this.#leaving);
  };

  /** `DELETE`: the client closes. */
  leave(code: number): void {
    if (this.closed !== undefined) return;
    const close: Close = { code, reason: '', by: 'client' };
    // What came before is handled first.
    if (this.#handling !== undefined) this.#leaving = close;
    else this.end(close);
  }

  flush(): void {
    this.#flushing = false;
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined) this.answerBody(body);
    this.sendOut();
    if (this.#wantsDrain && this.queue.length === 0 && this.closed === undefined) {
      this.#wantsDrain = false;
      this.receiver.onDrain();
    }
  }

  protected flushLater(): void {
    if (this.#flushing || !this.takes) return;
    this.#flushing = true;
    this.settings.flusher.add(this);
  }

  /** @returns the first frames of the queue, of about so many bytes, which are in it no more */
  protected takeQueued(bytesMax: number): Frame[] {
    let count = 0;
    let bytes = 0;
    for (const frame of this.queue) {
      if (count > 0 && bytes + frame.length > bytesMax) break;
      bytes += frame.length;
      count++;
    }
    this.queuedBytes -= bytes;
    const taken = this.queue.splice(0, count);
    const traffic = this.settings.traffic(this.transport, this.codecIndex);
    if (traffic.isCounted) for (const frame of taken) traffic.sent(frame);
    return taken;
  }

  /** The request broke a rule: it is answered, and the connection ends. */
  protected fail(reply: HttpReply, code: string, rule: string, closeCode: number = CloseCode.BadPacket): void {
    reply.send(jsonError(400, code, rule));
    this.end({ code: closeCode, reason: `${code}: ${rule}`, by: 'server' });
  }

  protected end(close: Close): void {
    if (this.closed !== undefined) return;
    this.close(close);
    this.receiver.onClose(close);
  }

  /** Nobody knows its id any more. */
  protected forget(): void {
    this.queue = [];
    this.#forget(this.id);
  }
}

/** To a poll, or a DELETE: nothing to say. It has the id, because something on the way may say the same in its own name. */
export function noContent(id: string): HttpAnswer {
  return { status: 204, headers: { [pollingHeaders.connection]: id, 'cache-control': 'no-store' } };
}

/** To a POST, which nobody keeps (RFC 9110 §9.3.3). */
export function accepted(id: string): HttpAnswer {
  return { status: 204, headers: { [pollingHeaders.connection]: id } };
}

export const connectionUnknown: HttpAnswer = jsonError(
  404,
  'ERR_CONNECTION_UNKNOWN',
  'No such connection: open a new one, and resume the session there.',
);

/** How a connection was closed, in visible ASCII: anything else in a reason becomes `?`. */
export function closeText({ code, reason }: Close): string {
  return `${code} ${reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 512)}`;
}

// Of Node itself: the environment jsdom of test runners has no global one.
const decoder = new TextDecoder('utf-8', { fatal: true });

function isLonger(frame: Frame, bytesMax: number): boolean {
  // No UTF-16 unit takes more than three bytes.
  if (typeof frame !== 'string' || frame.length * 3 <= bytesMax) return frame.length > bytesMax;
  return Buffer.byteLength(frame) > bytesMax;
}

let shared: { readonly bytes: Uint8Array; readonly text: string } | undefined;

/** @returns the text of a frame in UTF-8. What is published goes to many in turn: they have one text together. */
function sharedText(bytes: Uint8Array): string {
  if (shared?.bytes !== bytes) shared = { bytes, text: decoder.decode(bytes) };
  return shared.text;
}
