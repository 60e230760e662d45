import { expect, test } from 'vitest';
import { Turnstile } from './turnstile';

test('so many at one time, in the order in which they came, whether or not one fails', async () => {
  const turnstile = new Turnstile(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map((i) =>
    turnstile.pass(async () => {
      begun.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 1) throw new Error('no');
      return i;
    }),
  );
  const settled = Promise.allSettled(all);
  for (let i = 0; i < all.length; i++) {
    expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, Math.min(i + 2, all.length)));
    ends[i]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await settled).map(({ status }) => status[0])).toEqual([...'frfff']);
  expect(await turnstile.pass(async () => 'later')).toBe('later');
});
