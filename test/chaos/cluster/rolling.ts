// A rolling restart: one server after the other is told to stop by SIGTERM, leaves in peace, and is started again.
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from './fleet';

export interface RollingOptions {
  /** Between two servers, in milliseconds. */
  readonly pauseMs: number;
  /** A server is told to stop; then it is there again. */
  note(text: string): void;
}

/** @returns how often a server was restarted: every one of them at least once, whatever the time */
export async function runRestarts(
  fleet: Fleet,
  { pauseMs, note }: RollingOptions,
  stopped: () => boolean,
): Promise<number> {
  const { length } = fleet.ports;
  let restarts = 0;
  for (; restarts < length || !stopped(); restarts++) {
    await delay(pauseMs);
    const startedAt = performance.now();
    await fleet.restart(restarts % length);
    note(`server ${restarts % length} was restarted, in ${Math.round(performance.now() - startedAt)} ms`);
  }
  return restarts;
}
