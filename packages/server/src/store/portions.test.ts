import { describe, expect, test } from 'vitest';
import { fitsOneCall, ofRecords, ofSteps } from './portions';
import type { Step } from './store';

const letter = (length: number): Step => ({ to: 'session', stamp: 1, body: 'x'.repeat(length) });
const record = (length: number) => ({ parts: new Map([['frame', 'x'.repeat(length)]]) });
const sizesOf = (portions: readonly (readonly unknown[])[]) => portions.map(({ length }) => length);
const same = (step: Step) => step;

describe('what is stored in one call', () => {
  test('is 64 KiB, and nothing less than one', () => {
    expect(sizesOf(ofSteps([letter(30_000), letter(30_000), letter(30_000)], same))).toEqual([2, 1]);
    expect(sizesOf(ofSteps([letter(1), letter(1_000_000), letter(1)], same))).toEqual([1, 1, 1]);
    expect(sizesOf(ofRecords([record(60_000), record(60_000)]))).toEqual([1, 1]);
    expect(ofSteps([], same)).toEqual([]);
  });

  test('is 1,024 steps or 128 records, in their order', () => {
    const steps = Array.from({ length: 2_500 }, (_, i) => ({ topOf: `${i}` }));
    const portions = ofSteps(steps, same);
    expect(sizesOf(portions)).toEqual([1_024, 1_024, 452]);
    expect(portions.flat()).toEqual(steps);
    expect(sizesOf(ofRecords(Array.from({ length: 129 }, () => ({ parts: undefined }))))).toEqual([128, 1]);
  });

  test('is said beforehand', () => {
    expect(fitsOneCall([], [])).toBe(true);
    expect(fitsOneCall([letter(1_000_000)], [record(1)])).toBe(true);
    expect(fitsOneCall([letter(30_000), letter(40_000)], [])).toBe(false);
    expect(fitsOneCall([], Array<ReturnType<typeof record>>(129).fill(record(1)))).toBe(false);
  });
});
