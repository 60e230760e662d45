// Who is let in and what is handled: middleware of namespaces and sockets, and what waits for it.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import { PublicError, type Socket } from '../../index';
import { clientsOf } from './clients';

describe.each(starts)('middleware, %s', (_name, start) => {
  const { listening, join } = clientsOf(start);

  test('middleware decides, early events wait for it, and what it refuses is told', async () => {
    const io = await listening();
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    io.of('/open').on('connection', (socket) => {
      socket.on('echo', (value) => value);
    });
    io.of('/closed').use(async ({ auth }) => {
      await Promise.resolve();
      if (auth.token !== 'right') throw new PublicError('ERR_TOKEN', 'Sign in first.', { hint: 'token' });
    });
    io.of('/broken').use(() => {
      throw new Error('secret detail');
    });
    io.of(/^\/dynamic-\d$/).use(({ data }) => {
      data.user = 'd';
    });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/closed', { token: 'wrong' }], ['/open'], ['/broken'], ['/none'], ['/dynamic-1']]]);
    wire.send([2, '/open', 'echo', ['early'], 1], [2, '/closed', 'x', [], 2]);
    await wire.settle();
    await wire.packet(4, ([, ack]) => ack === 2);
    expect(await wire.packet(3)).toEqual([3, 1, 'early']);
    expect(await wire.packet(12, ([, ns]) => ns === '/closed')).toEqual([
      12,
      '/closed',
      'ERR_TOKEN',
      'Sign in first.',
      { hint: 'token' },
    ]);
    expect(await wire.packet(12, ([, ns]) => ns === '/broken')).toEqual([
      12,
      '/broken',
      'ERR_REFUSED',
      'The connection was refused.',
    ]);
    expect((await wire.packet(12, ([, ns]) => ns === '/none'))[2]).toBe('ERR_NAMESPACE_UNKNOWN');
    expect(io.of('/dynamic-1').sockets.size).toBe(1);
    expect([...io.of('/dynamic-1').sockets.values()][0]?.data).toEqual({ user: 'd' });
  });

  test('children of a dynamic namespace are guarded, however they come to be', async () => {
    const io = await listening();
    const tenants = io.of(/^\/tenant-\d$/).use(({ auth }) => {
      if (auth.token !== 'right') throw new PublicError('ERR_TOKEN', 'No.');
    });
    io.of('/tenant-5').emit('before anybody is in', 1);
    io.of('/tenant-6').use(() => {
      throw new PublicError('ERR_SIX', 'Not here.');
    });
    tenants.on('connection', () => {});
    const wire = await WireClient.open(io.port);
    const right = { token: 'right' };
    wire.send([0, [['/tenant-5'], ['/tenant-6', right], ['/tenant-7', right]]]);
    await wire.packet(11);
    await wire.settle();
    expect(
      wire.received
        .filter(([type]) => type === 11 || type === 12)
        .map((tuple) => tuple.slice(0, 3))
        .sort(),
    ).toEqual([
      [11, '/tenant-7', expect.any(String)],
      [12, '/tenant-5', 'ERR_TOKEN'],
      [12, '/tenant-6', 'ERR_SIX'],
    ]);
  });

  test('per-socket middleware sees events in order, and refuses', async () => {
    const io = await listening();
    const heard: unknown[] = [];
    io.on('connection', (socket) => {
      socket.use(async ([name, ...args]) => {
        if (args[0] === 'slow') await new Promise((resolve) => setImmediate(resolve));
        if (name === 'bad') throw new PublicError('ERR_BAD', 'Not that.');
      });
      socket.onAny((name, ...args) => heard.push([name, ...args]));
      socket.on('good', (value) => value);
    });
    const { wire } = await join(io);
    wire.send([2, '/', 'good', ['slow'], 1], [2, '/', 'bad', [], 2], [2, '/', 'good', ['fast'], 3]);
    await wire.packet(3, ([, ack]) => ack === 3);
    expect(wire.received.filter(([type]) => type === 3 || type === 4)).toEqual([
      [3, 1, 'slow'],
      [4, 2, 'ERR_BAD', 'Not that.'],
      [3, 3, 'fast'],
    ]);
    expect(heard).toEqual([
      ['good', 'slow'],
      ['good', 'fast'],
    ]);
  });

  test('events that wait for a slow middleware are bounded: who sends more than the window meanwhile is closed', async () => {
    const io = await listening({ waitingPacketsMax: 10, windowPacketsMax: 64 });
    io.on('connection', (socket) => socket.use(() => new Promise(() => {})));
    const { wire } = await join(io);
    for (let i = 0; i < 100; i++) wire.send([2, '/', 'x', [i]]);
    expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 4429 });
  });

  test('a socket that the app has sent out holds nothing of its session back, whatever its middleware waits for', async () => {
    const io = await listening({ waitingPacketsMax: 4 });
    const stuck = new Promise<Socket>((resolve) => {
      io.of('/a').on('connection', (socket) => {
        socket.use(() => new Promise(() => {}));
        resolve(socket);
      });
    });
    io.on('connection', (socket) => socket.on('hi', () => 'yes'));
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/'], ['/a']]]);
    for (let i = 0; i < 10; i++) wire.send([2, '/a', 'x', [i]]);
    wire.send([2, '/', 'hi', [], 1]);
    const socket = await stuck;
    await wire.settle();
    expect(wire.received.filter(([type]) => type === 3)).toEqual([]);
    socket.disconnect();
    expect(await wire.packet(3)).toEqual([3, 1, 'yes']);
  });

  test('middleware may ask the client whose events wait for it', async () => {
    const io = await listening({ waitingPacketsMax: 4 });
    const handled: unknown[] = [];
    io.on('connection', (socket) => {
      socket.use(async () => {
        if (handled.length === 0) handled.push(await socket.emitWithAck('may they?'));
      });
      socket.on('x', (i) => void handled.push(i));
    });
    const { wire } = await join(io);
    for (let i = 0; i < 10; i++) wire.send([2, '/', 'x', [i]]);
    const [, , , , ack] = await wire.packet(2);
    wire.send([3, ack, 'yes']);
    await expect.poll(() => handled).toEqual(['yes', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // It was counted once.
    await wire.settle();
    expect(wire.received.filter(([type]) => type === 7 || type === 9).at(-1)?.[1]).toBe(11);
  });

  test('what waits for middleware is bounded in bytes too', async () => {
    const io = await listening({ waitingBytesMax: 10_000 });
    let waiting = 0;
    io.on('connection', (socket) =>
      socket.use(() => {
        waiting++;
        return new Promise(() => {});
      }),
    );
    const { wire } = await join(io);
    for (let i = 0; i < 8; i++) wire.send([2, '/', 'x', ['x'.repeat(6_000)]]);
    await wire.settle();
    expect(waiting).toBe(1);
    expect(wire.received.filter(([type]) => type === 9).at(-1)?.[1]).toBe(2);
    expect(wire.closed).toBeUndefined();
  });

  test('an error with half a surrogate pair arrives', async () => {
    const io = await listening();
    io.on('connection', (socket) => {
      socket.on('fail', async () => {
        throw new PublicError('ERR_NAME', `Not a name: ${'ab😀'.slice(0, 3)}`);
      });
    });
    const { wire } = await join(io);
    wire.send([2, '/', 'fail', [], 1]);
    expect(await wire.packet(4)).toEqual([4, 1, 'ERR_NAME', 'Not a name: ab\ufffd']);
  });
});
