// The stores that servers of a test can share: what is said of one is said of all. That in Redis is left out where there is none.
import { redis } from '@halyard/adapter-redis';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { type Adapter, memory, type StoreContext } from '@halyard/server';
import { afterAll, beforeAll } from 'vitest';
import { systemPlatform } from '../../packages/server/src/base/platform';
import { TimerWheel } from '../../packages/server/src/base/wheel';
import { hosts } from './hosts';
import { hasRedis, RedisServer } from './redis-server';

/** Called in a `describe`. @returns a function that makes a store without anything in it. Its codec is of records */
export type UseStore = () => (options?: { readonly codec?: Codec }) => Adapter;

export const inMemory: UseStore = () => (options) => memory({ shared: true, ...options });

const inRedis: UseStore = () => {
  let server: RedisServer;
  let count = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.end());
  return (options) => redis({ url: server.url, prefix: `store${count++}`, ...options });
};

export const sharedStores: readonly (readonly [name: string, use: UseStore])[] = [
  ['in memory', inMemory],
  ...(hasRedis ? ([['in Redis', inRedis]] as const) : []),
];

/** What a node is opened with that is no server. */
export function contextOf(): StoreContext {
  const limits = { entryAgeMsMax: 60_000, logPacketsMax: 100, logBytesMax: 100_000, journalBytesMax: 1_000_000 };
  const codecs = [json(), msgpack()];
  return { platform: systemPlatform, wheel: new TimerWheel(systemPlatform), limits, codecs };
}

/** Each host with servers that share a store in memory, and one of them with one in Redis. */
export const places = sharedStores.flatMap(([where, useStore]) =>
  hosts
    .slice(where === 'in Redis' ? -1 : 0)
    .map(([name, host]) => [`${name}, a store ${where}`, host, useStore] as const),
);
