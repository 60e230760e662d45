// The websocket transport: one frame per message (docs/PROTOCOL.md §2), sends gathered per turn of the event loop.
import { type Close, CloseCode, type Frame } from '@halyard/protocol';
import type { HostSocket, HostSocketListener, Peer } from '../host/host';
import type { Connection, Receiver } from './connection';
import type { Flushable, Flusher } from './flusher';

export interface WebSocketSettings {
  readonly frameBytesMax: number;
  readonly flusher: Flusher;
}

export class WebSocketConnection implements Connection, HostSocketListener, Flushable {
  readonly codecIndex: number;
  readonly peer: Peer;
  receiver!: Receiver;
  readonly #socket: HostSocket;
  readonly #settings: WebSocketSettings;
  readonly #binary: boolean;
  /** One frame is kept as it is, more in an array: most turns send one. */
  #queued: Frame | Frame[] | undefined = undefined;
  #queuedBytes = 0;
  #open = true;
  #inMessage = false;
  #wantsDrain = false;

  /** @param binary whether the codec with this index writes bytes */
  constructor(socket: HostSocket, codecIndex: number, binary: boolean, peer: Peer, settings: WebSocketSettings) {
    this.#socket = socket;
    this.codecIndex = codecIndex;
    this.#binary = binary;
    this.peer = peer;
    this.#settings = settings;
  }

  get transport(): 'websocket' {
    return 'websocket';
  }

  get native(): boolean {
    return this.#socket.native;
  }

  get slow(): boolean {
    // What waits for the end of this turn has not been offered to the peer yet.
    return this.#open && this.#socket.bufferedBytes() > 0;
  }

  get bufferedBytes(): number {
    return this.#open ? this.#queuedBytes + this.#socket.bufferedBytes() : 0;
  }

  send(frame: Frame): void {
    if (!this.#open) return;
    const queued = this.#queued;
    if (queued === undefined) {
      if (this.#inMessage && this.#socket.gathersInMessage) {
        this.#socket.send(frame);
        return;
      }
      this.#queued = frame;
      this.#settings.flusher.add(this);
    } else if (Array.isArray(queued)) queued.push(frame);
    else this.#queued = [queued, frame];
    this.#queuedBytes += frame.length;
  }

  flush(): void {
    if (!this.#open) return;
    const queued = this.#queued;
    if (queued !== undefined) {
      this.#queued = undefined;
      this.#queuedBytes = 0;
      if (Array.isArray(queued)) this.#socket.sendAll(queued);
      else this.#socket.send(queued);
    }
    if (this.#wantsDrain) this.onDrain();
  }

  notifyDrain(): void {
    this.#wantsDrain = true;
    this.#settings.flusher.add(this);
  }

  subscribe(topic: string): void {
    if (!this.#open) return;
    // What was queued was emitted before the subscription's first message.
    this.flush();
    this.#socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.#open) this.#socket.unsubscribe(topic);
  }

  close(close: Close): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    this.#socket.end(close.code, close.reason);
  }

  onMessage(data: ArrayBuffer | Uint8Array, binary: boolean): void {
    if (!this.#open) return;
    if (data.byteLength > this.#settings.frameBytesMax) {
      const { frameBytesMax } = this.#settings;
      this.#fail(CloseCode.TooBig, `frames may have ${frameBytesMax} bytes (frameBytesMax)`);
      return;
    }
    if (binary !== this.#binary) {
      this.#fail(CloseCode.UnsupportedData, binary ? 'this codec is text' : 'this codec is binary');
      return;
    }
    this.#inMessage = true;
    try {
      this.receiver.onFrame(binary ? bytesOf(data) : decoder.decode(data));
    } finally {
      this.#inMessage = false;
    }
  }

  onDrain(): void {
    if (!this.#open || !this.#wantsDrain || this.bufferedBytes > 0) return;
    this.#wantsDrain = false;
    this.receiver.onDrain();
  }

  onClose(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    const by = code === CloseCode.Abnormal || code === CloseCode.NoStatus ? 'network' : 'client';
    this.receiver.onClose({ code, reason, by });
  }

  #fail(code: number, reason: string): void {
    const close: Close = { code, reason, by: 'server' };
    this.close(close);
    this.receiver.onClose(close);
  }
}

function bytesOf(data: ArrayBuffer | Uint8Array): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data);
}

// The host has validated it already; a byte order mark is content like any other.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
