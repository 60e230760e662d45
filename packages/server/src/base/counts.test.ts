import { expect, test } from 'vitest';
import { Counts } from './counts';
import { Histogram } from './histogram';
import { Histograms } from './histograms';

test('labels beyond the limit are counted as one', () => {
  const counts = new Counts(2);
  for (const label of ['a', 'b', 'c', 'a', 'd']) counts.add(label);
  counts.add('b', 5);
  expect([...counts]).toEqual([
    ['a', 2],
    ['b', 6],
    ['other', 2],
  ]);
  expect(counts.total).toBe(10);
});

test('a histogram counts what is not above each of its bounds', () => {
  const histogram = new Histogram([1, 2]);
  for (const seconds of [0.5, 1, 1.5, 3]) histogram.add(seconds);
  expect([histogram.cumulative, histogram.count, histogram.sum]).toEqual([[2, 3], 4, 6]);
});

test('histograms have a limit of labels too, which may be none', () => {
  const none = new Histograms(0);
  none.of('a').add(1);
  none.of('other').add(1);
  expect(Array.from(none, ([label, { count }]) => [label, count])).toEqual([['other', 2]]);
});
