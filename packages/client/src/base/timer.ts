// One timer for a deadline that mostly moves away: it is set again only when the deadline comes closer.
import type { Clock } from '@halyard/protocol';

export interface Timer {
  arm(deadline: number): void;
  stop(): void;
}

/** @param run called at the deadline or before it: it looks at the clock, and arms the timer again */
export function createTimer(clock: Clock, run: () => void): Timer {
  let at = Infinity;
  let cancel = () => {};
  const stop = () => {
    cancel();
    at = Infinity;
  };
  return {
    arm(deadline) {
      if (deadline >= at) return;
      stop();
      at = deadline;
      cancel = clock.after(Math.max(0, deadline - clock.now()), () => {
        at = Infinity;
        run();
      });
    },
    stop,
  };
}
