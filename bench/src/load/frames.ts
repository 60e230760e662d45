// WebSocket frames as a client writes and reads them (RFC 6455 §5). What is sent is built once and sent often; of what
// arrives only headers and the first bytes are looked at, so that the generator is cheaper than any server.

export const Opcode = { Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** How much of a payload a visitor may look at, unless the reader gives whole frames. */
export const peekBytes = 24;

const maskKey = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A masked frame, ready to be written. */
export function maskedFrame(opcode: number, payload: string | Uint8Array): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const size = bytes.length;
  const headBytes = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + 4 + size);
  frame[0] = 0x80 | opcode;
  if (headBytes === 2) frame[1] = 0x80 | size;
  else if (headBytes === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  maskKey.copy(frame, headBytes);
  for (let i = 0; i < size; i++) frame[headBytes + 4 + i] = bytes[i]! ^ maskKey[i & 3]!;
  return frame;
}

export interface FrameVisitor {
  /** `bytes` is only lent. The payload starts at `at`; it may end after `bytes` does, beyond `peekBytes`. */
  frame(opcode: number, bytes: Buffer, at: number, size: number): void;
}

/** Splits a stream into the unmasked, unfragmented frames that servers send here. */
export class FrameReader {
  /** Whether frames are held back until they are whole. */
  whole = true;
  readonly #visitor: FrameVisitor;
  #rest: Buffer | undefined;
  #skip = 0;

  constructor(visitor: FrameVisitor) {
    this.#visitor = visitor;
  }

  /** @param end how many of `chunk` are bytes that arrived */
  read(chunk: Buffer, end: number): void {
    let bytes = chunk;
    let at = 0;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk.subarray(0, end)]);
      end = bytes.length;
      this.#rest = undefined;
    } else if (this.#skip > 0) {
      at = Math.min(this.#skip, end);
      this.#skip -= at;
    }
    while (at + 2 <= end) {
      const first = bytes[at]!;
      let size = bytes[at + 1]!;
      let start = at + 2;
      if ((first & 0xf0) !== 0x80 || size > 127) throw new Error(`a frame starts with ${first}, ${size}`);
      if (size === 126) {
        if (at + 4 > end) break;
        size = bytes.readUInt16BE(at + 2);
        start = at + 4;
      } else if (size === 127) {
        if (at + 10 > end) break;
        size = Number(bytes.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      const next = start + size;
      if (next > end) {
        if (this.whole || start + peekBytes > end) break;
        this.#skip = next - end;
        this.#visitor.frame(first & 15, bytes, start, size);
        return;
      }
      this.#visitor.frame(first & 15, bytes, start, size);
      at = next;
    }
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
  }
}
