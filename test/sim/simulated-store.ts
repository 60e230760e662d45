// A store as far away as Redis is, in virtual time: calls take their time, fail, are lost on the way there or back, and come late;
// what is told comes late, out of order with answers, twice or never; it is away for a while, and nodes are killed. What it keeps is
// kept by the engine of the memory store, one for each partition. Longer than other files: every call of the contract has its faults.
import { msgpack } from '@halyard/codec-msgpack';
import type { VirtualClock } from '@halyard/harness/clock';
import type { Random } from '@halyard/harness/random';
import type { Adapter, Claim, Commit, CommitResult, RolledBack, Store, StoreEvents, StoreState } from '@halyard/server';
import { platformOf } from '../../packages/server/src/base/platform';
import { MemoryHub } from '../../packages/server/src/store/memory-hub';
import { checkpoint } from './checkpoint';

type Limits = Parameters<Adapter>[0]['limits'];
type Frames = Parameters<Store['publish']>[1];
type Value = Parameters<Store['send']>[1];

/** How the way to the store behaves; may be changed on the way. */
export interface StorePath {
  latencyMs: readonly [min: number, max: number];
  /** How probable it is that a call is lost before it is done, … */
  lostCalls: number;
  /** … that its answer is lost, … */
  lostAnswers: number;
  /** … that it takes longer than anybody waits for it, and is done all the same, … */
  late: number;
  /** … and that a new entry of a log is not told. */
  untold: number;
}

/** What is told of the store to who checks it. */
export interface StoreWatch {
  /** A commit was done, for the first time. */
  committed(partition: number, commit: Commit, result: CommitResult): void;
  repeated(): void;
  /** A commit was refused, because those before it are lost. */
  rolledBack(): void;
  /** A partition has lost all that was committed since a time. */
  lost(partition: number, since: number): void;
  fenced(): void;
}

const deathMs = 6_000;
/** As far apart stores lose something. */
const rollbackMsMin = 20_000;

export class SimulatedStore {
  readonly path: StorePath;
  readonly partitions: number;
  readonly watch: StoreWatch;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #hubs: MemoryHub[];
  readonly nodes = new Map<string, SimulatedNode>();
  readonly listeners = new Map<string, Set<string>>();
  readonly #partitionOf = new Map<string, number>();
  /** By partition, from when on it may lose something again. */
  readonly #rollsBackAgainAt = new Map<number, number>();
  /** Until when nothing gets through. */
  #awayUntil = 0;
  #awaySince = 0;
  /** How long it was away before. */
  #awayBefore = 0;

  constructor(clock: VirtualClock, random: Random, limits: Limits, partitions: number, watch: StoreWatch) {
    this.#clock = clock;
    this.#random = random;
    this.partitions = partitions;
    this.watch = watch;
    this.path = { latencyMs: [1, 5], lostCalls: 0, lostAnswers: 0, late: 0, untold: 0 };
    const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.int(256)));
    const platform = platformOf({
      now: () => this.#now(),
      wall: () => clock.now(),
      after: (ms, run) => clock.after(ms, run),
      randomBytes: bytes,
    });
    this.#hubs = Array.from({ length: partitions }, () => new MemoryHub(platform, limits));
  }

  /** One node of it, for one server. */
  node(): SimulatedNode {
    return new SimulatedNode(this, this.#hubs);
  }

  /** Nothing gets through for so long. */
  goAway(ms: number): void {
    const now = this.#clock.now();
    if (!this.isAway) {
      this.#awayBefore += this.#awayUntil - this.#awaySince;
      this.#awaySince = now;
    }
    this.#awayUntil = Math.max(this.#awayUntil, now + ms);
  }

  /** What it keeps does not grow older while nobody can come for it. */
  #now(): number {
    const now = this.#clock.now();
    return now - this.#awayBefore - (Math.min(now, this.#awayUntil) - this.#awaySince);
  }

  /**
   * After so long a partition loses what it has done until then. Everybody has to look for what is missing.
   * @param toldMs how much later a node is told of that, Infinity: not at all, as where a Redis is emptied; a number: one after the other, in so much time
   * @param partition any, if it is left out
   * @returns whether it does: a second time before all know of the first may take back what is done about that
   */
  rollBack(
    ms: number,
    toldMs: number | ((node: SimulatedNode) => number) = 0,
    partition = this.#random.int(this.partitions),
  ): boolean {
    if (this.#clock.now() < (this.#rollsBackAgainAt.get(partition) ?? 0)) return false;
    this.#rollsBackAgainAt.set(partition, this.#clock.now() + ms + rollbackMsMin);
    const since = this.#clock.now();
    const lose = [checkpoint(this.#hubs[partition]!)];
    const known = new Set(this.nodes.values());
    for (const node of known) lose.push(node.checkpoint(partition));
    this.#clock.after(ms, () => {
      for (const run of lose) run();
      // Of who has come since it knows nothing.
      for (const node of this.nodes.values()) if (!known.has(node)) node.forgetCommits(partition);
      this.watch.lost(partition, since);
      for (const [i, node] of [...this.nodes.values()].entries()) {
        const laterMs = typeof toldMs === 'number' ? Math.floor((toldMs * (i + 1)) / this.nodes.size) : toldMs(node);
        if (laterMs !== Infinity) node.tell((its) => its.onMissed(), laterMs);
      }
    });
    return true;
  }

  /** Whether each partition may lose something now. */
  get mayRollBack(): boolean {
    return [...this.#rollsBackAgainAt.values()].every((at) => at <= this.#clock.now());
  }

  /** When it was back last, or will be. */
  get backAt(): number {
    return this.#awayUntil;
  }

  get isAway(): boolean {
    return this.#clock.now() < this.#awayUntil;
  }

  /** In turn, because names are random, and the same seed is to make the same run. */
  partitionOf(name: string): number {
    const partition = this.#partitionOf.get(name) ?? this.#partitionOf.size % this.partitions;
    this.#partitionOf.set(name, partition);
    return partition;
  }

  later(run: () => void, more = 0): void {
    const [min, max] = this.path.latencyMs;
    this.#clock.after(min + this.#random.int(max - min + 1) + more, run);
  }

  chance(what: 'lostCalls' | 'lostAnswers' | 'late' | 'untold'): boolean {
    return this.#random.chance(this.path[what]);
  }

  /** The store has noticed that a node is dead. */
  noticeDeath(node: string): void {
    this.#clock.after(deathMs, () => {
      for (const other of this.nodes.values()) other.events?.onLeft(node);
    });
  }
}

interface Committed {
  readonly number: number;
  readonly branch: number;
  readonly result: CommitResult;
}

const noCommit: Committed = {
  number: 0,
  branch: 0,
  result: { positions: [], repeated: [], fenced: [], missing: [], mailed: [] },
};

export class SimulatedNode implements Store {
  readonly isShared = true;
  readonly codec = msgpack();
  readonly partitions: number;
  node = '';
  events: StoreEvents | undefined;
  /** Killed: nothing of it gets through any more. */
  isDead = false;
  /** Nothing new is told to it; it finds out later. */
  isDeaf = false;
  /** What it says to other nodes is lost. */
  isMute = false;
  /** Its claims are on their way for so much longer, in milliseconds; how many there were. */
  claimMs = 0;
  claims = 0;
  /** What is told to it waits as long as this is there: calls it makes, and they are answered. */
  #lagging: (() => void)[] | undefined = undefined;
  /** Runs what comes to the node, as soon as that does not stand still. */
  gate: (run: () => unknown) => void = (run) => run();
  readonly #store: SimulatedStore;
  readonly #hubs: readonly MemoryHub[];
  readonly #committed: Committed[];
  /** What is told of one partition keeps its order. */
  readonly #told: number[];

  constructor(store: SimulatedStore, hubs: readonly MemoryHub[]) {
    this.#store = store;
    this.#hubs = hubs;
    this.partitions = store.partitions;
    this.#committed = hubs.map(() => noCommit);
    this.#told = hubs.map(() => 0);
  }

  get state(): StoreState {
    return 'up';
  }

  partitionOf(name: string): number {
    return this.#store.partitionOf(name);
  }

  open(node: string, events: StoreEvents): Promise<void> {
    return this.#call(() => {
      this.node = node;
      this.events = events;
      for (const other of this.#store.nodes.values()) other.tell((its) => its.onJoined(node));
      this.#store.nodes.set(node, this);
      for (const [partition, hub] of this.#hubs.entries()) {
        const nothing = () => {};
        hub.nodes.set(node, {
          onMessage: () => null,
          onMissed: nothing,
          onVolatile: nothing,
          onJoined: nothing,
          onLeft: nothing,
          onState: nothing,
          onWarning: nothing,
          onLetter: (session, letter) => {
            if (!this.#isUntold()) this.tell((its) => its.onLetter(session, letter));
          },
          onRenewed: (log, epoch) => {
            if (!this.#isUntold()) this.#tellInOrder(partition, (its) => its.onRenewed(log, epoch));
          },
          onEntry: (log, epoch, entry) => {
            if (!this.#isUntold()) this.#tellInOrder(partition, (its) => its.onEntry(log, epoch, entry));
            // Which is found out later, as a marker is that does not come.
            else this.#store.later(() => this.tell((its) => its.onMissed()), 2_000);
          },
        });
      }
    });
  }

  #isUntold(): boolean {
    return this.#store.chance('untold') || this.isDeaf;
  }

  close(): Promise<void> {
    this.#leave();
    return Promise.resolve();
  }

  /** Nothing that it has committed to a partition is there. */
  forgetCommits(partition: number): void {
    this.#committed[partition] = noCommit;
  }

  /** Remembers the last commit to a partition. @returns a function that forgets those since */
  checkpoint(partition: number): () => void {
    const last = this.#committed[partition]!;
    return () => {
      this.#committed[partition] = last;
    };
  }

  /** Nobody hears of it any more, and the store finds out later. */
  kill(): void {
    this.isDead = true;
    this.#store.nodes.delete(this.node);
    for (const hub of this.#hubs) hub.nodes.delete(this.node);
    this.#store.noticeDeath(this.node);
  }

  nodes(): Promise<readonly string[]> {
    return this.#call(() => [...this.#store.nodes.keys()]);
  }

  commit(partition: number, commit: Commit): Promise<CommitResult | RolledBack> {
    return this.#call(() => {
      const last = this.#committed[partition]!;
      if (commit.number === last.number && commit.branch === last.branch) {
        this.#store.watch.repeated();
        return last.result;
      }
      if (commit.number !== last.number + 1 || commit.branch < last.branch) {
        this.#store.watch.rolledBack();
        return { last: last.number };
      }
      const result = this.#hubs[partition]!.commit(this.node, commit.steps, commit.records);
      this.#committed[partition] = { number: commit.number, branch: commit.branch, result };
      if (result.fenced.length > 0) this.#store.watch.fenced();
      this.#store.watch.committed(partition, commit, result);
      return result;
    });
  }

  lastCommit(partition: number): Promise<number> {
    return this.#call(() => this.#committed[partition]!.number);
  }

  follow(log: string): ReturnType<Store['follow']> {
    const number = this.#nextFollowing(log);
    return this.#call(() => {
      // One that is made again may find that it was done.
      if (this.#isLatest(log, number)) return this.#hubOf(log).follow(this.node, log);
      const { epoch, top } = this.#hubOf(log).tops([log])[0]!;
      return [epoch, top];
    });
  }

  unfollow(log: string): void {
    const number = this.#nextFollowing(log);
    this.#call(() => this.#isLatest(log, number) && this.#hubOf(log).unfollow(this.node, log)).catch(() => {});
  }

  read(log: string, after: number, countMax: number): ReturnType<Store['read']> {
    return this.#call(() => this.#hubOf(log).read(log, after, countMax));
  }

  tops(logs: readonly string[]): ReturnType<Store['tops']> {
    return this.#call(() => logs.map((log) => this.#hubOf(log).tops([log])[0]!));
  }

  renew(log: string, epoch: string): ReturnType<Store['renew']> {
    return this.#call(() => this.#hubOf(log).renew(log, epoch));
  }

  letters(session: string, after: number, countMax: number): ReturnType<Store['letters']> {
    return this.#call(() => this.#hubOf(session).letters(session, after, countMax));
  }

  session(id: string): ReturnType<Store['session']> {
    return this.#call(() => this.#hubOf(id).session(id));
  }

  expired(countMax: number, leaseMs: number): ReturnType<Store['expired']> {
    return this.#call(() => this.#hubs.flatMap((hub) => hub.expired(countMax, leaseMs)).slice(0, countMax));
  }

  forget(session: string, lease: string): Promise<void> {
    return this.#call(() => this.#hubOf(session).forget(session, lease));
  }

  claim(claim: Claim): Promise<boolean> {
    this.claims++;
    return this.#call(() => this.#hubOf(claim.session).claim(this.node, claim), this.claimMs);
  }

  publish(channel: string, frames: Frames): void {
    if (this.isDead || this.#store.isAway) return;
    this.#store.later(() => {
      for (const node of this.#store.listeners.get(channel) ?? []) {
        if (node !== this.node) this.#store.nodes.get(node)?.tell((its) => its.onVolatile(channel, frames));
      }
    });
  }

  listen(channel: string): void {
    const nodes = this.#store.listeners.get(channel) ?? new Set();
    this.#store.listeners.set(channel, nodes.add(this.node));
  }

  unlisten(channel: string): void {
    this.#store.listeners.get(channel)?.delete(this.node);
  }

  send(node: string, message: Value): Promise<Value> {
    if (this.isMute) return new Promise(() => {});
    return this.#call(async () => {
      const other = this.#store.nodes.get(node);
      if (other?.events === undefined) throw Object.assign(new Error(`no node ${node}`), { code: 'ERR_NODE_UNKNOWN' });
      return other.events.onMessage(this.node, message);
    });
  }

  /** Something of the store comes to this node. */
  tell(what: (events: StoreEvents) => void, laterMs = 0): void {
    this.#store.later(() => this.#hears(what), laterMs);
  }

  /** What is told to it comes later, in its order. @returns a function that ends that */
  lag(): () => void {
    const waiting: (() => void)[] = [];
    this.#lagging = waiting;
    return () => {
      if (this.#lagging === waiting) this.#lagging = undefined;
      for (const run of waiting.splice(0)) run();
    };
  }

  #hears(what: (events: StoreEvents) => void): void {
    const run = (): void => this.gate(() => !this.isDead && this.events !== undefined && what(this.events));
    if (this.#lagging === undefined) run();
    else this.#lagging.push(run);
  }

  #tellInOrder(partition: number, what: (events: StoreEvents) => void): void {
    const number = ++this.#told[partition]!;
    this.#queues[partition] ??= { next: number, waiting: new Map() };
    this.#store.later(() => {
      const queue = this.#queues[partition]!;
      queue.waiting.set(number, what);
      for (let run = queue.waiting.get(queue.next); run !== undefined; run = queue.waiting.get(queue.next)) {
        queue.waiting.delete(queue.next++);
        this.#hears(run);
      }
    });
  }

  /** By log: the number of the last call that follows it or does not any more. Such calls go over one connection, in their order. */
  readonly #followings = new Map<string, number>();

  #nextFollowing(log: string): number {
    const number = (this.#followings.get(log) ?? 0) + 1;
    this.#followings.set(log, number);
    return number;
  }

  #isLatest(log: string, number: number): boolean {
    return this.#followings.get(log) === number;
  }

  readonly #queues: ({ next: number; readonly waiting: Map<number, (events: StoreEvents) => void> } | undefined)[] = [];

  #hubOf(name: string): MemoryHub {
    return this.#hubs[this.partitionOf(name)]!;
  }

  #leave(): void {
    this.#store.nodes.delete(this.node);
    for (const hub of this.#hubs) hub.nodes.delete(this.node);
    for (const nodes of this.#store.listeners.values()) nodes.delete(this.node);
    for (const other of this.#store.nodes.values()) other.tell((its) => its.onLeft(this.node));
    this.isDead = true;
  }

  /** Over the way to the store and back. */
  #call<Answer>(run: () => Answer | Promise<Answer>, moreMs = 0): Promise<Answer> {
    const store = this.#store;
    return new Promise((resolve, reject) => {
      if (this.isDead) return;
      const isLate = store.chance('late');
      store.later(
        () => {
          // A command may be in the store's hands when its node is killed.
          if (store.isAway || store.chance('lostCalls')) return;
          let answer: Answer | Promise<Answer>;
          try {
            answer = run();
          } catch (error) {
            store.later(() => reject(error));
            return;
          }
          const isLost = store.chance('lostAnswers');
          Promise.resolve(answer).then(
            (value) => store.later(() => this.gate(() => this.isDead || isLost || resolve(value))),
            (error) => store.later(() => this.gate(() => this.isDead || isLost || reject(error))),
          );
        },
        isLate ? 3_000 : moreMs,
      );
    });
  }
}
