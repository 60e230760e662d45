// What one Redis carries, reckoned from what was measured: its processor time for a heartbeat, a message and an event with ack.
import { spread } from '../base/ratios';
import type { Row } from '../measure/rounds';

export interface CapacityRow {
  readonly what: string;
  /** How often it is done, by all sessions together. */
  readonly perS: number;
  /** Script calls a second at one partition, with one partition and with 32. */
  readonly commits: string;
  /** Processor time of Redis a second, in seconds. */
  readonly cores: number;
  /** Sessions that one Redis carries, and 32 of them. */
  readonly oneCarries: number;
  readonly allCarry: number;
}

export interface Capacity {
  readonly sessions: number;
  readonly servers: number;
  readonly rows: readonly CapacityRow[];
}

const sessions = 1_000_000;
const servers = 10;
const masters = 32;
/** Of a processor, so that commands need not queue. */
const busyMost = 0.6;
/** Of the default option. */
const heartbeatS = 25;
const messageEveryS = 60;
/** A server has one commit on its way at a time, so about this many a second at most. */
const commitsPerServerS = 1_000;

export const reckonedWith = [
  `Assumed: a heartbeat of each session in ${heartbeatS} s (the default); a client says something to its room once in ${messageEveryS} s, with one member on`,
  `another server, or asks something with an ack as often; Redis busy to ${busyMost * 100} % of its one processor, which is as fast as this one; servers gather as`,
  `they do in \`cluster-room-most\` and \`cluster-echo-most\`: at most ${commitsPerServerS.toLocaleString('en')} commits a second of each server, and of 32 partitions each gets the share`,
  'that it has of sessions and rooms. Members on more servers cost one delivery of the same bytes for each of these servers.',
].join('\n');

/** @returns undefined if what it is reckoned from was not measured */
export function capacityOf(rows: readonly Row[], subject: string): Capacity | undefined {
  const heartbeatUs = medianOf(rows, 'cluster-idle', subject, 'redisUs');
  const messageUs = medianOf(rows, 'cluster-room-most', subject, 'redisUs');
  const echoUs = medianOf(rows, 'cluster-echo-most', subject, 'redisUs');
  if (heartbeatUs === undefined || messageUs === undefined || echoUs === undefined) return undefined;
  const idle = heartbeatUs / heartbeatS;
  const row = (what: string, perSession: number, usPerSession: number): CapacityRow => {
    const perS = sessions * perSession;
    const calls = Math.min(perS, servers * commitsPerServerS);
    const oneCarries = (busyMost * 1_000_000) / usPerSession;
    return {
      what,
      perS,
      commits: `${round(calls)}, ${round(Math.min(perS / masters, calls))}`,
      cores: (sessions * usPerSession) / 1_000_000,
      oneCarries,
      allCarry: oneCarries * masters,
    };
  };
  const often = 1 / messageEveryS;
  return {
    sessions,
    servers,
    rows: [
      row('nothing (heartbeats)', 1 / heartbeatS, idle),
      row('and a room message each', 1 / heartbeatS + often, idle + messageUs * often),
      row('and an event with ack each', 1 / heartbeatS + often, idle + echoUs * often),
      row('and both', 1 / heartbeatS + 2 * often, idle + (messageUs + echoUs) * often),
    ],
  };
}

function medianOf(rows: readonly Row[], workload: string, subject: string, detail: string): number | undefined {
  const row = rows.find((its) => its.workload === workload && its.subject === subject);
  const values = (row?.samples ?? []).flatMap((sample) => sample?.details[detail] ?? []);
  return values.length === 0 ? undefined : spread(values).median;
}

function round(count: number): string {
  return Math.round(count).toLocaleString('en');
}
