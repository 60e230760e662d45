// Servers that share a real Redis: what one emits reaches the members of all, and a session goes on when its server is gone.

import { type RedisOptions, redis } from '@halyard/adapter-redis';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { node, Server, type Warning } from '@halyard/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Engine, engines } from '../kit/engines';
import { type KillableServer, killable } from '../kit/killable';
import { lab } from '../kit/on-redis';
import { RedisCluster } from '../kit/redis-cluster';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

/** As `lab`, by options. */
function labBy() {
  const { serve, ...others } = lab();
  const enter = (io: Server): void => void io.on('connection', (socket) => void socket.join('room'));
  return {
    ...others,
    serve: (options: RedisOptions, count: number, app: (io: Server, index: number) => void = enter) =>
      serve(count, app, { adapter: redis(options) }),
  };
}

describe.skipIf(!hasRedis).each(engines)('servers that share %s', (_name, start) => {
  const { serve, client } = labBy();
  let store: Engine;
  let prefixes = 0;

  beforeAll(async () => {
    store = await start();
  });
  afterAll(() => store.end());

  const options = (): RedisOptions => ({ ...store.options, prefix: `test${prefixes++}` });

  test('what is said to a room reaches its members at all of them, once and in one order', async () => {
    const [a, b] = (await serve(options(), 2, (io) => io.on('connection', (socket) => socket.join('room')))) as [
      KillableServer,
      KillableServer,
    ];
    const ann = await client(a);
    const ben = await client(b, msgpack());
    const cid = await client(b);
    for (let i = 0; i < 50; i++) (i % 2 ? a : b).io.to('room').emit('said', `${i}`);
    await untilHolds(() => expect([ann.heard.length, ben.heard.length]).toEqual([50, 50]));
    expect(ann.heard).toEqual(ben.heard);
    expect(new Set(ann.heard).size).toBe(50);
    a.io.to('room').volatile.emit('said', 'volatile');
    await untilHolds(() => expect([ann.heard.at(-1), cid.heard.at(-1)]).toEqual(['volatile', 'volatile']));
    expect(await a.io.in('room').count()).toEqual({ count: 3, missing: [] });
  });

  test('a session goes on at another one when its own is killed, with what was said meanwhile', async () => {
    const [a, b] = (await serve(options(), 2, (io, index) =>
      io.on('connection', (socket) => {
        socket.join('room');
        socket.data.at ??= index;
        socket.on('where', () => `${index} ${socket.data.at} ${socket.recovered}`);
      }),
    )) as [KillableServer, KillableServer];
    const ann = await client(a);
    expect(await ann.socket.emitWithAck('where')).toBe('0 0 false');
    ann.route.to = b;
    await a.kill();
    b.io.to('room').emit('said', 'while nobody has it');
    await untilHolds(() => expect(ann.heard).toEqual(['while nobody has it']));
    expect(await ann.socket.emitWithAck('where')).toBe('1 0 true');
    expect(ann.socket.recovered).toBe(true);
  });

  test('a server that closes leaves its sessions to the others at once', async () => {
    const [a, b] = (await serve(options(), 2, (io, index) =>
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('where', () => index);
      }),
    )) as [KillableServer, KillableServer];
    const ann = await client(a);
    ann.route.to = b;
    a.io.to('room').emit('said', 'goodbye');
    await a.close();
    b.io.to('room').emit('said', 'hello');
    await untilHolds(() => expect(ann.heard).toEqual(['goodbye', 'hello']));
    expect(await ann.socket.emitWithAck('where')).toBe(1);
    expect(ann.socket.recovered).toBe(true);
  });
});

describe.skipIf(!hasRedis)('servers whose Redis fails', () => {
  const { cleanUp, serve, client } = labBy();

  test('what is wrong with it though it works is a warning of the server', async () => {
    const own = await RedisServer.start('--maxmemory-policy', 'allkeys-lru');
    cleanUp.push(() => own.end());
    const warnings: Warning[] = [];
    await serve({ url: own.url }, 1, (io) => void io.on('warning', (warning) => void warnings.push(warning)));
    expect(warnings).toEqual([
      { code: 'ERR_REDIS_EVICTION', count: 1, message: expect.stringContaining('Set it to noeviction') },
    ]);
  });

  test('listen fails with what to do, and nothing is left of it', async () => {
    const own = await RedisServer.start();
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', `${own.port}`);
    cleanUp.push(() => Promise.all([replica.end(), own.end()]));
    await own.tell('ACL SETUSER app on >pass ~halyard:* &halyard:* +@all -spublish');
    await own.tell('HSET other:{0}:terms version 0.9 codec msgpack codecs json age 1 count 1 bytes 1');
    const refused: readonly (readonly [RedisOptions, code: string, message: string])[] = [
      [{ url: 'redis://127.0.0.1:1' }, 'ERR_REDIS_UNREACHABLE', 'start it, or correct the option "url"'],
      [{ url: 'redis://nowhere.invalid' }, 'ERR_REDIS_UNREACHABLE', 'start it, or correct the option "url"'],
      [{ url: replica.url }, 'ERR_REDIS_REPLICA', 'give the address of its master'],
      [{ url: `redis://app:pass@127.0.0.1:${own.port}` }, 'ERR_REDIS_PERMISSION', 'allow it with ACL SETUSER'],
      [{ url: own.url, prefix: 'other' }, 'ERR_STORE_VERSION', 'give this one another "prefix"'],
    ];
    for (const [options, code, message] of refused) {
      const io = new Server({ host: node(), adapter: redis(options) });
      const refusal = await io.listen(0, '127.0.0.1').then(
        () => 'none',
        ({ code, message }) => [code, message],
      );
      expect([options, refusal]).toEqual([options, [code, expect.stringContaining(message)]]);
      await io.close();
    }
    await untilHolds(async () => expect((await own.tell('CLIENT LIST TYPE normal')).join()).not.toContain('user=app'));
    expect(await own.tell('PUBSUB SHARDCHANNELS *')).toEqual([]);
  });

  /** Two servers on a Redis of their own, each with a client in a room, and what they warn of. */
  async function twoInRoom() {
    const own = await RedisServer.start();
    cleanUp.push(() => own.end());
    const warnings: Warning[] = [];
    const enter = (io: Server): void => {
      io.on('warning', (warning) => void warnings.push(warning));
      io.on('connection', (socket) => void socket.join('room'));
    };
    const [a, b] = (await serve({ url: own.url }, 2, enter)) as [KillableServer, KillableServer];
    const [ann, ben] = [await client(a), await client(b)];
    return { own, warnings, a, b, ann, ben };
  }

  test('what no server has said, on any channel or under any key, is a warning, and nothing else', async () => {
    const { own, warnings, a, b, ann, ben } = await twoInRoom();
    await a.io.to('room').emitDurable('said', 'before');
    await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([['before'], ['before']]));
    const channels = await own.tell('PUBSUB SHARDCHANNELS *');
    expect(channels.length).toBeGreaterThan(4);
    for (const channel of channels) await own.tell(`SPUBLISH ${channel} "\\xff\\x00nonsense"`);
    await own.tell('XADD halyard:{0}:entries:4:room/ * junk x');
    await own.tell('SET halyard:{0}:log:5:other/ nonsense');
    await untilHolds(() => expect(warnings).toContainEqual(expect.objectContaining({ code: 'ERR_REDIS_MALFORMED' })));
    await b.io.to('room').emitDurable('said', 'after');
    await a.io.to('other').emitDurable('said', 'to nobody');
    await untilHolds(() =>
      expect([ann.heard, ben.heard]).toEqual([
        ['before', 'after'],
        ['before', 'after'],
      ]),
    );
    expect(await a.io.in('room').count()).toEqual({ count: 2, missing: [] });
  });

  test('a key that is of another type stops nobody: it is a warning, and all goes on', async () => {
    const { own, warnings, a, b, ann, ben } = await twoInRoom();
    const said = ['before'];
    await a.io.to('room').emitDurable('said', 'before');
    const keys = await own.tell('KEYS *');
    const ours = keys.filter((key) => /:(expiring|commits:.*|nodes|beat|terms)$/.test(key));
    expect(ours).toHaveLength(6);
    for (const key of ours) {
      await own.tell(`DEL ${key}`);
      await own.tell(`SET ${key} nonsense`);
      for (const { io } of [a, b]) {
        said.push(`${said.length}`);
        await io.to('room').emitDurable('said', said.at(-1));
      }
    }
    const cid = await client(b);
    await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([said, said]));
    await untilHolds(async () => expect(await a.io.in('room').count()).toEqual({ count: 3, missing: [] }));
    expect(cid.socket.connected).toBe(true);
    await untilHolds(() => expect(warnings).toContainEqual(expect.objectContaining({ code: 'ERR_REDIS_MALFORMED' })));
    await untilHolds(async () => expect((await own.tell(`TYPE halyard:{0}:expiring`))[0]).toBe('zset'));
  });

  test('what a server says once it is closed is not said, and does no harm', async () => {
    const failures: unknown[] = [];
    const failed = (reason: unknown) => void failures.push(reason);
    process.on('unhandledRejection', failed);
    cleanUp.push(() => process.off('unhandledRejection', failed));
    const own = await RedisServer.start();
    cleanUp.push(() => own.end());
    const [a] = (await serve({ url: own.url }, 1)) as [KillableServer];
    await a.io.close();
    a.io.to('room').emit('said', 'too late');
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([]);
  });

  test('Redis may be gone for a while: nobody is cut off, and what is said then comes when it is back', async () => {
    const own = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
    cleanUp.push(() => own.end());
    const adapter = redis({ url: own.url });
    const servers: KillableServer[] = [];
    for (let i = 0; i < 2; i++) {
      const app = (io: Server) => {
        io.on('connection', (socket) => void socket.join('room'));
        io.on('work', () => i);
      };
      const server = await killable(node(), { adapter, codecs: [json()] }, app);
      servers.push(server);
      cleanUp.push(() => server.close());
    }
    const [a, b] = servers as [KillableServer, KillableServer];
    const [ann, ben] = [await client(a), await client(b)];
    a.io.to('room').emit('said', '1');
    await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([['1'], ['1']]));
    await own.stop();
    a.io.to('room').emit('said', '2');
    b.io.to('room').emit('said', '3');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([ann.heard, ben.heard]).toEqual([['1'], ['1']]);
    await own.run();
    await untilHolds(() => expect([ann.heard.length, ben.heard.length]).toEqual([3, 3]));
    // What asks other servers has answers again too, at both.
    for (const [i, { io }] of [a, b].entries()) {
      await untilHolds(async () => {
        const sockets = await io.fetchSockets();
        expect([sockets.length, sockets.missing]).toEqual([2, []]);
        expect(await io.serverSideEmitWithAck('work')).toEqual({ replies: [1 - i], missing: [] });
      });
    }
    expect(ann.heard).toEqual(ben.heard);
    expect([ann.socket.connected, ben.socket.connected]).toEqual([true, true]);
  });

  test('a master of a Cluster may be killed: its replica goes on, and who lacks something has been told', async () => {
    const cluster = await RedisCluster.start({ replicas: 1, nodeTimeoutMs: 500 });
    cleanUp.push(() => cluster.end());
    // So many rooms are in all partitions of the master that is killed, and in others.
    const rooms = Array.from({ length: 50 }, (_, i) => `room ${i}`);
    const servers = await serve({ cluster: cluster.nodes }, 3, (io) => {
      // The loss is reported.
      io.on('error', () => {});
      io.on('warning', () => {});
      io.on('connection', (socket) => {
        for (const room of rooms) socket.join(room);
      });
    });
    const clients = await Promise.all(servers.map((server) => client(server)));
    const told = clients.map(() => 0);
    for (const [i, { socket }] of clients.entries()) {
      socket.on('connect', () => {
        if (!socket.recovered) told[i] = (told[i] as number) + 1;
      });
    }
    const said: string[] = [];
    const say = (what: string): void => {
      for (const [i, room] of rooms.entries()) {
        said.push(`${what} in ${room}`);
        servers[i % servers.length]?.io.to(room).emit('said', `${what} in ${room}`);
      }
    };
    const all = async (some: string[]): Promise<void> => {
      for (const { heard } of clients) {
        await untilHolds(() => expect(heard).toEqual(expect.arrayContaining(some)));
      }
    };
    say('before');
    await all(said);
    expect(await cluster.client(0).wait(1, 5_000)).toBe(1);
    // What the replica has not got is lost with its master.
    cluster.servers[3]?.halt();
    await cluster.client(0).call('CLIENT', 'KILL', 'TYPE', 'replica');
    say('lost');
    await all(said);
    await cluster.servers[0]?.stop();
    cluster.servers[3]?.goOn();
    say('meanwhile');
    // Until it comes again: by then all know what was lost, and are back.
    let [round, after] = [0, [] as string[]];
    await untilHolds(() => {
      const from = said.length;
      say(`after ${round++}`);
      after = said.slice(from);
      return vi.waitFor(
        () => {
          for (const { heard } of clients) expect(heard).toEqual(expect.arrayContaining(after));
        },
        { timeout: 3_000 },
      );
    });
    for (const [i, { heard }] of clients.entries()) {
      expect(new Set(heard).size).toBe(heard.length);
      if (told[i] === 0) expect(heard.toSorted()).toEqual(said.toSorted());
    }
    expect(await servers[0]?.io.in('room 1').count()).toEqual({ count: 3, missing: [] });
  });
});
