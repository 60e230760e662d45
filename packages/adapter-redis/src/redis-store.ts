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
  StoredLetter,
  StoredSession,
  StoreEvents,
  StoreState,
  StoreTrouble,
} from '@halyard/server';
import { argumentOf } from './commits';
import { readLetter, readResult } from './entries';
import { channelOf } from './keyspace';
import { guarded, Life, type LifeContext } from './life';
import { Logs } from './logs';
import { Malformed, optional, Pieces, pack, tagged, untagged } from './pieces';
import { bytesOf, listOf, numberOf, textOf } from './replies';
import { type Argument, msOf, type ScriptName } from './scripts';
import { explained, explainedLater, isRefused } from './trouble';

type Frames = Parameters<Store['publish']>[1];

export type RedisStoreContext = Omit<LifeContext, 'malformed' | 'failed'>;

/** Who opens a store waits for two seconds. */
const openMsMax = 1_800;
/** What nobody keeps is dropped when so much waits for an answer. */
const inFlightMax = 16_384;
const touchMsMin = 10_000;
const touchMsMax = 600_000;

interface Opened {
  readonly life: Life;
  readonly logs: Logs;
  readonly events: StoreEvents;
}

export class RedisStore implements Store {
  readonly isShared = true;
  readonly codec: Codec;
  readonly partitions: number;
  /** How often something was read that no server has written. */
  malformed = 0;
  readonly #context: RedisStoreContext;
  #opened: Opened | undefined;
  #cancelTouch: (() => void) | undefined;
  /** The partition that is asked first for what has expired. */
  #turn = 0;

  constructor(context: RedisStoreContext) {
    this.#context = context;
    this.codec = context.codec;
    this.partitions = context.keyspace.partitions;
  }

  get state(): StoreState {
    return this.#opened?.life.state ?? 'degraded';
  }

  get trouble(): StoreTrouble | undefined {
    const { where, prefix } = this.#context;
    const trouble = this.#opened?.life.shards.trouble;
    return trouble === undefined ? undefined : explainedLater(trouble, where, prefix);
  }

  partitionOf(name: string): number {
    return this.#context.keyspace.partitionOf(name);
  }

  async open(node: string, events: StoreEvents): Promise<void> {
    await this.close();
    const { platform, where, prefix, keyspace } = this.#context;
    const malformed = (): void => this.#isMalformed();
    const failed = (error: unknown): void => this.#failed(error);
    const life = new Life({ ...this.#context, malformed, failed }, node, events);
    this.#opened = { life, events, logs: new Logs({ keyspace, life, events, malformed }) };
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = platform.after(openMsMax, () => reject(new Error(`no answer within ${openMsMax} ms`)));
    });
    try {
      await Promise.race([life.begin(), late]);
    } catch (error) {
      this.#opened = undefined;
      life.abandon();
      throw explained(error, where, prefix);
    } finally {
      cancel();
    }
    this.#touchLater();
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#cancelTouch?.();
    await opened?.life.end();
  }

  async nodes(): Promise<readonly string[]> {
    return this.#life.nodes();
  }

  async commit(partition: number, commit: Commit): Promise<CommitResult | RolledBack> {
    const reply = await this.#life.commit(partition, [argumentOf(this.#life.node, commit)]);
    return typeof reply === 'number' ? { last: reply } : readResult(bytesOf(reply));
  }

  async lastCommit(partition: number): Promise<number> {
    return numberOf(await this.#run('last', partition, [this.#life.node]));
  }

  async follow(log: string): Promise<Position> {
    return this.#logs.follow(log);
  }

  unfollow(log: string): void {
    this.#opened?.logs.unfollow(log);
  }

  async read(log: string, after: number, countMax: number): Promise<LogPage> {
    return this.#logs.read(log, after, countMax);
  }

  async tops(logs: readonly string[]): Promise<readonly LogState[]> {
    return this.#logs.tops(logs);
  }

  async renew(log: string, epoch: string): Promise<Position> {
    return this.#logs.renew(log, epoch);
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

  async claim({ session, nonce, newNonce, generation, keptMs }: Claim): Promise<boolean> {
    const { node } = this.#life;
    const args = [node, session, nonce, newNonce, generation, msOf(keptMs)];
    return (await this.#run('claim', this.partitionOf(session), args)) === 1;
  }

  async expired(countMax: number, leaseMs: number): Promise<readonly Expired[]> {
    const expired: Expired[] = [];
    let away = 0;
    for (let i = 0; i < this.partitions && expired.length < countMax; i++) {
      const partition = (this.#turn + i) % this.partitions;
      try {
        // Those that are over are given to nobody, and are gone with each call.
        for (let isMore = true; isMore && expired.length < countMax; ) {
          const [more, given] = listOf(
            await this.#run('expired', partition, [countMax - expired.length, msOf(leaseMs)]),
          );
          isMore = more === 1;
          for (const one of listOf(given)) {
            const [session, lease, record] = listOf(one);
            expired.push({ session: textOf(session), lease: textOf(lease), record: this.#recordOf(record) });
          }
        }
      } catch (error) {
        // Sessions of the others expire all the same.
        if (++away === this.partitions) throw error;
      }
    }
    this.#turn++;
    return expired;
  }

  async forget(session: string, lease: string): Promise<void> {
    await this.#run('forget', this.partitionOf(session), [session, lease]);
  }

  publish(channel: string, frames: Frames): void {
    const life = this.#opened?.life;
    const partition = this.partitionOf(channel);
    const shard = life?.shards.of(partition);
    if (life === undefined || shard === undefined || shard.commands.inFlight > inFlightMax) return;
    const message = pack([life.node, frames.length, ...frames.map(tagged)]);
    life.shards.run(partition, (client) => client.spublish(this.#channelOf(channel), message)).catch(() => {});
  }

  listen(channel: string): void {
    if (this.#opened === undefined) return;
    const { life, events } = this.#opened;
    const read = (message: Buffer): (() => void) => {
      const pieces = new Pieces(message);
      const from = pieces.text();
      const frames = pieces.list(() => optional(pieces.bytes())) as Frames;
      return () => {
        if (from !== life.node) events.onVolatile(channel, frames);
      };
    };
    const listener = guarded(read, () => this.#isMalformed());
    // If it fails there is no connection: with the next one it is asked for again.
    life.subscriptions.add(this.#channelOf(channel), this.partitionOf(channel), listener).catch(() => {});
  }

  unlisten(channel: string): void {
    this.#opened?.life.subscriptions.delete(this.#channelOf(channel));
  }

  async send(node: string, message: Value): Promise<Value> {
    const life = this.#life;
    return life.questions.ask(life.node, node, message);
  }

  /** @returns once what was said before has come to this node, if Redis had heard it */
  roundTrip(): Promise<void> {
    return this.#life.roundTrip();
  }

  get #life(): Life {
    return this.#its.life;
  }

  get #logs(): Logs {
    return this.#its.logs;
  }

  get #its(): Opened {
    if (this.#opened === undefined) throw new LocalUsageError('ERR_STORE_CLOSED', 'the store is not open');
    return this.#opened;
  }

  async #run(name: ScriptName, partition: number, args: readonly Argument[]): Promise<unknown> {
    return this.#life.scripts.run(name, partition, args);
  }

  #channelOf(channel: string): string {
    return channelOf(this.#context.keyspace, this.partitionOf(channel), 'say', channel);
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
    const { where, prefix } = this.#context;
    this.#opened?.events.onWarning(
      'ERR_REDIS_MALFORMED',
      `Redis at ${where} has something under the prefix ${prefix} that no server of this version has written; it is ignored, and ` +
        'removed where it is in the way.',
    );
  }

  /** What was allowed and possible as it was opened may not be so any more. */
  #failed(error: unknown): void {
    if (!isRefused(error)) return;
    const { where, prefix } = this.#context;
    const { code, message } = explained(error, where, prefix);
    this.#opened?.events.onWarning(code, message);
  }

  /** Logs stay that are followed. */
  #touchLater(): void {
    const { platform, limits } = this.#context;
    const delayMs = Math.max(touchMsMin, Math.min(limits.entryAgeMsMax / 2, touchMsMax));
    this.#cancelTouch = platform.after(delayMs, () => {
      this.#touchLater();
      this.#opened?.logs.touchAll().catch(() => {});
      // Redis may have lost it.
      this.#opened?.life.agree().catch(() => {});
      this.#opened?.life.look().catch(() => {});
    });
  }
}
