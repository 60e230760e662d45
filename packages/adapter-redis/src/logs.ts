// The logs of rooms, as this node follows and reads them.
import type { Position } from '@halyard/protocol';
import type { LogPage, LogState, StoredEntry, StoreEvents } from '@halyard/server';
import { hollowEntry, placesIn, readEntry, readSpread, type Spread } from './entries';
import { Gathering } from './gathering';
import { byPartition, channelOf, type Keyspace } from './keyspace';
import { guarded, type Life } from './life';
import { Malformed, Pieces } from './pieces';
import { bytesOf, listOf, numberOf, textOf } from './replies';

export interface LogsContext {
  readonly keyspace: Keyspace;
  readonly life: Life;
  readonly events: Pick<StoreEvents, 'onEntry' | 'onRenewed'>;
  malformed(): void;
}

/** As many logs are asked for in one call. */
const gatheredMax = 256;

export class Logs {
  readonly #context: LogsContext;
  readonly #followed = new Set<string>();
  /** What was said last in each partition: the entries of a message follow each other. */
  readonly #spreads = new Map<number, Spread>();
  /** By partition. */
  readonly #hearing = new Map<number, Promise<void>>();
  /** By partition: one may be away while others are not. */
  readonly #topOf: readonly Gathering<LogState>[];
  /** Logs that are not followed any more. */
  readonly #left = new Gathering(gatheredMax, (logs) => this.#touch(logs).then(() => logs));

  constructor(context: LogsContext) {
    this.#context = context;
    this.#topOf = Array.from(
      { length: context.keyspace.partitions },
      () => new Gathering(gatheredMax, (logs) => this.tops(logs)),
    );
  }

  async follow(log: string): Promise<Position> {
    const { life, keyspace, malformed } = this.#context;
    this.#followed.add(log);
    const listener = guarded((message) => this.#told(log, message), malformed);
    const partition = keyspace.partitionOf(log);
    await Promise.all([
      this.#hearSpreads(partition),
      life.subscriptions.add(this.#channelOf(log), partition, listener),
    ]);
    // What is stored from here on is told: so that nothing is between.
    const { epoch, top } = await (this.#topOf[partition] as Gathering<LogState>).of(log);
    return [epoch, top];
  }

  unfollow(log: string): void {
    if (!this.#followed.delete(log)) return;
    this.#context.life.subscriptions.delete(this.#channelOf(log));
    // From now on it stays for as long as somebody may come who was in its room.
    this.#left.of(log).catch(() => {});
  }

  async read(log: string, after: number, countMax: number): Promise<LogPage> {
    const { life, keyspace } = this.#context;
    const reply = listOf(await life.scripts.run('read', keyspace.partitionOf(log), [log, after, countMax]));
    const [epoch, first, top, missed, ...messages] = reply;
    const entries: StoredEntry[] = [];
    for (let i = 0; i < messages.length; i += 2) {
      entries.push(this.#entryOf(bytesOf(messages[i]), bytesOf(messages[i + 1]), after + 1 + i / 2));
    }
    return {
      ...{ epoch: textOf(epoch), first: numberOf(first), top: numberOf(top), missed: numberOf(missed) },
      entries,
    };
  }

  async tops(logs: readonly string[]): Promise<readonly LogState[]> {
    const { life, keyspace } = this.#context;
    const groups = byPartition(logs.keys(), (i) => keyspace.partitionOf(logs[i] as string));
    const states: LogState[] = [];
    const asked = [...groups].map(async ([partition, places]) => {
      const names = places.map((i) => logs[i] as string);
      const reply = listOf(await life.scripts.run('tops', partition, [names.length, ...names]));
      for (const [i, place] of places.entries()) {
        const [epoch, top, stamp, node] = listOf(reply[i]);
        states[place] = { epoch: textOf(epoch), top: numberOf(top), newest: [numberOf(stamp), textOf(node)] };
      }
    });
    await Promise.all(asked);
    return states;
  }

  async renew(log: string, epoch: string): Promise<Position> {
    const { life, keyspace } = this.#context;
    const [renewed, top] = listOf(await life.scripts.run('renew', keyspace.partitionOf(log), [log, epoch]));
    return [textOf(renewed), numberOf(top)];
  }

  /** Logs stay that are followed, and so does what is known of this node's commits. */
  async touchAll(): Promise<void> {
    const { life, keyspace } = this.#context;
    const groups = byPartition(this.#followed, (log) => keyspace.partitionOf(log));
    for (let partition = 0; partition < keyspace.partitions; partition++) {
      const its = groups.get(partition) ?? [];
      // If it fails the partition is away: there is time enough to say it again.
      for (let i = 0; i < its.length; i += gatheredMax)
        await this.#touch(its.slice(i, i + gatheredMax)).catch(() => {});
      await life.scripts.run('touch', partition, [life.node, 0]).catch(() => {});
    }
  }

  async #touch(logs: readonly string[]): Promise<void> {
    const { life, keyspace } = this.#context;
    const groups = [...byPartition(logs, (log) => keyspace.partitionOf(log))];
    await Promise.all(
      groups.map(([partition, its]) => life.scripts.run('touch', partition, [life.node, its.length, ...its])),
    );
  }

  #channelOf(log: string): string {
    const { keyspace } = this.#context;
    return channelOf(keyspace, keyspace.partitionOf(log), 'log', log);
  }

  /** Something was said of a log that is followed. */
  #told(log: string, message: Buffer): () => void {
    const { events } = this.#context;
    const pieces = new Pieces(message);
    if (pieces.text() === 'renewed') {
      const epoch = pieces.text();
      return () => events.onRenewed(log, epoch);
    }
    const spread = this.#spreads.get(this.#context.keyspace.partitionOf(log));
    const [epoch, entry] = readEntry(message, (name) => (spread?.name === name ? spread.places : undefined));
    return () => events.onEntry(log, epoch, entry);
  }

  /** In a partition that has logs which are followed. */
  #hearSpreads(partition: number): Promise<void> {
    const { life, keyspace, malformed } = this.#context;
    const before = this.#hearing.get(partition);
    if (before !== undefined) return before;
    const listener = guarded((message) => {
      const spread = readSpread(message);
      return () => void this.#spreads.set(partition, spread);
    }, malformed);
    const hearing = life.subscriptions.add(`${keyspace.base(partition)}:spreads`, partition, listener);
    this.#hearing.set(partition, hearing);
    hearing.catch(() => this.#hearing.delete(partition));
    return hearing;
  }

  /** @param spread what is stored under the name that the entry has, if it has one */
  #entryOf(message: Buffer, spread: Buffer, offset: number): StoredEntry {
    try {
      const [, entry] = readEntry(message, () => (spread.length === 0 ? undefined : placesIn(spread)));
      if (entry.offset === offset) return entry;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
    this.#context.malformed();
    return hollowEntry(offset);
  }
}
