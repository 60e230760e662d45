// Many frames in one HTTP body (docs/PROTOCOL.md §7): text frames separated by line feeds, binary frames each behind
// its length in four bytes, most significant first.
import { RemoteProtocolError } from './errors';
import type { Frame } from './packet';

// A body may be nothing but line feeds: this passes over them many times as fast as a loop.
const text = /[^\n]/g;

/** Bytes that share no memory: `Uint8Array<ArrayBuffer>`, written so that a TypeScript before 5.7 reads it too, where that has no parameter. */
export type OwnBytes = ReturnType<typeof Uint8Array.of>;

/** Joins frames of one kind into a body. Text frames hold no line feed: JSON escapes it. */
export function joinFrames(frames: readonly Frame[], binary: boolean): string | OwnBytes {
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
 * Splits a body into frames, one at a time: a body may hold a million, and whoever handles them may stop between two and
 * go on later. Binary frames are views into the body.
 */
export class FrameSplitter {
  readonly #body: string | Uint8Array;
  /** How many characters or bytes of the body lie behind; it grows with every frame, an empty one too. */
  position = 0;

  /** @throws RemoteProtocolError `ERR_BATCH` if a length points past the end: before the first frame, not at its own */
  constructor(body: string | Uint8Array) {
    this.#body = body;
    if (typeof body === 'string') return;
    let at = 0;
    while (at < body.length) at = endOfFrame(body, at);
    if (at !== body.length) throw new RemoteProtocolError('ERR_BATCH', 'a frame is longer than the body that holds it');
  }

  /** @returns the next frame; undefined when there is none left */
  next(): Frame | undefined {
    const body = this.#body;
    let start = this.position;
    if (typeof body === 'string') {
      text.lastIndex = start;
      start = text.test(body) ? text.lastIndex - 1 : body.length;
      const lineFeed = body.indexOf('\n', start);
      const end = lineFeed < 0 ? body.length : lineFeed;
      this.position = Math.min(end + 1, body.length);
      return body.slice(start, end) || undefined;
    }
    if (start === body.length) return undefined;
    this.position = endOfFrame(body, start);
    return body.subarray(start + 4, this.position);
  }
}

/** @returns where the frame ends whose length is at `at`; NaN if the length itself is cut off */
function endOfFrame(body: Uint8Array, at: number): number {
  return at + 4 + body[at]! * 2 ** 24 + body[at + 1]! * 2 ** 16 + body[at + 2]! * 2 ** 8 + body[at + 3]!;
}

/** All frames of a body at once, for a client, which takes what its server sends: `FrameSplitter` would be more code. */
export function splitFrames(body: string | Uint8Array): Frame[] {
  if (typeof body === 'string') return body.split('\n').filter((frame) => frame);
  const frames: Frame[] = [];
  let at = 0;
  while (at < body.length) {
    const start = at + 4;
    at = endOfFrame(body, at);
    frames.push(body.subarray(start, at));
  }
  if (at !== body.length) throw new RemoteProtocolError('ERR_BATCH');
  return frames;
}
