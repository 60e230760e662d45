// The contract of a line: one connection over one transport, by hand, with no session on it and nothing repeated.
import type { TransportName } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import type { Frame } from '@halyard/protocol';
import type { Answer, Asker } from './http';

export type Heard =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** Always the last. With `answer`, if that is how it has ended. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string; readonly answer?: Answer };

export interface Line {
  readonly transport: TransportName;
  send(frame: Frame): void;
  /** @returns undefined if nothing has come within `waitMs` */
  next(waitMs: number): Promise<Heard | undefined>;
  /** With 1000 the server is told that it is over; with 1006 the connection is lost. */
  close(code: 1000 | 1006): Promise<void>;
}

/** What has come of opening one. */
export type Opening =
  | { readonly kind: 'open'; readonly line: Line; readonly tookMs: number; readonly headers: Answer['headers'] }
  | { readonly kind: 'refused'; readonly answer: Answer }
  /** Nothing came in time: no answer at all, or of a stream nothing behind its header. */
  | { readonly kind: 'silent'; readonly behind: 'request' | 'header' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Dial {
  /** `http:` or `https:` URL of the server's path. */
  readonly url: string;
  readonly codec: Codec;
  readonly headers: Readonly<Record<string, string>>;
  readonly waitMs: number;
  readonly asker: Asker;
}

/** What a line takes of an answer. */
export const lineBytesMax = 1 << 22;
