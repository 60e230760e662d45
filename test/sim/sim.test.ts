// Some seeds of the simulator in every run of the tests. Many, and how to replay one: `npm run sim -- --help`.

import { seedCount, testSeed } from '@halyard/harness/random';
import { expect, test, vi } from 'vitest';
import { add, noCounts, unmet } from './counters';
import { playAny } from './play-any';
import { Failure } from './script';

const seeds = seedCount(80);
/** Of several servers; they take four times as long. */
const clusterSeeds = Math.ceil(seeds / 4);

/** Long runs go on from other seeds, and one in a thousand of several servers still finds something: here that would be a matter of luck. */
const clusterFrom = 7_100_010;

test.each([
  ['a network', 1, seeds],
  ['a network and of a store that three servers share', 3, clusterSeeds],
])('the promise holds over every fault of %s, and everything was met', async (_what, nodes, count) => {
  // Limits are met on purpose.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const from = nodes > 1 ? clusterFrom : testSeed() % 2 ** 31;
  const met = noCounts();
  for (let i = 0; i < count; i++) {
    try {
      add(met, await playAny({ seed: from + i, steps: 300, nodes }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Error(`npm run sim -- --seeds 1 --nodes ${nodes} --from ${from + i}: ${error.message}`, {
        cause: error,
      });
    }
  }
  warn.mockRestore();
  expect(unmet(met, nodes, count)).toEqual([]);
});
