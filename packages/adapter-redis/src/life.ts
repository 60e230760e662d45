// One node's time in a Redis or a Cluster, from when it has come until it leaves: who else is there, and what they say to each other.
// Longer than other files: what a Redis is asked for, in the order in which a node comes, lives and goes.
import type { Codec } from '@halyard/codec';
import type { StoreContext, StoreEvents, StoreState } from '@halyard/server';
import type { Redis } from 'ioredis';
import type { Address } from './cluster-map';
import { readSaid, type Said } from './entries';
import { channelOf, type Keyspace } from './keyspace';
import { Away } from './link';
import { Members } from './members';
import { Malformed } from './pieces';
import { checkServer } from './preflight';
import { Questions } from './questions';
import { listOf, textOf } from './replies';
import { type Argument, Scripts } from './scripts';
import { beatMs } from './shard';
import { type ClusterNodes, Shards } from './shards';
import { type Listener, Subscriptions } from './subscriptions';
import { agree } from './terms';

export interface LifeContext extends Pick<StoreContext, 'platform' | 'limits'> {
  /** @returns a connection that is not open yet. @param address of a node of the Cluster, if it is one */
  readonly connect: (address?: Address) => Redis;
  readonly cluster: ClusterNodes | undefined;
  /** How the Redis is called in messages. */
  readonly where: string;
  readonly keyspace: Keyspace;
  readonly codec: Codec;
  /** Of bodies. */
  readonly codecs: StoreContext['codecs'];
  readonly prefix: string;
  /** Whether no other node knows of it. */
  readonly isGuest: boolean;
  readonly aheadMs: () => number;
  /** What is stored is waited for at so many replicas, for so long. */
  readonly wait: { readonly replicas: number; readonly timeoutMs: number } | undefined;
  /** Something was read that nobody here has written. */
  malformed(): void;
  /** A script has failed. */
  failed(error: unknown): void;
}

const leaveMsMax = 500;
/** So much later an answer is said again that has met no connection, in milliseconds. */
const againMs = 250;

export class Life {
  readonly node: string;
  readonly shards: Shards;
  readonly scripts: Scripts;
  readonly subscriptions: Subscriptions;
  readonly questions: Questions;
  readonly #context: LifeContext;
  readonly #events: StoreEvents;
  readonly #members: Members;
  /** Whether it was, since it has come. */
  #wasAway = false;
  #marker = 0;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(context: LifeContext, node: string, events: StoreEvents) {
    const { keyspace, codec } = context;
    this.#context = context;
    this.#events = events;
    this.node = node;
    this.subscriptions = new Subscriptions((partition) => this.shards.of(partition)?.subscriber);
    this.shards = new Shards({
      ...context,
      partitions: keyspace.partitions,
      isWaiting: context.wait !== undefined,
      subscriptions: this.subscriptions,
      nextMarker: () => ++this.#marker,
      mark: (partition, marker) => this.scripts.run('mark', partition, [node, marker]),
      beat: async (marker) => {
        this.#members.listed(await this.#beat(marker), context.platform.now());
        this.questions.probe();
      },
      onState: (state) => {
        events.onState(state);
        if (state !== 'up') this.#wasAway = true;
        else if (this.#wasAway) this.look().catch(() => {});
      },
      onMissed: () => {
        this.questions.missed();
        events.onMissed();
      },
    });
    this.scripts = new Scripts({
      ...context,
      run: (partition, call, name) => this.shards.run(partition, call, name === 'commit' ? 'commits' : 'commands'),
    });
    this.#members = new Members(node, events);
    this.questions = new Questions({
      codec,
      say: (to, message) => this.#say(to, message),
      later: () =>
        new Promise((resolve, reject) => {
          if (this.#isOver) reject(new Away('the store is closed'));
          else context.platform.after(againMs, resolve);
        }),
    });
  }

  get state(): StoreState {
    return this.shards.state;
  }

  /** Rejects if the Redis cannot be used: then it is over. */
  async begin(): Promise<void> {
    const { keyspace, platform } = this.#context;
    await this.shards.open();
    await Promise.all(
      [...this.shards].map(async ({ commands, commits }) => {
        // Who may not wait is told so at once.
        if (commits !== commands) await commits.run((client) => client.wait(0, 1));
      }),
    );
    const warnings = await this.#check();
    const partitions = Array.from({ length: keyspace.partitions }, (_, partition) => partition);
    // By its text and then by its name: a user may be let do one of these alone.
    for (let i = 0; i < 2; i++) {
      await Promise.all(
        [...this.shards].map((shard) => this.scripts.run('probe', firstOf(shard.partitions), [this.node])),
      );
    }
    await this.agree();
    await Promise.all([
      this.subscriptions.add(
        `${keyspace.base(0)}:nodes`,
        0,
        this.#guarded((message) => this.#told(message)),
      ),
      ...partitions.map((partition) =>
        this.subscriptions.add(
          channelOf(keyspace, partition, 'to', this.node),
          partition,
          this.#guarded((message) => this.#said(partition, message)),
        ),
      ),
    ]);
    await this.roundTrip();
    this.#members.begin(await this.#beat(++this.#marker), platform.now());
    // Others may have come at the same time. Who is refused for that was not there: nobody is to be measured by it.
    await this.agree().catch(async (error) => {
      await this.#leave().catch(() => {});
      throw error;
    });
    this.shards.begin();
    this.#schedule();
    this.#warn(warnings);
  }

  /** What was so as it was opened may not be so any more: somebody has changed it, or another Redis has taken over. */
  async look(): Promise<void> {
    this.#warn(await this.#check());
  }

  async #check(): Promise<[code: string, message: string][]> {
    const { where, cluster } = this.#context;
    const all = [...this.shards].map(({ commands }) => checkServer(commands, where, cluster !== undefined));
    return (await Promise.all(all)).flat();
  }

  #warn(warnings: readonly (readonly [code: string, message: string])[]): void {
    for (const [code, message] of warnings) this.#events.onWarning(code, message);
  }

  /** Says what all have to have in common. Rejects if this node has not. */
  agree(): Promise<void> {
    const { codec, ...its } = this.#context;
    return agree(this.scripts, { ...its, codec: codec.name });
  }

  /** @returns once everything that was said before, and heard by Redis, has come here */
  async roundTrip(): Promise<void> {
    await this.subscriptions.flushed();
    await Promise.all([...this.shards].map((shard) => shard.roundTrip()));
  }

  /** Replicas that do not answer in time are no failure: else nothing at all would be stored while one is gone. */
  async commit(partition: number, args: readonly Argument[]): Promise<unknown> {
    const reply = await this.scripts.run('commit', partition, args);
    const { wait, where } = this.#context;
    if (wait === undefined) return reply;
    const { replicas, timeoutMs } = wait;
    // Not in one flight with the script: a Redis that does not know that is told it first, and would have waited by then.
    const stored = await this.shards.run(partition, (client) => client.wait(replicas, timeoutMs), 'commits');
    if (stored < replicas) {
      this.#events.onWarning(
        'ERR_REDIS_REPLICAS',
        `What was stored at ${where} has reached ${stored} of ${replicas} replicas within ${timeoutMs} ms: if it fails over now, some is lost.`,
      );
    }
    return reply;
  }

  /** @returns all nodes that are there, also those that nobody can say at the moment whether they still are */
  async nodes(): Promise<readonly string[]> {
    const nodes = new Set(this.#context.isGuest ? [] : [this.node]);
    try {
      for (const node of listOf(await this.scripts.run('nodes', 0, []))) nodes.add(textOf(node));
    } catch (error) {
      // Where others are away too, nothing could be asked of them.
      if (this.#context.cluster === undefined) throw error;
      for (const node of this.#members) nodes.add(node);
    }
    return [...nodes].sort();
  }

  /** Says goodbye, if that is heard soon. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#cancel?.();
    this.subscriptions.close();
    if (this.shards.of(0)?.commands.isReady) {
      const { platform } = this.#context;
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = platform.after(leaveMsMax, resolve);
      });
      const left = this.#leave().catch(() => {});
      await Promise.race([left, late]);
      cancel();
    }
    this.abandon();
  }

  async #leave(): Promise<void> {
    const { keyspace, isGuest } = this.#context;
    if (!isGuest) {
      await this.scripts.run('leave', 0, [this.node]);
      return;
    }
    // There may be any number of guests, each for a second.
    const partitions = Array.from({ length: keyspace.partitions }, (_, partition) => partition);
    await Promise.all(partitions.map((partition) => this.scripts.run('depart', partition, [this.node])));
  }

  /** Ends it without a word. */
  abandon(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.subscriptions.close();
    this.shards.close();
    this.questions.missed();
  }

  #schedule(): void {
    const { platform } = this.#context;
    const at = platform.now();
    this.#cancel = platform.after(beatMs, () => {
      if (this.#isOver) return;
      const isLate = platform.now() - at > 2 * beatMs;
      this.#schedule();
      for (const shard of this.shards) void shard.pulse(isLate);
    });
  }

  /** @returns all nodes that are there */
  async #beat(marker: number): Promise<readonly string[]> {
    const name = this.#context.isGuest ? 'watch' : 'beat';
    return listOf(await this.scripts.run(name, 0, [this.node, marker])).map(textOf);
  }

  /** Every node listens at all masters: if one is away, or does not know of it, another is asked. @returns how many have heard it */
  async #say(to: string, message: Buffer): Promise<number> {
    const { keyspace } = this.#context;
    const first = this.shards.of(keyspace.partitionOf(to));
    const all = [...this.shards].filter(({ commands }) => commands.isReady);
    const order = all.sort((a, b) => rankOf(a) - rankOf(b));
    function rankOf(shard: (typeof all)[number]): number {
      return (shard.state === 'up' ? 0 : 2) + (shard === first ? 0 : 1);
    }
    let failure: unknown = order.length === 0 ? new Away('there is no connection to Redis') : undefined;
    for (const { partitions } of order) {
      const partition = firstOf(partitions);
      const channel = channelOf(keyspace, partition, 'to', to);
      try {
        const heard = (await this.shards.run(partition, (client) => client.spublish(channel, message))) as number;
        if (heard > 0) return heard;
      } catch (error) {
        // It may have been heard, and is not said again.
        if (error instanceof Away) throw error;
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return 0;
  }

  /** What cannot be read is counted, and nothing else happens. @param read makes of a message what is to be done */
  #guarded(read: (message: Buffer) => () => void): Listener {
    return guarded(read, () => this.#context.malformed());
  }

  #told(message: Buffer): () => void {
    return this.#members.told(message, this.#context.platform.now());
  }

  #said(partition: number, message: Buffer): () => void {
    const said: Said = readSaid(message);
    switch (said.kind) {
      case 'ask':
        return () => void this.questions.answer(said, (from, value) => this.#events.onMessage(from, value));
      case 'answer':
        return () => this.questions.answered(said);
      case 'failure':
        return () => this.questions.failed(said);
      case 'letter':
        return () => this.#events.onLetter(said.session, said.letter);
      case 'marker':
        return () => this.#returned(partition, said.id);
    }
  }

  #returned(partition: number, marker: number): void {
    // Any node could say any number.
    if (marker <= this.#marker) this.shards.of(partition)?.returned(marker);
  }
}

function firstOf(partitions: ReadonlySet<number>): number {
  const [first = 0] = partitions;
  return first;
}

/** @returns a listener that counts what cannot be read. @param read makes of a message what is to be done */
export function guarded(read: (message: Buffer) => () => void, malformed: () => void): Listener {
  return (message) => {
    let run: () => void;
    try {
      run = read(message);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      malformed();
      return;
    }
    run();
  };
}
