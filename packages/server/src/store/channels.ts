// The channels of the volatile bus that this node listens to. Rooms are there before the store is open, and listen from then on.
import type { Frames } from '../log/frames';
import type { Store } from './store';

export class Channels {
  readonly #store: Pick<Store, 'publish' | 'listen' | 'unlisten'>;
  readonly #listening = new Set<string>();
  #isOpen = false;

  constructor(store: Pick<Store, 'publish' | 'listen' | 'unlisten'>) {
    this.#store = store;
  }

  /** The store is open. */
  opened(): void {
    this.#isOpen = true;
    for (const channel of this.#listening) this.#store.listen(channel);
  }

  /** Nothing is said or heard any more. */
  close(): void {
    this.#isOpen = false;
  }

  listen(channel: string): void {
    this.#listening.add(channel);
    if (this.#isOpen) this.#store.listen(channel);
  }

  unlisten(channel: string): void {
    if (this.#listening.delete(channel) && this.#isOpen) this.#store.unlisten(channel);
  }

  publish(channel: string, frames: Frames): void {
    if (this.#isOpen) this.#store.publish(channel, frames);
  }
}
