// What the app does wrong: handlers that fail, values that nothing can carry. The caller gets an answer that is safe to
// show, the server's `error` event the cause, and everybody goes on.
import { PublicError, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { type GuardedServer, guardedServers } from './guarded-server';
import { RawWebSocket } from './raw';

const secret = 'the password is 1234';
const cycle: unknown[] = [];
cycle.push(cycle);

/** Values outside the data model, with the path that the error names when one is the second argument. */
const uncarryable: [what: string, value: unknown, path: string][] = [
  ['NaN', Number.NaN, 'args[1]'],
  ['infinity', { deep: [0, Number.POSITIVE_INFINITY] }, 'args[1].deep[1]'],
  ['a function', { run: () => {} }, 'args[1].run'],
  ['a symbol', [Symbol('s')], 'args[1][0]'],
  ['a Map', new Map([[1, 2]]), 'args[1]'],
  ['a class', { user: new (class User {})() }, 'args[1].user'],
  ['a cycle', cycle, `args[1]${'[0]'.repeat(64)}`],
  ['a date that is none', new Date(Number.NaN), 'args[1]'],
  ['a bigint of 65 bits', 2n ** 64n, 'args[1]'],
  ['half a surrogate pair', { text: '\ud800' }, 'args[1].text'],
];

describe.each(hosts)('failing handlers on %s', (_name, host) => {
  const serve = guardedServers(host);

  /** A socket of the server, with handlers, and its client. */
  async function joined(
    onSocket: (socket: Socket) => void,
  ): Promise<GuardedServer & { wire: RawWebSocket; socket: Socket }> {
    const played = await serve();
    const wire = await RawWebSocket.connect(played.port);
    const { id } = await wire.hello();
    const socket = played.io.sockets.get(id);
    if (socket === undefined) throw new Error('no socket');
    onSocket(socket);
    return { ...played, wire, socket };
  }

  test.each<[what: string, fail: () => unknown]>([
    [
      'throws',
      () => {
        throw new Error(secret);
      },
    ],
    ['rejects', async () => Promise.reject(new Error(secret))],
    [
      'throws no error',
      () => {
        throw secret;
      },
    ],
    ['rejects later', () => new Promise((_resolve, reject) => setImmediate(() => reject(new Error(secret))))],
  ])('one that %s: a safe error to the caller, the cause to the server', async (_what, fail) => {
    const { wire, errors } = await joined((socket) => {
      socket.on('fail', fail);
    });
    wire.send([2, '/', 'fail', []], [2, '/', 'fail', [], 1], [6, '/', 'fail', []]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_HANDLER', 'The handler failed.']);
    await wire.until('three reports', () => errors.length >= 3);
    expect(errors).toEqual(Array(3).fill(`the handler of "fail" in namespace /: ${secret}`));
    expect(JSON.stringify(wire.packets)).not.toContain(secret);
  });

  test('of a value that nothing can carry the stack has the line of the app, there or not', async () => {
    const { io, socket } = await joined(() => {});
    const deep = { a: [{ b: [{ c: [Number.NaN] }] }] };
    const theLine = (say: () => unknown): void => {
      try {
        say();
      } catch (error) {
        expect([(error as Error).message, (error as Error).stack]).toEqual([
          expect.stringContaining('cannot send NaN'),
          expect.stringContaining('bad-input-app.test.ts'),
        ]);
        return;
      }
      expect.unreachable('it was sent');
    };
    for (const value of [Number.NaN, deep]) {
      theLine(() => io.emit('x', value));
      theLine(() => io.of('/nobody').emit('x', value));
      theLine(() => io.to('r').emit('x', value));
      theLine(() => io.volatile.emit('x', value));
      theLine(() => socket.emit('x', value));
      theLine(() => socket.broadcast.emit('x', value));
      theLine(() => socket.to('r').emit('x', value));
      theLine(() => socket.volatile.emit('x', value));
    }
    await expect(io.emitWithAck('x', Number.NaN)).rejects.toMatchObject({
      stack: expect.stringContaining('bad-input-app.test.ts'),
    });
  });

  test('one that throws a PublicError: all of it to the caller, nothing to the server', async () => {
    const { wire, errors } = await joined((socket) => {
      socket.on('fail', () => {
        throw new PublicError('ERR_TAKEN', 'That name is taken.', { name: 'x' });
      });
    });
    wire.send([2, '/', 'fail', [], 1]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_TAKEN', 'That name is taken.', { name: 'x' }]);
    expect(errors).toEqual([]);
  });

  test('one that throws a PublicError with data nothing can carry: the error without it', async () => {
    const { wire } = await joined((socket) => {
      socket.on('fail', () => {
        throw new PublicError('ERR_TAKEN', 'That name is taken.', Number.NaN);
      });
    });
    wire.send([2, '/', 'fail', [], 1]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_TAKEN', 'That name is taken.']);
  });

  test('data of an error that nothing can carry is left out, and that is reported', async () => {
    const { wire, errors } = await joined((socket) => {
      socket.on('sold', () => {
        throw new PublicError('ERR_SOLD', 'None left.', { items: new Map() as never });
      });
    });
    wire.send([2, '/', 'sold', [], 1]);
    await wire.until('the error', () => wire.packets.some(([type]) => type === 4));
    expect(wire.packets.filter(([type]) => type === 4)).toEqual([[4, 1, 'ERR_SOLD', 'None left.']]);
    expect(errors).toEqual([
      'the data of a PublicError, which goes without it: data.items: cannot send an instance of Map: send an object, an array or bytes, or give it a toJSON()',
    ]);
  });

  test('what is thrown and cannot be looked at: the same as any other error', async () => {
    const odd = (what: string): never => {
      throw new Error(`the trap of ${what}`);
    };
    const { wire } = await joined((socket) => {
      socket.on('data', () => {
        throw Object.defineProperty(new PublicError('ERR_X', 'x'), 'data', { get: () => odd('data') });
      });
      socket.on('message', () => {
        throw Object.defineProperty(new PublicError('ERR_X', 'x'), 'message', {
          value: { toString: () => odd('message') },
        });
      });
      socket.on('proxy', async () => {
        throw new Proxy({}, { getPrototypeOf: () => odd('proxy') });
      });
      socket.on('well', () => 'well');
    });
    const events = ['data', 'message', 'proxy'];
    wire.send(...events.map((event, i) => [2, '/', event, [], i + 1]));
    const failures = (): unknown[][] => wire.packets.filter(([type]) => type === 4);
    await wire.until('three errors', () => failures().length === 3);
    expect(failures().toSorted()).toEqual(events.map((_, i) => [4, i + 1, 'ERR_HANDLER', 'The handler failed.']));
    wire.send([2, '/', 'well', [], 4]);
    expect((await wire.packet(3))[2]).toBe('well');
  });

  test('a reply nothing can carry: the same as a handler that throws', async () => {
    const { wire, errors } = await joined((socket) => {
      socket.on('nan', () => ({ a: [Number.NaN] }));
      socket.on('later', async () => new Map());
    });
    wire.send([2, '/', 'nan', [], 1], [2, '/', 'later', [], 2]);
    await wire.until('both errors', () => wire.packets.filter(([type]) => type === 4).length === 2);
    expect(wire.packets.filter(([type]) => type === 4)).toEqual([
      [4, 1, 'ERR_HANDLER', 'The handler failed.'],
      [4, 2, 'ERR_HANDLER', 'The handler failed.'],
    ]);
    expect(errors).toEqual([
      'the reply of the handler of "nan" in namespace /: value.a[0]: cannot send NaN',
      'the reply of the handler of "later" in namespace /: value: cannot send an instance of Map: send an object, an array or bytes, or give it a toJSON()',
    ]);
  });

  test('handlers beside the first, and of any event', async () => {
    const { wire, errors } = await joined((socket) => {
      socket.on('two', () => 'first');
      socket.on('two', async () => {
        throw new Error('the second rejects');
      });
      socket.onAny(async () => {
        throw new Error('onAny rejects');
      });
    });
    wire.send([2, '/', 'two', [], 1], [8]);
    await wire.packet(9);
    expect(await wire.packet(3)).toEqual([3, 1, 'first']);
    await wire.until('two reports', () => errors.length === 2);
  });

  test('handlers of the life of a socket', async () => {
    const { port, io, errors } = await serve({}, (server) => {
      server.of('/life').on('connection', (socket) => {
        socket.on('disconnect', async () => {
          throw new Error('disconnect rejects');
        });
        socket.on('disconnect', () => {
          throw new Error('disconnect throws');
        });
        throw new Error('connection throws');
      });
    });
    const wire = await RawWebSocket.connect(port);
    wire.send([0, [['/life']]], [2, '/life', 'x', [], 1]);
    expect(await wire.packet(4)).toMatchObject({ 2: 'ERR_NO_HANDLER' });
    expect(errors).toEqual(['a handler of "connection" in namespace /life: connection throws']);
    io.of('/life').disconnectSockets();
    await wire.packet(13);
    await wire.until('the other reports', () => errors.length === 3);
  });

  test('middleware of a socket', async () => {
    const { wire, errors } = await joined((socket) => {
      socket.use(([event]) => {
        if (event === 'fail') throw new Error(secret);
      });
    });
    wire.send([2, '/', 'fail', [], 1], [2, '/', 'echo', ['next'], 2]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_REFUSED', 'The event was refused.']);
    expect(await wire.packet(3)).toEqual([3, 2, 'next']);
    expect(errors).toEqual([`middleware, for "fail" in namespace /: ${secret}`]);
  });

  test('a message of an error that is longer than a packet may carry still arrives', async () => {
    const { wire } = await joined((socket) => {
      socket.on('fail', () => {
        throw new PublicError('ERR_LONG', 'x'.repeat(5_000));
      });
    });
    wire.send([2, '/', 'fail', [], 1]);
    const [, , code, message] = await wire.packet(4);
    expect(code).toBe('ERR_LONG');
    expect((message as string).length).toBeLessThanOrEqual(1_024);
  });
});

describe.each(hosts)('values nothing can carry on %s', (_name, host) => {
  const serve = guardedServers(host);

  test.each(uncarryable)(
    '%s is an error at the emit that names the path, and the connection lives',
    async (_what, value, path) => {
      const { port, io, errors } = await serve();
      const refused = expect.objectContaining({ code: 'ERR_NOT_ENCODABLE', details: { path } });
      const toNobody = async (): Promise<void> => {
        expect(() => io.to('nobody').emit('bad', 1, value)).toThrow(refused);
        expect(() => io.to('nobody').volatile.emit('bad', 1, value)).toThrow(refused);
        await expect(io.to('nobody').emitWithAck('bad', 1, value)).rejects.toEqual(refused);
      };
      expect(() => io.emit('bad', 1, value)).toThrow(refused);
      await toNobody();
      const wire = await RawWebSocket.connect(port);
      const { id } = await wire.hello();
      await toNobody();
      const socket = io.sockets.get(id);
      if (socket === undefined) throw new Error('no socket');
      socket.join('room');
      const emits: (() => void)[] = [
        () => socket.emit('bad', 1, value),
        () => socket.volatile.emit('bad', 1, value),
        () => io.emit('bad', 1, value),
        () => io.volatile.emit('bad', 1, value),
        () => io.to('room').emit('bad', 1, value),
        () => io.to(id).emit('bad', 1, value),
        () => io.except('room').emit('bad', 1, value),
      ];
      for (const emit of emits) expect(emit).toThrow(refused);
      await expect(socket.emitWithAck('bad', 1, value)).rejects.toEqual(refused);
      await expect(io.emitWithAck('bad', 1, value)).rejects.toEqual(refused);
      io.emit('good', 1);
      socket.emit('good', 2);
      wire.send([8]);
      await wire.packet(9);
      expect(wire.packets.filter(([type]) => type !== 1 && type !== 11 && type !== 9)).toEqual([
        [5, '/', [expect.any(String), 1], 'good', [1]],
        [2, '/', 'good', [2]],
      ]);
      // Nobody is left to get it, and it is wrong all the same.
      socket.disconnect();
      for (const emit of emits) expect(emit).toThrow(refused);
      expect(errors).toEqual([]);
    },
  );

  test.each(['', 'x'.repeat(257), 'disconnect', 'connection', 'error'])(
    'an event name that cannot be sent: "%s"',
    async (event) => {
      const { port, io } = await serve();
      const wire = await RawWebSocket.connect(port);
      const { id } = await wire.hello();
      for (const target of [io, io.to('x'), io.sockets.get(id)]) {
        expect(() => target?.emit(event)).toThrow(/event/);
      }
    },
  );
});
