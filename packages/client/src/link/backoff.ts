// How long to wait before the next attempt: full jitter, so that clients cut off together do not come back together.

/** No wait is shorter, however the dice fall. */
const floorMs = 50;

/** @param failures attempts in a row that led nowhere. @returns milliseconds, up to `min(delayMaxMs, delayMinMs * 2^failures)` */
export function backoffMs(failures: number, delayMinMs: number, delayMaxMs: number, random: () => number): number {
  return Math.max(floorMs, random() * Math.min(delayMaxMs, delayMinMs * 2 ** failures));
}
