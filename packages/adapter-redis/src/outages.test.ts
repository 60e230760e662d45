// What happens to a node when its Redis, or a connection to it, is gone for a while: nothing is lost without a word.
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type Path, pathTo } from '../../../test/kit/path';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { nodesOf } from './testing/nodes';

async function replicasOf(sentinel: string): Promise<number> {
  const client = new Redis(sentinel);
  try {
    const all = (await client.call('SENTINEL', 'REPLICAS', 'quick')) as unknown[];
    return all.length;
  } finally {
    client.disconnect();
  }
}

describe.skipIf(!hasRedis)('a node', () => {
  const nodes = nodesOf();
  const { cleanUp, start } = nodes;

  /** A way to Redis that is gone with the test. */
  async function path(port: number): Promise<Path> {
    const its = await pathTo(port);
    cleanUp.push(its.cut);
    return its;
  }

  test('goes on after its Redis was started anew: what it follows is followed, and it is told that something was missed', async () => {
    const server = await start();
    const { store, heard, append } = await nodes.open({ url: server.url });
    const other = await nodes.open({ url: server.url });
    const [epoch] = await store.follow('room');
    store.listen('channel');
    await append('room', 'before');
    await server.stop();
    await untilHolds(() => expect(heard).toContain('degraded'));
    // One of its connections may know of it before the other.
    await untilHolds(() => expect(store.tops(['room'])).rejects.toThrow('no connection to Redis'));
    await server.run();
    await untilHolds(() => expect(heard).toContain('missed'));
    await untilHolds(() => expect([store.state, other.store.state]).toEqual(['up', 'up']));
    const [state] = await store.tops(['room']);
    expect([state?.epoch === epoch, state?.top]).toEqual([false, 0]);
    await other.append('room', 'after');
    other.store.publish('channel', [Buffer.from('said')]);
    await untilHolds(() => expect(heard.slice(-2).sort()).toEqual(['entry room 1 after', 'volatile channel said']));
    expect(heard.filter((line) => /joined|left/.test(line))).toEqual(['joined node 1']);
    expect(await store.send('node 1', 'question')).toBe('answer to question of node 0');
  });

  test('is told what was missed when its subscriptions were cut', async () => {
    const server = await start();
    const { store, heard } = await nodes.open({ url: server.url }, 'a');
    const other = await nodes.open({ url: server.url }, 'b');
    await store.follow('room');
    const admin = new Redis(server.url);
    cleanUp.push(() => admin.disconnect());
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await untilHolds(() => expect(heard).toContain('missed'));
    await other.append('room', 'after');
    await untilHolds(() => expect(heard).toContain('entry room 1 after'));
  });

  test('finds out that nothing is told any more, though its connection is open', async () => {
    const server = await start();
    const { url, silence } = await path(server.port);
    const { store, heard } = await nodes.open({ url }, 'a');
    const other = await nodes.open({ url: server.url }, 'b');
    await store.follow('room');
    silence();
    await other.append('room', 'not told');
    await untilHolds(() => expect(heard).toContain('missed'));
    expect(heard).not.toContain('entry room 1 not told');
    await other.append('room', 'told');
    await untilHolds(() => expect(heard).toContain('entry room 2 told'));
    await untilHolds(() => expect(store.state).toBe('up'));
  });

  test('that says nothing is gone for the others after six seconds', async () => {
    const server = await start();
    const { heard } = await nodes.open({ url: server.url }, 'a');
    const b = await nodes.open({ url: server.url }, 'b');
    b.freeze();
    await untilHolds(() => expect(heard.filter((line) => /joined|left/.test(line))).toEqual(['joined b', 'left b']));
  });

  test('gets an answer that could not be said at once: the connection for commands of who answers was away', async () => {
    const server = await start();
    const { store } = await nodes.open({ url: server.url }, 'a');
    const b = await nodes.open({ url: server.url }, 'b');
    const admin = new Redis(server.url);
    cleanUp.push(() => admin.disconnect());
    const idOf = async (): Promise<string[]> =>
      String(await admin.call('CLIENT', 'LIST', 'TYPE', 'normal'))
        .split('\n')
        .filter((line) => /cmd=(?!client)/.test(line))
        .map((line) => /id=(\d+)/.exec(line)?.[1] ?? '');
    const asked = store.send('b', 'once it is away');
    await untilHolds(() => expect(b.heard).toContain('asked'));
    for (const id of await idOf()) await admin.call('CLIENT', 'KILL', 'ID', id);
    expect(await asked).toBe('answer to a');
  });

  test('waits for no answer of one that does not listen any more, long before that is gone', async () => {
    const server = await start();
    const { store, heard } = await nodes.open({ url: server.url }, 'a');
    const { url, cut } = await path(server.port);
    const b = await nodes.open({ url }, 'b');
    const asked = store.send('b', 'for ever').catch((error: unknown) => error);
    await untilHolds(() => expect(b.heard).toContain('asked for ever'));
    cut();
    expect(await asked).toMatchObject({ code: 'ERR_NODE_UNKNOWN', details: { wasAsked: true } });
    expect(heard).not.toContain('left b');
  });

  test('takes nobody for dead when Redis stood still for all of them', async () => {
    const server = await start();
    const { store, heard } = await nodes.open({ url: server.url }, 'a');
    await nodes.open({ url: server.url }, 'b');
    server.halt();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect(store.state).toBe('degraded');
    server.goOn();
    await untilHolds(() => expect(store.state).toBe('up'));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(heard.filter((line) => /joined|left/.test(line))).toEqual(['joined b']);
    expect(await store.nodes()).toEqual(['a', 'b']);
  });

  test('that is closed leaves no connection, and may be opened again', async () => {
    const server = await start();
    const { store } = await nodes.open({ url: server.url });
    const admin = new Redis(server.url);
    cleanUp.push(() => admin.disconnect());
    const connections = async (): Promise<number> => `${await admin.client('LIST')}`.trim().split('\n').length;
    expect(await connections()).toBe(3);
    await store.close();
    await untilHolds(async () => expect(await connections()).toBe(1));
    await expect(store.nodes()).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' });
  });

  test('finds the master that Sentinels have chosen, when the one before is gone', async () => {
    const master = await start();
    const replica = await start('--replicaof', '127.0.0.1', `${master.port}`);
    const sentinel = await RedisServer.watch('quick', master);
    cleanUp.push(() => sentinel.end());
    // It asks its master every ten seconds who follows that.
    await untilHolds(async () => expect(await replicasOf(sentinel.url)).toBe(1));
    const { heard, store, append } = await nodes.open({
      redis: { name: 'quick', sentinels: [{ host: '127.0.0.1', port: sentinel.port }] },
    });
    await store.follow('room');
    await append('room', 'before');
    await master.stop();
    await untilHolds(() => expect(heard).toContain('missed'));
    await untilHolds(() => expect(store.state).toBe('up'));
    // The connection for commands may notice later than the one that listens: a commit that fails is the same one again.
    await untilHolds(() => append('room', 'after'));
    // It may be told once more that all is well.
    await untilHolds(() => expect(heard.filter((line) => /^entry room [12] after$/.test(line))).toHaveLength(1));
    const client = new Redis(replica.url);
    cleanUp.push(() => client.disconnect());
    expect(await client.role()).toContain('master');
  });
});
