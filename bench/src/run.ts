// `npm run bench`: reads the arguments, runs what they ask for, prints the tables, and writes what is to be written.
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArgumentError, type Arguments, readArguments, subjectsOf, usage } from './arguments';
import { placesOf, placesText } from './base/pinning';
import { figures, resultOf } from './measure/figures';
import { type RoundOptions, type Row, runWorkload } from './measure/rounds';
import { measureSizes } from './measure/sizes';
import { findWorkload, subjects, UnknownNameError, workloads } from './registry';
import { clusterSection } from './report/cluster';
import { jsonOf } from './report/json';
import { machine } from './report/machine';
import { barsOf, clusterMarkers, figureTable, intoDocument, section, workloadTable } from './report/markdown';
import { plot } from './report/plot';
import type { Results } from './report/results';
import { ClusterTestbed } from './testbed/cluster-testbed';
import { MissingRedisError, RedisServer } from './testbed/redis-server';
import { Testbed } from './testbed/testbed';

const plotName = 'performance.svg';
/** With `--quick` all must be done in four minutes, on a busy machine too. */
const quickBudgetMs = 165_000;

async function measure(args: Arguments): Promise<Results> {
  const facts = machine();
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const chosen = args.workloads.map(findWorkload);
  const windows = chosen.reduce((total, workload) => total + subjectsOf(workload, args).length, 0);
  const rows: Row[] = [];
  const redis = chosen.some(({ kind }) => kind === 'cluster') ? await RedisServer.start(placesOf().redis) : undefined;
  const openCluster: RoundOptions['openCluster'] = async (workload, subject) => {
    if (redis === undefined) throw new MissingRedisError();
    return ClusterTestbed.open(workload, subject, redis);
  };
  const started = { open: Testbed.open, openCluster };
  for (const workload of chosen) {
    const names = subjectsOf(workload, args);
    // Each workload has its share of the time, so that a slow machine shortens all alike.
    const budgetMs = args.quick ? (quickBudgetMs * names.length) / windows : Number.POSITIVE_INFINITY;
    const { rounds, windowMs } = args;
    rows.push(...(await runWorkload(workload, names, { rounds, windowMs, budgetMs, progress, ...started })));
  }
  redis?.end();
  const sizes = args.sizes ? await measureSizes() : [];
  const chosenSubject = (name: string | undefined) => name === undefined || (args.subjects?.includes(name) ?? true);
  const measured = figures.filter(({ of }) =>
    'size' in of
      ? args.sizes
      : args.workloads.includes(of.workload) && chosenSubject(of.subject) && chosenSubject(of.baseline),
  );
  return {
    machine: facts,
    rounds: Math.max(0, ...rows.map(({ samples }) => samples.length)),
    windowMs: args.windowMs,
    figures: measured.map((figure) => resultOf(figure, rows, sizes)),
    workloads: chosen,
    rows,
    sizes,
    cluster: redis && { redis: redis.version, places: placesText(placesOf()) },
  };
}

async function writeReport(file: string, results: Results): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '# Performance\n');
  if (results.cluster !== undefined) {
    await writeFile(file, intoDocument(before, clusterSection(results), clusterMarkers));
    return;
  }
  await writeFile(file, intoDocument(before, section(results, plotName)));
  await writeFile(join(dirname(file), plotName), plot('Cost beside the baseline (log scale)', barsOf(results)));
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) return void process.stdout.write(usage);
  if (args.list) {
    const names = (list: readonly { name: string; title: string }[]) =>
      list.map(({ name, title }) => `  ${name}: ${title}`);
    return void process.stdout.write(['workloads', ...names(workloads), 'subjects', ...names(subjects), ''].join('\n'));
  }
  // Before the work, not after it: is there a place for what it brings?
  for (const file of [args.jsonFile, args.reportFile]) {
    if (file === undefined) continue;
    await appendFile(file, '').catch((error: Error) => {
      throw new ArgumentError(`cannot write ${file}: ${error.message}`);
    });
  }
  const results = await measure(args);
  const tables = results.workloads.flatMap((workload) => [...workloadTable(workload, results.rows), '']);
  const ceilings = results.figures.length === 0 ? [] : [...figureTable(results.figures), ''];
  process.stdout.write([...tables, ...ceilings].join('\n'));
  if (args.jsonFile !== undefined) await writeFile(args.jsonFile, jsonOf(results));
  if (args.reportFile !== undefined) await writeReport(args.reportFile, results);
}

// What was started ends with this, however that ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main().catch((error: unknown) => {
  const known = [ArgumentError, UnknownNameError, MissingRedisError];
  const expected = known.some((kind) => error instanceof kind);
  process.stderr.write(
    expected ? `${(error as Error).message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = expected ? 2 : 1;
});
