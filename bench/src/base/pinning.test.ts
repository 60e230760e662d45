import { expect, it } from 'vitest';
import { pinnedTo, placesOf } from './pinning';

it('gives each part a processor of its own, or else the load alone', () => {
  expect(placesOf(8, true)).toEqual({ redis: 0, nodes: [1, 2], load: 3 });
  expect(placesOf(2, true)).toEqual({ redis: 0, nodes: [0, 0], load: 1 });
  expect(placesOf(8, false)).toEqual({ redis: undefined, nodes: [undefined, undefined], load: undefined });
});

it('puts in front of a command where it runs', () => {
  expect(pinnedTo(1)).toEqual(['taskset', '-c', '1']);
  expect(pinnedTo(undefined)).toEqual([]);
});
