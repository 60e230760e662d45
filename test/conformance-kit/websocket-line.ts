// A line over a WebSocket, from either end.
import type { WebSocket } from 'ws';
import { Inbox } from './inbox';
import { type Heard, heardFrame, type Line, type Tuple, type Writing } from './line';

export class WebSocketLine implements Line {
  readonly heard = new Inbox<Heard>();
  readonly #socket: WebSocket;
  readonly #writing: Writing;

  constructor(socket: WebSocket, writing: Writing) {
    this.#socket = socket;
    this.#writing = writing;
    socket.on('message', (data: Buffer, isBinary) => {
      try {
        this.heard.push(heardFrame(writing, isBinary ? new Uint8Array(data) : data.toString()));
      } catch (error) {
        this.heard.push({ kind: 'closed', code: 0, reason: `not a frame of ${writing.name}: ${error}` });
      }
    });
    socket.on('close', (code, reason) => this.heard.push({ kind: 'closed', code, reason: reason.toString() }));
    socket.on('error', () => {});
  }

  get named(): string {
    return this.#socket.protocol;
  }

  send(frame: Tuple): void {
    this.sendRaw(this.#writing.write(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(data);
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }
}
