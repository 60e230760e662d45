import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forSeeds, seededRandom, testSeed } from './random';

const given = process.env.HALYARD_SEED;
beforeEach(() => {
  delete process.env.HALYARD_SEED;
});
afterEach(() => {
  if (given === undefined) delete process.env.HALYARD_SEED;
  else process.env.HALYARD_SEED = given;
});

describe('seededRandom', () => {
  it('depends on the seed alone', () => {
    const draw = (seed: number) => Array.from({ length: 20 }, seededRandom(seed).next);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('keeps its bounds and reaches all between', () => {
    const random = seededRandom(7);
    const ints = new Set(Array.from({ length: 500 }, () => random.int(5)));
    expect([...ints].sort()).toEqual([0, 1, 2, 3, 4]);
    const picks = new Set(Array.from({ length: 500 }, () => random.pick(['a', 'b'])));
    expect([...picks].sort()).toEqual(['a', 'b']);
    const hits = Array.from({ length: 1_000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(200);
    expect(hits).toBeLessThan(400);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(() => random.pick([])).toThrow();
  });
});

describe('seeds', () => {
  it('come from HALYARD_SEED if it is there', async () => {
    process.env.HALYARD_SEED = '42';
    const seen: number[] = [];
    await forSeeds(3, (seed) => void seen.push(seed));
    expect([testSeed(), seen]).toEqual([42, [42]]);
  });

  it.each(['x', '-1', '1.5', '4294967296'])('are whole numbers: not %s', (text) => {
    process.env.HALYARD_SEED = text;
    expect(() => testSeed()).toThrow('HALYARD_SEED');
  });

  it('differ from run to run', async () => {
    const seen = new Set<number>();
    await forSeeds(3, (seed) => void seen.add(seed));
    await forSeeds(3, async (seed) => void seen.add(seed));
    expect(seen.size).toBe(6);
  });

  it('are told when a test fails', async () => {
    let failing = 0;
    const run = forSeeds(3, (seed) => {
      failing = seed;
      throw new Error('what broke');
    });
    await expect(run).rejects.toThrow('what broke');
    await expect(run).rejects.toThrow(`HALYARD_SEED=${failing} replays this`);
  });
});
