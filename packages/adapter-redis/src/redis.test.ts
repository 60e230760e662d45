// The contract of a store, against a Redis that is started for it.
import { msgpack } from '@halyard/codec-msgpack';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { systemPlatform } from '../../server/src/base/platform';
import { storeSuite } from '../../server/src/store/suite/store-suite';
import { keyspaceOf } from './keyspace';
import { RedisStore } from './redis-store';

const limits = { entryAgeMsMax: 10_000, logPacketsMax: 100, logBytesMax: 10_000, journalBytesMax: 100_000 };

describe.skipIf(!hasRedis)('with a Redis', () => {
  let server: RedisServer;
  const stores: RedisStore[] = [];
  let prefixes = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });
  afterAll(() => server.end());

  storeSuite('the store in Redis', () => {
    let ahead = 0;
    const prefix = `suite${++prefixes}`;
    const its: RedisStore[] = [];
    return {
      node() {
        const store = new RedisStore({
          ...{ platform: systemPlatform, limits, codec: msgpack(), prefix, where: server.url },
          connect: () =>
            new Redis(server.port, '127.0.0.1', { lazyConnect: true, enableOfflineQueue: false, protocol: 2 }),
          keyspace: keyspaceOf(prefix, ['0']),
          aheadMs: () => ahead,
        });
        stores.push(store);
        its.push(store);
        return store;
      },
      async elapse(ms) {
        ahead += ms;
        // What one has said goes first, then what others have to hear.
        for (let i = 0; i < 2; i++) {
          for (const store of its) if (store.state === 'up') await store.roundTrip();
        }
      },
    };
  });
});
