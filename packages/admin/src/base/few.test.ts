import { expect, test } from 'vitest';
import { fewOf } from './few';

const wanted = { rowsMax: 3, weight: (n: number) => n, row: (n: number) => `${n}` };

test('the largest are kept, whatever the order, and the rest is counted', () => {
  const items = Array.from({ length: 1_000 }, (_item, i) => (i * 37) % 1_000);
  expect(fewOf(items, wanted)).toEqual({ rows: ['999', '998', '997'], others: 997, isPartial: false });
  expect(fewOf(items, { ...wanted, isWanted: (n) => n < 2 })).toEqual({
    rows: ['1', '0'],
    others: 0,
    isPartial: false,
  });
});

test('of those that weigh the same the first are kept', () => {
  expect(fewOf([5, 4, 3, 2, 1, 0, 9], { ...wanted, weight: () => 0 }).rows).toEqual(['5', '4', '3']);
});

test('it takes no longer than there is time', () => {
  let now = 0;
  let seen = 0;
  function* endless(): Generator<number> {
    for (;;) {
      now += 0.1;
      yield seen++;
    }
  }
  const { rows, isPartial } = fewOf(endless(), wanted, () => now);
  expect([rows.length, isPartial]).toEqual([3, true]);
  expect(seen).toBeLessThan(600);
});
