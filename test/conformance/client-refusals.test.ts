// The client of this project against real servers that refuse it, wholly or one event: it says why in the server's words, and
// whether it tries again. Longer than other files: all refusals there are, case by case.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ClientOptions,
  connect,
  type HalyardError,
  PublicError,
  polling,
  type Socket,
  websocket,
} from '@halyard/client';
import { msgpack } from '@halyard/codec-msgpack';
import { Server, type ServerOptions } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket as Ws } from 'ws';
import { hosts } from '../kit/hosts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function dial(url: string, options: ClientOptions = {}): Socket {
  const socket = connect(url, options);
  cleanups.push(() => socket.connection.close());
  return socket;
}

/** @returns what the first attempt came to: code, message, whether it is final */
async function refusalOf(socket: Socket): Promise<unknown[]> {
  const { code, message, details } = await new Promise<HalyardError>((resolve) =>
    socket.once('connect_error', resolve),
  );
  expect(socket.active).toBe(!details!.final);
  return [code, message, details!.final];
}

describe.each(hosts)('on %s', (_name, host) => {
  async function serve(options: ServerOptions = {}): Promise<{ io: Server; url: string }> {
    const io = await new Server({ host: host(), ...options }).listen(0, '127.0.0.1');
    cleanups.push(() => io.close());
    return { io, url: `http://127.0.0.1:${io.port}` };
  }

  const ways = [
    ['both transports', {}],
    ['polling', { transports: [polling()] }],
    ['websocket', { transports: [websocket({ WebSocket: Ws as never })] }],
  ] as const;

  test.each(ways)('a refused Origin is ERR_ORIGIN, and final, over %s', async (_way, options) => {
    const { url } = await serve({ origins: ['https://app.example'] });
    const socket = dial(url, { ...options, extraHeaders: { origin: 'https://evil.example' } });
    expect(await refusalOf(socket)).toEqual(['ERR_ORIGIN', expect.stringContaining('https://evil.example'), true]);
  });

  test.each(ways)('no codec in common says what the server has, and is final, over %s', async (_way, options) => {
    const { url } = await serve();
    const socket = dial(url, { ...options, codec: msgpack() });
    expect(await refusalOf(socket)).toEqual([
      'ERR_NO_COMMON_PROTOCOL',
      expect.stringContaining('halyard.v1+json'),
      true,
    ]);
  });

  test.each(ways)(
    'what was emitted to a namespace that is refused fails with the refusal, over %s',
    async (_way, options) => {
      const { io, url } = await serve();
      const handled: unknown[] = [];
      io.use(async ({ auth }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        if ((auth as { name?: string }).name !== 'known') throw new PublicError('ERR_TOKEN', 'Who is that?');
      });
      io.of('/kept');
      io.of('/side').use(() => {
        throw new PublicError('ERR_SIDE', 'Not there.');
      });
      io.on('connection', (socket) => void socket.on('say', (what) => void handled.push(what)));
      const socket = dial(url, options);
      const told: unknown[] = [];
      socket.on('error', ({ code }: HalyardError) => told.push(code));
      socket.emit('say', 1);
      socket.timeout(5_000).emit('say', 2);
      const reply = socket.emitWithAck('say', 3).catch(({ code }) => code);
      const refusal = new Promise<PublicError>((resolve) => socket.once('connect_error', resolve as never));
      expect(await refusal).toMatchObject({ code: 'ERR_TOKEN' });
      expect([told, await reply]).toEqual([['ERR_TOKEN', 'ERR_TOKEN'], 'ERR_TOKEN']);

      socket.auth = { name: 'known' };
      socket.connect();
      await socket.emitWithAck('say', 4);
      const side = socket.of('/side');
      cleanups.push(() => side.disconnect());
      const toldAside: unknown[] = [];
      side.on('error', ({ code }: HalyardError) => toldAside.push(code));
      side.emit('say', 5);
      await expect.poll(() => toldAside).toEqual(['ERR_SIDE']);
      await socket.emitWithAck('say', 6);
      expect([told.length, handled]).toEqual([2, [4, 6]]);
      // What was said before the question, and is not confirmed yet, is handled.
      const kept = socket.of('/kept');
      await new Promise((resolve) => kept.once('connect', resolve));
      socket.emit('say', 8);
      socket.disconnect();
      socket.auth = {};
      const again = new Promise((resolve) => socket.once('connect_error', resolve));
      socket.connect();
      socket.emit('say', 9);
      await again;
      expect(told.slice(2)).toEqual(['ERR_TOKEN']);
      expect(handled).toEqual([4, 6, 8]);
    },
  );

  test.each(ways)('another path is ERR_PATH, and tried again, over %s', async (_way, options) => {
    const { url } = await serve();
    const socket = dial(url, { ...options, path: '/elsewhere' });
    expect(await refusalOf(socket)).toEqual(['ERR_PATH', expect.any(String), false]);
  });

  test.each(ways.slice(1))(
    'a transport that is off is said, and another one may be on, over %s',
    async (way, options) => {
      const { url } = await serve({ transports: [way === 'polling' ? 'websocket' : 'polling'] });
      expect(await refusalOf(dial(url, options))).toEqual(['ERR_TRANSPORT', expect.any(String), false]);
    },
  );

  test.each(ways)('a server that is full is said, and tried again when it says, over %s', async (_way, options) => {
    const { url } = await serve({ connectionsMax: 1 });
    const first = dial(url, { transports: [polling()] });
    await new Promise((resolve) => first.once('connect', resolve));
    const socket = dial(url, options);
    const waits: number[] = [];
    socket.connection.on('state', (change) => change.to === 'waiting' && waits.push(change.retryInMs));
    expect(await refusalOf(socket)).toEqual([
      'ERR_TOO_MANY_CONNECTIONS',
      expect.stringMatching(/connectionsMax\D*$/),
      false,
    ]);
    // `retry-after: 5`.
    expect(waits[0]).toBeGreaterThanOrEqual(5_000);
  });

  describe.each([
    ['websocket', () => websocket({ WebSocket: Ws as never })],
    ['polling', () => polling()],
  ])('over %s', (_transport, transport) => {
    const over = (url: string, options: ClientOptions = {}) => dial(url, { transports: [transport()], ...options });

    test.each([
      [400, 4400, true],
      [401, 4401, true],
      [402, 4402, false],
      [403, 4403, true],
      [404, 4404, false],
      [409, 1006, false],
      [413, 1009, false],
      [426, 1006, false],
      [429, 1006, false],
      [500, 1006, false],
      [503, 1006, false],
    ])('what is refused with %i is a close with %i', async (status, code, final) => {
      const { url } = await serve({ allowRequest: () => ({ status, code: 'ERR_MINE', message: 'Not you: go.' }) });
      const socket = over(url);
      const error = await new Promise<HalyardError>((resolve) => socket.once('connect_error', resolve));
      expect(error).toMatchObject({
        code: 'ERR_MINE',
        message: 'Not you: go.',
        details: { final, close: { code, reason: 'ERR_MINE: Not you: go.', by: 'server' } },
      });
      expect(socket.active).toBe(!final);
    });

    test.each<[string, () => unknown]>([
      ['BANNED', () => ({ status: 403, code: 'BANNED', message: 'You are banned.' })],
      ['banned', () => Promise.reject(new PublicError('banned', 'You are banned.'))],
      ['ERR_BAN-1', () => ({ status: 403, code: 'ERR_BAN-1', message: 'You are banned.' })],
    ])('a code of the app is the code: %s', async (code, allowRequest) => {
      const { url } = await serve({ allowRequest: allowRequest as never });
      expect(await refusalOf(over(url))).toEqual([code, 'You are banned.', true]);
    });

    test.each<[string, unknown, string, string]>([
      ['what cannot be encoded', { a: Number.NaN }, 'auth of /: auth.a: cannot send NaN', 'ERR_NOT_ENCODABLE'],
      ['a function that gives such', () => ({ a: 1n << 70n }), 'auth of /: auth.a: cannot send', 'ERR_NOT_ENCODABLE'],
      ['2 MiB', { a: 'x'.repeat(2 << 20) }, 'auth of /: too large: ', 'ERR_FRAME_TOO_BIG'],
    ])('auth of %s is final: it would be the same again', async (_what, auth, message, code) => {
      const { url } = await serve();
      const socket = over(url, { auth: auth as never });
      const error = await new Promise<HalyardError>((resolve) => socket.once('connect_error', resolve));
      expect(error).toMatchObject({
        code: 'ERR_AUTH',
        details: { final: true, retryInMs: undefined, cause: { code } },
      });
      expect(error.message.slice(0, message.length)).toBe(message);
      expect([socket.active, socket.connection.state]).toEqual([false, 'closed']);
      // Another one is let in.
      socket.auth = { a: 1 };
      socket.connect();
      await new Promise((resolve) => socket.once('connect', resolve));
    });

    test('an auth function that fails is said, of which namespace, and asked again', async () => {
      const { url } = await serve();
      let asked = 0;
      const auth = () => (++asked === 1 ? Promise.reject(new Error('no token')) : { token: 'a' });
      const socket = over(url, { auth, reconnect: { delayMinMs: 1 } });
      const error = await new Promise<HalyardError>((resolve) => socket.once('connect_error', resolve));
      expect(error).toMatchObject({
        code: 'ERR_AUTH',
        message: 'auth of /: no token',
        details: { final: false, cause: new Error('no token'), close: { reason: 'ERR_AUTH' } },
      });
      await new Promise((resolve) => socket.once('connect', resolve));
      expect(asked).toBe(2);
    });

    test('extraHeaders are in the handshake', async () => {
      const { io, url } = await serve();
      const seen = new Promise((resolve) => {
        io.use((handshake) => resolve([handshake.headers.get('x-mine'), handshake.headers.get('cookie')]));
      });
      over(url, { extraHeaders: { 'x-mine': 'yes', cookie: 'sid=1' } });
      expect(await seen).toEqual(['yes', 'sid=1']);
    });

    test('2 MiB before the first connect: that emit alone fails, the others arrive', async () => {
      const { io, url } = await serve();
      const got: unknown[] = [];
      io.on('connection', (socket) => socket.on('up', (n: number) => got.push(n) && n));
      const socket = over(url);
      const errors: unknown[] = [];
      socket.on('error', (error) => errors.push((error as HalyardError).code));
      socket.on('disconnect', (info) => errors.push(info));
      socket.emit('up', 1);
      socket.emit('up', 'x'.repeat(2 << 20));
      const big = socket.emitWithAck('up', 'y'.repeat(2 << 20)).catch((error) => error.code);
      // What is too large to go at once, and not too large.
      socket.emit('up', 'z'.repeat(200_000));
      expect(await socket.emitWithAck('up', 2)).toBe(2);
      expect(await big).toBe('ERR_FRAME_TOO_BIG');
      expect(got.map((value) => (typeof value === 'string' ? value.length : value))).toEqual([1, 200_000, 2]);
      // Both ends count alike: a resume repeats nothing and leaves nothing out.
      for (let i = 3; i < 40; i++) socket.emit('up', i);
      expect(await socket.emitWithAck('up', 40)).toBe(40);
      expect(errors).toEqual(['ERR_FRAME_TOO_BIG']);
      expect(socket.connection.state).toBe('open');
    });

    test('what a client throws fits into its packet, or is cut between characters', async () => {
      const { io, url } = await serve();
      const socket = over(url);
      const thrown = [
        ['', 'no code'],
        ['c'.repeat(300), 'long code'],
        ['ERR_MINE', `${'m'.repeat(1_023)}😀`],
      ] as const;
      socket.on('fail', (which: number) => {
        const [code, message] = thrown[which]!;
        throw new PublicError(code, message);
      });
      const ask = new Promise<unknown[]>((resolve) => {
        io.on('connection', async (there) => {
          const told = [];
          for (let i = 0; i < 3; i++)
            told.push(await there.emitWithAck('fail', i).catch(({ code, message }) => [code, message]));
          resolve(told);
        });
      });
      expect(await ask).toEqual([
        ['ERR_HANDLER', 'no code'],
        ['c'.repeat(256), 'long code'],
        ['ERR_MINE', 'm'.repeat(1_023)],
      ]);
      expect(socket.connected).toBe(true);
    });
  });
});

describe('in Node, what lies below', () => {
  test.each([
    ['its own HTTP', () => polling()],
    ['fetch failed', () => polling({ fetch: (url, init) => fetch(url, init as RequestInit) })],
    ['ws', () => websocket({ WebSocket: Ws as never })],
  ])('%s is told', async (_name, transport) => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const socket = dial(`http://127.0.0.1:${port}`, { transports: [transport()] });
    expect(await refusalOf(socket)).toEqual(['ERR_CONNECT', expect.stringMatching(/ECONNREFUSED/), false]);
  });

  test.each([
    ['polling', () => polling(), 502],
    ['polling', () => polling(), 403],
    ['ws', () => websocket({ WebSocket: Ws as never }), 502],
    ['ws', () => websocket({ WebSocket: Ws as never }), 403],
    ['ws', () => websocket({ WebSocket: Ws as never }), 200],
  ] as const)('an answer that is no Halyard server says so: %s, %i', async (_name, transport, status) => {
    const other = createServer((_request, response) => response.writeHead(status).end('<h1>Not this one</h1>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as AddressInfo;
    const socket = dial(`http://127.0.0.1:${port}`, { transports: [transport()] });
    const said = `no Halyard server, but one that answers ${status}`;
    expect(await refusalOf(socket)).toEqual(['ERR_CONNECT', said, false]);
  });

  test('of an answer to ws that has no end no more is read than a server of ours may say', async () => {
    const other = createServer((_request, response) => {
      response.writeHead(403);
      const more = (): void => {
        while (response.writable && response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    cleanups.push(
      () => other.close(),
      () => other.closeAllConnections(),
    );
    const { port } = other.address() as AddressInfo;
    const transports = [websocket({ WebSocket: Ws as never })];
    const socket = dial(`http://127.0.0.1:${port}`, { transports });
    const said = 'no Halyard server, but one that answers 403';
    expect(await refusalOf(socket)).toEqual(['ERR_CONNECT', said, false]);
  });
});
