import { expect, test } from 'vitest';
import { Bodies } from './bodies';

test('bodies hold so much together, small ones are let come, and what has ended holds nothing', () => {
  const bodies = new Bodies(200_000);
  const [one, two, small] = [bodies.begin(), bodies.begin(), bodies.begin()];
  expect([one.add(150_000), two.add(50_000)]).toEqual([true, true]);
  expect([one.add(1), small.add(60_000), small.add(10_000)]).toEqual([false, true, false]);
  expect(two.add(20_000)).toBe(false);
  one.end();
  one.end();
  expect([two.add(80_000), two.add(20_000)]).toEqual([true, false]);
  for (const body of [two, small]) body.end();
  const last = bodies.begin();
  expect([last.add(200_000), last.add(1)]).toEqual([true, false]);
});
