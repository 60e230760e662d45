// What one turn of the event loop produces, on its way through the store: what is stored is released in the order in which it
// was emitted, so that no client ever has what the store lacks. With a store in this process all of it happens in the same call.
import type { Except } from '../log/except';
import type { Frames, Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import type { LocalStore } from './store';

/** Whose frames wait until they are stored. */
export interface Sender<Frame> {
  /** The frame may leave. */
  release(frame: Frame, stamp: number): void;
}

export interface Turn {
  /** Gives everything that is emitted its place. */
  readonly stamps: Stamps;
  /** Appends an entry to a log. Who appends does not deliver: the log's follower does, once it is stored. */
  append(log: Log, stamp: number, except: Except, frames: Frames): void;
  /** A frame for one session. */
  send<Frame>(sender: Sender<Frame>, frame: Frame): void;
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
}
