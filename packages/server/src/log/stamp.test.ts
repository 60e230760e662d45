import { expect, it } from 'vitest';
import { Stamps } from './stamp';

it('stamps follow the time of day, and never stand still or go back', () => {
  let now = 1_000;
  const stamps = new Stamps(() => now);
  expect([stamps.next(), stamps.next()]).toEqual([1_024_000, 1_024_001]);
  now = 1_001;
  expect(stamps.next()).toBe(1_025_024);
  // Somebody sets the clock back.
  now = 5;
  expect(stamps.next()).toBe(1_025_025);
  // What has come from elsewhere was before what follows here.
  stamps.observe(2_000_000);
  stamps.observe(3);
  expect([stamps.last, stamps.next()]).toEqual([2_000_000, 2_000_001]);
});

it('stamps are whole numbers, whatever the clock says', () => {
  expect(new Stamps(() => 1.5).next()).toBe(1_024);
});

it('stamps are exact for two centuries', () => {
  const stamps = new Stamps(() => Date.UTC(2247, 0));
  const [one, next] = [stamps.next(), stamps.next()];
  expect([Number.isSafeInteger(next), next - one]).toEqual([true, 1]);
});
