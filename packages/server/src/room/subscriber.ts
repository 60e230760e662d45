// A socket as its rooms see it.
import type { Frames } from '../log/log';
import type { Reader } from '../log/trimmed';

/** The way to its client. */
export interface Line {
  readonly codecIndex: number;
  /** Sends what was published last, unless it will be read from the log. */
  forward(frames: Frames): void;
  /** Sends what may be dropped. */
  forwardVolatile(frames: Frames): void;
  /** @returns whether this is the first time it is asked about this stamp */
  isFirst(stamp: number): boolean;
  /**
   * Sends what was published to every other member of a room, as far as native fan-out in its codec reaches them.
   * @returns false if that does not reach this one now
   */
  publishToOthers(topic: string, frame: Uint8Array): boolean;
  /** Native fan-out has sent it so much. */
  published(bytes: number): void;
  /** All entries of a membership of its are here that it had to wait for. */
  unheld(): void;
  /** The log of one of its rooms is another one: what it has missed cannot be known. */
  lost(): void;
}

export interface Subscriber extends Reader {
  readonly id: string;
  readonly line: Line;
  /** Whether its client has left: what is sent to it goes nowhere. */
  readonly isLeaving: boolean;
}
