import { expect, test } from 'vitest';
import { Sampling } from './sampling';

test('each kind is told once a minute, with how many were left out', () => {
  let now = 0;
  const sampling = new Sampling(() => now, 256);
  const told: unknown[] = [];
  for (const [at, kind] of [
    [0, 'a'],
    [1, 'a'],
    [2, 'b'],
    [59_999, 'a'],
    [60_000, 'a'],
    [60_001, 'a'],
    [60_003, 'b'],
  ] as const) {
    now = at;
    told.push(sampling.take(kind));
  }
  expect(told).toEqual([0, undefined, 0, undefined, 2, undefined, 0]);
});

test('there is a bound on kinds: those beyond it are one, until others are old', () => {
  let now = 0;
  const sampling = new Sampling(() => now, 256);
  const told = Array.from({ length: 1_000 }, (_, i) => sampling.take(`${i}`)).filter((leftOut) => leftOut === 0);
  expect(told.length).toBe(257);
  now = 60_000;
  expect(sampling.take('0')).toBe(0);
  expect(sampling.take('another')).toBe(0);
  expect(sampling.take('another')).toBeUndefined();
});
