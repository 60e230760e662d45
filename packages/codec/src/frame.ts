// Reading a frame: whatever goes wrong on the way is its sender's fault and comes out as a RemoteProtocolError.
import { CloseCode, type Frame, type Packet, RemoteProtocolError } from '@halyard/protocol';

/** @returns the error for a frame that is not what its codec writes */
export function undecodable(rule: string, closeCode?: number): RemoteProtocolError {
  return new RemoteProtocolError('ERR_FRAME_DECODE', rule, closeCode);
}

/** @returns the frame's text. @throws RemoteProtocolError that closes with 1003 (docs/PROTOCOL.md §2) for bytes */
export function textOf(frame: Frame): string {
  if (typeof frame === 'string') return frame;
  throw undecodable('this codec reads text', CloseCode.UnsupportedData);
}

/**
 * @returns the frame's bytes, as a plain Uint8Array even if they came as a Node Buffer, whose `slice` does not copy
 * @throws RemoteProtocolError that closes with 1003 for text
 */
export function bytesOf(frame: Frame): Uint8Array {
  if (typeof frame === 'string') throw undecodable('this codec reads bytes', CloseCode.UnsupportedData);
  return frame.constructor === Uint8Array ? frame : new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength);
}

/** @returns some of the bytes in a buffer of their own. A view or `slice` takes several times as long as a few bytes by hand. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (end - start > shortBytesMax) return bytes.slice(start, end);
  const copy = new Uint8Array(end - start);
  for (let i = start; i < end; i++) copy[i - start] = bytes[i]!;
  return copy;
}

const shortBytesMax = 64;

/** Runs `decode`, which may throw anything. @throws RemoteProtocolError and nothing else */
export function guarded(decode: (frame: Frame) => Packet): (frame: Frame) => Packet {
  return (frame) => {
    try {
      return decode(frame);
    } catch (error) {
      throw error instanceof RemoteProtocolError ? error : undecodable('not a packet');
    }
  };
}
