// The store in Redis and the one in memory are asked the same things, by chance, and have to answer and to tell the same.
import { VirtualClock } from '@halyard/harness/clock';
import { type Random, seededRandom } from '@halyard/harness/random';
import type { Position } from '@halyard/protocol';
import { type Commit, type CommitResult, memory, type RecordWrite, type Step, type Store } from '@halyard/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisCluster } from '../../../test/kit/redis-cluster';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { platformOf } from '../../server/src/base/platform';
import { TimerWheel } from '../../server/src/base/wheel';
import { clusterTags, keyspaceOf } from './keyspace';
import { labOf } from './testing/lab';
import { Listening } from './testing/listener';
import type { WayOptions } from './way';

const limits = { entryAgeMsMax: 10_000, logPacketsMax: 5, logBytesMax: 40, journalBytesMax: 100_000 };
// What is committed together is of one partition, in a Cluster too.
const { partitionOf } = keyspaceOf('', clusterTags);
const named = (kind: string): string[] =>
  Array.from({ length: 1_000 }, (_, i) => `${kind} ${i}`).filter((name) => partitionOf(name) === 5);
const [logs, sessions] = [named('log').slice(0, 2), named('session').slice(0, 2)];
const steps = 150;

/** Two nodes on one store, and what it calls epochs and leases by the order in which they came. */
class Twin {
  readonly nodes: { readonly store: Store; readonly events: Listening; number: number; branch: number }[] = [];
  readonly leases = new Map<string, string>();
  readonly #names = new Map<string, string>();

  async add(store: Store): Promise<void> {
    const events = new Listening();
    await store.open(`node ${this.nodes.length}`, events);
    this.nodes.push({ store, events, number: 0, branch: 0 });
  }

  name(epoch: string): string {
    if (epoch === '') return '';
    const name = this.#names.get(epoch) ?? `epoch ${this.#names.size}`;
    this.#names.set(epoch, name);
    return name;
  }

  positions(all: readonly Position[]): unknown {
    return all.map(([epoch, offset]) => [this.name(epoch), offset]);
  }

  record(parts: ReadonlyMap<string, unknown>): unknown {
    const plain = [...parts].map(([part, value]) => {
      const [epoch, offset] = String(value).split(' ');
      return part.startsWith('at') ? [part, this.name(epoch as string), offset] : [part, String(value)];
    });
    return plain.sort();
  }

  /** What its nodes were told since it was asked last. */
  told(): unknown {
    const here = /^(entry|letter|renewed)/;
    return this.nodes.map(({ events }) => events.heard.splice(0).filter((line) => here.test(line)));
  }
}

/** Something to ask both, and how the answer is put so that it may be compared. */
type Question = (twin: Twin) => Promise<unknown>;

function questions(random: Random): Question {
  const one = <Item>(items: readonly Item[]): Item => items[random.int(items.length)] as Item;
  const at = random.int(2);
  const log = one(logs);
  const session = one(sessions);
  const nonces = ['n', 'm'];
  const stepOf = (i: number): Step => {
    const key = random.chance(0.2) ? one(['k', 'l']) : undefined;
    const stamp = random.int(1_000);
    const text = 'x'.repeat(random.int(20));
    if (random.chance(0.2)) return { topOf: one(logs) };
    if (random.chance(0.4)) return { to: one(sessions), stamp: random.int(3), body: text, key };
    const elsewhere = Array.from({ length: one([1, 16, 40]) }, (_, at): Position => ['elsewhere', at]);
    const places = i > 0 && random.chance(0.3) ? [random.int(i), ...elsewhere] : [];
    return {
      log: one(logs),
      stamp,
      except: random.chance(0.3) ? ['someone'] : [],
      places,
      earlier: places.length,
      bodies: [text, undefined],
      key,
      latest: random.chance(0.5) ? one(['p', 'q']) : undefined,
    };
  };
  switch (random.int(12)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const its = Array.from({ length: random.int(5) }, (_, i) => stepOf(i));
      const records = sessions
        .filter(() => random.chance(0.5))
        .map((id): RecordWrite => {
          const places: [string, number | Position][] = its.length > 0 ? [['at', random.int(its.length)]] : [];
          const parts = new Map<string, string | undefined>([['a', `${random.int(9)}`]]);
          if (random.chance(0.5)) parts.set('b', random.chance(0.5) ? undefined : 'b');
          return {
            ...{
              session: id,
              nonce: random.chance(0.8) ? 'n' : 'm',
              generation: random.int(5),
              isWhole: random.chance(0.6),
            },
            ...{ keptMs: one([13_000, 50_000]), positions: new Map(places) },
            mail: { number: random.int(6), node: one(['node 0', 'node 1']), stamp: random.int(3) },
            parts: random.chance(0.1) ? undefined : parts,
          };
        });
      const [isWrong, isRepeated] = [random.chance(0.1), random.chance(0.2)];
      return async (twin) => {
        const node = twin.nodes[at] as Twin['nodes'][number];
        const commit: Commit = { number: node.number + (isWrong ? 2 : 1), branch: node.branch, steps: its, records };
        const answers: unknown[] = [];
        for (let i = 0; i < (isRepeated ? 2 : 1); i++) {
          const result = await node.store.commit(node.store.partitionOf(logs[0] as string), commit);
          if ('last' in result) answers.push(result);
          else answers.push({ ...result, positions: twin.positions((result as CommitResult).positions) });
        }
        if (!isWrong) node.number++;
        return answers;
      };
    }
    case 4: {
      const [nonce, newNonce] = random.chance(0.5) ? nonces : nonces.toReversed();
      // As far from what passes as everything here.
      const [generation, keptMs] = [random.int(9), random.int(10) * 6_000 + 3_000];
      const claim = { session, nonce: nonce as string, newNonce: newNonce as string, generation, keptMs };
      return async (twin) => twin.nodes[at]?.store.claim(claim);
    }
    case 5:
      return async (twin) => {
        const stored = await twin.nodes[at]?.store.session(session);
        return typeof stored === 'object' ? { ...stored, record: twin.record(stored.record) } : stored;
      };
    case 6: {
      const [after, count] = [random.int(8), random.int(4)];
      return async (twin) => (await twin.nodes[at]?.store.letters(session, after, count))?.map((one) => ({ ...one }));
    }
    case 7: {
      const [after, count] = [random.int(12), 1 + random.int(4)];
      return async (twin) => {
        const page = await (twin.nodes[at] as Twin['nodes'][number]).store.read(log, after, count);
        const entries = page.entries.map(({ offset, stamp, node, after, places, earlier, except, bodies, latest }) => ({
          ...{ offset, stamp, node, after, except, bodies, latest },
          earlier: twin.positions(places.slice(0, earlier)),
        }));
        return { ...page, epoch: twin.name(page.epoch), entries };
      };
    }
    case 8: {
      const isOther = random.chance(0.2);
      return async (twin) => {
        const { store } = twin.nodes[at] as Twin['nodes'][number];
        const [state] = await store.tops([log]);
        if (state === undefined) return undefined;
        const [epoch, top] = await store.renew(log, isOther ? 'another' : state.epoch);
        return [twin.name(epoch), top];
      };
    }
    case 9: {
      const isOn = random.chance(0.6);
      return async (twin) => {
        const { store } = twin.nodes[at] as Twin['nodes'][number];
        if (isOn) return twin.positions([await store.follow(log)]);
        store.unfollow(log);
        return undefined;
      };
    }
    default: {
      const [leaseMs, isForgotten] = [one([13_000, 50_000]), random.chance(0.5)];
      return async (twin) => {
        const { store } = twin.nodes[at] as Twin['nodes'][number];
        const expired = [...(await store.expired(9, leaseMs))].sort((a, b) => (a.session < b.session ? -1 : 1));
        for (const { session, lease } of expired) {
          // The lease before is nobody's any more.
          const before = twin.leases.get(session);
          if (before !== undefined) await store.forget(session, before);
          twin.leases.set(session, lease);
          if (isForgotten) await store.forget(session, lease);
        }
        return expired.map(({ session, record }) => [session, twin.record(record)]);
      };
    }
  }
}

async function compare(seed: number, options: WayOptions): Promise<void> {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  const adapter = memory({ shared: true });
  const lab = labOf(options, `twin${seed}`, limits);
  const [one, other] = [new Twin(), new Twin()];
  for (let i = 0; i < 2; i++) {
    const platform = platformOf(clock);
    await one.add(adapter({ platform, wheel: new TimerWheel(platform), limits, codecs: [] }) as Store);
    await other.add(lab.node());
  }
  // In Redis real time goes on as well.
  let seen = performance.now();
  const goOn = (): void => {
    const ms = Math.floor(performance.now() - seen);
    seen += ms;
    clock.advance(ms);
  };
  try {
    for (let i = 0; i < steps; i++) {
      goOn();
      const ask = questions(random);
      expect(await ask(other), `step ${i}`).toEqual(await ask(one));
      await lab.settle();
      expect(other.told(), `told in step ${i}`).toEqual(one.told());
      // Apart from every bound by a second at least: a step takes time.
      if (random.chance(0.15)) {
        const ms = random.chance(0.2) ? 100_000 : 6_000;
        clock.advance(ms);
        await lab.elapse(ms);
      }
      // A log that nobody uses may stay longer in Redis.
      for (const { nodes } of [one, other]) await nodes[0]?.store.tops(logs);
    }
  } finally {
    await Promise.all(lab.stores.map((store) => store.close()));
  }
}

const seeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);

describe.skipIf(!hasRedis)('the stores in Redis and in memory', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.end());

  test.each(seeds(12))('are twins, seed %i', (seed) => compare(seed, { url: server.url }));
});

describe.skipIf(!hasRedis)('the stores in a Redis Cluster and in memory', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  afterAll(() => cluster.end());

  test.each(seeds(4))('are twins, seed %i', (seed) => compare(seed, { cluster: cluster.nodes }));
});
