// What was measured, as a table.
import type { Summary } from './latencies';

export interface Row {
  readonly what: string;
  readonly count: number;
  readonly perSecond: number;
  readonly times: Summary;
  readonly failed: number;
}

const heads = ['', 'count', 'per second', 'p50 ms', 'p99 ms', 'max ms', 'failed'];

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, count, perSecond, times, failed }) => [
    ...[what, whole(count), whole(perSecond)],
    ...[times.p50Ms, times.p99Ms, times.maxMs].map((ms) => (ms === undefined ? '–' : ms.toFixed(ms < 10 ? 2 : 1))),
    whole(failed),
  ]);
  const all = [heads, ...cells];
  const widths = heads.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n');
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
