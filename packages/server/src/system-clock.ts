// The clock of real programs. Its timers never keep a process alive by themselves.
import type { Clock } from '@halyard/protocol';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
