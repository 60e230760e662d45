// How long to wait before the next attempt: full jitter, so that clients cut off together do not come back together.

/** No wait is shorter, however the dice fall. */
const floorMs = 50;

export interface BackoffOptions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly random: () => number;
}

/** @param failures attempts in a row that led nowhere. @returns milliseconds, up to `min(delayMaxMs, delayMinMs * 2^failures)` */
export function backoffMs(failures: number, options: BackoffOptions): number {
  return Math.max(floorMs, options.random() * Math.min(options.delayMaxMs, options.delayMinMs * 2 ** failures));
}
