// The metrics of a server, in a registry of `prom-client`, which an app that wants this installs.
import { LocalUsageError } from '@halyard/protocol';
import { type Registry, type Metric as RegistryMetric, register } from 'prom-client';
import type { HistogramSample, Metric, MetricFacts } from './api/metrics';

export interface PrometheusOptions {
  /** Where they go. Default: the one that `prom-client` has for all. */
  readonly registry?: Registry | undefined;
}

/** A line of what Prometheus reads. */
interface Line {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Adds every metric of a server to a registry, which reads them each time that it is asked: `await registry.metrics()`.
 * @returns the registry
 * @throws LocalUsageError `ERR_OPTION` if `io` is no server, `ERR_METRICS` if it has the metrics of another server: give each a registry of its own
 */
export function prometheus(
  io: { metrics(): readonly Metric[] },
  { registry = register }: PrometheusOptions = {},
): Registry {
  if (typeof io?.metrics !== 'function')
    throw new LocalUsageError('ERR_OPTION', 'prometheus takes a server: prometheus(io).', { option: 'io' });
  const snapshot = new Snapshot(io);
  const all = snapshot.read();
  const taken = all.find(({ name }) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    throw new LocalUsageError(
      'ERR_METRICS',
      `The registry has a metric ${taken.name} already: give each server a registry of its own, { registry: new Registry() }.`,
    );
  }
  for (const { name, help, type } of all) {
    registry.registerMetric(new Registered(name, help, type, snapshot) as unknown as RegistryMetric);
  }
  return registry;
}

/** All metrics at one time, however many of them are asked for then. */
class Snapshot {
  readonly #io: { metrics(): readonly Metric[] };
  #metrics: readonly Metric[] | undefined;

  constructor(io: { metrics(): readonly Metric[] }) {
    this.#io = io;
  }

  read(): readonly Metric[] {
    if (this.#metrics === undefined) {
      // A registry asks all of them in one go.
      queueMicrotask(() => {
        this.#metrics = undefined;
      });
      this.#metrics = this.#io.metrics();
    }
    return this.#metrics;
  }
}

/** One metric, as a registry has it: its own classes count by themselves, and cannot be told what was counted. */
class Registered {
  /** A registry for OpenMetrics writes a counter's name without its ending. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  readonly aggregator = 'sum';
  readonly #own: MetricFacts['name'];
  readonly #snapshot: Snapshot;

  constructor(name: string, help: string, type: Metric['type'], snapshot: Snapshot) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#own = name;
    this.#snapshot = snapshot;
  }

  async get(): Promise<unknown> {
    const { name, help, type, aggregator } = this;
    const metric = this.#snapshot.read().find((one) => one.name === this.#own);
    return { name, help, type, aggregator, values: metric === undefined ? [] : linesOf(metric) };
  }

  /** What was counted is the server's: it goes on. */
  reset(): void {}
}

function linesOf(metric: Metric): readonly Line[] {
  if (metric.type !== 'histogram') return metric.samples;
  return metric.samples.flatMap((sample) => histogramLines(metric.name, sample));
}

function histogramLines(name: string, { labels, buckets, sum, count }: HistogramSample): readonly Line[] {
  const bucket = `${name}_bucket`;
  return [
    ...buckets.map(([bound, value]) => ({ metricName: bucket, labels: { le: bound, ...labels }, value })),
    { metricName: bucket, labels: { le: '+Inf', ...labels }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
