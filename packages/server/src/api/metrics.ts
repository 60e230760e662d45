// What a server counts and measures, as values: what `Server.metrics` gives, and how the readings of the catalogue become it.
import type { Histogram } from '../base/histogram';

export type Labels = Readonly<Record<string, string>>;

/** A number, and what it is of. */
export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
}

/** How long something has taken, since the server counts it. */
export interface HistogramSample {
  readonly labels: Labels;
  /** Pairs of a bound in seconds, and how many were not above it. */
  readonly buckets: readonly (readonly [boundSeconds: number, count: number])[];
  readonly sum: number;
  readonly count: number;
}

/** Of `counter` a sample only grows; of `gauge` it is how something is now. */
export type Metric =
  | (MetricFacts & { readonly type: 'counter' | 'gauge'; readonly samples: readonly MetricSample[] })
  | (MetricFacts & { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] });

export interface MetricFacts {
  /** By the rules of Prometheus, in base units: `halyard_bytes_total`. */
  readonly name: string;
  /** What it is, for people. */
  readonly help: string;
  /** What it counts: `seconds`, `bytes`, or things. */
  readonly unit: string;
  /** Names of the labels that samples have. */
  readonly labels: readonly string[];
}

/** @returns one sample without labels */
export function single(value: number): readonly MetricSample[] {
  return [{ labels: {}, value }];
}

export function byLabel(label: string, counts: Iterable<readonly [string, number]>): readonly MetricSample[] {
  return Array.from(counts, ([name, value]) => ({ labels: { [label]: name }, value }));
}

export function histogramOf({ bounds, cumulative, sum, count }: Histogram, labels: Labels = {}): HistogramSample {
  const buckets = bounds.map((bound, i) => [bound, cumulative[i] as number] as const);
  return { labels, buckets, sum, count };
}
