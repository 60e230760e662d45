// Runs workloads in interleaved rounds, A B C A B C …, so that whatever slows the machine slows all alike. A subject
// that fails fails its row; the run goes on.
import { Child } from './child';
import type { LocalWorkload, Sample, ServedWorkload, Workload } from './contract';
import { findSubject } from './registry';
import type { ServerOperations } from './serve';
import { Stage } from './stage';

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
}

/** New processes after so many rounds: what one start happened to get, in memory layout or compiled code, averages out. */
const roundsPerStart = 3;
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
  if (workload.kind === 'local') await runLocal(workload, rows, options);
  else if (workload.fresh) await runFresh(workload, rows, options);
  else await runServed(workload, rows, options);
  return rows;
}

/** Processes are kept for some rounds: each has its windows while the others wait. */
async function runServed(workload: ServedWorkload, rows: readonly Row[], options: RoundOptions): Promise<void> {
  const hasTime = timeLimit(options);
  for (let done = 0; done < options.rounds && hasTime(done); done += roundsPerStart) {
    const stages = new Map<Row, Stage>();
    try {
      for (const row of rows) {
        if (row.failure !== undefined) continue;
        await attempt(row, options, async () => {
          stages.set(row, await Stage.open(workload, findSubject(row.subject)));
        });
      }
      for (let round = done; round < Math.min(options.rounds, done + roundsPerStart); round++) {
        if (!hasTime(round)) break;
        for (const [row, stage] of stages) {
          if (row.failure !== undefined) continue;
          await attempt(row, options, async () => {
            keep(row, round, await workload.measure(stage, options.windowMs), options);
          });
        }
      }
    } finally {
      for (const stage of stages.values()) stage.close();
    }
  }
}

async function runFresh(workload: ServedWorkload, rows: readonly Row[], options: RoundOptions): Promise<void> {
  for (let round = 0; round < Math.min(options.rounds, freshRoundsMax); round++) {
    for (const row of rows) {
      if (row.failure !== undefined) continue;
      await attempt(row, options, async () => {
        const stage = await Stage.open(workload, findSubject(row.subject));
        try {
          keep(row, round, await workload.measure(stage, options.windowMs), options);
        } finally {
          stage.close();
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

/** Says whether there is time for the round with this index. */
function timeLimit({ budgetMs }: RoundOptions): (round: number) => boolean {
  const end = performance.now() + budgetMs;
  return (round) => round < roundsMin || performance.now() < end;
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
