// Statistics of interleaved windows: a ratio is taken within each round, then the rounds are summed up.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A figure whose rounds differ by more than this part of their median says little: the report calls it noisy. */
export const noiseBound = 0.25;

/** @throws RangeError if there is nothing to sum up */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle]!;
  const median = sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
  return { median, min: sorted[0]!, max: sorted[sorted.length - 1]! };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Round by round, `values` against `baseline`. Rounds that either lacks are left out. */
export function ratios(values: readonly (number | undefined)[], baseline: readonly (number | undefined)[]): number[] {
  const result: number[] = [];
  for (const [round, value] of values.entries()) {
    const base = baseline[round];
    if (value !== undefined && base !== undefined && base > 0) result.push(value / base);
  }
  return result;
}

export function isNoisy({ median, min, max }: Spread): boolean {
  return max - min > noiseBound * median;
}

/** The value below which the part `quantile` of the sorted values lies. */
export function percentile(sorted: ArrayLike<number>, quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * quantile) - 1))] ?? Number.NaN;
}
