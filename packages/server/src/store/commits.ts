// How what a turn has produced goes to the store: numbered for each partition, repeated until it has an answer, and if it is of
// several partitions in two phases, logs and then sessions. Who is lost between them has said what is said again, and has lost
// nothing.
import type { Position } from '@halyard/protocol';
import type { Log } from '../log/log';
import type { Patience } from './patience';
import type { Awaitable, Commit, CommitResult, RecordWrite, Step, Store } from './store';
import type { Recorded, Recording, Top } from './turn';

/** One step of a commit, and where its log was. */
export interface StepItem extends Top {
  step: Step;
  /** A log that is needed from there on. */
  starts?: Log;
  /** Its log need not be kept for it any more. */
  unpin?: () => void;
}

/** What is stored together. */
export interface Batched {
  readonly steps: readonly StepItem[];
  readonly records: ReadonlyMap<Recorded, Recording>;
}

export class Commits {
  readonly #store: Store;
  readonly #patience: Patience;
  /** Of the last commit, by partition. */
  readonly #numbers: number[];

  constructor(store: Store, patience: Patience) {
    this.#store = store;
    this.#patience = patience;
    this.#numbers = Array.from({ length: store.partitions }, () => 0);
  }

  /** MUST NOT be called before what was stored last has a result. */
  store(batch: Batched): Awaitable<CommitResult> {
    return this.#store.partitions === 1 ? this.#storeAtOnce(batch) : this.#storeInPhases(batch);
  }

  #storeAtOnce({ steps, records }: Batched): CommitResult | Promise<CommitResult> {
    const indexes = new Map<Top, number>(steps.map((item, i) => [item, i]));
    const writes = [...records.values()].map(({ write, tops }) => ({ ...write, positions: placesOf(tops, indexes) }));
    return this.#call(
      0,
      steps.map(({ step }) => step),
      writes,
    );
  }

  /** Logs one partition after the other, so that a message to several rooms knows its places before; then sessions. */
  async #storeInPhases({ steps, records }: Batched): Promise<CommitResult> {
    const positions: Position[] = [];
    const fenced: CommitResult['fenced'][number][] = [];
    const missing: string[] = [];
    const mailed: string[] = [];
    for (let partition = 0; partition < this.#store.partitions; partition++) {
      const mine = [...steps.keys()].filter((i) => this.#partitionOf(steps[i]!.step) === partition);
      if (mine.length === 0) continue;
      const places = new Map(mine.map((index, i) => [index, i]));
      const its = mine.map((i) => {
        const { step } = steps[i]!;
        if (!('log' in step)) return step;
        const placeOf = (at: number): number | Position => places.get(at) ?? (positions[at] as Position);
        return { ...step, earlier: step.earlier.map((at) => (typeof at === 'number' ? placeOf(at) : at)) };
      });
      const result = await this.#call(partition, its, []);
      for (const [i, index] of mine.entries()) positions[index] = result.positions[i] as Position;
    }
    for (const [i, item] of steps.entries()) item.position = positions[i];
    const byPartition = new Map<number, RecordWrite[]>();
    for (const { write, tops } of records.values()) {
      const partition = this.#store.partitionOf(write.session);
      const its = byPartition.get(partition) ?? [];
      byPartition.set(partition, its);
      its.push({ ...write, positions: placesOf(tops, new Map()) });
    }
    const results = await Promise.all([...byPartition].map(([partition, its]) => this.#call(partition, [], its)));
    for (const result of results) {
      fenced.push(...result.fenced);
      missing.push(...result.missing);
      mailed.push(...result.mailed);
    }
    return { positions, fenced, missing, mailed };
  }

  #partitionOf(step: Step): number {
    return this.#store.partitionOf('topOf' in step ? step.topOf : 'to' in step ? step.to : step.log);
  }

  #call(
    partition: number,
    steps: readonly Step[],
    records: readonly RecordWrite[],
  ): CommitResult | Promise<CommitResult> {
    const number = (this.#numbers[partition] ?? 0) + 1;
    this.#numbers[partition] = number;
    const commit: Commit = { number, steps, records };
    const isRight = (result: CommitResult): boolean => isResultOf(commit, result);
    // The same number again has the same result, if the answer before was lost.
    let first: Awaitable<CommitResult> | undefined;
    try {
      first = this.#store.commit(partition, commit);
      if (!(first instanceof Promise) && isRight(first)) return first;
    } catch {
      // Whether it throws here or rejects: it is called again.
    }
    return this.#patience.until(() => {
      const call = first ?? this.#store.commit(partition, commit);
      first = undefined;
      return call;
    }, isRight);
  }
}

function placesOf(tops: ReadonlyMap<string, Top>, indexes: ReadonlyMap<Top, number>): RecordWrite['positions'] {
  return new Map([...tops].map(([part, top]) => [part, top.position ?? (indexes.get(top) as number)]));
}

function isResultOf({ steps, records }: Commit, { positions, fenced, missing, mailed }: CommitResult): boolean {
  if (!Array.isArray(positions) || positions.length !== steps.length) return false;
  const known = new Set(records.map(({ session }) => session));
  return [...fenced.map(([session]) => session), ...missing, ...mailed].every((session) => known.has(session));
}
