// Nodes on a Redis Cluster of which a part is away, or moves: the rest goes on, and nothing is lost without a word.
import type { Position } from '@halyard/protocol';
import type { CommitResult } from '@halyard/server';
import { Cluster } from 'ioredis';
import { describe, expect, test } from 'vitest';
import type { RedisCluster } from '../../../test/kit/redis-cluster';
import { hasRedis } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { slotOf } from './keyspace';
import { nodesOf, type TestNode } from './testing/nodes';

describe.skipIf(!hasRedis)('nodes on a Redis Cluster', () => {
  const nodes = nodesOf();

  /** @returns a log whose partition a master has */
  async function logAt(cluster: RedisCluster, { store }: TestNode, master: number): Promise<string> {
    for (let i = 0; ; i++) {
      const name = `room ${i}`;
      if ((await cluster.masterOf(slotOf(store.partitionOf(name)))) === master) return name;
    }
  }

  /** Calls until there is an answer, as a server does. */
  const until = <Answer>(call: () => Promise<Answer>): Promise<Answer> => untilHolds(call);

  test('go on at a replica when a master is killed, and the others all the while', async () => {
    const options = ['--cluster-require-full-coverage', 'no'];
    const cluster = await nodes.startCluster({ replicas: 1, nodeTimeoutMs: 500, options });
    const [a, b] = [
      await nodes.open({ cluster: cluster.nodes }, 'a'),
      await nodes.open({ cluster: cluster.nodes }, 'b'),
    ];
    // The first one has the first partition, where nodes say that they are there.
    const [lost, kept] = [await logAt(cluster, a, 0), await logAt(cluster, a, 1)];
    for (const { store } of [a, b]) for (const log of [lost, kept]) await store.follow(log);
    const before = (await a.append(lost, 'replicated')) as CommitResult;
    expect(await cluster.client(0).wait(1, 5_000)).toBe(1);
    // What the replica has not got is lost with its master.
    cluster.servers[3]?.halt();
    await cluster.client(0).call('CLIENT', 'KILL', 'TYPE', 'replica');
    const acknowledged = (await a.append(lost, 'lost')) as CommitResult;
    expect(acknowledged.positions[0]).toEqual([(before.positions[0] as Position)[0], 2]);
    await untilHolds(() => expect(b.heard).toContain(`entry ${lost} 2 lost`));
    await cluster.servers[0]?.stop();
    cluster.servers[3]?.goOn();
    await untilHolds(() => expect(a.store.state).toBe('degraded'));
    await expect(a.store.tops([lost])).rejects.toThrow();
    expect(await a.append(kept, 'meanwhile')).toMatchObject({ positions: [[expect.any(String), 1]] });
    await untilHolds(() => expect(b.heard).toContain(`entry ${kept} 1 meanwhile`));
    expect(await a.store.send('b', 'question')).toBe('answer to question of a');
    expect(await a.store.nodes()).toEqual(['a', 'b']);
    expect(await a.store.expired(9, 1_000)).toEqual([]);
    await untilHolds(() => expect([a.store.state, b.store.state]).toEqual(['up', 'up']));
    expect(await cluster.masterOf(slotOf(a.store.partitionOf(lost)), 1)).toBe(3);
    // Each is told that something may be missing, and finds out what: it is not what it had read.
    for (const { heard } of [a, b]) expect(heard).toContain('missed');
    const [state] = await b.store.tops([lost]);
    expect(state).toMatchObject({ epoch: (before.positions[0] as Position)[0], top: 1 });
    // Whose commits are lost is told so with the next one.
    const next = { number: 3, branch: 0, steps: [], records: [] };
    expect(await a.store.commit(a.store.partitionOf(lost), next)).toEqual({ last: 1 });
    expect(await a.append(lost, 'after')).toMatchObject({ positions: [[state?.epoch, 2]] });
    await untilHolds(() => expect(b.heard).toContain(`entry ${lost} 2 after`));
    expect(b.heard.filter((line) => /joined|left/.test(line))).toEqual([]);
    expect(a.heard.filter((line) => /joined|left/.test(line))).toEqual(['joined b']);

    // Nothing is lost when a replica takes over from a master that is there.
    await cluster.client(4).cluster('FAILOVER');
    await untilHolds(async () => expect(await cluster.masterOf(slotOf(a.store.partitionOf(kept)), 2)).toBe(4));
    for (let i = 2; i <= 5; i++) {
      const entry = { log: kept, stamp: i, except: [], places: [], earlier: 0, bodies: [`${i}`] };
      const commit = { number: i, branch: 0, steps: [entry], records: [] };
      expect(await until(() => a.store.commit(a.store.partitionOf(kept), commit))).toMatchObject({
        positions: [[expect.any(String), i]],
      });
    }
    await untilHolds(() => expect([a.store.state, b.store.state]).toEqual(['up', 'up']));
    await until(() => a.append(kept, 'last'));
    await untilHolds(() => expect(b.heard).toContain(`entry ${kept} 6 last`));
  });

  test('lose nothing when a slot moves to another master while they use it', async () => {
    const cluster = await nodes.startCluster();
    const [a, b] = [
      await nodes.open({ cluster: cluster.nodes }, 'a'),
      await nodes.open({ cluster: cluster.nodes }, 'b'),
    ];
    const log = await logAt(cluster, a, 0);
    const [epoch] = await b.store.follow(log);
    b.store.listen(log);
    let [isOver, count] = [false, 0];
    const writing = (async () => {
      while (!isOver) {
        await until(() => a.append(log, `${count + 1}`));
        count++;
      }
    })();
    await untilHolds(() => expect(count).toBeGreaterThan(50));
    const partition = a.store.partitionOf(log);
    await cluster.migrate(slotOf(partition), 1, async () => {
      // While it is on its way nobody has it: half of it would be here and half there.
      await untilHolds(() => expect(a.store.state).toBe('degraded'));
      await expect(b.store.read(log, 0, 1)).rejects.toThrow('ASK');
    });
    const then = count;
    await untilHolds(() => expect(count).toBeGreaterThan(then + 50));
    isOver = true;
    await writing;
    const page = await until(() => b.store.read(log, count - 10, 100));
    expect([page.epoch, page.top]).toEqual([epoch, count]);
    expect(page.entries.map(({ bodies }) => bodies[0])).toEqual(
      Array.from({ length: 10 }, (_, i) => `${count - 9 + i}`),
    );
    expect(b.heard).toContain('missed');
    // What is said from then on comes once, and from the new place.
    await untilHolds(() => expect(b.store.state).toBe('up'));
    await a.append(log, 'last');
    a.store.publish(log, [Buffer.from('said')]);
    await untilHolds(() => expect(b.heard).toContain(`volatile ${log} said`));
    expect(b.heard.filter((line) => line === `volatile ${log} said` || line.endsWith(' last'))).toEqual([
      `entry ${log} ${count + 1} last`,
      `volatile ${log} said`,
    ]);
  });

  test('are told what was missed at one master whose subscribers were cut, or are not told anything any more', async () => {
    const cluster = await nodes.startCluster();
    const a = await nodes.open({ cluster: cluster.nodes }, 'a');
    const log = await logAt(cluster, a, 2);
    await a.store.follow(log);
    await cluster.client(2).call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await untilHolds(() => expect(a.heard).toContain('missed'));
    await untilHolds(() => expect(a.store.state).toBe('up'));
    await a.append(log, 'after');
    await untilHolds(() => expect(a.heard).toContain(`entry ${log} 1 after`));
    // Who is not subscribed at one of them hears it by another.
    const b = await nodes.open({ cluster: cluster.nodes }, 'b');
    const at = cluster.client(await cluster.masterOf(slotOf(b.store.partitionOf('b'))));
    const ids = [...`${await at.client('LIST', 'TYPE', 'PUBSUB')}`.matchAll(/^id=(\d+)/gm)].map(([, id]) => Number(id));
    await at.acl('SETUSER', 'default', '-ssubscribe');
    await at.client('KILL', 'ID', Math.max(...ids));
    await untilHolds(() => expect(b.store.state).not.toBe('up'));
    expect(await a.store.send('b', 'question')).toBe('answer to question of a');
    await expect(a.store.send('nobody', 'question')).rejects.toMatchObject({ code: 'ERR_NODE_UNKNOWN' });
    await at.acl('SETUSER', 'default', '+ssubscribe');
    await untilHolds(() => expect(b.store.state).toBe('up'));
    // One master stands still: it is away for all that is known, and the others are not.
    cluster.servers[2]?.halt();
    await untilHolds(() => expect(a.store.state).toBe('degraded'));
    cluster.servers[2]?.goOn();
    await untilHolds(() => expect(a.store.state).toBe('up'));
  });

  test('may be given by a Cluster of the app, which stays as it is', async () => {
    const cluster = await nodes.startCluster({ masters: 1, options: ['--requirepass', 'secret'] });
    const client = new Cluster([cluster.nodes[0] as object], { redisOptions: { password: 'secret' } });
    nodes.cleanUp.push(() => client.disconnect());
    const { append, store } = await nodes.open({ client });
    await append('room', 'a');
    await store.close();
    expect(await client.ping()).toBe('PONG');
    const { url } = cluster.servers[0] as { url: string };
    const refusal = (options: Parameters<typeof nodes.open>[0]) =>
      nodes.open(options).then(
        () => 'none',
        ({ code }) => code,
      );
    expect(await refusal({ cluster: cluster.nodes })).toBe('ERR_REDIS_PASSWORD');
    expect(await refusal({ url: url.replace('//', '//:secret@') })).toBe('ERR_REDIS_CLUSTER');
    const [, port] = url.split('127.0.0.1:');
    const byUrl = await nodes.open({ cluster: [`redis://:secret@127.0.0.1:${port}`] });
    await byUrl.append('room', 'b');
    const single = await nodes.start();
    expect(await refusal({ cluster: [single.url] })).toBe('ERR_REDIS_CLUSTER');
    expect(await refusal({ cluster: ['redis://127.0.0.1:1'] })).toBe('ERR_REDIS_UNREACHABLE');
  });
});
