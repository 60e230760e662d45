// Who delivers what is appended to a log.
import type { Except } from './except';
import type { Frames } from './frames';

/** Of one room, or of one whole namespace. */
export interface Follower {
  /** There is a new entry, the last one of the log. @param stamp when it was emitted, by the clock of the node that did */
  onEntry(stamp: number, except: Except, frames: Frames): void;
  /**
   * As `onEntry`, but whoever was there when the log got another epoch has had it already, or will have.
   * @param place of the entry in the order of this node
   */
  onRepeated?(stamp: number, except: Except, frames: Frames, place: number): void;
  /**
   * The log is about to have another epoch, and everybody has all that there was of this one: they go on.
   * @param detours names of logs by which something of that epoch has come already, to who is in both rooms
   */
  onRenewed?(epoch: string, detours: ReadonlySet<string>): void;
  /** The store has lost some of the log: `onRenewed` or `onLost` comes once it is known whether that is here. */
  onDoubt?(): void;
  /** The log is another one: what is missing of the one before cannot be read any more. */
  onLost?(): void;
  /** It follows the log in the place of another one. */
  succeeds?(before: Follower): void;
}
