// Sessions that are over, until the store knows it: as long as it does not, it gives them as they were.
import type { QueuedTurn } from '../store/queued-turn';
import type { Recorded } from '../store/turn';

export class Endings {
  readonly #turn: Pick<QueuedTurn, 'confirm'>;
  readonly #byId = new Map<string, Promise<void>>();

  constructor(turn: Pick<QueuedTurn, 'confirm'>) {
    this.#turn = turn;
  }

  add(session: Recorded): void {
    const ending = this.#turn.confirm(session).then(() => {
      if (this.#byId.get(session.id) === ending) this.#byId.delete(session.id);
    });
    this.#byId.set(session.id, ending);
  }

  /** @returns once the store knows of the end of a session, if there was one */
  async stored(id: string): Promise<void> {
    await this.#byId.get(id);
  }
}
