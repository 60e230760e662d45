// A socket as its rooms see it.
import type { Except } from '../log/except';
import type { Frames } from '../log/frames';
import type { Log } from '../log/log';
import type { Reader } from '../log/trimmed';

/** The way to its client. */
export interface Line {
  readonly codecIndex: number;
  /** Sends what was published last, unless it will be read from the log. */
  forward(frames: Frames): void;
  /** The same of what newer ones take the place of: to who does not keep up it is sent later, from the log. */
  forwardLatest(frames: Frames): void;
  /** Sends what may be dropped. */
  forwardVolatile(frames: Frames): void;
  /** @returns whether this is the first time it is asked about this stamp */
  isFirst(stamp: number): boolean;
  /**
   * Sends what was published to every other member of a room, as far as native fan-out in its codec reaches them.
   * @returns false if that does not reach this one now
   */
  publishToOthers(topic: string, frame: Uint8Array): boolean;
  /**
   * Native fan-out has sent it so much.
   * @param hasLatest whether there is something in the room's log that newer ones take the place of
   */
  published(bytes: number, hasLatest: boolean): void;
  /** All entries of a membership of its are here that it had to wait for. */
  unheld(): void;
  /**
   * The log of one of its rooms is another one: what it has missed cannot be known.
   * @param spreadMs its client is told at any time within so many milliseconds
   */
  lost(spreadMs: number): void;
  /** Stamp up to which everything is known to be handled by its client. */
  readonly confirmedStamp: number;
  /**
   * The log of a membership is about to have another epoch.
   * @returns whether its client has been sent all that there was for it in this one, and is sent on from the beginning of the next
   */
  goesOn(membership: object): boolean;
  /** It has forgotten something up to a stamp: it cannot be read again from before that. */
  forgot(stamp: number): void;
  /** A membership of the socket of that id goes on in another epoch. */
  renewed(socket: string): void;
}

export interface Subscriber extends Reader {
  readonly id: string;
  readonly line: Line;
  /** Whether its client has left: what is sent to it goes nowhere. */
  readonly isLeaving: boolean;
  /**
   * The log of one of its rooms is about to have another epoch, and has no entry that is not here.
   * @param detours names of logs by which something of that epoch has come already
   */
  renewed(room: { readonly name: string }, epoch: string, detours: ReadonlySet<string>): void;
  /**
   * Whether it has left the room of a log, and something that was emitted there before is here behind the end that the store has given
   * its membership: the store had lost that by then.
   */
  hasLeftBefore(log: Log): boolean;
  /** Whether a message to a room that it is in was not for it. @param stamp when it was emitted */
  isExceptedIn(room: { readonly name: string }, except: Except, stamp: number): boolean;
  /** Whether its membership of a room has gone on in another epoch. */
  wasRenewed(room: { readonly name: string }): boolean;
}
