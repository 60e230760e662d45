// Waits until something is so. A test that waits for less than what hangs fails where much runs beside it: `vi.waitFor` waits a second.
import { vi } from 'vitest';

/**
 * Calls `check` until it does not fail any more, nor say that it is false.
 * @param timeoutMs far above what anything takes here: it ends what hangs
 * @returns what it returned then. Rejects with its last error
 */
export function untilHolds<Result>(check: () => Result | Promise<Result>, timeoutMs = 60_000): Promise<Result> {
  const holds = async (): Promise<Result> => {
    const result = await check();
    if (result === false) throw new Error(`It does not hold: ${check}`);
    return result;
  };
  return vi.waitFor(holds, { timeout: timeoutMs, interval: 20 });
}
