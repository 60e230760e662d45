import { forSeeds, seededRandom } from '@halyard/harness/random';
import { expect, test, vi } from 'vitest';
import { Gathered } from './gathered';

test('is what came, whatever its parts were', async () => {
  await forSeeds(50, (seed) => {
    const { int, chance } = seededRandom(seed);
    const gathered = new Gathered();
    const parts = Array.from({ length: int(30) }, () =>
      Buffer.from(Array.from({ length: int(chance(0.7) ? 4 : 3_000) }, () => int(256))),
    );
    for (const part of parts) {
      const given = new Uint8Array(part);
      gathered.add(given);
      // Who has given it may write into it.
      given.fill(0);
    }
    const whole = Buffer.concat(parts);
    expect(gathered.bytes).toBe(whole.length);
    expect(gathered.take().equals(whole)).toBe(true);
    expect([gathered.bytes, gathered.take().length]).toEqual([0, 0]);
  });
});

test('takes little more than it has, in parts of a byte too', () => {
  const gathered = new Gathered();
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow');
  const part = new Uint8Array(1);
  for (let i = 0; i < 1 << 20; i++) gathered.add(part);
  const bytes = made.mock.calls.reduce((sum, [length]) => sum + length, 0);
  made.mockRestore();
  expect(bytes).toBeLessThanOrEqual((1 << 20) + (1 << 16));
  expect(gathered.take().length).toBe(1 << 20);
});
