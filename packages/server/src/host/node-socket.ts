// A WebSocket of the node host, by ws.
import type { Duplex } from 'node:stream';
import { CloseCode, type Frame } from '@halyard/protocol';
import { WebSocket } from 'ws';
import type { HostSocket, HostSocketListener } from './host';

const textMessage = { binary: false, compress: false };
const binaryMessage = { binary: true, compress: false };

/** One that says how its peer has closed it: ws tells that once TCP has ended, and whoever keeps that open is gone all the same. */
export class ToldWebSocket extends WebSocket {
  told: ((code: number, reason: string) => void) | undefined;

  /** ws calls it, too, as a close frame comes, and where its peer has broken a rule: then "error" follows in this turn. */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.told?.(code ?? CloseCode.NoStatus, `${reason ?? ''}`);
  }
}

export class NodeSocket implements HostSocket {
  readonly #ws: ToldWebSocket;
  readonly #stream: Duplex;
  readonly #listener: HostSocketListener;
  #open = true;
  #draining = false;

  constructor(ws: ToldWebSocket, stream: Duplex, open: (socket: HostSocket) => HostSocketListener) {
    this.#ws = ws;
    this.#stream = stream;
    let hasFailed = false;
    let failure: number | undefined;
    ws.on('error', (error: Error & { code?: string }) => {
      hasFailed = true;
      failure = closeCodes[error.code ?? ''];
    });
    const closed = (code: number, reason: string): void => {
      if (!this.#open) return;
      this.#open = false;
      this.#listener.onClose(code, reason);
    };
    ws.told = (code, reason) =>
      queueMicrotask(() => {
        if (!hasFailed) closed(code, reason);
      });
    ws.on('message', (data: Buffer, binary: boolean) => this.#listener.onMessage(data, binary));
    ws.on('close', (code: number, reason: Buffer) => closed(failure ?? code, reason.toString('utf8')));
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
  // What cannot be inflated.
  Z_DATA_ERROR: CloseCode.InvalidPayload,
  Z_BUF_ERROR: CloseCode.InvalidPayload,
};
