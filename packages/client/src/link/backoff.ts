// How long to wait before the next attempt: full jitter, so that clients cut off together do not come back together.

/** What a server asks for is heeded up to so many seconds; with the jitter it is half as much again. */
const retryAfterMax = 40;
/** No wait is shorter, however the dice fall. */
const floorMs = 50;

export interface BackoffOptions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly random: () => number;
}

/**
 * @param failures attempts in a row that led nowhere
 * @param reason of the close, which may end with how many seconds the server asks for: `retry-after: 5` (docs/PROTOCOL.md §8)
 * @returns whole milliseconds, up to `min(delayMaxMs, delayMinMs * 2^failures)`, and what the server asks for and up to half of that again
 */
export function backoffMs(failures: number, options: BackoffOptions, reason = ''): number {
  const { random, delayMinMs, delayMaxMs } = options;
  const seconds = /retry-after: (\d+)$/.exec(reason)?.[1];
  const afterMs = seconds ? Math.min(+seconds, retryAfterMax) * (1_000 + 500 * random()) : 0;
  return Math.ceil(Math.max(floorMs, afterMs + random() * Math.min(delayMaxMs, delayMinMs * 2 ** failures)));
}
