// The report of the workloads of a cluster: what they took, what was asked of Redis for it, and what that comes to with a million
// sessions on ten servers.
import { spread } from '../base/ratios';
import type { Row } from '../measure/rounds';
import { type Capacity, capacityOf, reckonedWith } from './capacity';
import { figureTable, machineLines, short, workloadTable } from './markdown';
import type { Results } from './results';

const subject = 'halyard-redis';

export function clusterSection(results: Results): string {
  const { workloads, rows, cluster } = results;
  const capacity = capacityOf(rows, subject);
  return [
    ...machineLines(results, 'npm run bench -- --cluster'),
    '',
    `Redis ${cluster?.redis ?? 'unknown'} in the same run for all, without persistence. ${cluster?.places ?? ''}`,
    '',
    '### Figures of a cluster with a ceiling',
    '',
    ...figureTable(results.figures),
    '',
    '### Workloads of a cluster',
    '',
    ...workloads.flatMap((workload) => [...workloadTable(workload, rows), '']),
    '### What Redis is asked for',
    '',
    ...workloads.flatMap(({ name }) => commandTable(name, rows)),
    ...(capacity === undefined ? [] : capacityTable(capacity)),
  ].join('\n');
}

/** Commands for one unit of a workload, by clients and by scripts; the median of the rounds. */
function commandTable(workload: string, rows: readonly Row[]): string[] {
  const own = rows.filter((row) => row.workload === workload && row.samples.some((sample) => sample?.commands));
  if (own.length === 0) return [];
  return [
    `**${workload}**: commands for one message, session or heartbeat`,
    '',
    '| subject | commands |',
    '|---|---|',
    ...own.map((row) => {
      const all = commandsOf(row);
      const told = all.filter(([, calls]) => calls >= 0.005).map(([name, calls]) => `${name} ${calls.toFixed(2)}`);
      return `| ${row.subject} | ${told.join(', ') || 'none'} |`;
    }),
    '',
  ];
}

function commandsOf({ samples }: Row): [name: string, calls: number][] {
  const all = samples.flatMap((sample) => (sample?.commands === undefined ? [] : [sample.commands]));
  const names = new Set(all.flatMap((commands) => Object.keys(commands)));
  const medians = [...names].map((name): [string, number] => [
    name,
    spread(all.map((commands) => commands[name] ?? 0)).median,
  ]);
  return medians.sort(([, a], [, b]) => b - a);
}

function capacityTable({ rows, sessions, servers }: Capacity): string[] {
  return [
    `### Reckoned to ${sessions.toLocaleString('en')} sessions on ${servers} servers`,
    '',
    `Reckoned and not measured, from the medians above. ${reckonedWith}`,
    '',
    '| what all sessions do | a second | commits a second and partition: one, 32 | cores of Redis | one Redis carries | 32 partitions, one on each of 32 masters |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ what, perS, commits, cores, oneCarries, allCarry }) => {
      const counts = [perS, oneCarries, allCarry].map((count) => Math.round(count).toLocaleString('en'));
      return `| ${what} | ${counts[0]} | ${commits} | ${short(cores)} | ${counts[1]} sessions | ${counts[2]} sessions |`;
    }),
    '',
  ];
}
