// How what a turn has produced goes to the store: numbered for each partition, repeated until it has an answer, and if it is of
// several partitions or too much for one call in two phases, logs and then sessions. Who is lost between them has said what is said
// again, and has lost nothing.
import type { Position } from '@halyard/protocol';
import type { Begun, UnderWay } from '../base/under-way';
import type { Log } from '../log/log';
import { isResultOf, isRolledBack } from './answers';
import { Lately, type Lost, type Written } from './lately';
import type { Patience } from './patience';
import { PlacedLists } from './placed-lists';
import { fitsOneCall, ofRecords, ofSteps } from './portions';
import type { Awaitable, Commit, CommitResult, Letter, NewEntry, RecordWrite, RolledBack, Step, Store } from './store';
import type { Strays } from './strays';
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
  /** Partitions that are asked for what they have, also if nothing is to be stored there. */
  readonly asked: ReadonlySet<number>;
}

/** What has become of steps, by their index, as far as that is known. */
interface Stored extends Pick<Batched, 'steps'> {
  readonly positions: Position[];
  readonly repeated: number[];
}

/** No session has this id. */
const nobody = '';

const nothing: CommitResult = { positions: [], repeated: [], fenced: [], missing: [], mailed: [] };

const noIndexes: ReadonlyMap<Top, number> = new Map();

/**
 * Told that a partition has lost some of what this node has stored in it.
 * @param logs those that something is to be stored in now
 * @returns once it may be: what is stored in the epoch of before is lost with that
 */
export type RolledBackHandler = (partition: number, lost: Lost, logs: ReadonlySet<string>) => Promise<void>;

export class Commits {
  readonly #store: Store;
  readonly #patience: Patience;
  readonly #rolledBack: RolledBackHandler;
  readonly #strays: Pick<Strays, 'add' | 'has'>;
  readonly #underWay: UnderWay;
  /** By partition. */
  readonly #lately: Lately[];
  readonly #branches: number[];
  /** Of the last commit, by partition. */
  readonly #numbers: number[];
  /** Partitions that were called since the last `lookAtQuiet`, … */
  readonly #called = new Set<number>();
  /** … and those whose answer to one is still to come. */
  readonly #looking = new Set<number>();
  /** How many calls have no answer yet. */
  #unanswered = 0;
  #whenAnswered: (() => void)[] = [];

  /** @param strays what waits for sessions that the store has no record of */
  constructor(
    store: Store,
    patience: Patience,
    underWay: UnderWay,
    rolledBack: RolledBackHandler,
    strays: Pick<Strays, 'add' | 'has'>,
  ) {
    this.#rolledBack = rolledBack;
    this.#strays = strays;
    this.#underWay = underWay;
    this.#store = store;
    this.#patience = patience;
    this.#lately = Array.from({ length: store.partitions }, () => new Lately());
    this.#branches = this.#lately.map(() => 0);
    this.#numbers = Array.from({ length: store.partitions }, () => 0);
  }

  /** MUST NOT be called before what was stored last has a result. */
  store(batch: Batched): Awaitable<CommitResult> {
    if (this.#store.partitions > 1) return this.#storeInPhases(batch);
    const steps = batch.steps.map(({ step }) => step);
    const records = [...batch.records.values()];
    const isOne = fitsOneCall(
      steps,
      records.map(({ write }) => write),
    );
    if (!isOne) return this.#storeInPhases(batch);
    const indexes = new Map<Top, number>(batch.steps.map((item, i) => [item, i]));
    const writes = records.map(({ write, tops }) => ({ ...write, positions: placesOf(tops, indexes) }));
    return this.#call(0, steps, writes);
  }

  /** Logs, and then sessions, which have to know where the logs are. What is of several partitions is stored there at once. */
  async #storeInPhases({ steps, records, asked }: Batched): Promise<CommitResult> {
    const positions: Position[] = [];
    const repeated: number[] = [];
    const branches = [...this.#branches];
    const ofPartitions = byPartition([...steps.keys()], (i) => this.#partitionOf(steps[i]!.step));
    const stored = new Map<number, Promise<void>>();
    for (const [partition, mine] of [...ofPartitions].sort(([a], [b]) => a - b)) {
      // Each message knows its places in the logs of partitions before.
      const before = earlierThan(mine.map((i) => steps[i]!.step)).map((at) => this.#partitionOf(steps[at]!.step));
      const awaited = [...new Set(before)].map((one) => stored.get(one));
      stored.set(partition, this.#storeSteps(partition, mine, awaited, { steps, positions, repeated }));
    }
    await Promise.all(stored.values());
    for (const [i, item] of steps.entries()) item.position = positions[i];
    const writes = [...records.values()].map(({ write, tops }) => ({ ...write, positions: placesOf(tops, noIndexes) }));
    const ofSessions = byPartition(writes, ({ session }) => this.#store.partitionOf(session));
    for (const one of asked) if (!ofSessions.has(one)) ofSessions.set(one, []);
    const results = await Promise.all(
      [...ofSessions].map(([partition, its]) => this.#storeRecords(partition, its, branches[partition] as number)),
    );
    const all = results.flat();
    return {
      positions,
      repeated,
      fenced: all.flatMap(({ fenced }) => fenced),
      missing: all.flatMap(({ missing }) => missing),
      mailed: all.flatMap(({ mailed }) => mailed),
    };
  }

  /** @param mine indexes of the steps of a partition @param awaited what has to be stored before */
  async #storeSteps(
    partition: number,
    mine: readonly number[],
    awaited: readonly (Promise<void> | undefined)[],
    { steps, positions, repeated }: Stored,
  ): Promise<void> {
    await Promise.all(awaited);
    for (const portion of ofSteps(mine, (i) => steps[i]!.step)) {
      const places = new Map(portion.map((index, i) => [index, i]));
      const lists = new PlacedLists<number | Position>((at) => places.get(at) ?? (positions[at] as Position));
      const its = portion.map((i) => {
        const { step } = steps[i]!;
        return 'log' in step ? { ...step, places: lists.of(step.places, step.earlier) } : step;
      });
      const result = await this.#call(partition, its, []);
      for (const [i, index] of portion.entries()) positions[index] = result.positions[i] as Position;
      for (const i of result.repeated) repeated.push(portion[i] as number);
    }
  }

  /** @param branch of the partition as the records were written: if it has another one some of what they are changes of is lost */
  async #storeRecords(partition: number, records: readonly RecordWrite[], branch: number): Promise<CommitResult[]> {
    const results: CommitResult[] = [];
    const portions = records.length === 0 ? [[]] : ofRecords(records);
    for (const portion of portions) {
      // What has changed in a record is nothing without what it was before.
      const isLost = ({ isWhole, parts }: RecordWrite): boolean =>
        this.#branches[partition] !== branch && !isWhole && parts !== undefined;
      const missing = portion.filter(isLost).map(({ session }) => session);
      const rest = portion.filter((one) => !isLost(one));
      results.push(await this.#call(partition, [], rest), { ...nothing, missing });
    }
    return results;
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
    this.#called.add(partition);
    const branch = this.#branches[partition] ?? 0;
    const commit: Commit = { number, branch, steps: this.#withoutStrays(steps), records };
    const begun = this.#underWay.begin();
    let first: Awaitable<CommitResult | RolledBack> | undefined;
    try {
      first = this.#store.commit(partition, commit);
      if (!(first instanceof Promise) && isResultOf(commit, first)) {
        this.#underWay.end(begun);
        return this.#done(partition, commit, first);
      }
      // Once the server is closed nobody asks what has become of it.
      if (first instanceof Promise) first.catch(() => {});
    } catch {
      // Whether it throws here or rejects: it is called again.
    }
    return this.#repeat(partition, commit, begun, first);
  }

  /** Where others wait for their session a letter finds none either, and waits behind them: its record may be there again by now. */
  #withoutStrays(steps: readonly Step[]): readonly Step[] {
    const isStray = (step: Step): step is Letter => 'to' in step && this.#strays.has(step.to);
    return steps.some(isStray)
      ? steps.map((step) => (isStray(step) ? { ...step, to: nobody, key: undefined } : step))
      : steps;
  }

  /** @returns the last entry that this node has written to a log lately */
  writtenTo(log: string, epoch: string): Written | undefined {
    return (this.#lately[this.#store.partitionOf(log)] as Lately).writtenTo(log, epoch);
  }

  /**
   * Looks whether partitions that were not called since this was called last still have what they had of this node. Nothing waits for one
   * that does not answer.
   * @param lost told of one that has not
   */
  lookAtQuiet(lost: (partition: number) => void): void {
    for (const [partition, number] of this.#numbers.entries()) {
      if (number === 0 || this.#called.has(partition) || this.#looking.has(partition)) continue;
      this.#looking.add(partition);
      this.#patience
        .once(() => this.#store.lastCommit(partition))
        .then((last) => {
          if (last < number && this.#numbers[partition] === number) lost(partition);
        })
        // It is away: that is found out by who needs it.
        .catch(() => {})
        .finally(() => this.#looking.delete(partition));
    }
    this.#called.clear();
  }

  /** @returns once each call that is under way has an answer, which may be that it is not done: from then on it is known what was written */
  answered(): Promise<void> {
    return this.#unanswered === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenAnswered.push(resolve));
  }

  #done(partition: number, commit: Commit, result: CommitResult): CommitResult {
    (this.#lately[partition] as Lately).add(commit, result);
    return result;
  }

  /** The same number again has the same result, if the answer before was lost. @param first the answer to come of the first call */
  async #repeat(
    partition: number,
    commit: Commit,
    begun: Begun,
    first: Awaitable<CommitResult | RolledBack> | undefined,
  ): Promise<CommitResult> {
    const isAnswer = (answer: CommitResult | RolledBack): boolean =>
      isResultOf(commit, answer) || isRolledBack(commit, answer);
    this.#unanswered++;
    const answer = await this.#patience.until(() => {
      const call = first ?? this.#store.commit(partition, commit);
      first = undefined;
      return call;
    }, isAnswer);
    this.#underWay.end(begun);
    if (!('last' in answer)) this.#done(partition, commit, answer);
    if (--this.#unanswered === 0) for (const run of this.#whenAnswered.splice(0)) run();
    if (!('last' in answer)) return answer;
    // Commits are numbered on from what there is. Whether this one was among those that are lost, nobody knows.
    this.#numbers[partition] = answer.last;
    const logs = new Set(commit.steps.map((step) => ('topOf' in step ? step.topOf : 'to' in step ? '' : step.log)));
    const lost = (this.#lately[partition] as Lately).loseAfter(answer.last);
    await this.#rolledBack(partition, lost, logs);
    this.#branches[partition] = commit.branch + 1;
    // Sent again before what came after them.
    for (const letters of ofSteps(lost.letters, (letter) => letter)) {
      const { positions } = await this.#again(partition, letters);
      for (const [i, letter] of letters.entries()) if (positions[i]?.[1] === 0) this.#strays.add(letter);
    }
    const result = await this.#again(partition, this.#withoutStrays(commit.steps));
    // What has changed in a record is nothing without what it was before.
    return { ...result, missing: commit.records.map(({ session }) => session) };
  }

  #again(partition: number, steps: readonly Step[]): Promise<CommitResult> {
    const number = (this.#numbers[partition] ?? 0) + 1;
    this.#numbers[partition] = number;
    const commit = { number, branch: this.#branches[partition] ?? 0, steps, records: [] };
    return this.#repeat(partition, commit, this.#underWay.begin(), undefined);
  }
}

/** @returns which steps of the same commit have the same message as some, and come before them */
function earlierThan(some: readonly Step[]): readonly number[] {
  const counts = new Map<NewEntry['places'], number>();
  for (const step of some) {
    if ('log' in step) counts.set(step.places, Math.max(step.earlier, counts.get(step.places) ?? 0));
  }
  return [...counts].flatMap(([places, count]) => places.slice(0, count).filter((at) => typeof at === 'number'));
}

function byPartition<Item>(items: readonly Item[], partitionOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const partition = partitionOf(item);
    const group = groups.get(partition) ?? [];
    groups.set(partition, group);
    group.push(item);
  }
  return groups;
}

function placesOf(tops: ReadonlyMap<string, Top>, indexes: ReadonlyMap<Top, number>): RecordWrite['positions'] {
  return new Map([...tops].map(([part, top]) => [part, top.position ?? (indexes.get(top) as number)]));
}
