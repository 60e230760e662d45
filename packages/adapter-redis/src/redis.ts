// The option `adapter` for servers that share a Redis.
import type { Codec } from '@halyard/codec';
import { msgpack } from '@halyard/codec-msgpack';
import { LocalUsageError } from '@halyard/protocol';
import type { Adapter } from '@halyard/server';
import type { Cluster, RedisOptions as ConnectionOptions, Redis } from 'ioredis';
import { clusterTags, keyspaceOf } from './keyspace';
import { RedisStore } from './redis-store';
import { type Way, wayOf } from './way';

/** Which Redis is said in one of four ways: `url`, `redis`, `cluster` or `client`. */
export interface RedisOptions {
  /** Such as `redis://user:password@127.0.0.1:6379/0`, or `rediss://…` for TLS. */
  readonly url?: string | undefined;
  /** Options of ioredis, for what an URL cannot say: Sentinels, certificates. Beside `cluster` those for each of its nodes. */
  readonly redis?: ConnectionOptions | undefined;
  /** Some nodes of a Redis Cluster, by which the others are found: as `url`, or `{ host, port }`. */
  readonly cluster?: readonly (string | { readonly host: string; readonly port: number })[] | undefined;
  /** A client of the app's. It is left alone: connections are made with the options that it has. */
  readonly client?: Redis | Cluster | undefined;
  /** What all keys and channels begin with; servers with another one know nothing of each other. Default: `halyard`. */
  readonly prefix?: string | undefined;
  /**
   * After each commit it is waited until so many replicas have it, for `timeoutMs` at most (1 to 1000, default: 100), so that a failover loses
   * less. If they have not by then, it counts as stored all the same, with a warning; to refuse instead, set `min-replicas-to-write` at Redis.
   * Default: it is not waited.
   */
  readonly wait?: { readonly replicas: number; readonly timeoutMs?: number | undefined } | undefined;
  /** What records of sessions are encoded with. Default: `msgpack()`. */
  readonly codec?: Codec | undefined;
}

const known = ['url', 'redis', 'cluster', 'client', 'wait', 'prefix', 'codec'] as const;
/** With a colon behind, and the hash tag: a brace would be taken for that. */
const prefixForm = /^[^{}\s]{1,128}$/;
/** What stands behind it for another database than the first one. */
const databaseForm = /:db\d+$/;

/**
 * A store in Redis 7 or later, one or a Cluster of them, for the option `adapter` of all servers that are to act as one.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function redis(options: RedisOptions): Adapter {
  if (typeof options !== 'object' || options === null) {
    // Not shown: a URL may have a password in it.
    const what =
      typeof options === 'string'
        ? 'a text: a URL is given as redis({ url })'
        : `${options === null ? 'null' : typeof options}: they may be an object, such as { url: 'redis://127.0.0.1:6379' }`;
    throw new LocalUsageError('ERR_OPTION', `The options of redis() are ${what}.`);
  }
  if ('duplicate' in options) {
    throw new LocalUsageError(
      'ERR_OPTION',
      'redis() takes options, such as { url }, and not a client: one of ioredis is redis({ client }).',
      { option: 'options' },
    );
  }
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) {
      throw bad(name, `is not an option: known ones are ${known.join(', ')}`);
    }
  }
  const { prefix = 'halyard', codec = msgpack() } = options;
  if (typeof prefix !== 'string' || !prefixForm.test(prefix)) {
    throw bad('prefix', 'is not valid: it may be 1 to 128 characters without braces and spaces');
  }
  // Channels are of no database.
  if (databaseForm.test(prefix))
    throw bad('prefix', 'is not valid: it may not end with :db and a number, which stands for a database');
  if (typeof codec?.encode !== 'function') throw bad('codec', 'is not valid: it may be a codec, such as msgpack()');
  const { wait } = options;
  if (wait !== undefined && !(isCount(wait?.replicas, 64) && isCount(wait.timeoutMs ?? 100, 1_000))) {
    throw bad(
      'wait',
      'is not valid: it may be { replicas: 1, timeoutMs: 100 }, with 1 to 64 replicas and 1 to 1000 ms',
    );
  }
  const { where, connect, db, cluster }: Way = wayOf(options, bad);
  // Keys are of one database, channels of all: so that both are the same ones.
  const name = db ? `${prefix}:db${db}` : prefix;
  const keyspace = keyspaceOf(name, cluster === undefined ? ['0'] : clusterTags);
  return ({ platform, limits, codecs, isGuest = false }) =>
    new RedisStore({
      ...{ platform, limits, connect, cluster, where, keyspace, codec, codecs, prefix, isGuest },
      ...{ aheadMs: () => 0, wait: wait && { replicas: wait.replicas, timeoutMs: wait.timeoutMs ?? 100 } },
    });
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

function bad(name: string, what: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of redis() ${what}.`, { option: name });
}
