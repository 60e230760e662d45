// The stores that servers of a test can share: what is said of one is said of all. That in Redis is left out where there is none.
import { redis } from '@halyard/adapter-redis';
import { type Adapter, memory } from '@halyard/server';
import { afterAll, beforeAll } from 'vitest';
import { hasRedis, RedisServer } from './redis-server';

/** Called in a `describe`. @returns a function that makes a store without anything in it */
export type UseStore = () => () => Adapter;

const inMemory: UseStore = () => () => memory({ shared: true });

const inRedis: UseStore = () => {
  let server: RedisServer;
  let count = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.end());
  return () => redis({ url: server.url, prefix: `store${count++}` });
};

export const sharedStores: readonly (readonly [name: string, use: UseStore])[] = [
  ['in memory', inMemory],
  ...(hasRedis ? ([['in Redis', inRedis]] as const) : []),
];
