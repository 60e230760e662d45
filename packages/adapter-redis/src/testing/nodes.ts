// Nodes of a test on a Redis of its own, as servers have them: all are gone when the test is over.
import type { Codec } from '@halyard/codec';
import type { Commit, NewEntry } from '@halyard/server';
import { afterEach } from 'vitest';
import { type ClusterMembers, RedisCluster } from '../../../../test/kit/redis-cluster';
import { RedisServer } from '../../../../test/kit/redis-server';
import { platformOf, systemPlatform } from '../../../server/src/base/platform';
import { TimerWheel } from '../../../server/src/base/wheel';
import { type RedisOptions, redis } from '../redis';
import type { RedisStore } from '../redis-store';
import { Listening } from './listener';

const limits = { entryAgeMsMax: 60_000, logPacketsMax: 100, logBytesMax: 10_000, journalBytesMax: 100_000 };

export interface TestNode {
  readonly store: RedisStore;
  readonly heard: string[];
  /** Nothing of it happens any more, and it says nothing. */
  freeze(): void;
  /** The next commit of the node to a partition. */
  commit(partition: number, what: Pick<Commit, 'steps' | 'records'>): Promise<unknown>;
  /** Appends to a log, in a commit. */
  append(log: string, text: string): Promise<unknown>;
}

export function nodesOf() {
  const cleanUp: (() => unknown)[] = [];
  let names = 0;
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  return {
    cleanUp,
    async start(...options: string[]): Promise<RedisServer> {
      const server = await RedisServer.start(...options);
      cleanUp.push(() => server.end());
      return server;
    },
    async startCluster(members?: ClusterMembers): Promise<RedisCluster> {
      const cluster = await RedisCluster.start(members);
      cleanUp.push(() => cluster.end());
      return cluster;
    },
    /** A node that is not open yet. */
    make(options: RedisOptions, codecs: readonly Codec[] = []) {
      let isFrozen = false;
      const platform = platformOf({
        now: systemPlatform.now,
        after: (ms, run) => systemPlatform.after(ms, () => isFrozen || run()),
      });
      const store = redis(options)({ platform, wheel: new TimerWheel(platform), limits, codecs }) as RedisStore;
      cleanUp.push(() => store.close());
      return { store, freeze: () => (isFrozen = true) };
    },
    async open(options: RedisOptions, name = `node ${names++}`): Promise<TestNode> {
      const { store, freeze } = this.make(options);
      const events = new Listening();
      await store.open(name, events);
      const commits = new Map<number, { number: number; branch: number }>();
      const commit: TestNode['commit'] = async (partition, what) => {
        const last = commits.get(partition) ?? { number: 0, branch: 0 };
        commits.set(partition, last);
        const once = () => store.commit(partition, { number: last.number + 1, branch: last.branch, ...what });
        let result = await once();
        if ('last' in result) {
          last.number = result.last;
          last.branch++;
          result = await once();
        }
        last.number++;
        return result;
      };
      const append = (log: string, text: string): Promise<unknown> => {
        const entry: NewEntry = { log, stamp: 1, except: [], places: [], earlier: 0, bodies: [text] };
        return commit(store.partitionOf(log), { steps: [entry], records: [] });
      };
      return { store, heard: events.heard, freeze, commit, append };
    },
  };
}
