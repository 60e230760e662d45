// What became of each case, and how a run of them is told.
import type { Case } from './case';
import type { Lateness } from './lateness';

/** How often a case is played while the machine has no time for it. */
const playsMax = 3;

export interface Outcome {
  readonly name: string;
  /** How it was played, such as `websocket json`. */
  readonly how: string;
  readonly cites: readonly string[];
  /** Undefined: it was played. */
  readonly skipped?: string;
  /** Undefined: it has passed. */
  readonly failure?: string;
}

/** @returns one line for each case: the word first, so that it can be searched for */
export function lineOf({ name, how, cites, skipped, failure }: Outcome): string {
  const head = `${name} (${how}) ${cites.join(' ')}`;
  if (skipped !== undefined) return `skipped  ${head}: ${skipped}`;
  return failure === undefined ? `ok       ${head}` : `FAILED   ${head}: ${failure}`;
}

export function summaryOf(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  const skipped = outcomes.filter(({ skipped }) => skipped !== undefined);
  const counts = `${outcomes.length - failed.length - skipped.length} passed, ${failed.length} failed, ${skipped.length} skipped`;
  if (failed.length === 0) return counts;
  const rules = [...new Set(failed.flatMap(({ cites }) => cites))].sort();
  return `${counts}\nbroken, or not shown to hold: ${rules.join(' ')} of docs/PROTOCOL.md`;
}

/** Plays so many at a time, and tells each as soon as it is over. @returns all, in the order in which they were over */
export async function playAll(
  jobs: readonly (() => Promise<Outcome>)[],
  atATime: number,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      const outcome = await job();
      outcomes.push(outcome);
      tell(outcome);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return outcomes;
}

/** @returns what became of a case that is played; once more if it fails while the machine lets its program wait */
export async function outcomeOf(
  { name, cites }: Case,
  how: string,
  lateness: Lateness,
  play: () => Promise<void>,
): Promise<Outcome> {
  for (let plays = 1; ; plays++) {
    const began = performance.now();
    try {
      await play();
      return { name, how, cites };
    } catch (error) {
      if (plays < playsMax && lateness.since(began)) continue;
      return { name, how, cites, failure: error instanceof Error ? error.message : String(error) };
    }
  }
}
