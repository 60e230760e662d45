// How a server stops.
import { LocalUsageError } from '@halyard/protocol';

export interface CloseOptions {
  /**
   * No new client is taken from now on, and for so many milliseconds at the most the server goes on. Where others share its store, clients
   * leave one after the other (1012), spread over that time, and go on there; what handlers have begun is finished, and clients have
   * their replies. It takes no longer than that needs. Default: 0, everything ends at once.
   */
  readonly drainMs?: number | undefined;
}

const drainMsMax = 3_600_000;

/** @returns `drainMs`. @throws LocalUsageError `ERR_OPTION` that says what it may be */
export function checkClose(options: CloseOptions = {}): number {
  const { drainMs = 0 } = options ?? {};
  if (typeof drainMs === 'number' && drainMs >= 0 && drainMs <= drainMsMax) return drainMs;
  const message = `drainMs is ${String(drainMs)}: it may be a number of milliseconds from 0 to ${drainMsMax}.`;
  throw new LocalUsageError('ERR_OPTION', message, { option: 'drainMs' });
}
