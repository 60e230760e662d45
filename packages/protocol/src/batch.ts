// Many frames in one HTTP body (docs/PROTOCOL.md §7): text frames separated by line feeds, binary frames each behind
// its length in four bytes, most significant first.
import { RemoteProtocolError } from './errors';
import type { Frame } from './packet';

/** Joins frames of one kind into a body. Text frames hold no line feed: JSON escapes it. */
export function joinFrames(frames: readonly Frame[], binary: boolean): string | Uint8Array<ArrayBuffer> {
  if (!binary) return frames.join('\n');
  const bytes = frames as readonly Uint8Array[];
  const body = new Uint8Array(bytes.reduce((total, frame) => total + 4 + frame.length, 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const frame of bytes) {
    view.setUint32(at, frame.length);
    body.set(frame, at + 4);
    at += 4 + frame.length;
  }
  return body;
}

/**
 * Splits a body into frames. Binary frames are views into it.
 * @throws RemoteProtocolError `ERR_BATCH` if a length points past the end
 */
export function splitFrames(body: string | Uint8Array): Frame[] {
  if (body.length === 0) return [];
  if (typeof body === 'string') return body.split('\n').filter((line) => line.length > 0);
  const frames: Uint8Array[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length; ) {
    const end = at + 4 <= body.length ? at + 4 + view.getUint32(at) : Infinity;
    if (end > body.length) throw new RemoteProtocolError('ERR_BATCH', 'a frame is longer than the body that holds it');
    frames.push(body.subarray(at + 4, end));
    at = end;
  }
  return frames;
}
