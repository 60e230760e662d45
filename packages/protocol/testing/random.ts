// Randomness that can be had again: a random test draws everything from one seed and prints it when it fails;
// HALYARD_SEED=<seed> then replays that run and no other.

export type Random = ReturnType<typeof seededRandom>;

/** @returns numbers that depend on the seed alone (mulberry32) */
export function seededRandom(seed: number) {
  let state = seed >>> 0;
  /** At least 0, below 1. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** A whole number, at least 0, below `max`. */
    int: (max: number): number => Math.floor(next() * max),
    /** A whole number, both bounds included. */
    between: ([min, max]: RangeMs): number => min + Math.floor(next() * (max - min + 1)),
    pick: <T>(items: readonly [T, ...T[]]): T => items[Math.floor(next() * items.length)]!,
    /** True with probability `p`. */
    chance: (p: number): boolean => next() < p,
  };
}

/** Bounds of a random duration in milliseconds, both included. */
export type RangeMs = readonly [min: number, max: number];

/** The one in HALYARD_SEED: then nothing can be said of what happens in many runs. */
export const givenSeed = process.env.HALYARD_SEED ? Number(process.env.HALYARD_SEED) : undefined;

/** Runs a test for `count` seeds, or for the given one. @throws Error that names the seed and has the failure as its cause */
export function forSeeds(count: number, run: (seed: number) => void): void {
  const first = givenSeed ?? Math.floor(Math.random() * 2 ** 32);
  for (let i = 0; i < (givenSeed === undefined ? count : 1); i++) {
    const seed = (first + i) >>> 0;
    try {
      run(seed);
    } catch (cause) {
      throw new Error(`HALYARD_SEED=${seed} replays this: ${cause}`, { cause });
    }
  }
}
