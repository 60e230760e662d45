// Runs workloads in interleaved rounds, A B C C B A …, so that whatever slows the machine slows all alike. A subject that
// fails fails its row; the run goes on.
import { Child } from '../base/child';
import { mean } from '../base/ratios';
import type { ServerOperations } from '../contract/operations';
import { findSubject } from '../registry';
import type { Subject } from '../subjects/subject';
import type { ClusterTestbed } from '../testbed/cluster-testbed';
import type { Testbed } from '../testbed/testbed';
import type { ClusterWorkload, LocalWorkload, Sample, ServedWorkload, Workload } from '../workloads/workload';

export interface Row {
  readonly workload: string;
  readonly subject: string;
  /** One for each round; undefined where it failed. */
  readonly samples: (Sample | undefined)[];
  failure: string | undefined;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly windowMs: number;
  /** Once a workload has taken so long, it gets no more rounds than `roundsMin`. */
  readonly budgetMs: number;
  progress(text: string): void;
  /** Starts a subject's processes. */
  readonly open: (workload: ServedWorkload, subject: Subject) => Promise<Testbed>;
  /** Starts a subject's servers that share a Redis. */
  readonly openCluster: (workload: ClusterWorkload, subject: Subject) => Promise<ClusterTestbed>;
}

/** A workload and the kind of testbed that it has. */
interface Staged<Bed extends { close(): void }> {
  readonly fresh: boolean;
  readonly sliced: boolean;
  open(subject: Subject): Promise<Bed>;
  measure(bed: Bed, windowMs: number): Promise<Sample>;
}

/** A window is cut into slices of this length, which take turns with those of the others: machines change by the second. */
const sliceMs = 100;
/**
 * New processes after so many rounds: two of the same server differ by up to a tenth for as long as they live, in memory
 * layout and compiled code. Not after each, because what has just started is dearer than it will be.
 */
const roundsPerStart = 2;
/** A round that starts everything anew takes long, and differs little from the next. */
const freshRoundsMax = 3;
/** Fewer have no median worth the name. */
const roundsMin = 3;

export async function runWorkload(
  workload: Workload,
  subjects: readonly string[],
  options: RoundOptions,
): Promise<Row[]> {
  const rows = subjects.map((subject): Row => ({ workload: workload.name, subject, samples: [], failure: undefined }));
  switch (workload.kind) {
    case 'local':
      await runLocal(workload, rows, options);
      break;
    case 'served':
      await runStaged({ ...workload, open: (subject) => options.open(workload, subject) }, rows, options);
      break;
    case 'cluster':
      await runStaged({ ...workload, open: (subject) => options.openCluster(workload, subject) }, rows, options);
      break;
  }
  return rows;
}

function runStaged<Bed extends { close(): void }>(
  staged: Staged<Bed>,
  rows: readonly Row[],
  options: RoundOptions,
): Promise<void> {
  return staged.fresh ? runFresh(staged, rows, options) : runKept(staged, rows, options);
}

/**
 * Processes are kept for some rounds: each has its slices while the others wait. What is measured as one starts is not
 * counted: it opens connections, and runs code that is not compiled yet.
 */
async function runKept<Bed extends { close(): void }>(
  workload: Staged<Bed>,
  rows: readonly Row[],
  options: RoundOptions,
): Promise<void> {
  const hasTime = timeLimit(options);
  let startMs = 0;
  for (let done = 0; done < options.rounds && hasTime(done, startMs); done += roundsPerStart) {
    const began = performance.now();
    const testbeds = new Map<Row, Bed>();
    try {
      // What starts first may find the machine otherwise than what starts last.
      const order = (done / roundsPerStart) % 2 === 0 ? rows : [...rows].reverse();
      for (const row of order) {
        if (row.failure !== undefined) continue;
        await attempt(row, options, async () => {
          const testbed = await workload.open(findSubject(row.subject));
          testbeds.set(row, testbed);
          await workload.measure(testbed, sliceMs);
        });
        closeFailed(row, testbeds);
      }
      // Not counted either: who was ready first has waited for the others.
      await takeTurns([...testbeds], testbeds, options, (_, testbed) => workload.measure(testbed, sliceMs));
      startMs = performance.now() - began;
      for (let round = done; round < Math.min(options.rounds, done + roundsPerStart); round++) {
        if (round > done && !hasTime(round)) break;
        await runRound(workload, testbeds, round, options);
      }
    } finally {
      for (const testbed of testbeds.values()) testbed.close();
    }
  }
}

async function runRound<Bed extends { close(): void }>(
  workload: Staged<Bed>,
  testbeds: Map<Row, Bed>,
  round: number,
  options: RoundOptions,
): Promise<void> {
  const samples = new Map<Row, Sample[]>();
  const slices = workload.sliced ? Math.max(1, Math.round(options.windowMs / sliceMs)) : 1;
  for (let slice = 0; slice < slices; slice++) {
    const turn = [...testbeds];
    if ((round + slice) % 2 === 1) turn.reverse();
    await takeTurns(turn, testbeds, options, async (row, testbed) => {
      const sample = await workload.measure(testbed, options.windowMs / slices);
      samples.set(row, [...(samples.get(row) ?? []), sample]);
    });
  }
  for (const [row, taken] of samples) if (taken.length === slices) keep(row, round, whole(taken), options);
}

/** Each does something in its turn. */
async function takeTurns<Bed extends { close(): void }>(
  turn: readonly (readonly [Row, Bed])[],
  testbeds: Map<Row, Bed>,
  options: RoundOptions,
  work: (row: Row, testbed: Bed) => Promise<unknown>,
): Promise<void> {
  for (const [row, testbed] of turn) {
    await attempt(row, options, async () => {
      await work(row, testbed);
    });
    closeFailed(row, testbeds);
  }
}

/** Nothing of a subject that failed runs on beside the others. */
function closeFailed(row: Row, testbeds: Map<Row, { close(): void }>): void {
  if (row.failure === undefined) return;
  testbeds.get(row)?.close();
  testbeds.delete(row);
}

async function runFresh<Bed extends { close(): void }>(
  workload: Staged<Bed>,
  rows: readonly Row[],
  options: RoundOptions,
): Promise<void> {
  for (let round = 0; round < Math.min(options.rounds, freshRoundsMax); round++) {
    for (const row of rows) {
      if (row.failure !== undefined) continue;
      await attempt(row, options, async () => {
        const testbed = await workload.open(findSubject(row.subject));
        try {
          keep(row, round, await workload.measure(testbed, options.windowMs), options);
        } finally {
          testbed.close();
        }
      });
    }
  }
}

async function runLocal(workload: LocalWorkload, rows: readonly Row[], options: RoundOptions): Promise<void> {
  const child = new Child<ServerOperations>('./serve.js', workload.name);
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const row of rows) {
        if (row.failure !== undefined) continue;
        await attempt(row, options, async () => {
          const order = { workload: workload.name, subject: row.subject, windowMs: options.windowMs };
          keep(row, round, { value: await child.call('local', order), details: {} }, options);
        });
      }
    }
  } finally {
    child.end();
  }
}

/** Says whether there is time for the round with this index, and before it for what else takes so long. */
function timeLimit({ budgetMs }: RoundOptions): (round: number, beforeMs?: number) => boolean {
  const end = performance.now() + budgetMs;
  return (round, beforeMs = 0) => round < roundsMin || performance.now() + beforeMs < end;
}

/** What the slices are together. Not the median: what comes now and then, such as a collection of garbage, is part of the cost. */
export function whole(slices: readonly Sample[]): Sample {
  const units = slices.map((slice) => slice.units ?? 1);
  const total = units.reduce((sum, count) => sum + count, 0);
  const names = Object.keys(slices[0]?.details ?? {});
  const detail = (name: string) => mean(slices.map(({ details }) => details[name] ?? Number.NaN));
  const { commands } = slices.length === 1 ? slices[0]! : {};
  return {
    value: slices.reduce((sum, { value }, i) => sum + value * units[i]!, 0) / total,
    units: total,
    ...(commands === undefined ? {} : { commands }),
    details: Object.fromEntries(names.map((name) => [name, detail(name)])),
  };
}

function keep(row: Row, round: number, sample: Sample, { progress }: RoundOptions): void {
  row.samples[round] = sample;
  const details = Object.entries(sample.details).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
  progress(`${row.workload} · ${row.subject} · ${round + 1}: ${sample.value.toPrecision(4)}  ${details.join(' ')}`);
}

async function attempt(row: Row, { progress }: RoundOptions, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    row.failure = error instanceof Error ? error.message : String(error);
    progress(`${row.workload} · ${row.subject}: failed: ${row.failure}`);
  }
}
