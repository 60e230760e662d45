// How what a turn has produced goes to the store: numbered for each partition, repeated until it has an answer, and if it is of
// several partitions in two phases, logs and then sessions. Who is lost between them has said what is said again, and has lost
// nothing.
import type { Position } from '@halyard/protocol';
import type { Log } from '../log/log';
import { isResultOf, isRolledBack } from './answers';
import { Lately, type Lost, type Written } from './lately';
import type { Patience } from './patience';
import type { Awaitable, Commit, CommitResult, RecordWrite, RolledBack, Step, Store } from './store';
import type { Recorded, Recording, Top } from './turn';

/** One step of a commit, and where its log was. */
export interface StepItem extends Top {
  step: Step;
  /** A log that is needed from there on. */
  starts?: Log;
  /** Something was stored under its key before. */
  isRepeated?: boolean;
  /** Its log need not be kept for it any more. */
  unpin?: () => void;
}

/** What is stored together. */
export interface Batched {
  readonly steps: readonly StepItem[];
  readonly records: ReadonlyMap<Recorded, Recording>;
  /** Whether every partition is asked for what it has, also if nothing is to be stored there. */
  readonly isProbe: boolean;
}

/** Told that a partition has lost some of what this node has stored in it, before that is stored which comes now. */
export type RolledBackHandler = (partition: number, lost: Lost) => void;

export class Commits {
  readonly #store: Store;
  readonly #patience: Patience;
  readonly #rolledBack: RolledBackHandler;
  /** By partition. */
  readonly #lately: Lately[];
  readonly #branches: number[];
  /** Of the last commit, by partition. */
  readonly #numbers: number[];

  constructor(store: Store, patience: Patience, rolledBack: RolledBackHandler) {
    this.#rolledBack = rolledBack;
    this.#store = store;
    this.#patience = patience;
    this.#lately = Array.from({ length: store.partitions }, () => new Lately());
    this.#branches = this.#lately.map(() => 0);
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
  async #storeInPhases({ steps, records, isProbe }: Batched): Promise<CommitResult> {
    const positions: Position[] = [];
    const repeated: number[] = [];
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
      for (const i of result.repeated) repeated.push(mine[i] as number);
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
    if (isProbe) {
      const partitions = Array.from({ length: this.#store.partitions }, (_, partition) => partition);
      await Promise.all(partitions.filter((one) => !byPartition.has(one)).map((one) => this.#call(one, [], [])));
    }
    for (const result of results) {
      fenced.push(...result.fenced);
      missing.push(...result.missing);
      mailed.push(...result.mailed);
    }
    return { positions, repeated, fenced, missing, mailed };
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
    const commit: Commit = { number, branch: this.#branches[partition] ?? 0, steps, records };
    let first: Awaitable<CommitResult | RolledBack> | undefined;
    try {
      first = this.#store.commit(partition, commit);
      if (!(first instanceof Promise) && isResultOf(commit, first)) return this.#done(partition, commit, first);
    } catch {
      // Whether it throws here or rejects: it is called again.
    }
    return this.#repeat(partition, commit, first);
  }

  /** @returns the last entry that this node has written to a log lately */
  writtenTo(log: string, epoch: string): Written | undefined {
    return (this.#lately[this.#store.partitionOf(log)] as Lately).writtenTo(log, epoch);
  }

  #done(partition: number, commit: Commit, result: CommitResult): CommitResult {
    (this.#lately[partition] as Lately).add(commit, result);
    return result;
  }

  /** The same number again has the same result, if the answer before was lost. @param first the answer to come of the first call */
  async #repeat(
    partition: number,
    commit: Commit,
    first: Awaitable<CommitResult | RolledBack> | undefined,
  ): Promise<CommitResult> {
    const isAnswer = (answer: CommitResult | RolledBack): boolean =>
      isResultOf(commit, answer) || isRolledBack(commit, answer);
    const answer = await this.#patience.until(() => {
      const call = first ?? this.#store.commit(partition, commit);
      first = undefined;
      return call;
    }, isAnswer);
    if (!('last' in answer)) return this.#done(partition, commit, answer);
    // Commits are numbered on from what there is. Whether this one was among those that are lost, nobody knows.
    const number = answer.last + 1;
    this.#numbers[partition] = number;
    this.#rolledBack(partition, (this.#lately[partition] as Lately).loseAfter(answer.last));
    const branch = commit.branch + 1;
    this.#branches[partition] = branch;
    const result = await this.#repeat(partition, { number, branch, steps: commit.steps, records: [] }, undefined);
    // What has changed in a record is nothing without what it was before.
    return { ...result, missing: commit.records.map(({ session }) => session) };
  }
}

function placesOf(tops: ReadonlyMap<string, Top>, indexes: ReadonlyMap<Top, number>): RecordWrite['positions'] {
  return new Map([...tops].map(([part, top]) => [part, top.position ?? (indexes.get(top) as number)]));
}
