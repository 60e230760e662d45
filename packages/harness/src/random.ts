// Randomness that can be had again. A random test draws everything from one seed and prints it when it fails;
// HALYARD_SEED=<seed> then replays that run and no other.

export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, at least 0, below `max`. */
  int(max: number): number;
  pick<T>(items: readonly T[]): T;
  /** True with probability `p`. */
  chance(p: number): boolean;
}

/** @returns numbers that depend on the seed alone (mulberry32) */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    int: (max) => Math.floor(next() * max),
    pick: (items) => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[Math.floor(next() * items.length)]!;
    },
    chance: (p) => next() < p,
  };
}

/** @returns the seed in HALYARD_SEED, or else a new one */
export function testSeed(): number {
  const given = process.env.HALYARD_SEED;
  if (!given) return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(given);
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw new Error(`HALYARD_SEED: a whole number from 0 to 2^32 - 1, not ${given}`);
}

/** Whether HALYARD_SEED asks for one run: then nothing can be said of what happens in many. */
export function replaysOne(): boolean {
  return Boolean(process.env.HALYARD_SEED);
}

/** @returns how many seeds a test is run for: the number in HALYARD_SEEDS, or else its own */
export function seedCount(count: number): number {
  const given = Number(process.env.HALYARD_SEEDS || count);
  if (Number.isInteger(given) && given > 0) return given;
  throw new Error(`HALYARD_SEEDS: a whole number from 1, not ${process.env.HALYARD_SEEDS}`);
}

/**
 * Runs a test for `count` seeds from `testSeed()` on, or for the one in HALYARD_SEED.
 * @throws Error that names the seed and has the failure as its cause
 */
export async function forSeeds(count: number, run: (seed: number) => void | Promise<void>): Promise<void> {
  const first = testSeed();
  for (let i = 0; i < (replaysOne() ? 1 : count); i++) {
    const seed = (first + i) >>> 0;
    try {
      await run(seed);
    } catch (cause) {
      throw new Error(`HALYARD_SEED=${seed} replays this: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  }
}
