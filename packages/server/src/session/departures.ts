// What is still to be done for a client that has left: its last events are in middleware, and their sockets are over when
// these have passed, or when that takes too long.
import type { Close } from '@halyard/protocol';
import type { Presence } from './presence';

export class Departures {
  /** When the client left last. */
  readonly since: number;
  readonly #sockets: readonly Presence[];

  constructor(since: number, sockets: readonly Presence[]) {
    this.since = since;
    this.#sockets = sockets;
  }

  /** @returns the same with one more, without those that are over */
  with(socket: Presence, since: number): Departures {
    return new Departures(since, [...this.#sockets.filter(({ connected }) => connected), socket]);
  }

  /** Nothing is waited for any longer. */
  end(close: Close): void {
    for (const socket of this.#sockets) socket.over(close);
  }
}
