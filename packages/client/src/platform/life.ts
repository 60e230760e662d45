// Whether another tab or worker of this origin is still there: each has a lock for as long as it is, where the browser has locks.

/** @returns whether it is noticed that another one is gone */
export const hasLocks = (): boolean => !!globalThis.navigator?.locks;

/** @param held called once the lock is there, or at once where there are none */
export function holdLock(name: string, held: () => void): void {
  const { locks } = globalThis.navigator ?? {};
  // It is held until nobody is there any more to resolve this.
  const hold = () => {
    held();
    return new Promise(() => {});
  };
  if (locks) locks.request(name, hold).catch(held);
  else held();
}

/** Calls `gone` when who has the lock is not there any more. Where there are no locks that is not noticed. */
export function whenGone(name: string, gone: () => void): void {
  globalThis.navigator?.locks?.request(name, gone).catch(() => {});
}
