// What a process emits that serves nobody, to clients of real servers on each kind of Redis: once and in order, and without a trace.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Emitter, type EmitterOptions, type RedisOptions, redis } from '@halyard/adapter-redis';
import { connect, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { node, type Server } from '@halyard/server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, engines } from '../kit/engines';
import { type KillableServer, killable } from '../kit/killable';
import { hasRedis } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

const codecs = [json(), msgpack()];

describe.skipIf(!hasRedis).each(engines)('an emitter on %s', (_name, start) => {
  const cleanUp: (() => unknown)[] = [];
  let store: Engine;
  let prefixes = 0;

  beforeAll(async () => {
    store = await start();
  });
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  afterAll(() => store.end());

  const prefixOf = () => `emitter${prefixes++}`;

  function emitterOf(options: EmitterOptions, where: RedisOptions = store.options): Emitter {
    const emitter = new Emitter({ ...where, codecs, ackTimeoutMs: 5_000, ...options });
    cleanUp.push(() => emitter.close().catch(() => {}));
    return emitter;
  }

  async function serve(prefix: string, count: number, app: (io: Server, index: number) => void = () => {}) {
    const adapter = redis({ ...store.options, prefix });
    const servers: KillableServer[] = [];
    for (let i = 0; i < count; i++) {
      const server = await killable(node(), { adapter, codecs }, (io) => app(io, i));
      servers.push(server);
      cleanUp.push(() => server.close());
    }
    return servers.map(({ io }) => io) as [Server, ...Server[]];
  }

  async function client(io: Server, namespace = '/', codec = json()) {
    const socket = connect(`http://127.0.0.1:${io.port}${namespace}`, { codec, transport: websocket() });
    cleanUp.push(() => socket.connection.close());
    const heard: string[] = [];
    socket.on('said', (text: string) => void heard.push(text));
    socket.on('ask', (text: string) => `${text}!`);
    await untilHolds(() => expect(socket.connected).toBe(true));
    return { socket, heard };
  }

  test('reaches rooms, sockets and namespaces of all servers, each client once and in order', async () => {
    const prefix = prefixOf();
    const app = (io: Server) => {
      io.on('connection', (socket) => void socket.join('room', String(socket.handshake.auth.name ?? 'other')));
      io.of('/chat').on('connection', (socket) => void socket.join('room'));
    };
    const [a, b] = (await serve(prefix, 2, app)) as [Server, Server];
    const [ann, ben] = [await client(a), await client(b, '/', msgpack())];
    const cid = await client(b, '/chat');
    const emitter = emitterOf({ prefix });
    const benId = ben.socket.id as string;
    for (let i = 0; i < 20; i++) emitter.to('room').emit('said', `${i}`);
    emitter.to('room').to('other').emit('said', 'both');
    emitter.to('room').except(benId).emit('said', 'not ben');
    emitter.to(benId).emit('said', 'ben');
    emitter.emit('said', 'all');
    emitter.of('/chat').in('room').emit('said', 'chat');
    await emitter.to('room').emitDurable('said', 'last');
    const numbers = Array.from({ length: 20 }, (_, i) => `${i}`);
    const forAnn = [...numbers, 'both', 'not ben', 'all', 'last'];
    // Different rooms may be of different masters, and none waits for another.
    const inOrder = store.options.cluster === undefined ? forAnn : [...numbers, 'not ben', 'last'];
    await untilHolds(() => {
      expect(ann.heard.filter((text) => inOrder.includes(text))).toEqual(inOrder);
      expect(ann.heard.toSorted()).toEqual(forAnn.toSorted());
      expect(ben.heard.toSorted()).toEqual([...numbers, 'both', 'ben', 'all', 'last'].toSorted());
      expect(cid.heard).toEqual(['chat']);
    });
    emitter.volatile.emit('said', 'volatile');
    await untilHolds(() => expect([ann.heard.at(-1), ben.heard.at(-1)]).toEqual(['volatile', 'volatile']));
  });

  test('says the first thing of its life volatile, if that is what it says', async () => {
    const prefix = prefixOf();
    const [a] = await serve(prefix, 1);
    const ann = await client(a);
    const emitter = emitterOf({ prefix });
    emitter.volatile.emit('said', 'volatile');
    await emitter.close();
    await untilHolds(() => expect(ann.heard).toEqual(['volatile']));
  });

  test('says what another one has said under the same key once', async () => {
    const prefix = prefixOf();
    const [a] = await serve(prefix, 1, (io) => io.on('connection', (socket) => socket.join('room')));
    const ann = await client(a);
    const id = ann.socket.id as string;
    for (const emitter of [emitterOf({ prefix }), emitterOf({ prefix })]) {
      await emitter.to('room').idempotencyKey('order 1').emitDurable('said', 'paid');
      await emitter.to(id).idempotencyKey('order 1').emitDurable('said', 'paid by you');
      await emitter.close();
    }
    await a.to('room').emitDurable('said', 'last');
    await untilHolds(() => expect(ann.heard.at(-1)).toBe('last'));
    expect(ann.heard).toEqual(['paid', 'paid by you', 'last']);
  });

  test('lists, counts, asks, moves and ends sockets, and is no server', async () => {
    const prefix = prefixOf();
    const asked: unknown[] = [];
    const app = (io: Server, index: number) => {
      io.on('connection', (socket) => void Object.assign(socket.data, { at: index }));
      io.on('work', (what) => {
        asked.push([index, what]);
        return index;
      });
    };
    const [a, b] = (await serve(prefix, 2, app)) as [Server, Server];
    const [ann, ben] = [await client(a), await client(b)];
    const emitter = emitterOf({ prefix });
    expect(await emitter.count()).toEqual({ count: 2, missing: [] });
    // None of these waits for the emitter, or tells of it.
    const other = emitterOf({ prefix });
    for (const one of [emitter, other, a, b]) {
      const sockets = await one.fetchSockets();
      expect([sockets.map(({ data }) => data.at).toSorted(), sockets.missing]).toEqual([[0, 1], []]);
    }
    for (const io of [a, b]) expect(io.nodes().toSorted()).toEqual([a.node, b.node].toSorted());
    expect(await a.serverSideEmitWithAck('work', 0)).toEqual({ replies: [1], missing: [] });

    const [found] = (await emitter.in(ben.socket.id as string).fetchSockets()) as unknown as [
      { join(r: string): void },
    ];
    found.join('found');
    await untilHolds(async () => expect((await emitter.in('found').count()).count).toBe(1));
    expect(await emitter.socketsJoin('room')).toEqual({ missing: [] });
    expect(a.of('/').rooms.get('room')?.size).toBe(1);
    expect(await emitter.in(ann.socket.id as string).socketsLeave('room')).toEqual({ missing: [] });
    expect([a.of('/').rooms.has('room'), b.of('/').rooms.has('room')]).toEqual([false, true]);
    expect((await emitter.timeout(2_000).emitWithAck('ask', 'why')).replies).toEqual(['why!', 'why!']);
    asked.length = 0;
    const { replies, missing } = await emitter.serverSideEmitWithAck('work', 1);
    expect([(replies as number[]).toSorted(), missing]).toEqual([[0, 1], []]);
    emitter.serverSideEmit('work', 2);
    await untilHolds(() => expect(asked.length).toBe(4));
    expect(await emitter.in('room').disconnectSockets()).toEqual({ missing: [] });
    await untilHolds(() => expect(ben.socket.connected).toBe(false));
    expect(await emitter.count()).toEqual({ count: 1, missing: [] });
  });

  test('lives for a second in a process of its own, and leaves nothing', async () => {
    const prefix = prefixOf();
    const adapter = redis({ ...store.options, prefix });
    const io = await killable(node(), { adapter, codecs: [json()] }, (its) =>
      its.on('connection', (socket) => socket.join('room')),
    );
    cleanUp.push(() => io.close());
    const ann = await client(io.io);
    const program = fileURLToPath(new URL('emit-and-exit.mjs', import.meta.url));
    const options = JSON.stringify({ ...store.options, prefix });
    const child = spawn(process.execPath, [program, options, 'bye'], { stdio: 'inherit' });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    await untilHolds(() => expect(ann.heard).toEqual(['bye 1', 'bye 2', 'bye 3']));
    expect(io.io.nodes()).toEqual([io.io.node]);
    const kept = (await store.tell(`KEYS ${prefix}:{*}:commits:*`)).filter((key) => !key.endsWith(io.io.node));
    expect(kept.length).toBe(1);
    expect(Number((await store.tell(`PTTL ${kept[0]}`))[0])).toBeLessThanOrEqual(10_000);
    const [nodes] = await store.tell(`KEYS ${prefix}:{*}:nodes`);
    expect(await store.tell(`ZRANGE ${nodes} 0 -1`)).toEqual([io.io.node]);
  });

  test('takes each of its options, and what is undefined is as if it were not said', async () => {
    const unsaid = { codecs: undefined, ackTimeoutMs: undefined, trustProxy: undefined, clock: undefined };
    const lines: unknown[] = [];
    const line = (...what: unknown[]): void => void lines.push(what);
    const logger = { debug: line, info: line, warn: line, error: line };
    const emitter = new Emitter({ url: 'redis://127.0.0.1:1', wait: undefined, prefix: undefined, ...unsaid, logger });
    emitter.emit('said', 'nobody hears it');
    await emitter.close().catch(() => {});
    expect(lines).not.toEqual([]);
  });

  test('keeps logs by the limits of the servers, and has their codecs', async () => {
    const prefix = prefixOf();
    const adapter = redis({ ...store.options, prefix });
    const options = { adapter, codecs, recoveryWindowMs: 3_600_000, logPacketsMax: 3 };
    const io = await killable(node(), options, (its) => its.on('connection', (socket) => socket.join('room')));
    cleanUp.push(() => io.close());
    await client(io.io);
    const emitter = emitterOf({ prefix });
    for (let i = 0; i < 9; i++) await emitter.to('room').emitDurable('said', `${i}`);
    const [key] = await store.tell(`KEYS ${prefix}:{*}:entries:4:room/`);
    expect(await store.tell(`XLEN ${key}`)).toEqual(['3']);
    expect(Number((await store.tell(`PTTL ${key}`))[0])).toBeGreaterThan(3_600_000);

    const wrong = emitterOf({ prefix, codecs: [json()] });
    wrong.on('error', () => {});
    await expect(wrong.emitDurable('said', '')).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('give it the same "codecs"'),
    });
  });

  test('waits while Redis is away, and what it has said comes when that is back', async () => {
    const prefix = prefixOf();
    const own = await start('--appendonly', 'yes', '--appendfsync', 'always');
    cleanUp.push(() => own.end());
    const io = await killable(node(), { adapter: redis({ ...own.options, prefix }), codecs }, (its) =>
      its.on('connection', (socket) => socket.join('room')),
    );
    cleanUp.push(() => io.close());
    const ann = await client(io.io);
    const emitter = emitterOf({ prefix }, own.options);
    await emitter.to('room').emitDurable('said', '1');
    await own.stop();
    emitter.to('room').emit('said', '2');
    await expect(emitter.timeout(200).to('room').emitDurable('said', '3')).rejects.toMatchObject({
      code: 'ERR_STORE_AWAY',
    });
    await own.run();
    await untilHolds(() => expect(ann.heard).toEqual(['1', '2', '3']));
  });

  test('says why it has never reached Redis, holds no more than its bound, and goes on when that is there', async () => {
    const prefix = prefixOf();
    const own = await start();
    cleanUp.push(() => own.end());
    await own.stop();
    const emitter = emitterOf({ prefix }, own.options);
    const reported: string[] = [];
    emitter.on('error', (error, { where }) => void reported.push(`${where}: ${(error as { code: string }).code}`));
    const unreachable = {
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringContaining('start it, or correct the option "url"'),
    };
    await expect(emitter.emitDurable('said', '1')).rejects.toMatchObject(unreachable);
    await expect(emitter.fetchSockets()).rejects.toMatchObject(unreachable);
    await expect(emitter.serverSideEmitWithAck('work')).rejects.toMatchObject(unreachable);
    // Nobody waits for these.
    emitter.socketsJoin('room');
    emitter.serverSideEmit('work');
    const full = emitterOf({ prefix }, own.options);
    full.on('error', () => {});
    const large = 'x'.repeat(1 << 20);
    expect(() => {
      for (let i = 0; i < 80; i++) full.emit('said', large);
    }).toThrow(expect.objectContaining({ code: 'ERR_STORE_AWAY' }));
    await expect(full.close()).rejects.toMatchObject(unreachable);
    expect(() => emitter.emit('said', () => {})).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    await own.run();
    await untilHolds(async () => expect(await emitter.count()).toEqual({ count: 0, missing: [] }));
    await untilHolds(() => emitter.emitDurable('said', 'last'));
    expect(reported).toEqual(['opening the store: ERR_REDIS_UNREACHABLE']);

    const late = emitterOf({ prefix }, { url: 'redis://127.0.0.1:1' });
    late.on('error', () => {});
    late.emit('said', '');
    await expect(late.close()).rejects.toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
  });

  test('goes on, and says so, when Redis has lost everything', async () => {
    const prefix = prefixOf();
    const own = await start();
    cleanUp.push(() => own.end());
    const io = await killable(node(), { adapter: redis({ ...own.options, prefix }), codecs }, (its) =>
      its.on('connection', (socket) => socket.join('room')),
    );
    cleanUp.push(() => io.close());
    const ann = await client(io.io);
    const states: string[] = [];
    ann.socket.connection.on('state', ({ to }) => void states.push(to));
    const emitter = emitterOf({ prefix }, own.options);
    for (let i = 0; i < 3; i++) await emitter.to('room').emitDurable('said', `${i}`);
    await untilHolds(() => expect(ann.heard).toEqual(['0', '1', '2']));
    await own.tell('FLUSHALL');
    await emitter.to('room').emitDurable('said', '3');
    await untilHolds(() => expect(ann.heard).toEqual(['0', '1', '2', '3']));
    await emitter.to('room').emitDurable('said', '4');
    await untilHolds(() => expect(ann.heard).toEqual(['0', '1', '2', '3', '4']));
    expect(states).toEqual([]);
  });

  test('is over once it is closed', async () => {
    const emitter = emitterOf({ prefix: prefixOf() });
    await emitter.emitDurable('said', '1');
    await emitter.close();
    await emitter.close();
    const closed = { code: 'ERR_EMITTER_CLOSED' };
    expect(() => emitter.emit('said', '2')).toThrow(expect.objectContaining(closed));
    expect(() => emitter.volatile.emit('said', '2')).toThrow(expect.objectContaining(closed));
    await expect(emitter.emitDurable('said', '2')).rejects.toMatchObject(closed);
    await expect(emitter.fetchSockets()).rejects.toMatchObject(closed);
    expect(() => emitter.serverSideEmit('work')).toThrow(expect.objectContaining(closed));
    // One that was never used has nothing to close.
    await emitterOf({ prefix: prefixOf() }).close();
  });
});
