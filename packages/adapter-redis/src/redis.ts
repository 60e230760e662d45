// The option `adapter` for servers that share a Redis.
import type { Codec } from '@halyard/codec';
import { msgpack } from '@halyard/codec-msgpack';
import { LocalUsageError } from '@halyard/protocol';
import type { Adapter } from '@halyard/server';
import { type RedisOptions as ConnectionOptions, Redis } from 'ioredis';
import { keyspaceOf } from './keyspace';
import { RedisStore } from './redis-store';

/** Which Redis is said in one of three ways: `url`, `redis` or `client`. */
export interface RedisOptions {
  /** Such as `redis://user:password@127.0.0.1:6379/0`, or `rediss://…` for TLS. */
  readonly url?: string;
  /** Options of ioredis, for what an URL cannot say: Sentinels, certificates. */
  readonly redis?: ConnectionOptions;
  /** A client of the app's. It is left alone: two connections are made with the options that it has. */
  readonly client?: Redis;
  /** What all keys and channels begin with; servers with another one know nothing of each other. Default: `halyard`. */
  readonly prefix?: string;
  /** What records of sessions are encoded with. Default: `msgpack()`. */
  readonly codec?: Codec;
}

const known = ['url', 'redis', 'client', 'prefix', 'codec'] as const;
const ways = ['url', 'redis', 'client'] as const;
/** With a colon behind, and the hash tag: a brace would be taken for that. */
const prefixForm = /^[^{}\s]{1,128}$/;

/** What the store relies on: calls fail at once without a connection, none is said twice, and nobody but it subscribes. */
const relied: ConnectionOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  keyPrefix: '',
  protocol: 2,
  stringNumbers: false,
  connectTimeout: 2_000,
  failoverDetector: true,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000) * (0.5 + Math.random() / 2),
  // A master that has become a replica: the next connection finds the new one.
  reconnectOnError: ({ message }) => message.startsWith('READONLY'),
};

/**
 * A store in Redis 7 or later, or Valkey, for the option `adapter` of all servers that are to act as one.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function redis(options: RedisOptions): Adapter {
  if (typeof options !== 'object' || options === null) {
    throw new LocalUsageError(
      'ERR_OPTION',
      `The options of redis() are ${String(options)}: they may be an object, such as { url: 'redis://127.0.0.1:6379' }.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) {
      throw bad(name, `is not an option: known ones are ${known.join(', ')}`);
    }
  }
  const { url, redis: connection, client, prefix = 'halyard', codec = msgpack() } = options;
  if (url !== undefined && !isUrl(url)) throw bad('url', 'is not valid: it may be as redis://127.0.0.1:6379');
  if (connection !== undefined && (typeof connection !== 'object' || connection === null)) {
    throw bad('redis', 'is not valid: it may be an object of options for ioredis');
  }
  if (client !== undefined && (typeof client?.duplicate !== 'function' || client.isCluster)) {
    throw bad('client', 'is not valid: it may be a Redis of ioredis');
  }
  if (typeof prefix !== 'string' || !prefixForm.test(prefix)) {
    throw bad('prefix', 'is not valid: it may be 1 to 128 characters without braces and spaces');
  }
  if (typeof codec?.encode !== 'function') throw bad('codec', 'is not valid: it may be a codec, such as msgpack()');
  if (ways.filter((way) => options[way] !== undefined).length !== 1) {
    throw new LocalUsageError('ERR_OPTION', `redis() does not know which Redis: give one of ${ways.join(', ')}.`);
  }
  const connect = (): Redis => {
    if (client !== undefined) return client.duplicate(relied);
    return url === undefined ? new Redis({ ...connection, ...relied }) : new Redis(url, relied);
  };
  return ({ platform, limits, codecs, isGuest = false }) => {
    const { options: its } = connect();
    // Keys are of one database, channels of all: so that both are the same ones.
    const name = its.db ? `${prefix}:db${its.db}` : prefix;
    const keyspace = keyspaceOf(name, ['0']);
    const where = whereOf(its);
    const context = { platform, limits, connect, where, keyspace, codec, codecs, prefix, isGuest };
    return new RedisStore({ ...context, aheadMs: () => 0 });
  };
}

function isUrl(url: unknown): boolean {
  if (typeof url !== 'string') return false;
  try {
    return /^rediss?:$/.test(new URL(url).protocol);
  } catch {
    return false;
  }
}

/** @returns which Redis that is, for people; nothing secret */
function whereOf({ sentinels, name, path, host, port }: ConnectionOptions): string {
  if (sentinels) return `master ${name} of ${sentinels.map((one) => `${one.host}:${one.port}`).join(', ')}`;
  return path ?? `${host}:${port}`;
}

function bad(name: string, what: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of redis() ${what}.`, { option: name });
}
