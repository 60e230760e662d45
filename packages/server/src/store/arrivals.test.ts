// The order in which what a store tells is delivered, while something of this server has no answer yet.
import { expect, test } from 'vitest';
import { type Arrival, Arrivals } from './arrivals';
import type { StoredEntry } from './store';

function scene() {
  const delivered: string[] = [];
  const arrivals = new Arrivals({
    store: { partitions: 1, partitionOf: () => 0 },
    node: 'here',
    isReleased: () => false,
    deliver: ({ log, entry }) => delivered.push(`${log} ${entry.offset} of ${entry.node}`),
  });
  const come = (log: string, offset: number, node: string): void =>
    arrivals.add({ log, epoch: '', entry: { offset, node, stamp: 1 } as StoredEntry } satisfies Arrival);
  return { arrivals, come, delivered };
}

test('what comes behind an entry of this server waits with it', () => {
  const { come, delivered } = scene();
  come('one', 1, 'here');
  come('other', 1, 'there');
  expect(delivered).toEqual([]);
});

// A message that is stored in several parts: between them another server has said something to its second room.
test.each(['before it is waited for', 'after'])('but for what is waited for by that, if it comes %s', (when) => {
  const { arrivals, come, delivered } = scene();
  const wait = (): void => arrivals.waitFor(new Map([['other', 1]]));
  come('one', 1, 'here');
  if (when === 'after') wait();
  come('third', 1, 'there');
  come('other', 1, 'there');
  if (when !== 'after') wait();
  expect(delivered).toEqual(['one 1 of here', 'third 1 of there', 'other 1 of there']);
  // What it does not wait for waits as before.
  come('one', 2, 'here');
  come('other', 2, 'there');
  expect(delivered).toHaveLength(3);
});
