// By which logs messages to several rooms have come here, for each log before those in which they are as well. Who is in two of the
// rooms gets such a message by the first: as long as it is not known here that this has another epoch, it comes by the second.
import type { Position } from '@halyard/protocol';
import { Recent } from '../base/recent';
import type { StoredEntry } from './store';

const epochsMax = 16_384;
/** It is not for long that a log has an epoch which is not known here. */
const logsMax = 1_024;
/** Of what comes behind more others the list is kept, which all entries of the message have together: the logs would be all of them squared. */
const earlierMax = 16;
/** Positions in these lists together. */
const positionsMax = 262_144;

interface OfMany {
  readonly count: number;
  /** Names of logs by which it has come, with how many come before each. */
  readonly logs: Map<string, number>;
}

export class Detours {
  /** Names of logs, by the epoch of the one before. */
  readonly #logs = new Recent<Set<string>>(epochsMax);
  /** Messages to many rooms, by where they are: the newest last. */
  readonly #ofMany = new Map<readonly Position[], OfMany>();
  #positions = 0;

  /** @param log name of that by which the entry has come */
  add(log: string, { places, earlier }: StoredEntry): void {
    if (earlier > earlierMax) {
      this.#addOfMany(log, places, earlier);
      return;
    }
    for (const [epoch] of places.slice(0, earlier)) {
      const logs = this.#logs.get(epoch) ?? new Set();
      if (logs.size < logsMax) logs.add(log);
      this.#logs.set(epoch, logs);
    }
  }

  /** @returns names of logs by which something has come until now that is in this epoch as well */
  around(epoch: string): ReadonlySet<string> {
    const all = new Set(this.#logs.get(epoch));
    for (const [places, { logs }] of this.#ofMany) {
      const at = places.findIndex(([its]) => its === epoch);
      if (at >= 0) for (const [log, earlier] of logs) if (at < earlier) all.add(log);
    }
    return all;
  }

  #addOfMany(log: string, places: readonly Position[], earlier: number): void {
    let its = this.#ofMany.get(places);
    if (its === undefined) {
      its = { count: places.length, logs: new Map() };
      this.#ofMany.set(places, its);
      this.#positions += its.count;
    }
    its.logs.set(log, earlier);
    for (const [oldest, { count }] of this.#ofMany) {
      if (this.#positions <= positionsMax || oldest === places) break;
      this.#ofMany.delete(oldest);
      this.#positions -= count;
    }
  }
}
