// The metrics of a server, and a span for each client that comes or comes back and for each event that it handles, by `@opentelemetry/api`, which an app that wants this installs.
import {
  type Attributes,
  context,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type Observable,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { Metric } from './api/metrics';
import type { Entering, HandledEvent, Instruments, Resuming } from './base/instruments';

export interface OpenTelemetryOptions {
  /** Default: the one that the app has registered. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Default: the one that the app has registered. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Whether each event that has a handler, each client that asks for a namespace, and each that comes back is a span. Default: true. */
  readonly spans?: boolean | undefined;
}

/** What it needs of a server. */
export interface Instrumented {
  readonly node: string;
  metrics(): readonly Metric[];
  instrument(instruments: Instruments): () => void;
}

const scope = 'halyard';

/**
 * Gives every metric of a server to OpenTelemetry, under its own name, and makes a span of each event that is handled, of each client that
 * asks for a namespace, and of each that comes back: what handlers and middleware do is in it.
 * @returns what ends that
 * @throws LocalUsageError `ERR_INSTRUMENTED` if something else has instrumented the server
 */
export function openTelemetry(io: Instrumented, options: OpenTelemetryOptions = {}): () => void {
  const { meterProvider = metrics, tracerProvider = trace, spans = true } = options;
  const exported = new Exported(io, meterProvider.getMeter(scope));
  const spanned = new Spans(io.node, tracerProvider.getTracer(scope));
  const end = io.instrument({
    measured: exported.measured,
    ...(spans ? { handle: spanned.handle, enter: spanned.enter, resume: spanned.resume } : {}),
  });
  exported.begin();
  return () => {
    exported.end();
    end();
  };
}

class Exported {
  readonly #io: Instrumented;
  readonly #meter: Meter;
  readonly #observed = new Map<string, Observable>();
  readonly #histograms = new Map<string, { readonly histogram: Histogram; readonly label: string | undefined }>();
  readonly #node: Attributes;

  constructor(io: Instrumented, meter: Meter) {
    this.#io = io;
    this.#meter = meter;
    this.#node = { 'halyard.node': io.node };
  }

  begin(): void {
    for (const metric of this.#io.metrics()) this.#add(metric);
    this.#meter.addBatchObservableCallback(this.#observe, [...this.#observed.values()]);
  }

  end(): void {
    this.#meter.removeBatchObservableCallback(this.#observe, [...this.#observed.values()]);
  }

  readonly measured = (name: string, seconds: number, label: string | undefined): void => {
    const known = this.#histograms.get(name);
    if (known === undefined) return;
    const attributes = known.label === undefined ? this.#node : { ...this.#node, [known.label]: label ?? '' };
    known.histogram.record(seconds, attributes);
  };

  #add({ name, help, unit, type, labels: [label] }: Metric): void {
    const options = { description: help, unit: units[unit] ?? `{${unit}}` };
    if (type === 'counter') this.#observed.set(name, this.#meter.createObservableCounter(name, options));
    else if (type === 'gauge') this.#observed.set(name, this.#meter.createObservableGauge(name, options));
    else this.#histograms.set(name, { histogram: this.#meter.createHistogram(name, options), label });
  }

  readonly #observe = (result: { observe(metric: Observable, value: number, attributes?: Attributes): void }): void => {
    for (const metric of this.#io.metrics()) {
      const observable = this.#observed.get(metric.name);
      if (observable === undefined || metric.type === 'histogram') continue;
      for (const { labels, value } of metric.samples) result.observe(observable, value, { ...this.#node, ...labels });
    }
  };
}

const units: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', '': '1' };

class Spans {
  readonly #node: string;
  readonly #tracer: Tracer;

  constructor(node: string, tracer: Tracer) {
    this.#node = node;
    this.#tracer = tracer;
  }

  readonly handle = ({ event, namespace, socket, session }: HandledEvent, run: () => unknown): unknown => {
    const span = this.#tracer.startSpan(`halyard ${event}`, {
      kind: SpanKind.SERVER,
      attributes: {
        'halyard.node': this.#node,
        'halyard.event': event,
        'halyard.namespace': namespace,
        'halyard.socket': socket,
        'halyard.session': session,
      },
    });
    return context.with(trace.setSpan(context.active(), span), () => {
      let result: unknown;
      try {
        result = run();
        if (isPromise(result)) {
          result.then(
            () => span.end(),
            (error: unknown) => failed(span, error),
          );
          return result;
        }
      } catch (error) {
        failed(span, error);
        throw error;
      }
      span.end();
      return result;
    });
  };

  readonly enter = ({ namespace, session, transport }: Entering, run: () => Promise<string>): void => {
    const attributes = { 'halyard.namespace': namespace, 'halyard.session': session, 'halyard.transport': transport };
    this.#follow(`halyard connect ${namespace}`, attributes, run);
  };

  readonly resume = ({ session, transport, connection }: Resuming, run: () => Promise<string>): void => {
    const attributes = {
      'halyard.session': session,
      'halyard.transport': transport,
      'halyard.connection': connection,
    };
    this.#follow('halyard resume', attributes, run);
  };

  #follow(name: string, attributes: Attributes, run: () => Promise<string>): void {
    const options = { kind: SpanKind.SERVER, attributes: { 'halyard.node': this.#node, ...attributes } };
    const span = this.#tracer.startSpan(name, options);
    context.with(trace.setSpan(context.active(), span), run).then((code) => {
      if (code !== '') span.setAttribute('halyard.refusal', code).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
  }
}

function isPromise(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function';
}

function failed(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
