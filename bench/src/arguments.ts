// The command line. Whatever is wrong with it is said before anything starts, with what would have been right.
import { parseArgs } from 'node:util';
import { figures, subjectsNeeded } from './measure/figures';
import { findSubject, findWorkload, subjects, workloads } from './registry';
import type { Workload } from './workloads/workload';

export interface Arguments {
  readonly quick: boolean;
  /** The workloads of a cluster, and not those of a server alone. */
  readonly cluster: boolean;
  /** Prints what there is and ends. */
  readonly list: boolean;
  readonly help: boolean;
  /** Workloads to run, in the order of the registry. */
  readonly workloads: readonly string[];
  readonly sizes: boolean;
  /** Subjects to run; undefined means all a workload has. */
  readonly subjects: readonly string[] | undefined;
  readonly rounds: number;
  readonly windowMs: number;
  readonly jsonFile: string | undefined;
  /** Markdown file with the markers; undefined means no report. */
  readonly reportFile: string | undefined;
}

/** Says what is wrong with an argument. */
export class ArgumentError extends Error {
  readonly code = 'ERR_ARGUMENT';
}

export const usage = `npm run bench -- [options]

  --quick          the figures with a ceiling only, in under 4 minutes
  --cluster        what servers do that share a Redis, which has to be installed, in place of what one does alone
  --json FILE      write them as JSON
  --only A,B       these workloads (or figures, or "sizes") only
  --subjects A,B   these subjects only
  --runs N         interleaved rounds (default 6, with --quick 10, or fewer as time allows); workloads that need new
                   processes for each have at most 3
  --window MS      length of each measured window (default 1000, with --quick 500); resume and idle-* have their own
  --report FILE    write the report between the markers of FILE and a plot beside it
                   (default docs/PERFORMANCE.md if everything is run)
  --list           the workloads and subjects there are
  --help           this

HALYARD_BEFORE=DIR also measures the build of Halyard in the checkout DIR, as halyard-before.
`;

const defaultReport = 'docs/PERFORMANCE.md';
const sizesName = 'sizes';

/** @throws ArgumentError or UnknownNameError */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parse(args);
  const only = list(values.only);
  const chosen = only === undefined ? undefined : new Set(only.map(workloadOf));
  const quickWorkloads = new Set(figures.map(({ of }) => ('workload' in of ? of.workload : sizesName)));
  const isAsked = (name: string) =>
    values.cluster === workloads.some((its) => its.name === name && its.kind === 'cluster');
  const wanted = (name: string) =>
    chosen === undefined ? isAsked(name) && (!values.quick || quickWorkloads.has(name)) : chosen.has(name);
  const chosenSubjects = list(values.subjects);
  for (const name of chosenSubjects ?? []) checkSubject(name);
  const chosenWorkloads = workloads.filter(({ name }) => wanted(name));
  const selection = { quick: values.quick, subjects: chosenSubjects };
  if (!wanted(sizesName) && chosenWorkloads.every((workload) => subjectsOf(workload, selection).length === 0)) {
    throw new ArgumentError('nothing is left to measure: --only and --subjects have nothing in common (see --list)');
  }
  const everything = !values.quick && only === undefined && chosenSubjects === undefined;
  return {
    quick: values.quick,
    cluster: values.cluster,
    list: values.list,
    help: values.help,
    workloads: chosenWorkloads.map(({ name }) => name),
    sizes: wanted(sizesName),
    subjects: chosenSubjects,
    rounds: positive('--runs', values.runs ?? (values.quick ? '10' : '6'), 100),
    windowMs: positive('--window', values.window ?? (values.quick ? '500' : '1000'), 60_000),
    jsonFile: values.json,
    reportFile: values.report ?? (everything ? defaultReport : undefined),
  };
}

/** @returns the subjects of a workload that are to be measured */
export function subjectsOf(workload: Workload, { quick, subjects }: Pick<Arguments, 'quick' | 'subjects'>): string[] {
  const needed = quick ? subjectsNeeded(workload.name) : [];
  return (needed.length > 0 ? needed : workload.subjects).filter((name) => subjects?.includes(name) ?? true);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'string' },
        only: { type: 'string' },
        subjects: { type: 'string' },
        runs: { type: 'string' },
        window: { type: 'string' },
        report: { type: 'string' },
      },
    });
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** The workload with this name, or the one behind the figure with this name. */
function workloadOf(name: string): string {
  if (name === sizesName) return name;
  const figure = figures.find((candidate) => candidate.name === name);
  if (figure === undefined) return findWorkload(name).name;
  return 'workload' in figure.of ? figure.of.workload : sizesName;
}

/** The contenders of a workload without a server have names of their own. */
function checkSubject(name: string): void {
  if (subjects.some((subject) => subject.name === name)) return;
  if (workloads.some((workload) => workload.subjects.includes(name))) return;
  findSubject(name);
}

function list(text: string | undefined): string[] | undefined {
  const names = text?.split(',').map((name) => name.trim());
  return names?.filter((name) => name !== '');
}

function positive(option: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= max) return number;
  throw new ArgumentError(`${option} takes a whole number from 1 to ${max}, not "${text}"`);
}
