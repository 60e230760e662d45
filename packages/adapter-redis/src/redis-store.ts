// The contract of a store, kept in Redis. What is decided is decided by scripts, each in one partition; here is only what is asked.
import type { Codec } from '@halyard/codec';
import { LocalUsageError, type Position, type Value } from '@halyard/protocol';
import type {
  Claim,
  Commit,
  CommitResult,
  Expired,
  LogPage,
  LogState,
  RecordParts,
  RolledBack,
  Store,
  StoredEntry,
  StoredLetter,
  StoredSession,
  StoreEvents,
  StoreState,
} from '@halyard/server';
import { argumentsOf } from './commits';
import { hollowEntry, readEntry, readLetter, readResult } from './entries';
import { byPartition, channelOf } from './keyspace';
import { guarded, Life, type LifeContext } from './life';
import { Malformed, optional, Pieces, pack, tagged, untagged } from './pieces';
import { explained } from './preflight';
import { bytesOf, listOf, numberOf, textOf } from './replies';
import { type Argument, msOf, type ScriptName } from './scripts';

type Frames = Parameters<Store['publish']>[1];

export interface RedisStoreContext extends Omit<LifeContext, 'malformed'> {
  readonly prefix: string;
}

/** Who opens a store waits for two seconds. */
const openMsMax = 1_800;
/** What nobody keeps is dropped when so much waits for an answer. */
const inFlightMax = 16_384;
const touchedMax = 256;
const touchMsMin = 10_000;

export class RedisStore implements Store {
  readonly isShared = true;
  readonly codec: Codec;
  readonly partitions: number;
  /** How often something was read that no server has written. */
  malformed = 0;
  readonly #context: RedisStoreContext;
  #life: Life | undefined;
  #events!: StoreEvents;
  readonly #followed = new Set<string>();
  #cancelTouch: (() => void) | undefined;
  /** The partition that is asked first for what has expired. */
  #turn = 0;

  constructor(context: RedisStoreContext) {
    this.#context = context;
    this.codec = context.codec;
    this.partitions = context.keyspace.partitions;
  }

  get state(): StoreState {
    return this.#life?.state ?? 'degraded';
  }

  partitionOf(name: string): number {
    return this.#context.keyspace.partitionOf(name);
  }

  async open(node: string, events: StoreEvents): Promise<void> {
    await this.close();
    const { platform, where, prefix } = this.#context;
    const life = new Life({ ...this.#context, malformed: () => this.#isMalformed() }, node, events);
    this.#events = events;
    this.#life = life;
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = platform.after(openMsMax, () => reject(new Error(`no answer within ${openMsMax} ms`)));
    });
    try {
      await Promise.race([life.begin(), late]);
    } catch (error) {
      this.#life = undefined;
      life.abandon();
      throw explained(error, where, prefix);
    } finally {
      cancel();
    }
    this.#touchLater();
  }

  async close(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    this.#cancelTouch?.();
    this.#followed.clear();
    await life?.end();
  }

  async nodes(): Promise<readonly string[]> {
    const { node } = this.#open;
    const nodes = listOf(await this.#run('nodes', 0, [])).map(textOf);
    return [...new Set([node, ...nodes])].sort();
  }

  async commit(partition: number, commit: Commit): Promise<CommitResult | RolledBack> {
    const reply = await this.#run('commit', partition, argumentsOf(this.#open.node, commit));
    return typeof reply === 'number' ? { last: reply } : readResult(bytesOf(reply));
  }

  async follow(log: string): Promise<Position> {
    const partition = this.partitionOf(log);
    this.#followed.add(log);
    const read = (message: Buffer): (() => void) => this.#told(log, message);
    const listener = guarded(read, () => this.#isMalformed());
    await this.#open.subscriptions.add(this.#channel('log', log), partition, listener);
    // What is stored from here on is told: so that nothing is between.
    const [state] = await this.tops([log]);
    if (state === undefined) throw new Malformed('no log');
    return [state.epoch, state.top];
  }

  unfollow(log: string): void {
    if (!this.#followed.delete(log) || this.#life === undefined) return;
    this.#life.subscriptions.delete(this.#channel('log', log));
    // From now on it stays for as long as somebody may come who was in its room.
    this.#touch(this.partitionOf(log), [log]).catch(() => {});
  }

  async read(log: string, after: number, countMax: number): Promise<LogPage> {
    const reply = listOf(await this.#run('read', this.partitionOf(log), [log, after, countMax]));
    const [epoch, first, top, ...messages] = reply;
    const entries = messages.map((message, i) => this.#entryOf(bytesOf(message), after + 1 + i));
    return { epoch: textOf(epoch), first: numberOf(first), top: numberOf(top), entries };
  }

  async tops(logs: readonly string[]): Promise<readonly LogState[]> {
    const groups = byPartition(logs.keys(), (i) => this.partitionOf(logs[i] as string));
    const states: LogState[] = [];
    const asked = [...groups].map(async ([partition, places]) => {
      const names = places.map((i) => logs[i] as string);
      const reply = listOf(await this.#run('tops', partition, [names.length, ...names]));
      for (const [i, place] of places.entries()) {
        const [epoch, top, stamp, node] = listOf(reply[i]);
        states[place] = { epoch: textOf(epoch), top: numberOf(top), newest: [numberOf(stamp), textOf(node)] };
      }
    });
    await Promise.all(asked);
    return states;
  }

  async renew(log: string, epoch: string): Promise<Position> {
    const [renewed, top] = listOf(await this.#run('renew', this.partitionOf(log), [log, epoch]));
    return [textOf(renewed), numberOf(top)];
  }

  async letters(session: string, after: number, countMax: number): Promise<readonly StoredLetter[]> {
    const reply = listOf(await this.#run('letters', this.partitionOf(session), [session, after, countMax]));
    const letters: StoredLetter[] = [];
    for (const letter of reply) this.#unless(() => letters.push(readLetter(new Pieces(bytesOf(letter)))));
    return letters;
  }

  async session(id: string): Promise<StoredSession | 'over' | undefined> {
    const reply = await this.#run('session', this.partitionOf(id), [id]);
    if (reply === null) return undefined;
    if (!Array.isArray(reply)) return 'over';
    const [nonce, generation, owner, record] = reply;
    return {
      nonce: textOf(nonce),
      generation: numberOf(generation),
      owner: textOf(owner),
      record: this.#recordOf(record),
    };
  }

  async claim({ session, nonce, newNonce, generation }: Claim): Promise<boolean> {
    const { node } = this.#open;
    const args = [node, session, nonce, newNonce, generation];
    return (await this.#run('claim', this.partitionOf(session), args)) === 1;
  }

  async expired(countMax: number, leaseMs: number): Promise<readonly Expired[]> {
    const expired: Expired[] = [];
    for (let i = 0; i < this.partitions && expired.length < countMax; i++) {
      const partition = (this.#turn + i) % this.partitions;
      const reply = listOf(await this.#run('expired', partition, [countMax - expired.length, msOf(leaseMs)]));
      for (const one of reply) {
        const [session, lease, record] = listOf(one);
        expired.push({ session: textOf(session), lease: textOf(lease), record: this.#recordOf(record) });
      }
    }
    this.#turn++;
    return expired;
  }

  async forget(session: string, lease: string): Promise<void> {
    await this.#run('forget', this.partitionOf(session), [session, lease]);
  }

  publish(channel: string, frames: Frames): void {
    const life = this.#life;
    if (life === undefined || life.commands.inFlight > inFlightMax) return;
    const message = pack([life.node, frames.length, ...frames.map(tagged)]);
    life.commands.run((client) => client.spublish(this.#channel('say', channel), message)).catch(() => {});
  }

  listen(channel: string): void {
    const read = (message: Buffer): (() => void) => {
      const pieces = new Pieces(message);
      const from = pieces.text();
      const frames = pieces.list(() => optional(pieces.bytes())) as Frames;
      return () => {
        if (from !== this.#life?.node) this.#events.onVolatile(channel, frames);
      };
    };
    const listener = guarded(read, () => this.#isMalformed());
    // If it fails there is no connection: with the next one it is asked for again.
    this.#life?.subscriptions.add(this.#channel('say', channel), this.partitionOf(channel), listener).catch(() => {});
  }

  unlisten(channel: string): void {
    this.#life?.subscriptions.delete(this.#channel('say', channel));
  }

  async send(node: string, message: Value): Promise<Value> {
    const life = this.#open;
    return life.questions.ask(life.node, node, message);
  }

  /** @returns once what was said before has come to this node, if Redis had heard it */
  roundTrip(): Promise<void> {
    return this.#open.roundTrip();
  }

  get #open(): Life {
    if (this.#life === undefined) throw new LocalUsageError('ERR_STORE_CLOSED', 'the store is not open');
    return this.#life;
  }

  async #run(name: ScriptName, partition: number, args: readonly Argument[]): Promise<unknown> {
    return this.#open.scripts.run(name, partition, args);
  }

  #channel(kind: 'log' | 'say', name: string): string {
    return channelOf(this.#context.keyspace, this.partitionOf(name), kind, name);
  }

  /** Something was said of a log that is followed. */
  #told(log: string, message: Buffer): () => void {
    const pieces = new Pieces(message);
    if (pieces.text() === 'renewed') {
      const epoch = pieces.text();
      return () => this.#events.onRenewed(log, epoch);
    }
    const [epoch, entry] = readEntry(message);
    return () => this.#events.onEntry(log, epoch, entry);
  }

  #entryOf(message: Buffer, offset: number): StoredEntry {
    let entry = hollowEntry(offset);
    this.#unless(() => {
      const [, stored] = readEntry(message);
      if (stored.offset !== offset) throw new Malformed('another entry');
      entry = stored;
    });
    return entry;
  }

  #recordOf(reply: unknown): RecordParts {
    const flat = listOf(reply);
    const record = new Map<string, ReturnType<typeof untagged>>();
    for (let i = 0; i + 1 < flat.length; i += 2) {
      this.#unless(() => record.set(textOf(flat[i]), untagged(bytesOf(flat[i + 1]))));
    }
    return record;
  }

  /** Reads something that may not be what servers write: then it is as if it were not there. */
  #unless(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#isMalformed();
    }
  }

  #isMalformed(): void {
    this.malformed++;
  }

  /** Logs stay that are followed. */
  #touchLater(): void {
    const { platform, limits } = this.#context;
    const delayMs = Math.max(touchMsMin, Math.min(limits.entryAgeMsMax / 2, 600_000));
    this.#cancelTouch = platform.after(delayMs, () => {
      if (this.#life === undefined) return;
      this.#touchLater();
      this.#touchAll().catch(() => {});
    });
  }

  async #touchAll(): Promise<void> {
    const groups = byPartition(this.#followed, (log) => this.partitionOf(log));
    for (let partition = 0; partition < this.partitions; partition++) {
      const logs = groups.get(partition) ?? [];
      for (let i = 0; i === 0 || i < logs.length; i += touchedMax) {
        await this.#touch(partition, logs.slice(i, i + touchedMax));
      }
    }
  }

  async #touch(partition: number, logs: readonly string[]): Promise<void> {
    await this.#run('touch', partition, [this.#open.node, logs.length, ...logs]);
  }
}
