// What only one of all tabs may have, where the browser has such locks: not on pages without TLS.
import type { Clock } from '@halyard/protocol';

/** A browser that does not answer has no locks. */
const answerMsMax = 1_000;

const nothing = () => {};

/** @returns once it is known: gives the lock back. Undefined if another tab has it */
export function lockTab(name: string, clock: Clock): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    let isOver = false;
    const without = () => {
      isOver = true;
      cancel();
      resolve(nothing);
    };
    const cancel = clock.after(answerMsMax, without);
    const answered = (lock: unknown) => {
      if (isOver) return;
      cancel();
      if (!lock) return resolve(undefined);
      // It is held until this one resolves.
      return new Promise<void>((release) => resolve(release));
    };
    try {
      navigator.locks.request(name, { ifAvailable: true }, answered).catch(without);
    } catch {
      without();
    }
  });
}
