// The clock of real programs. Its timers never keep a process alive by themselves.
import type { Clock } from '@halyard/protocol';

export const systemClock: Clock = {
  // Whole milliseconds since the process started: for 24 days such a number lives in the field that holds it, where the
  // time of day takes 16 bytes more. It does not jump when somebody sets the clock either.
  now: () => Math.floor(performance.now()),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
