// Which Redis has which partition: one has all of them, or the masters of a Cluster have some each, and that changes. Whoever calls is
// told of a failure, and calls again: here is only looked where the partition is by then.
import type { StoreContext, StoreState } from '@halyard/server';
import type { Redis } from 'ioredis';
import { type Address, ClusterMap, isElsewhere, keyOf } from './cluster-map';
import { Away } from './link';
import { Shard, type ShardContext } from './shard';

/** How a Cluster is found. */
export interface ClusterNodes {
  readonly nodes: readonly Address[];
  reachedAt(address: Address): Address;
}

export interface ShardsContext
  extends Pick<StoreContext, 'platform'>,
    Omit<ShardContext, 'connect' | 'onDoubt' | 'onState'> {
  readonly partitions: number;
  /** @returns a connection that is not open yet. @param address of a node of the Cluster, if it is one */
  connect(address?: Address): Redis;
  readonly cluster: ClusterNodes | undefined;
  onState(state: StoreState): void;
}

/** So often it is looked where the partitions are, in milliseconds: whether or not there is a reason, and if there is. */
const lookMs = 10_000;
const soonMs = 250;
/** Who waits for the first ones waits for two seconds. */
const openMsMax = 1_800;

export class Shards {
  readonly #context: ShardsContext;
  readonly #map: ClusterMap | undefined;
  /** By address. */
  readonly #all = new Map<string, { readonly address: Address | undefined; readonly shard: Shard }>();
  /** By partition. */
  readonly #of: (Shard | undefined)[];
  /** Partitions whose last call did not find them. */
  readonly #astray = new Set<number>();
  #looking: Promise<void> | undefined;
  #isDoubted = false;
  #state: StoreState = 'recovering';
  #isBegun = false;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(context: ShardsContext) {
    const { platform, partitions, cluster, connect } = context;
    this.#context = context;
    this.#of = Array.from({ length: partitions }, () => undefined);
    if (cluster !== undefined) this.#map = new ClusterMap({ platform, partitions, connect, ...cluster });
  }

  get state(): StoreState {
    return this.#state;
  }

  /** What keeps one of them from being up, or a partition from being anywhere; undefined if nothing does. */
  get trouble(): unknown {
    for (const { trouble } of this) if (trouble !== undefined) return trouble;
    return this.#state === 'degraded' ? new Error('CLUSTERDOWN no master has some of the slots') : undefined;
  }

  [Symbol.iterator](): Iterator<Shard> {
    return [...this.#all.values()].map(({ shard }) => shard)[Symbol.iterator]();
  }

  of(partition: number): Shard | undefined {
    return this.#of[partition];
  }

  /** Opens connections to all that there are. Rejects if one cannot be used: then it is over. */
  async open(): Promise<void> {
    if (this.#map === undefined) {
      await this.#add(undefined, this.#of.keys());
      return;
    }
    const masters = await this.#map.read(new Map());
    const missing = masters.indexOf(undefined);
    if (missing >= 0) throw new Error(`CLUSTERDOWN no node has the slots of partition ${missing}`);
    await Promise.all(groupsOf(masters).map(({ address, partitions }) => this.#add(address, partitions)));
  }

  /** What was to be subscribed is. */
  begin(): void {
    this.#isBegun = true;
    for (const shard of this) shard.begin();
    this.#judge();
    this.#lookLater(lookMs);
  }

  close(): void {
    this.#isOver = true;
    this.#cancel?.();
    for (const shard of this) shard.close();
  }

  /** Calls the Redis that has a partition. @param over which of its connections */
  async run<Answer>(
    partition: number,
    call: (client: Redis) => Promise<Answer>,
    over: 'commands' | 'commits' = 'commands',
  ): Promise<Answer> {
    const shard = this.#of[partition];
    try {
      if (shard === undefined) throw new Away('no Redis has the partition');
      return await shard[over].run(call);
    } catch (error) {
      if (isElsewhere(error)) {
        this.#astray.add(partition);
        this.#judge();
        void this.doubt();
      }
      throw error;
    }
  }

  /** A partition may be elsewhere. @returns once that was looked at */
  doubt(): Promise<void> {
    if (this.#map === undefined || !this.#isBegun || this.#isOver) return Promise.resolve();
    this.#isDoubted = true;
    return this.#look();
  }

  /** @param map is there if this is a Cluster */
  #look(map = this.#map as ClusterMap): Promise<void> {
    this.#looking ??= this.#place(map)
      .catch(() => {
        this.#isDoubted = true;
      })
      .finally(() => {
        this.#looking = undefined;
        this.#judge();
        const isSettled = this.#state === 'up' && !this.#isDoubted;
        this.#lookLater(isSettled ? lookMs : soonMs);
      });
    return this.#looking;
  }

  #lookLater(delayMs: number): void {
    this.#cancel?.();
    if (this.#map === undefined || this.#isOver) return;
    this.#cancel = this.#context.platform.after(delayMs, () => void this.#look());
  }

  /** Looks where the partitions are, and takes them there. */
  async #place(map: ClusterMap): Promise<void> {
    this.#isDoubted = false;
    const links = new Map([...this.#all.values()].map(({ address, shard }) => [address as Address, shard.commands]));
    const masters = await map.read(links);
    await Promise.all(
      groupsOf(masters).map(async ({ address, partitions }) => {
        if (this.#all.has(keyOf(address))) this.#take(keyOf(address), partitions);
        // One that is not reached leaves its partitions where they are: it is looked again soon.
        else await this.#add(address, partitions).catch(() => (this.#isDoubted = true));
      }),
    );
    if (this.#isOver) return;
    for (const [key, { shard }] of this.#all) {
      if (shard.partitions.size > 0) continue;
      shard.close();
      this.#all.delete(key);
    }
    for (const partition of this.#astray) void this.#find(partition);
  }

  /** One that was not found is called again, so that it is known when it is back. */
  async #find(partition: number): Promise<void> {
    const { mark, nextMarker } = this.#context;
    try {
      await mark(partition, nextMarker());
      this.#astray.delete(partition);
      this.#judge();
    } catch {
      // It is looked again soon.
    }
  }

  async #add(address: Address | undefined, partitions: Iterable<number>): Promise<void> {
    const { connect, platform } = this.#context;
    const shard = new Shard(
      {
        ...this.#context,
        connect: () => connect(address),
        onState: () => this.#judge(),
        onDoubt: () => this.doubt(),
      },
      [],
    );
    const key = address === undefined ? '' : keyOf(address);
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = platform.after(openMsMax, () => reject(new Error(`no answer within ${openMsMax} ms`)));
    });
    try {
      await Promise.race([shard.open(), late]);
      if (this.#isOver) throw new Away('it is over');
    } catch (error) {
      shard.close();
      throw error;
    } finally {
      cancel();
    }
    this.#all.set(key, { address, shard });
    this.#take(key, partitions);
  }

  /** A Redis has these partitions from now on. */
  #take(key: string, partitions: Iterable<number>): void {
    const { shard } = this.#all.get(key) as { shard: Shard };
    let isNew = false;
    for (const partition of partitions) {
      const before = this.#of[partition];
      if (before === shard) continue;
      before?.partitions.delete(partition);
      shard.partitions.add(partition);
      this.#of[partition] = shard;
      isNew = true;
    }
    if (isNew && this.#isBegun) void shard.recover();
  }

  #judge(): void {
    if (!this.#isBegun || this.#isOver) return;
    const state = this.#worst();
    if (state === this.#state) return;
    this.#state = state;
    this.#context.onState(state);
  }

  /** @returns the state of all, if one of them is away, or a partition is nowhere */
  #worst(): StoreState {
    const states = new Set([...this].map(({ state }) => state));
    if (states.has('degraded') || this.#astray.size > 0 || this.#of.includes(undefined)) return 'degraded';
    return states.has('recovering') ? 'recovering' : 'up';
  }
}

/** @returns the masters, each with its partitions */
function groupsOf(masters: readonly (Address | undefined)[]): { address: Address; partitions: number[] }[] {
  const groups = new Map<string, { address: Address; partitions: number[] }>();
  for (const [partition, address] of masters.entries()) {
    if (address === undefined) continue;
    const group = groups.get(keyOf(address));
    if (group === undefined) groups.set(keyOf(address), { address, partitions: [partition] });
    else group.partitions.push(partition);
  }
  return [...groups.values()];
}
