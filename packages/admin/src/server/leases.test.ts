import { expect, test } from 'vitest';
import { Leases, leaseMs } from './leases';

test('as long as any server says that it has somebody who looks, somebody does', () => {
  let now = 0;
  let begun = 0;
  const leases = new Leases(
    () => now,
    () => begun++,
  );
  expect(leases.isHeld).toBe(false);
  leases.take('a');
  leases.take('b');
  leases.give('a');
  expect([leases.isHeld, begun]).toEqual([true, 1]);
  leases.give('b');
  expect(leases.isHeld).toBe(false);
  leases.take('a');
  now += leaseMs;
  // It has died without a word.
  expect([leases.isHeld, begun]).toEqual([false, 2]);
});
