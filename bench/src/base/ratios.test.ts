import { describe, expect, it } from 'vitest';
import { isNoisy, percentile, ratios, spread } from './ratios';

describe('ratios', () => {
  it('are taken within each round, not between medians', () => {
    const slowing = [1, 2, 4];
    expect(ratios([2, 4, 8], slowing)).toEqual([2, 2, 2]);
  });

  it('leave out a round that either lacks', () => {
    expect(ratios([2, undefined, 6], [1, 1, undefined])).toEqual([2]);
    expect(ratios([2, 4], [0, 1])).toEqual([4]);
  });

  it('are summed up by median, minimum and maximum', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(() => spread([])).toThrow(RangeError);
  });

  it('are called noisy when they differ by more than the bound', () => {
    expect(isNoisy({ median: 1, min: 0.9, max: 1.1 })).toBe(false);
    expect(isNoisy({ median: 1, min: 0.9, max: 1.2 })).toBe(true);
  });
});

describe('percentile', () => {
  it('names the value below which that part lies', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i + 1);
    expect(percentile(values, 0.5)).toBe(500);
    expect(percentile(values, 0.999)).toBe(999);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});
