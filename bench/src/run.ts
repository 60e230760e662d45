// `npm run bench`: reads the arguments, runs what they ask for, prints the tables, and writes what is to be written.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArgumentError, type Arguments, readArguments, usage } from './arguments';
import type { Workload } from './contract';
import { figures, resultOf, subjectsNeeded } from './figures';
import { findWorkload, subjects, UnknownNameError, workloads } from './registry';
import { machine } from './report/machine';
import { barsOf, figureTable, intoDocument, type Results, section, workloadTable } from './report/markdown';
import { plot } from './report/plot';
import { type Row, runWorkload } from './rounds';
import { measureSizes } from './sizes';
import { Stage } from './stage';

const plotName = 'performance.svg';
/** With `--quick` all must be done in four minutes, on a busy machine too. */
const quickBudgetMs = 180_000;

async function measure(args: Arguments): Promise<Results> {
  const facts = machine();
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const chosen = args.workloads.map(findWorkload);
  const subjectsOf = (workload: Workload) => {
    const needed = args.quick ? subjectsNeeded(workload.name) : [];
    return (needed.length > 0 ? needed : workload.subjects).filter((name) => args.subjects?.includes(name) ?? true);
  };
  const windows = chosen.reduce((total, workload) => total + subjectsOf(workload).length, 0);
  const rows: Row[] = [];
  for (const workload of chosen) {
    const names = subjectsOf(workload);
    // Each workload has its share of the time, so that a slow machine shortens all alike.
    const budgetMs = args.quick ? (quickBudgetMs * names.length) / windows : Number.POSITIVE_INFINITY;
    const { rounds, windowMs } = args;
    rows.push(...(await runWorkload(workload, names, { rounds, windowMs, budgetMs, progress, open: Stage.open })));
  }
  const sizes = args.sizes ? await measureSizes() : [];
  const chosenSubject = (name: string | undefined) => name === undefined || (args.subjects?.includes(name) ?? true);
  const measured = figures.filter(({ of }) =>
    'size' in of
      ? args.sizes
      : args.workloads.includes(of.workload) && chosenSubject(of.subject) && chosenSubject(of.baseline),
  );
  return {
    machine: facts,
    rounds: args.rounds,
    windowMs: args.windowMs,
    figures: measured.map((figure) => resultOf(figure, rows, sizes)),
    workloads: chosen,
    rows,
    sizes,
  };
}

async function writeJson(file: string, results: Results): Promise<void> {
  const numbers = results.figures.flatMap(({ name, spread }) =>
    spread === undefined ? [] : [[name, spread] as const],
  );
  const failures = results.figures.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [[name, failure] as const],
  );
  const content = {
    figures: Object.fromEntries(numbers),
    noisy: results.figures.filter(({ noisy }) => noisy).map(({ name }) => name),
    failures: Object.fromEntries(failures),
    machine: results.machine,
    rows: results.rows,
    sizes: results.sizes,
  };
  await writeFile(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

async function writeReport(file: string, results: Results): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '# Performance\n');
  await writeFile(file, intoDocument(before, section(results, plotName)));
  await writeFile(join(dirname(file), plotName), plot('Server CPU beside the baseline (log scale)', barsOf(results)));
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) return void process.stdout.write(usage);
  if (args.list) {
    const names = (list: readonly { name: string; title: string }[]) =>
      list.map(({ name, title }) => `  ${name}: ${title}`);
    return void process.stdout.write(['workloads', ...names(workloads), 'subjects', ...names(subjects), ''].join('\n'));
  }
  const results = await measure(args);
  const tables = results.workloads.flatMap((workload) => [...workloadTable(workload, results.rows), '']);
  const ceilings = results.figures.length === 0 ? [] : [...figureTable(results.figures), ''];
  process.stdout.write([...tables, ...ceilings].join('\n'));
  if (args.jsonFile !== undefined) await writeJson(args.jsonFile, results);
  if (args.reportFile !== undefined) await writeReport(args.reportFile, results);
}

main().catch((error: unknown) => {
  const expected = error instanceof ArgumentError || error instanceof UnknownNameError;
  process.stderr.write(expected ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = expected ? 2 : 1;
});
