// The clock of real programs.
import type { Clock } from '@halyard/protocol';

export const systemClock: Clock = {
  // Without `performance` a clock that somebody sets makes a timer late or early.
  now: () => (globalThis.performance ?? Date).now(),
  after(delayMs, run) {
    // A longer delay would not fit a browser's timer and fire at once; who waits that long checks the time.
    const timer = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    return () => clearTimeout(timer);
  },
};
