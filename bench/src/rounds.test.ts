import { describe, expect, it } from 'vitest';
import { whole } from './rounds';

describe('the whole of some slices', () => {
  it('is their cost divided by what they did, not the mean of their quotients', () => {
    // Both took 100: one for 100 messages, one for 25.
    const slices = [
      { value: 1, units: 100, details: { perS: 1_000 } },
      { value: 4, units: 25, details: { perS: 250 } },
    ];
    expect(whole(slices)).toEqual({ value: 1.6, units: 125, details: { perS: 625 } });
  });

  it('is the mean of what is not counted in units', () => {
    const slices = [1, 2].map((value) => ({ value, details: {} }));
    expect(whole(slices).value).toBe(1.5);
  });
});
