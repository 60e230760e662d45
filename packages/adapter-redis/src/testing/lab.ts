// Stores on one Redis or Cluster for which time passes when a test says so.
import { msgpack } from '@halyard/codec-msgpack';
import type { StoreContext } from '@halyard/server';
import { systemPlatform } from '../../../server/src/base/platform';
import { clusterTags, keyspaceOf } from '../keyspace';
import { RedisStore } from '../redis-store';
import { type WayOptions, wayOf } from '../way';

const unused = (name: string, what: string): never => {
  throw new Error(`${name} ${what}`);
};

/** @param prefix that no other test has on that Redis */
export function labOf(options: WayOptions, prefix: string, limits: StoreContext['limits']) {
  let ahead = 0;
  const way = wayOf(options, unused);
  const stores: RedisStore[] = [];
  /** What one has said goes first, then what others have to hear. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) {
      for (const store of stores) if (store.state === 'up') await store.roundTrip();
    }
  };
  const make = (isGuest: boolean): RedisStore => {
    const store = new RedisStore({
      ...{ ...way, platform: systemPlatform, limits, codec: msgpack(), codecs: [], prefix, isGuest },
      keyspace: keyspaceOf(prefix, way.cluster === undefined ? ['0'] : clusterTags),
      aheadMs: () => ahead,
      wait: undefined,
    });
    stores.push(store);
    return store;
  };
  return {
    prefix,
    stores,
    node: () => make(false),
    guest: () => make(true),
    settle,
    async elapse(ms: number): Promise<void> {
      ahead += ms;
      await settle();
    },
  };
}
