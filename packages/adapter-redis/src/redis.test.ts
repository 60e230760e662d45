// The contract of a store, against a Redis and a Redis Cluster that are started for it.
import type { NewEntry } from '@halyard/server';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RedisCluster } from '../../../test/kit/redis-cluster';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { storeSuite } from '../../server/src/store/suite/store-suite';
import type { RedisOptions } from './redis';
import type { RedisStore } from './redis-store';
import { labOf } from './testing/lab';
import { Listening } from './testing/listener';

const limits = { entryAgeMsMax: 10_000, logPacketsMax: 100, logBytesMax: 10_000, journalBytesMax: 100_000 };

/** Stores of one engine, that are closed after their test. */
function labOn<Engine extends { end(): unknown }>(
  start: () => Promise<Engine>,
  optionsOf: (engine: Engine) => RedisOptions,
) {
  let engine: Engine;
  const stores: RedisStore[][] = [];
  let prefixes = 0;

  beforeAll(async () => {
    engine = await start();
  });
  afterEach(async () => {
    await Promise.all(
      stores
        .splice(0)
        .flat()
        .map((store) => store.close()),
    );
  });
  afterAll(() => engine.end());

  const lab = () => {
    const its = labOf(optionsOf(engine), `suite${++prefixes}`, limits);
    stores.push(its.stores);
    return its;
  };
  return { lab, engine: () => engine };
}

/** A Sentinel and the master that it watches. */
async function watched() {
  const master = await RedisServer.start();
  const sentinel = await RedisServer.watch('suite', master);
  return { sentinel, end: () => Promise.all([sentinel.end(), master.end()]) };
}

describe.skipIf(!hasRedis)('with a Redis', () => {
  const { lab, engine } = labOn(
    () => RedisServer.start(),
    ({ url }) => ({ url }),
  );

  storeSuite('the store in Redis', lab);

  const nothing = { records: [], branch: 0 };
  const entry = (text: string, key?: string): NewEntry => ({
    ...{ log: 'room', stamp: 1, except: [], places: [], earlier: 0, bodies: [text], key },
  });

  test('a log that was followed for long stays, when it is not any more, for as long as entries are kept', async () => {
    const { node, elapse } = lab();
    const store = node();
    await store.open('a', new Listening());
    const [epoch] = await store.follow('room');
    await elapse(3_600_000);
    store.unfollow('room');
    await elapse(0);
    await elapse(9_000);
    expect((await store.tops(['room']))[0]?.epoch).toBe(epoch);
  });

  test('a log goes on though a node does nothing but follow it, and what is known of commits though no others come', async () => {
    const { node, prefix } = lab();
    const store = node();
    await store.open('a', new Listening());
    await store.follow('room');
    const other = node();
    await other.open('b', new Listening());
    await other.commit(0, { ...nothing, number: 1, steps: [entry('a')] });
    const client = new Redis(engine().url);
    const keys = [`${prefix}:{0}:log:room`, `${prefix}:{0}:commits:b`];
    for (const key of keys) expect(await client.pexpire(key, 60_000)).toBe(1);
    // After ten seconds it says that it still does.
    for (const key of keys) {
      await untilHolds(async () => expect(await client.pttl(key)).toBeGreaterThan(60_000));
    }
    client.disconnect();
  });

  test('without room a commit is not done, and nothing of it: later it is', async () => {
    const store = lab().node();
    await store.open('a', new Listening());
    const client = new Redis(engine().url);
    const commit = (number: number, text: string) => store.commit(0, { ...nothing, number, steps: [entry(text)] });
    await commit(1, 'a');
    await client.config('SET', 'maxmemory', '1');
    try {
      await expect(commit(2, 'b')).rejects.toThrow('OOM');
      await expect(commit(2, 'b')).rejects.toThrow('OOM');
    } finally {
      await client.config('SET', 'maxmemory', '0');
      client.disconnect();
    }
    await commit(2, 'b');
    const { entries } = await store.read('room', 0, 9);
    expect(entries.map(({ bodies }) => bodies[0])).toEqual(['a', 'b']);
  });
});

describe.skipIf(!hasRedis)('with a Sentinel', () => {
  const { lab } = labOn(watched, ({ sentinel: { port } }) => ({
    redis: { name: 'suite', sentinels: [{ host: '127.0.0.1', port }] },
  }));
  storeSuite('the store in a Redis that a Sentinel watches', lab);
});

describe.skipIf(!hasRedis)('with a Redis Cluster', () => {
  const { lab } = labOn(
    () => RedisCluster.start(),
    ({ nodes }) => ({ cluster: nodes }),
  );
  storeSuite('the store in a Redis Cluster', lab);
});
