// What others fail at in the field, on a real Redis, when nothing much happens, or something is gone for a moment: a Redis that is started
// anew, one that has cut off who does not read, servers that come and go, clients that have nothing to say where they were.
import { redis } from '@halyard/adapter-redis';
import { json } from '@halyard/codec/json';
import type { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import type { KillableServer } from '../kit/killable';
import { onRedis, type RoutedClient } from '../kit/on-redis';
import { pathTo } from '../kit/path';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

type Two = [KillableServer, KillableServer];

const joinsRoom = (io: Server): unknown => io.on('connection', (socket) => socket.recovered || socket.join('room'));

/** What comes is lost without a word, for ever: nobody waits longer than this, in milliseconds. */

const { HALYARD_FIELD } = process.env;
const isFull = HALYARD_FIELD === 'full';

describe.skipIf(!hasRedis)('servers that share a Redis', () => {
  const { cleanUp, serve, client, adapter } = onRedis();

  async function startRedis(...options: string[]): Promise<RedisServer> {
    const own = await RedisServer.start(...options);
    cleanUp.push(() => own.end());
    return own;
  }

  /** Its connection is lost, and it comes back. @returns whether its session was */
  async function comesBack({ socket, cut, route }: RoutedClient, to: RoutedClient['route']['to'] = route.to) {
    const isBack = new Promise<boolean>((resolve) => socket.once('connect', ({ recovered }) => resolve(recovered)));
    route.to = to;
    cut();
    return isBack;
  }

  test('a client that is offline twice in a row, with nothing said meanwhile, is sent nothing again', async () => {
    const [a, b] = (await serve(2, joinsRoom)) as Two;
    const frames: string[] = [];
    const ann = await client(a, json(), (frame) => void frames.push(String(frame)));
    for (let i = 0; i < 3; i++) a.io.to('room').emit('said', `${i}`);
    a.io.to(ann.socket.id as string).emit('said', 'to ann');
    await untilHolds(() => expect(ann.heard.length).toBe(4));
    const before = [...ann.heard];
    frames.length = 0;
    for (const to of [a, a, b, b, a]) expect(await comesBack(ann, to)).toBe(true);
    // Whatever was to be sent again is sent by now.
    a.io.to('room').emit('said', 'last');
    await untilHolds(() => expect(ann.heard).toEqual([...before, 'last']));
    expect(frames.filter((frame) => frame.includes('"said"'))).toEqual([expect.stringContaining('"last"')]);
  });

  test('a client that has received nothing at all is back, and has what was said while it was away', async () => {
    const [a, b] = (await serve(2, joinsRoom)) as Two;
    const [ann, ben] = [await client(a), await client(a)];
    for (const [person, to] of [
      [ann, b],
      [ben, a],
    ] as const) {
      person.route.to = { io: { port: 1 } };
      const isBack = new Promise<boolean>((resolve) => {
        person.socket.once('connect', ({ recovered }) => resolve(recovered));
      });
      person.cut();
      await b.io.to('room').emitDurable('said', 'meanwhile');
      person.route.to = to;
      expect(await isBack).toBe(true);
    }
    await untilHolds(() => expect([ann.heard.length, ben.heard.length]).toEqual([2, 2]));
  });

  test('nor is a session lost that had nothing to hear, while it was there, for longer than it may be away', async () => {
    const recoveryWindowMs = 1_000;
    const [a, b] = (await serve(2, joinsRoom, { adapter: adapter(), recoveryWindowMs })) as Two;
    const [ann, ben] = [await client(a), await client(a)];
    a.io.to(ben.socket.id as string).emit('said', 'before');
    await new Promise((resolve) => setTimeout(resolve, 3 * recoveryWindowMs));
    const back = [comesBack(ann, b), comesBack(ben, a)];
    b.io.to('room').emit('said', 'after');
    expect(await Promise.all(back)).toEqual([true, true]);
    await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([['after'], ['before', 'after']]));
  });

  test('servers that come, say something and go are waited for by nobody', async () => {
    const its = adapter();
    const [a, b] = (await serve(2, joinsRoom, { adapter: its })) as Two;
    const ann = await client(a);
    for (const io of [a.io, b.io]) io.on('work', () => 'done');
    for (let i = 0; i < 3; i++) {
      const [c] = (await serve(1, joinsRoom, { adapter: its })) as [KillableServer];
      const ben = await client(c);
      c.io.to('room').emit('said', `${i}`);
      ben.socket.connection.close();
      await c.close();
      await untilHolds(() => expect(a.io.nodes()).toEqual([a.io.node, b.io.node]));
      // The time that is waited for servers is ten seconds.
      const began = performance.now();
      expect((await a.io.fetchSockets()).missing).toEqual([]);
      expect(await a.io.serverSideEmitWithAck('work')).toEqual({ replies: ['done'], missing: [] });
      expect(await b.io.in('room').count()).toMatchObject({ missing: [] });
      expect(performance.now() - began).toBeLessThan(5_000);
    }
    await untilHolds(() => expect(ann.heard).toEqual(['0', '1', '2']));
  });

  test('two services with other prefixes have nothing in common', async () => {
    const orders = (await serve(2, joinsRoom)) as Two;
    const chat = (await serve(2, joinsRoom)) as Two;
    const people = await Promise.all([...orders, ...chat].map((server) => client(server)));
    await orders[0].io.to('room').emitDurable('said', 'order');
    await chat[0].io.to('room').emitDurable('said', 'chat');
    chat[1].io.emit('said', 'chat');
    orders[1].io.to(people[2]?.socket.id as string).emit('said', 'nobody is there');
    orders[1].io.emit('said', 'order');
    await untilHolds(() => {
      expect(people.map(({ heard }) => heard.join())).toEqual(['order,order', 'order,order', 'chat,chat', 'chat,chat']);
    });
    for (const [a, b] of [orders, chat]) {
      expect(a.io.nodes()).toEqual([a.io.node, b.io.node]);
      expect((await a.io.fetchSockets()).length).toBe(2);
      expect(await b.io.in('room').count()).toEqual({ count: 2, missing: [] });
    }
  });

  test.each([
    ['empty', []],
    ['with what it had', ['--appendonly', 'yes', '--appendfsync', 'always']],
  ])('once a Redis is there again, %s, everything works at all servers', async (_how, options) => {
    const own = await startRedis(...options);
    const servers = await serve(3, joinsRoom, { adapter: redis({ url: own.url }), ackTimeoutMs: 1_000 });
    const people: RoutedClient[] = [];
    for (const [i, server] of servers.entries()) {
      server.io.on('work', () => i);
      // What is lost is reported.
      server.io.on('error', () => {});
      people.push(await client(server));
    }
    await servers[0]?.io.to('room').emitDurable('said', 'before');
    await untilHolds(() => expect(people.map(({ heard }) => heard)).toEqual([['before'], ['before'], ['before']]));
    const told = new Set<RoutedClient>();
    for (const person of people) {
      person.socket.on('connect', ({ recovered }) => void (recovered || told.add(person)));
    }
    await own.stop();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await own.run();
    const began = performance.now();
    const ids = (): unknown[] => people.map(({ socket }) => socket.id).toSorted();
    for (const [i, { io }] of servers.entries()) {
      await untilHolds(async () => {
        const sockets = await io.fetchSockets();
        expect([sockets.map(({ id }) => id).toSorted(), sockets.missing]).toEqual([ids(), []]);
        const { replies, missing } = await io.serverSideEmitWithAck('work');
        expect([replies.toSorted(), missing]).toEqual([[0, 1, 2].filter((one) => one !== i), []]);
        await io.to('room').emitDurable('said', `after ${i}`);
      });
    }
    const after = ['after 0', 'after 1', 'after 2'];
    // Who was told that something is lost, and has another session, may have come after some of it.
    await untilHolds(() => {
      for (const person of people) if (!told.has(person)) expect(person.heard).toEqual(expect.arrayContaining(after));
    });
    await servers[0]?.io.to('room').emitDurable('said', 'at last');
    await untilHolds(() => {
      for (const { heard } of people) expect(heard).toContain('at last');
    });
    // On a machine with nothing else to do.
    if (isFull) expect(performance.now() - began).toBeLessThan(5_000);
    expect(people.map(({ socket }) => socket.connected)).toEqual([true, true, true]);
    for (const { heard } of people) expect(new Set(heard).size).toBe(heard.length);
  });

  test('who asks while a Redis is gone is told who is missing, and who closes then what is lost', async () => {
    const own = await startRedis();
    const [a, b] = (await serve(2, joinsRoom, { adapter: redis({ url: own.url }) })) as Two;
    const errors: unknown[] = [];
    const warnings: string[] = [];
    a.io.on('error', (error) => void errors.push(error));
    a.io.on('warning', ({ code, message }) => void warnings.push(`${code} ${message}`));
    await own.stop();
    await untilHolds(() => expect(a.io.health().ready).toBe(false));
    for (let i = 0; i < 50; i++) expect((await a.io.fetchSockets()).missing).toEqual([b.io.node]);
    expect(errors).toEqual([]);
    expect(warnings[0]).toMatch(/^ERR_STORE_AWAY .* could not be asked for "sockets"/);
    a.io.emit('said', 'lost');
    await a.close();
    expect(errors).toEqual([]);
    // Which is told if it is gone for longer than two seconds.
    expect(warnings.slice(1).filter((warning) => !warning.startsWith('ERR_REDIS_UNREACHABLE '))).toEqual([
      expect.stringMatching(/^ERR_NOT_STORED The server closes, .* [1-9]\d* bytes of/),
    ]);
  });

  test('a subscriber that is slow, and cut off by Redis for that, has lost nothing', async () => {
    // Without it: 32 MiB, as it is.
    const limit = isFull ? [] : ['--client-output-buffer-limit', 'pubsub 1mb 0 0'];
    const own = await startRedis(...limit);
    const path = await pathTo(own.port);
    cleanUp.push(path.cut);
    const prefix = 'field';
    const [a] = (await serve(1, joinsRoom, { adapter: redis({ url: own.url, prefix }) })) as [KillableServer];
    const [b] = (await serve(1, joinsRoom, { adapter: redis({ url: path.url, prefix }) })) as [KillableServer];
    const [ann, ben] = [await client(a), await client(b)];
    const recovered: boolean[] = [];
    for (const { socket } of [ann, ben]) socket.on('connect', (info) => void recovered.push(info.recovered));
    const much = 'x'.repeat(1 << 18);
    const said: string[] = [];
    const say = async (): Promise<void> => {
      said.push(`${said.length}`);
      await a.io.to('room').emitDurable('said', said.at(-1));
    };
    const subscribers = async () => (await own.tell('CLIENT LIST TYPE pubsub')).join().match(/\bid=/g)?.length ?? 0;
    while (path.endedByRedis === 0) {
      path.silence();
      expect(path.silent).toBe(1);
      // Until it is cut off at one end, which its own cannot know; or that does so, because nothing comes any more.
      while (path.silent > 0 && (await subscribers()) > 1) {
        for (let i = 0; i < 8; i++) a.io.to('room').volatile.emit('much', much);
        await say();
      }
      path.goOn();
      // Nothing that is said later shows what is missing.
      await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([said, said]));
    }
    expect(recovered).toEqual([]);
    await say();
    await untilHolds(() => expect([ann.heard, ben.heard]).toEqual([said, said]));
  });
});
