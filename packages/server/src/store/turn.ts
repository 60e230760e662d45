// What one turn of the event loop produces, on its way through the store: what is stored is released in the order in which it
// was emitted, so that no client ever has what the store lacks. With a store in this process what is emitted is stored in the
// same call; records are written if others can see them.
import type { Except } from '../log/except';
import type { Frames, Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import type { LocalStore, RecordWrite } from './store';

/** Whose frames wait until they are stored. */
export interface Sender<Frame> {
  /** The frame may leave. */
  release(frame: Frame, stamp: number): void;
}

/** A session, as its record is written. */
export interface Recorded {
  readonly id: string;
  /**
   * @param changed what was touched
   * @param before what it said of its last write; undefined: all of it is to be written
   */
  write(changed: ReadonlySet<string>, before: unknown): Recording;
  /** Its record was left alone: another node has it. */
  fenced(): void;
  /** Its record cannot be written. */
  failed(error: unknown): void;
}

/** What is to become of a record, and what the session has to know for the next write. */
export interface Recording {
  readonly write: RecordWrite;
  readonly written: unknown;
}

export interface Turn {
  /** Gives everything that is emitted its place. */
  readonly stamps: Stamps;
  /** Appends an entry to a log. Who appends does not deliver: the log's follower does, once it is stored. */
  append(log: Log, stamp: number, except: Except, frames: Frames): void;
  /** A frame for one session. */
  send<Frame>(sender: Sender<Frame>, frame: Frame): void;
  /** The session is not what was stored of it. @param what has changed, besides what changes with everything */
  touch(session: Recorded, what?: string): void;
  /** Stores what was touched. Called before anything leaves. */
  commit(): void;
  /** Stores what the session is, and then forgets it. */
  release(session: Recorded): void;
  /** The session is not written any more, whatever becomes of it here: another node has it. */
  forget(session: Recorded): void;
}

export class DirectTurn implements Turn {
  readonly stamps: Stamps;
  readonly #store: LocalStore;

  constructor(store: LocalStore) {
    this.#store = store;
    this.stamps = store.stamps;
  }

  append(log: Log, stamp: number, except: Except, frames: Frames): void {
    this.#store.append(log, stamp, except, frames);
  }

  send<Frame>(sender: Sender<Frame>, frame: Frame): void {
    sender.release(frame, this.stamps.next());
  }

  touch(_session: Recorded, _what?: string): void {}

  commit(): void {}

  release(_session: Recorded): void {}

  forget(_session: Recorded): void {}
}

/** Of a store that other nodes share. */
export class RecordingTurn extends DirectTurn {
  readonly #local: LocalStore;
  readonly #soon: (run: () => void) => void;
  #touched = new Map<Recorded, Set<string>>();
  /** What sessions said of their last write. */
  readonly #written = new WeakMap<Recorded, unknown>();
  /** Those that other nodes have. */
  readonly #forgotten = new WeakSet<Recorded>();
  #commits = 0;

  /** @param soon calls something at the end of this turn, or later */
  constructor(store: LocalStore, soon: (run: () => void) => void) {
    super(store);
    this.#local = store;
    this.#soon = soon;
  }

  override touch(session: Recorded, what?: string): void {
    if (this.#forgotten.has(session)) return;
    // Even if nothing leaves.
    if (this.#touched.size === 0) this.#soon(() => this.commit());
    let changed = this.#touched.get(session);
    if (changed === undefined) {
      changed = new Set();
      this.#touched.set(session, changed);
    }
    if (what !== undefined) changed.add(what);
  }

  override commit(): void {
    if (this.#touched.size === 0) return;
    const touched = this.#touched;
    this.#touched = new Map();
    const records: RecordWrite[] = [];
    for (const [session, changed] of touched) {
      try {
        const { write, written } = session.write(changed, this.#written.get(session));
        this.#written.set(session, written);
        records.push(write);
      } catch (error) {
        session.failed(error);
      }
    }
    const { fenced, missing } = this.#local.commit({ number: ++this.#commits, entries: [], records });
    for (const session of touched.keys()) {
      if (fenced.includes(session.id)) {
        this.forget(session);
        session.fenced();
      }
      if (!missing.includes(session.id)) continue;
      this.#written.delete(session);
      this.touch(session);
    }
  }

  override release(session: Recorded): void {
    // Its data may have changed since.
    this.touch(session);
    this.commit();
    this.forget(session);
  }

  override forget(session: Recorded): void {
    this.#touched.delete(session);
    this.#forgotten.add(session);
  }
}
