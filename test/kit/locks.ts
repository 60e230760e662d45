// The locks of a browser, as far as tabs and their workers need them: one has a lock, others wait, and who is gone frees it.
import { afterEach, beforeEach, vi } from 'vitest';

export interface Locks {
  /** Those that somebody has. */
  names(): string[];
  /** Who has it is not there any more. */
  free(name: string): void;
}

/** `navigator.locks` of each test of a file. */
export function stubLocks(): Locks {
  /** Who waits for one that another has. */
  const locks = new Map<string, (() => void)[]>();
  beforeEach(() => {
    const request = async (name: string, run: () => unknown) => {
      const waiting = locks.get(name);
      if (waiting) await new Promise<void>((resolve) => waiting.push(resolve));
      else locks.set(name, []);
      return run();
    };
    vi.stubGlobal('navigator', { locks: { request } });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    locks.clear();
  });
  return {
    names: () => [...locks.keys()],
    free(name) {
      for (const next of locks.get(name)?.splice(0) ?? []) next();
    },
  };
}
