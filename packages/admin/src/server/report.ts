// What this server is like, once a second for as long as somebody looks; less often where that takes long.
import { hostname } from 'node:os';
import type { Health, InspectedSession, Inspection, Metric } from '@halyard/server';
import { fewOf } from '../base/few';
import type { NamespaceRow, Report, RoomRow } from '../base/said';
import type { Leases } from './leases';
import type { Problems } from './problems';
import { type Describe, rowOf } from './session-rows';

const reportMs = 1_000;
/** A report may take one in so many of the time. */
const shareOfTime = 20;
const namespacesMax = 50;
const roomsMax = 25;
const readersMax = 10;
/** Who has less than this waiting keeps up. */
const slowBytes = 16_384;

export interface ReporterContext {
  readonly inspection: Inspection;
  readonly problems: Problems;
  readonly describe: Describe;
  health(): Health;
  /** Whether anybody looks. */
  readonly leases: Pick<Leases, 'isHeld'>;
  send(report: Report): void;
}

/** What has been counted, and when. */
interface Counted {
  readonly at: number;
  readonly values: ReadonlyMap<string, number>;
  readonly delays: Delays;
}

interface Delays {
  readonly buckets: readonly (readonly [boundSeconds: number, count: number])[];
  readonly sum: number;
  readonly count: number;
}

const noDelays: Delays = { buckets: [], sum: 0, count: 0 };

export class Reporter {
  readonly #context: ReporterContext;
  #last: Counted | undefined;
  #isRunning = false;

  constructor(context: ReporterContext) {
    this.#context = context;
  }

  /** Somebody looks. */
  begin(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const end = this.#context.inspection.count();
    this.#last = this.#count();
    this.#report(end);
  }

  #report(end: () => void): void {
    const { leases, send, inspection } = this.#context;
    if (!leases.isHeld) {
      this.#isRunning = false;
      end();
      return;
    }
    const begunAt = performance.now();
    send(this.#read());
    const took = performance.now() - begunAt;
    inspection.clock.after(Math.max(reportMs, took * shareOfTime), () => this.#report(end));
  }

  #read(): Report {
    const { inspection, health, problems, describe } = this.#context;
    const last = this.#last ?? this.#count();
    const counted = this.#count();
    this.#last = counted;
    const { values } = counted;
    const value = (key: string): number => values.get(key) ?? 0;
    const seconds = (counted.at - last.at) / 1_000;
    const rate = (key: string): number =>
      seconds > 0 ? Math.max(0, value(key) - (last.values.get(key) ?? 0)) / seconds : 0;
    const { ready, draining, reasons } = health();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      ...{ node: inspection.node, host: hostname(), pid: process.pid, upSeconds: Math.round(process.uptime()) },
      ...{ isReady: ready, isDraining: draining, reasons, store: storeOf(values) },
      ...{ rssBytes: rss, heapBytes: heapUsed, loopDelayMs: delayBetween(last.delays, counted.delays) },
      ...{ connections: value('halyard_connections'), sockets: value('halyard_sockets') },
      sessions: {
        live: value('halyard_sessions live'),
        catchingUp: value('halyard_sessions catching-up'),
        away: value('halyard_sessions away'),
      },
      perSecond: {
        packetsIn: rate('halyard_packets_total in'),
        packetsOut: rate('halyard_packets_total out'),
        bytesIn: rate('halyard_bytes_total in'),
        bytesOut: rate('halyard_bytes_total out'),
        opened: rate('halyard_connections_opened_total'),
      },
      counts: {
        dropped: value('halyard_dropped_total volatile'),
        replaced: value('halyard_dropped_total replaced'),
        cut: value('halyard_cuts_total'),
        caughtUp: value('halyard_catch_ups_total'),
        refused: value('halyard_refused_requests_total') + value('halyard_refused_namespaces_total'),
        failedEvents: value('halyard_failed_events_total'),
        errors: value('halyard_errors_total'),
        warnings: value('halyard_warnings_total'),
      },
      namespaces: namespacesOf(inspection),
      rooms: roomsOf(inspection),
      readers: fewOf(inspection.sessions(), {
        rowsMax: readersMax,
        isWanted: isSlow,
        weight: ({ bufferedBytes }) => bufferedBytes,
        row: (session) => rowOf(session, describe),
      }),
      problems: problems.count,
    };
  }

  #count(): Counted {
    const { inspection } = this.#context;
    const values = new Map<string, number>();
    let delays = noDelays;
    for (const metric of inspection.metrics()) {
      if (metric.type !== 'histogram') sumInto(values, metric);
      else if (metric.name === 'halyard_loop_delay_seconds') delays = metric.samples[0] ?? noDelays;
    }
    return { at: inspection.clock.now(), values, delays };
  }
}

/** The largest rooms of all namespaces. @param search what their names hold; empty: anything */
export function roomsOf(inspection: Inspection, search = '', rowsMax = roomsMax): Report['rooms'] {
  return fewOf<RoomRow, RoomRow>(allRooms(inspection), {
    rowsMax,
    isWanted: ({ room }) => search === '' || room.includes(search),
    weight: ({ members }) => members,
    row: (room) => room,
  });
}

function namespacesOf(inspection: Inspection): Report['namespaces'] {
  return fewOf(inspection.namespaces(), {
    rowsMax: namespacesMax,
    weight: ({ socketCount }) => socketCount,
    row: ({ name, socketCount, roomCount }): NamespaceRow => ({ name, sockets: socketCount, rooms: roomCount }),
  });
}

function* allRooms(inspection: Inspection): Generator<RoomRow> {
  for (const { name: namespace, rooms } of inspection.namespaces()) {
    for (const [room, members] of rooms()) yield { namespace, room, members };
  }
}

function isSlow({ bufferedBytes }: InspectedSession): boolean {
  return bufferedBytes >= slowBytes;
}

/** Labels by which a metric is told apart: by all others it is summed up. */
const apart: readonly string[] = ['direction', 'kind', 'state'];

function sumInto(values: Map<string, number>, { name, samples }: Extract<Metric, { type: 'counter' | 'gauge' }>): void {
  for (const { labels, value } of samples) {
    const label = apart.find((one) => labels[one] !== undefined);
    const key = label === undefined ? name : `${name} ${labels[label]}`;
    values.set(key, (values.get(key) ?? 0) + value);
  }
}

function storeOf(values: ReadonlyMap<string, number>): string {
  const states = ['up', 'degraded', 'recovering'];
  return states.find((state) => values.get(`halyard_store_state ${state}`) === 1) ?? '';
}

/** @returns of what has come between, the mean, and the bound that 99 of 100 are not above */
function delayBetween(before: Delays, after: Delays): Report['loopDelayMs'] {
  const count = after.count - before.count;
  if (count <= 0) return { mean: 0, p99: 0 };
  const mean = ((after.sum - before.sum) / count) * 1_000;
  const countOf = (i: number): number => (after.buckets[i]?.[1] ?? 0) - (before.buckets[i]?.[1] ?? 0);
  const at = after.buckets.findIndex((_bucket, i) => countOf(i) >= count * 0.99);
  const [bound = 10] = after.buckets[at] ?? [];
  return { mean, p99: bound * 1_000 };
}
