// What an app sees, whatever is underneath: one suite for every host, transport and codec.
import { type Socket as ClientSocket, type CoreOptions, connect, PublicError, type Transport } from '@halyard/client';
import type { Codec } from '@halyard/codec';
import { Cable } from '@halyard/harness/cable';
import { forSeeds, seededRandom } from '@halyard/harness/random';
import { type HostFactory, Server, type ServerOptions, type Socket as ServerSocket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';

export interface Combination {
  readonly host: () => HostFactory;
  readonly transport: () => Transport;
  readonly serverCodec: () => Codec;
  readonly clientCodec: () => Codec;
  /** Whether it is tried with what takes seconds: how much is under way does not depend on the codec. */
  readonly hasLargest: boolean;
}

/** Registers the suite under `name`. */
export function sessionSuite(
  name: string,
  { host, transport, hasLargest, serverCodec, clientCodec }: Combination,
): void {
  describe(name, () => {
    const cleanUp: (() => unknown)[] = [];

    afterEach(async () => {
      for (const end of cleanUp.splice(0).reverse()) await end();
    });

    async function serve(options: ServerOptions = {}): Promise<Server> {
      const io = new Server({ host: host(), codecs: [serverCodec()], ...options });
      cleanUp.push(() => io.close());
      return io.listen(0, '127.0.0.1');
    }

    function join(port: number, options: Partial<CoreOptions> = {}, namespace = '/'): ClientSocket {
      const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
        codec: clientCodec(),
        transports: [transport()],
        reconnect: { delayMinMs: 5, delayMaxMs: 20 },
        ...options,
      });
      cleanUp.push(() => socket.connection.close());
      return socket;
    }

    test('every kind of value goes both ways, as argument and as reply', async () => {
      const io = await serve();
      const fromServer = new Promise<unknown>((resolve) => {
        io.on('connection', (socket) => {
          socket.on('echo', (...args) => args);
          socket.on('ready', () => {
            resolve(socket.emitWithAck('echo', ...values));
          });
        });
      });
      const client = join(io.port);
      client.on('echo', (...args) => args);
      expect(await client.emitWithAck('echo', ...values)).toStrictEqual(values);
      client.emit('ready');
      expect(await fromServer).toStrictEqual(values);
      expect(await client.emitWithAck('echo')).toStrictEqual([]);
    });

    test('errors arrive as what they are, and nothing else does', async () => {
      const io = await serve();
      const causes: unknown[] = [];
      io.on('error', (error) => causes.push(error));
      io.on('connection', (socket) => {
        socket.on('public', () => {
          throw new PublicError('ERR_MINE', 'For you.', { n: 1n });
        });
        socket.on('secret', async () => {
          throw new Error('not for you');
        });
      });
      const client = join(io.port);
      await expect(client.emitWithAck('public')).rejects.toMatchObject({
        code: 'ERR_MINE',
        message: 'For you.',
        data: { n: 1n },
      });
      await expect(client.emitWithAck('secret')).rejects.toMatchObject({
        code: 'ERR_HANDLER',
        message: 'The handler failed.',
      });
      await expect(client.emitWithAck('nobody')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
      await expect(client.timeout(5_000).emitWithAck('public')).rejects.toMatchObject({ code: 'ERR_MINE' });
      await expect(client.emitWithAck('x', () => {})).rejects.toMatchObject({ code: 'ERR_NOT_ENCODABLE' });
      expect(causes).toEqual([new Error('not for you')]);
    });

    test('rooms, except and the whole namespace; one connection for several namespaces', async () => {
      const io = await serve();
      const chat = io.of('/chat').use(({ auth, data }) => {
        if (auth.name === undefined) throw new PublicError('ERR_NAME', 'Say who you are.');
        data.name = auth.name;
      });
      chat.on('connection', (socket) => {
        socket.on('enter', (room) => {
          socket.join(room);
          socket.to(room).emit('entered', socket.data.name);
        });
      });
      const heard: unknown[][] = [];
      const people = ['ada', 'bob'].map((user) => {
        const main = join(io.port);
        const socket = main.of('/chat', { auth: async () => ({ name: user }) });
        for (const event of ['entered', 'all', 'room']) socket.on(event, (what) => heard.push([user, event, what]));
        main.on('all', (what) => heard.push([user, 'main', what]));
        return socket;
      });
      const nobody = join(io.port, {}, '/chat');
      const refused = new Promise((resolve) => nobody.on('connect_error', resolve));
      for (const socket of people) await socket.emitWithAck('enter', 'tea').catch(() => {});
      chat.to('tea').emit('room', 1);
      chat.emit('all', 2);
      io.emit('all', 3);
      await expect.poll(() => heard.length).toBe(7);
      expect(heard.filter(([user]) => user === 'ada')).toEqual([
        ['ada', 'entered', 'bob'],
        ['ada', 'room', 1],
        ['ada', 'all', 2],
        ['ada', 'main', 3],
      ]);
      expect(await refused).toMatchObject({ code: 'ERR_NAME', message: 'Say who you are.' });
    });

    test('connections break at any moment: everything arrives once and in order, both ways, and every reply comes', () =>
      forSeeds(1, async (seed) => {
        const random = seededRandom(seed);
        const io = await serve({ sackPacketsMax: 8 });
        const cable = await Cable.open(io.port);
        cleanUp.push(() => cable.close());
        const atServer: number[] = [];
        const atClient: string[] = [];
        const emitted: string[] = [];
        const joined = new Promise<ServerSocket>((resolve) => io.on('connection', resolve));
        join(io.port);
        const bystander = await joined;
        bystander.join('room');
        io.on('connection', (socket) => {
          socket.join(['room', 'as well']);
          socket.on('up', (n) => {
            atServer.push(n);
            for (const [kind, target] of [
              ['direct', socket],
              ['room', io.to('room')],
              ['loop', io.to(['room', 'as well'])],
              ['others', bystander.to('room')],
              ['all', io],
            ] as const) {
              target.emit('down', `${kind} ${n}`);
              emitted.push(`${kind} ${n}`);
            }
            return n;
          });
        });
        const client = join(cable.port);
        const connects: boolean[] = [];
        client.on('connect', ({ recovered }) => connects.push(recovered));
        client.on('down', (what) => {
          atClient.push(what);
        });
        // What left before the server is known to have the session may be given up, and is told then (docs/PROTOCOL.md §5.6).
        await expect.poll(() => client.connected, { interval: 1 }).toBe(true);
        const replies: Promise<number>[] = [];
        const total = 400;
        for (let n = 0; n < total; n++) {
          const reply = client.emitWithAck('up', n);
          // If something else fails first, that is what is reported.
          reply.catch(() => {});
          replies.push(reply);
          // In the midst of traffic, and in the midst of connecting.
          if (n % 100 === 50) {
            await expect.poll(() => client.connected, { interval: 1 }).toBe(true);
            cable.cut();
          } else if (random.chance(0.02)) cable.cut();
          if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve, random.int(4)));
        }
        expect(await Promise.all(replies)).toEqual(Array.from({ length: total }, (_, n) => n));
        await expect.poll(() => atClient.length).toBe(emitted.length);
        expect(atServer).toEqual(Array.from({ length: total }, (_, n) => n));
        expect(atClient).toEqual(emitted);
        // A polling connection outlives the TCP connections under it.
        if (client.connection.transport === 'websocket') expect(connects.length).toBeGreaterThan(3);
        expect(connects.slice(1).every(Boolean)).toBe(true);
      }));

    test('a message of nearly the largest size arrives, and a larger one is refused where it is emitted', async () => {
      const io = await serve({ frameBytesMax: 1 << 20 });
      io.on('connection', (socket) => {
        socket.on('size', (text) => text.length);
        socket.on('big', (length) => 'y'.repeat(length));
      });
      const client = join(io.port);
      expect(await client.emitWithAck('size', 'x'.repeat(1_000_000))).toBe(1_000_000);
      expect((await client.emitWithAck('big', 3_000_000)).length).toBe(3_000_000);
      await expect(client.emitWithAck('size', 'x'.repeat(1_100_000))).rejects.toMatchObject({
        code: 'ERR_FRAME_TOO_BIG',
      });
      expect(await client.emitWithAck('size', 'still here')).toBe(10);
    });

    test.skipIf(!hasLargest)('what is confirmed keeps pace with any size, both ways', async () => {
      const io = await serve();
      io.on('connection', (socket) => {
        socket.on('chunk', (text) => text.length);
        socket.on('next', () => {
          socket.emit('chunk', 'y'.repeat(1_000_000));
        });
      });
      const client = join(io.port);
      const chunk = 'x'.repeat(512 * 1024);
      for (let i = 0; i < 20; i++) expect(await client.emitWithAck('chunk', chunk)).toBe(chunk.length);
      // More than an outbox holds, as fast as it comes, well within the time after which a SACK is due anyway.
      let come = 0;
      await new Promise<void>((resolve) => {
        client.on('chunk', () => {
          if (++come === 12) resolve();
          else client.emit('next');
        });
        client.emit('next');
      });
      expect(io.sockets.size).toBe(1);
    });

    test('what the server ends stays ended, and a client that leaves is gone at once', async () => {
      const io = await serve();
      const ends: unknown[] = [];
      io.on('connection', (socket) => {
        socket.on('kick me', () => socket.disconnect());
        socket.on('disconnect', ({ by }) => ends.push(by));
      });
      const client = join(io.port);
      const kicked = new Promise((resolve) => client.on('disconnect', resolve));
      client.emit('kick me');
      expect(await kicked).toMatchObject({ by: 'server', willReconnect: false });
      expect(client.connected).toBe(false);
      const again = join(io.port);
      await new Promise((resolve) => again.on('connect', resolve));
      again.disconnect();
      await expect.poll(() => ends).toEqual(['server', 'client']);
      await expect.poll(() => io.sockets.size).toBe(0);
    });
  });
}

const values = [
  null,
  true,
  0,
  -1.5,
  2 ** 53 - 1,
  12345678901234567890n,
  -1n,
  'text ☃ 𝄞',
  new Uint8Array([0, 1, 254, 255]),
  new Date(1_700_000_000_123),
  [1, [2, [3]]],
  { a: { b: [null, { c: 'd' }] }, constructor: 'own', $bin: 'not binary' },
];
