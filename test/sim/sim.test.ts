// Some seeds of the simulator in every run of the tests. Many, and how to replay one: `npm run sim -- --help`.

import { seedCount, testSeed } from '@halyard/harness/random';
import { expect, test, vi } from 'vitest';
import { add, noCounts, unmet } from './counters';
import { play } from './play';
import { Failure } from './script';

const seeds = seedCount(120);

test('the promise holds over every fault of a network, and everything was met', async () => {
  // Limits are met on purpose.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const from = testSeed() % 2 ** 31;
  const met = noCounts();
  for (let i = 0; i < seeds; i++) {
    try {
      add(met, await play({ seed: from + i, steps: 300, nodes: 1 }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Error(`npm run sim -- --seeds 1 --from ${from + i}: ${error.message}`, { cause: error });
    }
  }
  warn.mockRestore();
  expect(unmet(met, 1)).toEqual([]);
});
