// The figures Halyard holds itself to, each with its ceiling: what `--quick` measures and `--json` writes.
import { isNoisy, ratios, type Spread, spread } from '../base/ratios';
import type { Row } from './rounds';
import type { Size } from './sizes';

export interface Figure {
  readonly name: string;
  readonly title: string;
  /** A workload, or the part of the client whose size is meant. */
  readonly of:
    | {
        readonly workload: string;
        readonly subject: string;
        readonly baseline?: string;
        /** Of the samples; undefined means their value. */
        readonly detail?: string;
      }
    | { readonly size: string };
  readonly atMost: number;
}

const json = 'halyard-uws-json';

export const figures: readonly Figure[] = [
  versus('echo-1', 'event + ack, 1 in flight / bare uWS', 'echo-1', 'bare-uws', 1.1),
  versus('echo-16', 'event + ack, 16 in flight / bare uWS', 'echo-16', 'bare-uws', 1.3),
  {
    name: 'echo-16-metrics',
    title: 'event + ack, 16 in flight, metrics read / not',
    of: { workload: 'echo-16', subject: 'halyard-uws-json-metrics', baseline: json },
    atMost: 1.03,
  },
  versus('broadcast-burst', 'broadcast in bursts of 10 / bare publish', 'broadcast-burst', 'bare-uws', 1.05),
  versus('except-fanout', 'fan-out without the sender / loop by hand', 'except-fanout', 'bare-uws', 1.15),
  {
    name: 'idle-bytes',
    title: 'resident bytes per idle connection',
    of: { workload: 'idle-bytes', subject: json },
    atMost: 3_072,
  },
  { name: 'client-gz', title: 'browser client, whole, with json, gzip bytes', of: { size: 'whole' }, atMost: 7_168 },
  { name: 'client-ws-gz', title: 'browser client, WebSocket only, json', of: { size: 'websocket' }, atMost: 5_120 },
  versus('polling-vs-socketio', 'polling echo / Socket.IO', 'polling', 'socketio-ws', 0.5),
  versus('echo-1-vs-socketio', 'event + ack, 1 in flight / Socket.IO on ws', 'echo-1', 'socketio-ws', 0.65),
  versus('echo-16-vs-socketio', 'event + ack, 16 in flight / Socket.IO on ws', 'echo-16', 'socketio-ws', 0.25),
  versus('broadcast-burst-vs-socketio', 'bursts of 10 / Socket.IO on ws', 'broadcast-burst', 'socketio-ws', 0.1),
  versus('echo-16-vs-socketio-uws', 'event + ack, 16 in flight / Socket.IO on uWS', 'echo-16', 'socketio-uws', 0.6),
  ofCluster('cluster-p50', 'message across servers, p50 / redis-adapter', 'p50Us', 'socketio-redis', 1.25),
  ofCluster('cluster-p99', 'message across servers, p99 / redis-adapter', undefined, 'socketio-redis', 1.25),
  ofCluster('cluster-cpu', 'CPU of both servers / redis-streams-adapter', 'serverUs', 'socketio-redis-streams', 0.34),
];

/** @param detail undefined means p99 */
function ofCluster(name: string, title: string, detail: string | undefined, baseline: string, atMost: number): Figure {
  const of = { workload: 'cluster-room', subject: 'halyard-redis', baseline };
  return { name, title, of: detail === undefined ? of : { ...of, detail }, atMost };
}

function versus(name: string, title: string, workload: string, baseline: string, atMost: number): Figure {
  return { name, title, of: { workload, subject: json, baseline }, atMost };
}

export interface FigureResult extends Figure {
  readonly spread: Spread | undefined;
  readonly noisy: boolean;
  /** Why there is no number. */
  readonly failure: string | undefined;
}

/** The subjects that the figures need of a workload, baselines first. */
export function subjectsNeeded(workload: string): string[] {
  const needed = new Set<string>();
  for (const { of } of figures) {
    if ('workload' in of && of.workload === workload && of.baseline !== undefined) needed.add(of.baseline);
  }
  for (const { of } of figures) if ('workload' in of && of.workload === workload) needed.add(of.subject);
  return [...needed];
}

export function resultOf(figure: Figure, rows: readonly Row[], sizes: readonly Size[]): FigureResult {
  const { of } = figure;
  if ('size' in of) {
    const size = sizes.find(({ name }) => name === of.size);
    const bytes = size?.gzipBytes;
    if (bytes === undefined) return failed(figure, size?.failure ?? 'not measured');
    return { ...figure, spread: spread([bytes]), noisy: false, failure: undefined };
  }
  const row = rows.find(({ workload, subject }) => workload === of.workload && subject === of.subject);
  const baseline = rows.find(({ workload, subject }) => workload === of.workload && subject === of.baseline);
  const { detail } = of;
  const numbers =
    of.baseline === undefined ? valuesOf(row, detail).filter((n) => n !== undefined) : ratioOf(row, baseline, detail);
  if (numbers.length === 0) return failed(figure, row?.failure ?? baseline?.failure ?? 'not measured');
  const result = spread(numbers);
  return { ...figure, spread: result, noisy: isNoisy(result), failure: undefined };
}

/** @param detail in place of the value */
export function valuesOf(row: Row | undefined, detail?: string): (number | undefined)[] {
  if (row === undefined) return [];
  return Array.from(row.samples, (sample) => (detail === undefined ? sample?.value : sample?.details[detail]));
}

/** Round by round. */
export function ratioOf(row: Row | undefined, baseline: Row | undefined, detail?: string): number[] {
  return ratios(valuesOf(row, detail), valuesOf(baseline, detail));
}

function failed(figure: Figure, failure: string): FigureResult {
  return { ...figure, spread: undefined, noisy: false, failure };
}
