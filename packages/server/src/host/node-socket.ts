// A WebSocket of the node host, by ws.
import type { Duplex } from 'node:stream';
import { CloseCode, type Frame } from '@halyard/protocol';
import type { WebSocket } from 'ws';
import type { HostSocket, HostSocketListener } from './host';

const textMessage = { binary: false, compress: false };
const binaryMessage = { binary: true, compress: false };

export class NodeSocket implements HostSocket {
  readonly #ws: WebSocket;
  readonly #stream: Duplex;
  readonly #listener: HostSocketListener;
  #open = true;
  #draining = false;

  constructor(ws: WebSocket, stream: Duplex, open: (socket: HostSocket) => HostSocketListener) {
    this.#ws = ws;
    this.#stream = stream;
    let failure: number | undefined;
    ws.on('error', (error: Error & { code?: string }) => {
      failure = closeCodes[error.code ?? ''];
    });
    ws.on('message', (data: Buffer, binary: boolean) => this.#listener.onMessage(data, binary));
    ws.on('close', (code: number, reason: Buffer) => {
      if (!this.#open) return;
      this.#open = false;
      this.#listener.onClose(failure ?? code, reason.toString('utf8'));
    });
    // Its client has closed it, and was answered: whether that lets go of its TCP connection too is no matter (RFC 6455 §7.1.1).
    stream.once('finish', () => {
      if (this.#open) stream.destroy();
    });
    this.#listener = open(this);
  }

  send(frame: Frame, binary: boolean, compress = false): void {
    if (!this.#open) return;
    if (compress) {
      // It is compressed elsewhere, and waits meanwhile, with what comes behind it.
      this.#ws.send(frame, { binary, compress }, () => {
        if (!this.#stream.writableNeedDrain) this.#drained();
        else this.#waitForDrain();
      });
      return;
    }
    this.#ws.send(frame, binary ? binaryMessage : textMessage);
    if (!this.#draining && this.#stream.writableNeedDrain) this.#waitForDrain();
  }

  #waitForDrain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#stream.once('drain', () => {
      this.#draining = false;
      this.#drained();
    });
  }

  #drained(): void {
    if (this.#open) this.#listener.onDrain();
  }

  cork(write: () => void): void {
    this.#stream.cork();
    write();
    this.#stream.uncork();
  }

  getBufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  getCompressingAmount(): number {
    return this.#ws.bufferedAmount - this.#stream.writableLength;
  }

  subscribe(): void {}

  unsubscribe(): void {}

  publish(): void {}

  end(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ws.close(code, reason);
  }

  close(): void {
    this.#open = false;
    this.#ws.terminate();
  }
}

/** What ws found wrong with a frame. */
const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: CloseCode.InvalidPayload,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CloseCode.TooBig,
};
