// Every metric there is: its name, what it is, its unit, its labels, and how it is read. Prometheus, OpenTelemetry and the dashboard of
// examples/metrics have their names from here. Labels are bounded: a peer's or the app's words beyond a limit are `other`. Longer
// than other files: it is a list.
import type { Happenings } from '../base/happenings';
import { Histogram } from '../base/histogram';
import type { Histograms } from '../base/histograms';
import type { Instruments } from '../base/instruments';
import type { Meters } from '../base/meters';
import type { Overload } from '../base/overload';
import type { Traffic } from '../base/traffic';
import type { UnderWay } from '../base/under-way';
import type { SlowReaderCounts } from '../session/context';
import type { SessionSums } from '../session/directory';
import type { StoreState } from '../store/store';
import {
  byLabel,
  type HistogramSample,
  histogramOf,
  type Metric,
  type MetricFacts,
  type MetricSample,
  single,
} from './metrics';

/** What is timed. */
export interface TimesSource {
  readonly meters: Meters;
  /** Of the store that servers share. */
  readonly commits: UnderWay | undefined;
}

/** What is read. */
export interface MetricsSource extends TimesSource {
  readonly happenings: Happenings;
  readonly slowReaders: SlowReaderCounts;
  /** Undefined if nobody looks for it. */
  readonly overload: Overload | undefined;
  readonly sessions: SessionSums;
  readonly isReady: boolean;
  readonly namespaces: number;
  readonly sockets: number;
  /** What is kept of all logs. */
  readonly logs: { readonly length: number; readonly bytes: number };
  /** Undefined of a server alone. */
  readonly shared: SharedSource | undefined;
}

export interface SharedSource {
  readonly state: StoreState;
  readonly nodes: number;
  readonly queuedBytes: number;
}

type Entries = readonly (
  | (MetricFacts & {
      readonly type: 'counter' | 'gauge';
      read(source: MetricsSource): readonly MetricSample[];
    })
  | (MetricFacts & { readonly type: 'histogram'; from(source: TimesSource): Histogram | Histograms | undefined })
)[];

const storeStates: readonly StoreState[] = ['up', 'degraded', 'recovering'];
const overloadReasons = ['loop-delay', 'utilization', 'memory'] as const;
const ways = ['transport', 'codec'] as const;

export const catalogue: Entries = [
  {
    name: 'halyard_ready',
    help: '1 if the server is to be sent clients, else 0: see health.',
    ...{ type: 'gauge', unit: '', labels: [] },
    read: ({ isReady }) => single(isReady ? 1 : 0),
  },
  {
    name: 'halyard_overloaded',
    help: '1 for each reason for which the server sheds work, 0 for the others: see the option overload.',
    ...{ type: 'gauge', unit: '', labels: ['reason'] },
    read: ({ overload }) =>
      byLabel(
        'reason',
        overloadReasons.map((reason) => [reason, overload?.reasons.includes(reason) ? 1 : 0]),
      ),
  },
  {
    name: 'halyard_shed_total',
    help: 'What was turned away for overload: connections, new sessions, and connections that were open (ended).',
    ...{ type: 'counter', unit: 'clients', labels: ['kind'] },
    read: ({ overload }) =>
      byLabel('kind', [
        ['connections', overload?.refusedConnections ?? 0],
        ['sessions', overload?.refusedSessions ?? 0],
        ['ended', overload?.endedConnections ?? 0],
      ]),
  },
  {
    name: 'halyard_connections',
    help: 'Connections that are open.',
    ...{ type: 'gauge', unit: 'connections', labels: ways },
    read: ({ meters }) => ofTraffic(meters, ({ opened, closed }) => opened - closed),
  },
  {
    name: 'halyard_connections_opened_total',
    help: 'Connections that were opened.',
    ...{ type: 'counter', unit: 'connections', labels: ways },
    read: ({ meters }) => ofTraffic(meters, ({ opened }) => opened),
  },
  {
    name: 'halyard_connections_closed_total',
    help: 'Connections that were closed, by the code of their close.',
    ...{ type: 'counter', unit: 'connections', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('connection closed')),
  },
  {
    name: 'halyard_packets_total',
    help: 'Packets that clients have sent (in) and were sent (out), since metrics were first asked for.',
    ...{ type: 'counter', unit: 'packets', labels: ['direction', ...ways] },
    read: ({ meters }) => ofDirections(meters, 'packetsIn', 'packetsOut'),
  },
  {
    name: 'halyard_bytes_total',
    help: 'Their bytes, before compression and without what WebSocket and HTTP add, since metrics were first asked for.',
    ...{ type: 'counter', unit: 'bytes', labels: ['direction', ...ways] },
    read: ({ meters }) => ofDirections(meters, 'bytesIn', 'bytesOut'),
  },
  {
    name: 'halyard_sessions',
    help: 'Sessions: live, catching-up with what they have missed, or away without a connection.',
    ...{ type: 'gauge', unit: 'sessions', labels: ['state'] },
    read: ({ sessions: { live, catchingUp, away } }) =>
      byLabel('state', [
        ['live', live],
        ['catching-up', catchingUp],
        ['away', away],
      ]),
  },
  {
    name: 'halyard_sessions_begun_total',
    help: 'Sessions that have begun here.',
    ...{ type: 'counter', unit: 'sessions', labels: [] },
    read: ({ happenings }) => single(happenings.counts('session begun').total),
  },
  {
    name: 'halyard_sessions_ended_total',
    help: 'Sessions that are over, by the code of their close.',
    ...{ type: 'counter', unit: 'sessions', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('session ended')),
  },
  {
    name: 'halyard_sessions_moved_total',
    help: 'Sessions that have come from another server, or have gone on at one.',
    ...{ type: 'counter', unit: 'sessions', labels: ['direction'] },
    read: ({ happenings }) =>
      byLabel('direction', [
        ['in', happenings.counts('session arrived').total],
        ['out', happenings.counts('session moved').total],
      ]),
  },
  {
    name: 'halyard_sessions_away_total',
    help: 'Times that a session has lost its connection, by the code of the close.',
    ...{ type: 'counter', unit: 'sessions', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('session away')),
  },
  {
    name: 'halyard_resumes_total',
    help: 'Sessions that clients came back to, by outcome: resumed, or why not.',
    ...{ type: 'counter', unit: 'resumes', labels: ['outcome'] },
    read: ({ happenings }) =>
      byLabel('outcome', [
        ['resumed', happenings.counts('session resumed').total],
        ...happenings.counts('resume refused'),
      ]),
  },
  {
    name: 'halyard_namespaces',
    help: 'Namespaces that there are.',
    ...{ type: 'gauge', unit: 'namespaces', labels: [] },
    read: ({ namespaces }) => single(namespaces),
  },
  {
    name: 'halyard_sockets',
    help: 'Sockets of all namespaces.',
    ...{ type: 'gauge', unit: 'sockets', labels: [] },
    read: ({ sockets }) => single(sockets),
  },
  {
    name: 'halyard_outbox_packets',
    help: 'Packets to single clients that these have not confirmed.',
    ...{ type: 'gauge', unit: 'packets', labels: [] },
    read: ({ sessions }) => single(sessions.outboxPackets),
  },
  {
    name: 'halyard_outbox_bytes',
    help: 'Their bytes; of text, its characters.',
    ...{ type: 'gauge', unit: 'bytes', labels: [] },
    read: ({ sessions }) => single(sessions.outboxBytes),
  },
  {
    name: 'halyard_log_entries',
    help: 'Messages to rooms and namespaces that are kept for who comes back.',
    ...{ type: 'gauge', unit: 'entries', labels: [] },
    read: ({ logs }) => single(logs.length),
  },
  {
    name: 'halyard_log_bytes',
    help: 'Their bytes: journalBytesMax bounds them.',
    ...{ type: 'gauge', unit: 'bytes', labels: [] },
    read: ({ logs }) => single(logs.bytes),
  },
  {
    name: 'halyard_dropped_total',
    help: 'Messages that were left out for readers that do not keep up: volatile ones, and those that a newer one replaced.',
    ...{ type: 'counter', unit: 'messages', labels: ['kind'] },
    read: ({ slowReaders: { volatileDropped, replaced } }) =>
      byLabel('kind', [
        ['volatile', volatileDropped],
        ['replaced', replaced],
      ]),
  },
  {
    name: 'halyard_refused_volatile_total',
    help: 'Volatile events of clients that came faster than packetsPerSecondMax or bytesPerSecondMax: they were dropped.',
    ...{ type: 'counter', unit: 'events', labels: [] },
    read: ({ meters }) => single(meters.volatileRefused),
  },
  {
    name: 'halyard_cuts_total',
    help: 'Connections that were cut past backpressureBytesMax.',
    ...{ type: 'counter', unit: 'connections', labels: [] },
    read: ({ slowReaders }) => single(slowReaders.cut),
  },
  {
    name: 'halyard_catch_ups_total',
    help: 'Times that a session has been brought everything that it had missed.',
    ...{ type: 'counter', unit: 'sessions', labels: [] },
    read: ({ slowReaders }) => single(slowReaders.caughtUp),
  },
  {
    name: 'halyard_handler_seconds',
    help: 'How long handlers of an event take until their reply is there, since metrics were first asked for.',
    ...{ type: 'histogram', unit: 'seconds', labels: ['event'] },
    from: ({ meters }) => meters.handlers,
  },
  {
    name: 'halyard_ack_seconds',
    help: 'How long clients take to reply to what they are asked, since metrics were first asked for.',
    ...{ type: 'histogram', unit: 'seconds', labels: [] },
    from: ({ meters }) => meters.replies,
  },
  {
    name: 'halyard_acks_missed_total',
    help: 'Replies of clients that have not come in time, or not at all, since metrics were first asked for.',
    ...{ type: 'counter', unit: 'replies', labels: [] },
    read: ({ meters }) => single(meters.repliesMissed),
  },
  {
    name: 'halyard_refused_requests_total',
    help: 'Requests over HTTP, WebSocket handshakes among them, that were refused, by error code.',
    ...{ type: 'counter', unit: 'requests', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('request refused')),
  },
  {
    name: 'halyard_refused_namespaces_total',
    help: 'Clients that were not let into a namespace, by error code.',
    ...{ type: 'counter', unit: 'refusals', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('namespace refused')),
  },
  {
    name: 'halyard_refused_events_total',
    help: 'Events that the contract or a guard refused, by error code.',
    ...{ type: 'counter', unit: 'events', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('event refused')),
  },
  {
    name: 'halyard_failed_events_total',
    help: 'Events whose handler or middleware threw, by error code.',
    ...{ type: 'counter', unit: 'events', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('event failed')),
  },
  {
    name: 'halyard_errors_total',
    help: 'What the event "error" tells of, by the code of the error, or the name of its class.',
    ...{ type: 'counter', unit: 'errors', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('error')),
  },
  {
    name: 'halyard_warnings_total',
    help: 'What the event "warning" tells of, each time that it happens, by its code.',
    ...{ type: 'counter', unit: 'warnings', labels: ['code'] },
    read: ({ happenings }) => byLabel('code', happenings.counts('warning')),
  },
  {
    name: 'halyard_store_state',
    help: '1 for the state of the store that servers share, 0 for the others. Of a server alone there is none.',
    ...{ type: 'gauge', unit: '', labels: ['state'] },
    read: ({ shared }) =>
      shared
        ? byLabel(
            'state',
            storeStates.map((one) => [one, one === shared.state ? 1 : 0]),
          )
        : [],
  },
  {
    name: 'halyard_nodes',
    help: 'Servers that share the store, as this one knows them.',
    ...{ type: 'gauge', unit: 'nodes', labels: [] },
    read: ({ shared }) => (shared ? single(shared.nodes) : []),
  },
  {
    name: 'halyard_store_lag_seconds',
    help: 'How long the store has not answered what it was given first of what it has not answered.',
    ...{ type: 'gauge', unit: 'seconds', labels: [] },
    read: ({ commits }) => (commits ? single(commits.oldestSeconds) : []),
  },
  {
    name: 'halyard_store_queue_bytes',
    help: 'What was published and is not stored.',
    ...{ type: 'gauge', unit: 'bytes', labels: [] },
    read: ({ shared }) => (shared ? single(shared.queuedBytes) : []),
  },
  {
    name: 'halyard_commit_seconds',
    help: 'How long the store takes to store what it is given.',
    ...{ type: 'histogram', unit: 'seconds', labels: [] },
    from: ({ commits }) => commits?.seconds,
  },
  {
    name: 'halyard_loop_delay_seconds',
    help: 'How much later than it should the event loop comes to a timer, ten times a second, since metrics were first asked for.',
    ...{ type: 'histogram', unit: 'seconds', labels: [] },
    from: ({ meters }) => meters.loopDelay.seconds,
  },
];

export function readMetrics(source: MetricsSource): readonly Metric[] {
  return catalogue.map((entry): Metric => {
    const { name, help, unit, labels } = entry;
    const facts = { name, help, unit, labels };
    if (entry.type !== 'histogram') return { ...facts, type: entry.type, samples: entry.read(source) };
    return { ...facts, type: entry.type, samples: samplesOf(entry.from(source), labels[0]) };
  });
}

/** @param measured told of each value of each histogram from now on; undefined: of none */
export function hearMeasured(source: TimesSource, measured: Instruments['measured']): void {
  for (const entry of catalogue) {
    if (entry.type !== 'histogram') continue;
    entry.from(source)?.hear(measured && ((seconds, label) => measured(entry.name, seconds, label)));
  }
}

function samplesOf(times: Histogram | Histograms | undefined, label = ''): readonly HistogramSample[] {
  if (times === undefined) return [];
  if (times instanceof Histogram) return [histogramOf(times)];
  return Array.from(times, ([name, histogram]) => histogramOf(histogram, { [label]: name }));
}

function ofTraffic(meters: Meters, read: (traffic: Traffic) => number): readonly MetricSample[] {
  return Array.from(meters.allTraffic(), (traffic) => {
    const { transport, codec } = traffic;
    return { labels: { transport, codec }, value: read(traffic) };
  });
}

function ofDirections(
  meters: Meters,
  incoming: 'packetsIn' | 'bytesIn',
  outgoing: 'packetsOut' | 'bytesOut',
): readonly MetricSample[] {
  return Array.from(meters.allTraffic()).flatMap((traffic) => {
    const { transport, codec } = traffic;
    return [
      { labels: { direction: 'in', transport, codec }, value: traffic[incoming] },
      { labels: { direction: 'out', transport, codec }, value: traffic[outgoing] },
    ];
  });
}
