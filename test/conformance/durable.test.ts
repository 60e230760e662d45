// What is emitted durably: it is told when that is stored, and what is said again under a key is emitted once.
import type { Server, ServerOptions, Socket, Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  async function joined(io: Server, ...rooms: string[]) {
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null, '', 1]);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    io.of('/').sockets.get(id)?.join(rooms);
    const said = async () => {
      await wire.settle();
      return wire.events;
    };
    return { wire, id, said };
  }

  /** Servers on one store, whose commits can be made to wait. */
  async function shared(count: number, options: ServerOptions = {}) {
    const store = newStore();
    const gate = { wait: Promise.resolve() };
    const servers: Server[] = [];
    for (let i = 0; i < count; i++) {
      const adapter: typeof store = (context) => {
        const its = store(context) as Store;
        const commit = its.commit.bind(its);
        its.commit = async (...what) => {
          await gate.wait;
          return commit(...what);
        };
        return its;
      };
      servers.push(await serve({ ...options, adapter }));
    }
    /** Nothing is stored until the function is called that it returns. */
    const hold = (): (() => void) => {
      let letGo = () => {};
      gate.wait = new Promise((resolve) => {
        letGo = resolve;
      });
      return letGo;
    };
    return { a: servers[0] as Server, b: servers[1] as Server, hold };
  }

  test('with a store of its own it is stored at once, and a key counts', async () => {
    const io = await serve();
    const { id, said } = await joined(io, 'a', 'b');
    await io.emitDurable('event', 'plain');
    await io.to('a').idempotencyKey('k').emitDurable('event', 'once');
    await io.to('a', 'b').idempotencyKey('k').emitDurable('event', 'by the other room');
    io.to('a').idempotencyKey('k').emit('event', 'never');
    await io.to(id).idempotencyKey('k').emitDurable('event', 'to one');
    await io.to(id).idempotencyKey('k').emitDurable('event', 'never');
    await io.idempotencyKey('k').emitDurable('event', 'to all');
    await io.idempotencyKey('k').emitDurable('event', 'never');
    await io.of('/').sockets.get(id)?.emitDurable('event', 'last');
    expect(await said()).toEqual(
      ['plain', 'once', 'by the other room', 'to one', 'to all', 'last'].map((text) => `event ${text}`),
    );
  });

  test('it resolves when it is stored, and not before', async () => {
    const { a, b, hold } = await shared(2);
    const { said, id } = await joined(a, 'room');
    await said();
    const letGo = hold();
    const settled: string[] = [];
    const all = [
      b
        .to('room')
        .emitDurable('event', 'to a room')
        .then(() => settled.push('room')),
      b
        .to(id)
        .emitDurable('event', 'by its id')
        .then(() => settled.push('id')),
      a
        .of('/')
        .sockets.get(id)
        ?.emitDurable('event', 'to the socket')
        .then(() => settled.push('socket')),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual([]);
    expect(await said()).toEqual([]);
    letGo();
    await Promise.all(all);
    expect(settled.toSorted()).toEqual(['id', 'room', 'socket']);
    await expect.poll(said).toHaveLength(3);
  });

  test('it rejects if that takes too long; said again under its key, by any server, it comes once', async () => {
    const { a, b, hold } = await shared(2);
    const { said, id } = await joined(a, 'room');
    await said();
    const letGo = hold();
    const target = (io: Server) => io.to('room').idempotencyKey('order 42').timeout(20);
    const one = (io: Server) => io.to(id).idempotencyKey('order 42').timeout(20);
    const code = (call: Promise<void>) =>
      call.then(
        () => 'stored',
        ({ code }) => code,
      );
    expect(await code(target(b).emitDurable('event', 'room'))).toBe('ERR_STORE_AWAY');
    expect(await code(one(b).emitDurable('event', 'socket'))).toBe('ERR_STORE_AWAY');
    expect(await code(one(a).emitDurable('event', 'socket'))).toBe('ERR_STORE_AWAY');
    const message = await one(a)
      .emitDurable('event', 'socket')
      .catch(({ message }) => message);
    expect(message).toBe(
      'Not stored within 20 ms (timeout): it may be stored all the same. Say it again with the same idempotencyKey',
    );
    letGo();
    for (const io of [a, b]) {
      await target(io).timeout(30_000).emitDurable('event', 'room');
      await one(io).timeout(30_000).emitDurable('event', 'socket');
    }
    await a.emitDurable('event', 'last');
    await expect.poll(async () => (await said()).at(-1)).toBe('event last');
    expect((await said()).toSorted()).toEqual(['event last', 'event room', 'event socket']);
  });

  test('several rooms under a key: whoever is in one where it was not gets it', async () => {
    const { a, b } = await shared(2);
    const first = await joined(a, 'one');
    const second = await joined(a, 'two');
    const both = await joined(a, 'one', 'two');
    await b.to('one').idempotencyKey('k').emitDurable('event', 'x');
    await b.to('one', 'two').idempotencyKey('k').emitDurable('event', 'x');
    await b.emitDurable('event', 'last');
    for (const { said } of [first, second, both]) {
      await expect.poll(said).toEqual(['event x', 'event last']);
    }
  });

  test('a server that closes says that it does not know', async () => {
    const { a, hold } = await shared(1);
    await joined(a);
    const letGo = hold();
    const call = a.emitDurable('event', 'x').then(
      () => 'stored',
      ({ code, message }) => `${code} ${message}`,
    );
    await a.close();
    expect(await call).toMatch(/^ERR_STORE_AWAY The server is closed, and it is not known what was stored/);
    letGo();
  });

  test.each([
    [
      'an empty key',
      (io: Server) => io.idempotencyKey(''),
      'An idempotencyKey is a text of 1 to 256 characters, not a text of 0',
    ],
    ['a long one', (io: Server) => io.idempotencyKey('x'.repeat(257)), 'not a text of 257'],
    ['one that is no text', (io: Server) => io.idempotencyKey(7 as never), 'not 7'],
    [
      'a volatile one',
      (io: Server) => io.volatile.idempotencyKey('k').emit('event'),
      'What is volatile has no idempotencyKey',
    ],
    ['a local one', (io: Server) => io.local.idempotencyKey('k').emit('event'), 'What is local has no idempotencyKey'],
  ])('%s is an error', async (_what, call, message) => {
    const io = await serve();
    expect(() => call(io)).toThrow(message);
  });

  test('a server that has closed rejects at once, whatever it is said by', async () => {
    const { a: io } = await shared(1);
    let socket: Socket | undefined;
    io.on('connection', (its) => {
      socket = its;
    });
    await joined(io, 'room');
    await io.close();
    const closed = { code: 'ERR_CLOSED' };
    await expect(io.emitDurable('n', 1)).rejects.toMatchObject(closed);
    await expect(io.to('room').timeout(1_000).emitDurable('n', 1)).rejects.toMatchObject(closed);
    await expect(socket!.to('room').emitDurable('n', 1)).rejects.toMatchObject(closed);
    await expect(socket!.emitDurable('n', 1)).rejects.toMatchObject(closed);
  });

  test('what is volatile is not stored, and what no codec carries is told', async () => {
    const { a } = await shared(1);
    await expect(a.volatile.emitDurable('event')).rejects.toThrow('emitDurable without volatile');
    await expect(a.emitDurable('event', new Map() as never)).rejects.toMatchObject({ code: 'ERR_NOT_ENCODABLE' });
  });
});
