// By which logs messages to several rooms have come here, for each log before those in which they are as well. Who is in two of the
// rooms gets such a message by the first: as long as it is not known here that this has another epoch, it comes by the second.
import { Recent } from '../base/recent';
import type { StoredEntry } from './store';

const epochsMax = 16_384;
/** It is not for long that a log has an epoch which is not known here. */
const logsMax = 1_024;

export class Detours {
  /** Names of logs, by the epoch of the one before. */
  readonly #logs = new Recent<Set<string>>(epochsMax);

  /** @param log name of that by which the entry has come */
  add(log: string, { earlier }: StoredEntry): void {
    for (const [epoch] of earlier) {
      const logs = this.#logs.get(epoch) ?? new Set();
      if (logs.size < logsMax) logs.add(log);
      this.#logs.set(epoch, logs);
    }
  }

  /** @returns names of logs by which something has come until now that is in this epoch as well */
  around(epoch: string): ReadonlySet<string> {
    return new Set(this.#logs.get(epoch));
  }
}
