// What one turn of the event loop produces, on its way through the store: what is stored is released in the order in which it
// was emitted, so that no client ever has what the store lacks. A server alone has stored what it emits when the call returns.
import type { Position } from '@halyard/protocol';
import type { Except } from '../log/except';
import type { Follower } from '../log/follower';
import type { Frames } from '../log/frames';
import type { LocalStore } from '../log/local-store';
import type { Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import type { Bodies, RecordWrite } from './store';

/** Whose frames wait until they are stored. */
export interface Sender<Frame> {
  /** Takes a frame, which may leave once it is stored. @param stamp its place among everything that is emitted */
  take(frame: Frame, stamp: number): void;
  /** One more of the frames that it has taken is stored. */
  release(): void;
}

/** A session, as its record is written. */
export interface Recorded {
  readonly id: string;
  /**
   * @param changed what was touched
   * @param before what it said of its last write; undefined: all of it is to be written
   */
  write(changed: ReadonlySet<string>, before: unknown): Recording;
  /** What was written is stored. @param snapshot what it said it was */
  stored(snapshot: unknown): void;
  /**
   * Its record was left alone: another node has it.
   * @param generation of the connection that it has it for
   * @param last what it said of the last write that was stored, whether or not `stored` was called with that yet
   */
  fenced(generation: number, last: unknown): void;
  /** The store has letters for it. */
  mailed(): void;
  /** The store has lost some of what it has had of it. */
  rolledBack(): void;
  /** Its record cannot be written. */
  failed(error: unknown): void;
}

/** What is to become of a record, and what the session has to know for the next write. */
export interface Recording {
  readonly write: Omit<RecordWrite, 'positions'>;
  /** Parts that say where a log is, each by the place in the log that was asked for. */
  readonly tops: ReadonlyMap<string, Top>;
  readonly written: unknown;
  /** What the session may tell once this is stored. */
  readonly snapshot: unknown;
}

/** Where a log was when that was asked. */
export interface Top {
  /** Tells it apart from others of this node. */
  readonly id: number;
  /** Undefined until that is known. */
  position: Position | undefined;
}

/** What is published to the logs of one or more rooms. */
export interface Publication {
  /** Names of logs, in the order in which who is in several of their rooms gets it. */
  readonly logs: readonly string[];
  readonly except: readonly string[];
  /** By codec index: PUBLISH without positions. */
  readonly bodies: Bodies;
  /** Each of the logs has one entry under it. */
  readonly key?: string | undefined;
  /** As of an entry. */
  readonly latest?: string | undefined;
}

export interface Turn {
  /** Whether other nodes see what is stored: then it takes time, and everything in a record has to be encodable. */
  readonly isShared: boolean;
  /** Whether so much waits to be stored that nothing more should be begun. */
  readonly isHigh: boolean;
  /** Gives everything that is emitted its place. */
  readonly stamps: Stamps;
  /** Calls `run` once less waits. */
  whenLow(run: () => void): void;
  /** The log of that name from now on, and who delivers what is appended to it. */
  follow(name: string, follower: Follower): Log;
  unfollow(log: Log, follower: Follower): void;
  /** A frame for one session. */
  send<Frame>(sender: Sender<Frame>, frame: Frame): void;
  /** Calls `run` once everything up to here is stored. */
  after(run: () => unknown): void;
  /** The session is not what was stored of it. @param what has changed, besides what changes with everything */
  touch(session: Recorded, what?: string): void;
  /** The session is not written any more, whatever becomes of it here: another node has it. */
  forget(session: Recorded): void;
}

export class DirectTurn implements Turn {
  readonly isShared = false;
  readonly isHigh = false;
  readonly stamps: Stamps;
  readonly #store: LocalStore;

  constructor(store: LocalStore) {
    this.#store = store;
    this.stamps = store.stamps;
  }

  follow(name: string, follower: Follower): Log {
    return this.#store.follow(name, follower);
  }

  unfollow(log: Log, follower: Follower): void {
    this.#store.unfollow(log, follower);
  }

  /** Appends an entry to a log. Who appends does not deliver: the log's follower does. */
  append(log: Log, stamp: number, except: Except, frames: Frames): void {
    this.#store.append(log, stamp, except, frames);
  }

  /** @returns whether nothing was published there under a key, which it is from now on */
  isFresh(log: string, key: string): boolean {
    return this.#store.isFresh(log, key);
  }

  send<Frame>(sender: Sender<Frame>, frame: Frame): void {
    sender.take(frame, this.stamps.next());
  }

  after(run: () => unknown): void {
    run();
  }

  whenLow(run: () => void): void {
    run();
  }

  touch(_session: Recorded, _what?: string): void {}

  forget(_session: Recorded): void {}
}
