import { expect, it } from 'vitest';
import { forSeeds, seededRandom } from '../../testing/random';
import { Settled } from './settled';

it('grows in any order', () => {
  const settled = new Settled();
  for (const number of [3, 5, 4, 1]) settled.add(number);
  expect([settled.prefix, settled.ranges]).toEqual([1, [3, 5]]);
  settled.add(2);
  expect([settled.prefix, settled.ranges]).toEqual([5, []]);
});

it('knows what it has', () => {
  const settled = new Settled(2, [5, 7, 9, 9]);
  expect([1, 2, 3, 4, 5, 7, 8, 9, 10].filter((number) => settled.has(number))).toEqual([1, 2, 5, 7, 9]);
  const ranges = [
    [1, 2],
    [5, 6],
    [9, 9],
    [2, 3],
    [4, 5],
    [6, 8],
    [7, 9],
    [9, 10],
    [3, 3],
  ] as const;
  expect(ranges.map(([first, last]) => settled.hasRange(first, last))).toEqual([
    ...[true, true, true],
    ...[false, false, false, false, false, false],
  ]);
});

it('is the same as a set', () => {
  forSeeds(200, (seed) => {
    const random = seededRandom(seed);
    const settled = new Settled();
    const set = new Set<number>();
    const numbers = Array.from({ length: 60 }, (_, i) => i + 1);
    while (numbers.length > random.int(10)) {
      const [number] = numbers.splice(random.int(Math.min(numbers.length, 12)), 1);
      settled.add(number!);
      set.add(number!);
      let prefix = 0;
      while (set.has(prefix + 1)) prefix++;
      expect(settled.prefix).toBe(prefix);
      const all = Array.from({ length: 61 }, (_, i) => i + 1);
      expect(all.filter((i) => settled.has(i))).toEqual(all.filter((i) => set.has(i)));
      const { ranges } = settled;
      expect(ranges.every((at, i) => at >= (i === 0 ? prefix + 2 : ranges[i - 1]! + (i % 2 === 0 ? 2 : 0)))).toBe(true);
    }
  });
});
