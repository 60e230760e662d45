// Presences that the client has left while events before that were open. If the server goes before those are settled they come
// again at the next one, and so does the DISCONNECT behind them.
import type { Presence } from './presence';
import type { LeaverRecord, PresenceRecord } from './record';

interface Leaver {
  /** Of the DISCONNECT. */
  readonly number: number;
  /** What it was then. */
  readonly record: PresenceRecord;
  /** On the next server. */
  readonly presence: Presence | undefined;
}

export class Leavers {
  #all: readonly Leaver[] = [];

  add(number: number, record: PresenceRecord, presence?: Presence): void {
    this.#all = [...this.#all, { number, record, presence }];
  }

  /** Whom an event of this number is for, that comes again. */
  of(namespace: string, number: number): Presence | undefined {
    if (number === 0) return undefined;
    return this.#all.find((one) => number < one.number && one.record.namespace === namespace)?.presence;
  }

  /** Who leaves by the packet of this number, that comes again. */
  by(number: number): Presence | undefined {
    return this.#all.find((one) => number === one.number)?.presence;
  }

  /** Those that are here again. */
  get presences(): readonly Presence[] {
    return this.#all.flatMap(({ presence }) => presence ?? []);
  }

  /** @param received all packets up to this number are settled */
  records(received: number): LeaverRecord[] {
    this.#all = this.#all.filter(({ number }) => number > received);
    return this.#all.map(({ number, record }) => ({ number, presence: record }));
  }
}
