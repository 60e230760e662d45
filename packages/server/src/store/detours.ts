// By which logs messages to several rooms have come here, for each log before those in which they are as well. Who is in two of the
// rooms gets such a message by the first: as long as it is not known here that this has another epoch, it comes by the second.
import { Recent } from '../base/recent';
import type { StoredEntry } from './store';

const epochsMax = 16_384;
/** It is not for long that a log has an epoch which is not known here. */
const logsMax = 1_024;
/** What comes behind so many others may be in any log before: to know which would take as much as all of them squared. */
const earlierMax = 16;

export class Detours {
  /** Names of logs, by the epoch of the one before. */
  readonly #logs = new Recent<Set<string>>(epochsMax);
  /** Names of logs by which something came that was in many before. */
  readonly #ofMany = new Recent<true>(epochsMax);

  /** @param log name of that by which the entry has come */
  add(log: string, { places, earlier }: StoredEntry): void {
    if (earlier > earlierMax) this.#ofMany.set(log, true);
    else {
      for (const [epoch] of places.slice(0, earlier)) {
        const logs = this.#logs.get(epoch) ?? new Set();
        if (logs.size < logsMax) logs.add(log);
        this.#logs.set(epoch, logs);
      }
    }
  }

  /** @returns names of logs by which something has come until now that is in this epoch as well, or may be */
  around(epoch: string): ReadonlySet<string> {
    return new Set([...(this.#logs.get(epoch) ?? []), ...this.#ofMany.names()]);
  }
}
