// The websocket transport: one frame per message (docs/PROTOCOL.md §2), sends gathered per turn of the event loop.
import { TextDecoder } from 'node:util';
import { type Close, CloseCode, closeWords, type Frame } from '@halyard/protocol';
import { debugOf } from '../base/debug';
import type { Platform } from '../base/platform';
import type { Traffic } from '../base/traffic';
import type { HostSocket, HostSocketListener, Peer } from '../host/host';
import type { TurnCount } from '../host/turn-count';
import { closeReason } from './close-reason';
import type { Connection, Receiver } from './connection';
import type { Flushable, Flusher } from './flusher';

const debug = debugOf('halyard:server:transport');

/** What all connections of one codec and their host share. */
export interface WebSocketSettings {
  readonly codecIndex: number;
  /** Whether the codec writes bytes. */
  readonly binary: boolean;
  readonly frameBytesMax: number;
  /** Messages from this size on are compressed; Infinity: none are. */
  readonly compressedBytesMin: number;
  /** Bytes that came in this turn, where a host inflates all that it has read in one. */
  readonly inflated: TurnCount | undefined;
  /** As much as may wait for the peer before a further frame cuts the connection. */
  readonly patience: { readonly backpressureBytesMax: number };
  readonly flusher: Flusher;
  readonly platform: Platform;
  readonly traffic: Traffic;
  /** A connection is over. */
  closed(connection: Connection, close: Close): void;
  /** Whether the host has native fan-out. */
  readonly native: boolean;
  /** Whether the host gathers what a socket sends from inside its own `onMessage`. */
  readonly gathersInMessage: boolean;
}

/** What waits for a peer is looked at each time this much was sent: asking for every frame would cost an echo 1 %. */
export const lookBytes = 65_536;

export class WebSocketConnection implements Connection, HostSocketListener, Flushable {
  // What every frame touches comes first and side by side.
  readonly #settings: WebSocketSettings;
  readonly #socket: HostSocket;
  /** One frame is kept as it is, more in an array: most turns send one. */
  #queued: Frame | Frame[] | undefined = undefined;
  #open = true;
  receiver!: Receiver;
  /** Size of the frames sent since it was last looked at what waits. */
  #sentBytes = 0;
  /** The most that was sent between two looks since nothing waited: a frame of any size gets through, whatever is said behind it. */
  #largest = 0;
  #wantsDrain = false;
  readonly peer: Peer;
  number = 0;

  constructor(socket: HostSocket, peer: Peer, settings: WebSocketSettings) {
    this.#socket = socket;
    this.peer = peer;
    this.#settings = settings;
  }

  get codecIndex(): number {
    return this.#settings.codecIndex;
  }

  get transport(): 'websocket' {
    return 'websocket';
  }

  get native(): boolean {
    return this.#settings.native;
  }

  get slow(): boolean {
    if (!this.#open) return false;
    // What waits for the end of this turn has not been offered to the peer yet; nor has what is being compressed, if that is not much.
    const waiting = this.#socket.getBufferedAmount();
    return waiting > 0 && waiting > Math.min(this.#socket.getCompressingAmount?.() ?? 0, lookBytes);
  }

  get bufferedBytes(): number {
    if (!this.#open) return 0;
    let bytes = this.#socket.getBufferedAmount();
    if (Array.isArray(this.#queued)) for (const frame of this.#queued) bytes += frame.length;
    else if (this.#queued !== undefined) bytes += this.#queued.length;
    return bytes;
  }

  send(frame: Frame): void {
    if (!this.#open) return;
    const queued = this.#queued;
    if (queued === undefined) {
      const { flusher } = this.#settings;
      if (flusher.current === this) {
        this.#put(frame);
        if (this.#sentBytes > lookBytes) this.#look();
        return;
      }
      this.#queued = frame;
      flusher.add(this);
    } else if (Array.isArray(queued)) queued.push(frame);
    else this.#queued = [queued, frame];
  }

  flush(): void {
    this.#write();
    if (this.#wantsDrain) this.onDrain();
  }

  /** May find the socket closed when it returns, because more waited than `backpressureBytesMax`. */
  #write(): void {
    const queued = this.#queued;
    if (queued === undefined || !this.#open) return;
    this.#queued = undefined;
    if (!Array.isArray(queued)) {
      this.#put(queued);
      if (this.#sentBytes > lookBytes) this.#look();
      return;
    }
    let written = 0;
    while (this.#open && written < queued.length) {
      this.#socket.cork(() => {
        // At least one, so that a frame of any size gets through.
        do {
          this.#put(queued[written++] as Frame);
        } while (this.#open && written < queued.length && this.#sentBytes <= lookBytes);
      });
      if (this.#sentBytes > lookBytes) this.#look();
    }
  }

  #put(frame: Frame): void {
    const { binary, compressedBytesMin, traffic } = this.#settings;
    this.#socket.send(frame, binary, frame.length >= compressedBytesMin);
    this.#sentBytes += frame.length;
    if (traffic.isCounted) traffic.sent(frame);
  }

  published(bytes: number): void {
    if (!this.#open) return;
    const waiting = this.#socket.getBufferedAmount();
    if (bytes > this.#largest || waiting <= bytes) this.#largest = bytes;
    if (waiting - this.#largest > this.#settings.patience.backpressureBytesMax) this.#cut();
  }

  #look(): void {
    const sent = this.#sentBytes;
    this.#sentBytes = 0;
    this.published(sent);
  }

  /** An unbroken beginning, then the end: the session resumes from there (docs/PROTOCOL.md §5). */
  #cut(): void {
    this.#open = false;
    this.#queued = undefined;
    debug?.(`a websocket of ${this.peer.address} is cut: more waits than backpressureBytesMax`);
    this.#socket.close();
    const close: Close = { code: CloseCode.Abnormal, reason: 'backpressureBytesMax', by: 'server' };
    this.#settings.closed(this, close);
    // The owner hears of it after it has finished sending.
    this.#settings.platform.soon(() => this.receiver.onClose(close));
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    this.#settings.flusher.add(this);
  }

  subscribe(topic: string): void {
    if (!this.#open) return;
    // What was queued was emitted before the subscription's first message.
    this.#write();
    if (this.#open) this.#socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.#open) this.#socket.unsubscribe(topic);
  }

  publish(topic: string, frame: Frame): boolean {
    const { native, binary, compressedBytesMin } = this.#settings;
    if (!this.#open || !native) return false;
    this.#socket.publish(topic, frame, binary, frame.length >= compressedBytesMin);
    return true;
  }

  discard(): void {
    this.#queued = undefined;
  }

  close(close: Close): void {
    if (!this.#open) return;
    // Not `flush`: nobody needs to hear of room in a connection that ends.
    this.#write();
    if (!this.#open) return;
    this.#open = false;
    debug?.(`a websocket of ${this.peer.address} is closed: ${closeWords(close)}`);
    this.#socket.end(close.code, closeReason(close.reason));
    this.#settings.closed(this, close);
  }

  onMessage(data: ArrayBuffer | Uint8Array, binary: boolean): void {
    if (!this.#open) return;
    const { frameBytesMax, flusher, gathersInMessage, inflated, traffic } = this.#settings;
    if (traffic.isCounted) traffic.received(data.byteLength);
    if (data.byteLength > frameBytesMax) {
      fail(this, CloseCode.TooBig, `frames may have ${frameBytesMax} bytes (frameBytesMax)`);
      return;
    }
    if (binary !== this.#settings.binary) {
      fail(this, CloseCode.UnsupportedData, binary ? 'this codec is text' : 'this codec is binary');
      return;
    }
    if (inflated?.isFull(this, data.byteLength)) {
      fail(
        this,
        CloseCode.RateLimited,
        'ERR_RATE: what was sent at once inflates to more than a client may have unconfirmed',
      );
      return;
    }
    if (gathersInMessage) flusher.current = this;
    try {
      this.receiver.onFrame(binary ? bytesOf(data) : decoder.decode(data));
    } finally {
      flusher.current = undefined;
    }
  }

  onDrain(): void {
    // Below that a stream of Node does not tell of its drain.
    if (!this.#open || !this.#wantsDrain || this.bufferedBytes >= lookBytes) return;
    this.#wantsDrain = false;
    this.receiver.onDrain();
  }

  onClose(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    const by = code === CloseCode.Abnormal || code === CloseCode.NoStatus ? 'network' : 'client';
    debug?.(`a websocket of ${this.peer.address} is closed: ${code} by ${by}`);
    const close: Close = { code, reason, by };
    this.#settings.closed(this, close);
    this.receiver.onClose(close);
  }
}

function fail(connection: Connection, code: number, reason: string): void {
  const close: Close = { code, reason, by: 'server' };
  connection.close(close);
  connection.receiver.onClose(close);
}

function bytesOf(data: ArrayBuffer | Uint8Array): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}

// The host has validated it already; a byte order mark is content like any other. The decoder is of Node itself: the environment jsdom of
// test runners has no global one.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
