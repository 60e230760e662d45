// Servers that share a real Redis: what one emits reaches the members of all, and a session goes on when its server is gone.

import { redis } from '@halyard/adapter-redis';
import { connect, type Transport, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { node, type Server } from '@halyard/server';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type KillableServer, killable } from '../kit/killable';
import { hasRedis, RedisServer } from '../kit/redis-server';

describe.skipIf(!hasRedis)('servers that share a Redis', () => {
  const cleanUp: (() => unknown)[] = [];
  let store: RedisServer;
  let prefixes = 0;

  beforeAll(async () => {
    store = await RedisServer.start();
  });
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  afterAll(() => store.end());

  async function serve(count: number, app: (io: Server, index: number) => void = () => {}): Promise<KillableServer[]> {
    const adapter = redis({ url: store.url, prefix: `test${prefixes++}` });
    const servers: KillableServer[] = [];
    for (let i = 0; i < count; i++) {
      const server = await killable(node(), { adapter, codecs: [json(), msgpack()] }, (io) => app(io, i));
      servers.push(server);
      cleanUp.push(() => server.close());
    }
    return servers;
  }

  /** A client, at one server at a time. */
  async function client(to: KillableServer, codec = json()) {
    const route = { to };
    const transport: Transport = {
      open: (address, events) =>
        websocket().open({ ...address, url: `http://127.0.0.1:${route.to.io.port}/halyard` }, events),
    };
    const socket = connect('http://127.0.0.1', { reconnect: { delayMinMs: 1, delayMaxMs: 50 }, codec, transport });
    cleanUp.push(() => socket.connection.close());
    const heard: string[] = [];
    socket.on('said', (text: string) => void heard.push(text));
    await vi.waitFor(() => expect(socket.connected).toBe(true));
    return { socket, heard, route };
  }

  test('what is said to a room reaches its members at all of them, once and in one order', async () => {
    const [a, b] = (await serve(2, (io) => io.on('connection', (socket) => socket.join('room')))) as [
      KillableServer,
      KillableServer,
    ];
    const ann = await client(a);
    const ben = await client(b, msgpack());
    const cid = await client(b);
    for (let i = 0; i < 50; i++) (i % 2 ? a : b).io.to('room').emit('said', `${i}`);
    await vi.waitFor(() => expect([ann.heard.length, ben.heard.length]).toEqual([50, 50]));
    expect(ann.heard).toEqual(ben.heard);
    expect(new Set(ann.heard).size).toBe(50);
    a.io.to('room').volatile.emit('said', 'volatile');
    await vi.waitFor(() => expect([ann.heard.at(-1), cid.heard.at(-1)]).toEqual(['volatile', 'volatile']));
    expect(await a.io.in('room').count()).toEqual({ count: 3, missing: [] });
  });

  test('a session goes on at another one when its own is killed, with what was said meanwhile', async () => {
    const [a, b] = (await serve(2, (io, index) =>
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
    await vi.waitFor(() => expect(ann.heard).toEqual(['while nobody has it']), 20_000);
    expect(await ann.socket.emitWithAck('where')).toBe('1 0 true');
    expect(ann.socket.recovered).toBe(true);
  });

  test('a server that closes leaves its sessions to the others at once', async () => {
    const [a, b] = (await serve(2, (io, index) =>
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
    await vi.waitFor(() => expect(ann.heard).toEqual(['goodbye', 'hello']), 20_000);
    expect(await ann.socket.emitWithAck('where')).toBe(1);
    expect(ann.socket.recovered).toBe(true);
  });

  test('Redis may be gone for a while: nobody is cut off, and what is said then comes when it is back', async () => {
    const own = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
    cleanUp.push(() => own.end());
    const adapter = redis({ url: own.url });
    const servers: KillableServer[] = [];
    for (let i = 0; i < 2; i++) {
      const app = (io: Server) => void io.on('connection', (socket) => void socket.join('room'));
      const server = await killable(node(), { adapter, codecs: [json()] }, app);
      servers.push(server);
      cleanUp.push(() => server.close());
    }
    const [a, b] = servers as [KillableServer, KillableServer];
    const [ann, ben] = [await client(a), await client(b)];
    a.io.to('room').emit('said', '1');
    await vi.waitFor(() => expect([ann.heard, ben.heard]).toEqual([['1'], ['1']]));
    await own.stop();
    a.io.to('room').emit('said', '2');
    b.io.to('room').emit('said', '3');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([ann.heard, ben.heard]).toEqual([['1'], ['1']]);
    await own.run();
    await vi.waitFor(() => expect([ann.heard.length, ben.heard.length]).toEqual([3, 3]), 20_000);
    expect(ann.heard).toEqual(ben.heard);
    expect([ann.socket.connected, ben.socket.connected]).toEqual([true, true]);
  });
});
