// What a socket of the server's tells of its client and of its end, and who listens to all of it.
import type { Close, RemoteSocket, Server, ServerOptions, Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { WireClient } from '../kit/wire';
import { Poller } from './poller';
import { RawWebSocket } from './raw';

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, open } = served(host);

  async function joined(io: Server) {
    const wire = await open(io);
    wire.send([0]);
    const [, session, secret] = await wire.packet(1);
    const [, , id] = await wire.packet(11);
    return { wire, session, secret, socket: io.sockets.get(id as string) as Socket };
  }

  /** Servers whose sockets are in two rooms and tell of their end, and how each kind of end is brought about. */
  const ends: readonly [
    what: string,
    bring: (one: Awaited<ReturnType<typeof joined>>, io: Server) => unknown,
    close: Partial<Close>,
    options?: ServerOptions,
  ][] = [
    ['the client leaves the namespace', ({ wire }) => wire.send([13, '/', 'bye']), { code: 1000, by: 'client' }],
    ['the client closes', ({ wire }) => wire.close(1000), { code: 1000, by: 'client' }],
    ['the app disconnects the socket', ({ socket }) => socket.disconnect(), { code: 1000, by: 'server' }],
    ['the app ends the session', ({ socket }) => socket.disconnect(true), { code: 1000, by: 'server' }],
    ['the client breaks a rule', ({ wire }) => wire.send([3, 9]), { code: 4400, by: 'server' }],
    ['nobody comes back', ({ wire }) => wire.cut(), { code: 4410, by: 'server' }, { recoveryWindowMs: 0 }],
    ['the server closes', (_one, io) => io.close(), { code: 1001, by: 'server' }],
  ];

  test.each(ends)('%s: disconnecting and disconnect know why, and the rooms', async (_what, bring, close, options) => {
    const told: [event: string, rooms: string[], ...why: unknown[]][] = [];
    const io = await serve(options, (server) => {
      server.on('connection', (socket) => {
        socket.join('a', 'b');
        socket.leave('b');
        socket.join('c');
        for (const event of ['disconnect', 'disconnecting'] as const) {
          socket.on(event, (why) => {
            told.push([event, [...socket.rooms], why.code, why.by, socket.connected]);
            for (const room of socket.rooms) socket.to(room).emit('left', event);
          });
        }
      });
    });
    const one = await joined(io);
    const other = await joined(io);
    await bring(one, io);
    const rooms = [one.socket.id, 'a', 'c'];
    const its = (): unknown[] => told.filter(([, [id]]) => id === one.socket.id);
    await expect.poll(() => its().length).toBe(2);
    expect(its()).toEqual([
      ['disconnecting', rooms, close.code, close.by, false],
      ['disconnect', rooms, close.code, close.by, false],
    ]);
    expect([...one.socket.rooms]).toEqual(rooms);
    if (close.code === 1001) return;
    expect(io.of('/').rooms.get('a')?.size).toBe(1);
    // Once for each room, in the order of the two events.
    await other.wire.until(({ events }) => events.length === 4);
    expect(other.wire.events).toEqual([
      'left disconnecting',
      'left disconnecting',
      'left disconnect',
      'left disconnect',
    ]);
  });

  test('no client can emit what stands for the life of a socket', async () => {
    const told: string[] = [];
    const io = await serve({}, (server) => {
      server.on('unhandled', (_socket, event) => told.push(`unhandled ${event}`));
      server.on('connection', (socket) => {
        socket.on('disconnecting', () => told.push('disconnecting'));
      });
    });
    const { wire, socket } = await joined(io);
    wire.send([2, '/', 'disconnecting', []]);
    await wire.settle();
    expect(told).toEqual(['unhandled disconnecting']);
    expect(() => socket.emit('disconnecting' as string)).toThrow(
      expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }),
    );
  });

  test('handlers of any event: the prepended ones first, those of what is sent, and all removed', async () => {
    const io = await serve();
    const { wire, socket } = await joined(io);
    const told: string[] = [];
    const tell =
      (who: string) =>
      (...args: unknown[]): void => {
        told.push(`${who} ${args.join(' ')}`);
      };
    const sent = tell('sent');
    socket.onAny(tell('any')).prependAny(tell('first')).prependAny(tell('very first'));
    socket.on('hi', tell('its own'));
    socket.onAnyOutgoing(sent).onAnyOutgoing(() => {
      throw new Error('boom');
    });
    const errors: string[] = [];
    io.on('error', (_error, { where }) => errors.push(where));
    wire.send([2, '/', 'hi', [1]]);
    await wire.settle();
    expect(told.splice(0)).toEqual(['very first hi 1', 'first hi 1', 'any hi 1', 'its own 1']);
    socket.emit('one', 1, undefined);
    socket.volatile.emit('two', 2);
    void socket.emitWithAck('three', 3).catch(() => {});
    await socket.emitDurable('four', 4);
    io.emit('all', 5);
    expect(told.splice(0)).toEqual(['sent one 1', 'sent two 2', 'sent three 3', 'sent four 4']);
    expect(errors).toContain('a handler of any outgoing event, for "one" in namespace /');
    await wire.settle();
    expect(wire.events).toEqual(['one 1', 'three 3', 'four 4', 'all 5']);
    socket.offAnyOutgoing(sent);
    socket.emit('five');
    socket.offAnyOutgoing();
    socket.on('disconnect', tell('over')).removeAllListeners('hi');
    wire.send([2, '/', 'hi', [2], 1]);
    expect((await wire.packet(4)).slice(0, 3)).toEqual([4, 1, 'ERR_NO_HANDLER']);
    socket.removeAllListeners();
    wire.send([2, '/', 'hi', [3]]);
    await wire.settle();
    socket.disconnect(true);
    await wire.until(({ closed }) => closed);
    expect(told).toEqual(['very first hi 2', 'first hi 2', 'any hi 2', 'very first hi 3', 'first hi 3', 'any hi 3']);
  });

  test('a handshake has its url, its query and its time, over both transports', async () => {
    const clock = { now: () => performance.now(), wall: () => 1_700_000_000_123, after: after };
    const io = await serve({ clock });
    const query = '?room=a%20b&room=c&__proto__=x&empty=&r%C3%A9=1';
    const raw = await RawWebSocket.connect(io.port);
    raw.cut();
    const socket = await upgraded(io.port, `/halyard${query}`);
    const poller = new Poller(io.port);
    const opened = await fetch(`http://127.0.0.1:${io.port}/halyard${query}`, { method: 'POST' });
    poller.connection = opened.headers.get('halyard-connection') ?? '';
    await poller.send([0]);
    const [, , polled] = await poller.packet(11);
    for (const id of [socket.id, polled as string]) {
      const { handshake } = io.sockets.get(id) as Socket;
      expect(handshake.url).toBe(`/halyard${query}`);
      expect(Object.entries(handshake.query)).toEqual([
        ['room', 'a b'],
        ['__proto__', 'x'],
        ['empty', ''],
        ['ré', '1'],
      ]);
      expect(handshake.query.toString).toBeUndefined();
      expect(handshake.time).toEqual(new Date(1_700_000_000_123));
    }
    socket.wire.cut();
  });

  async function upgraded(port: number, path: string) {
    const wire = await RawWebSocket.connect(port, {}, path);
    const { id } = await wire.hello();
    return { wire, id };
  }

  function after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  }
});

describe.each(places)('with a shared store, on %s', (_name, host, useStore) => {
  const { cleanUp, serve } = clusterOf(host, useStore());

  test('what a handshake came with goes along when a session moves, and is told to other servers', async () => {
    const told: unknown[] = [];
    const servers = await serve(2, (io) => {
      io.on('connection', (socket) => {
        socket.on('disconnect', () => told.push([...socket.rooms].slice(1)));
      });
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const first = await WireClient.open(a.port, {}, '/halyard?from=a');
    cleanUp.push(() => first.cut());
    first.send([0, [['/']], '', null, '', 1]);
    const [, session, secret] = await first.packet(1);
    const [, , id] = (await first.packet(11)) as [number, string, string];
    const { time } = (a.sockets.get(id) as Socket).handshake;
    expect(Math.abs(time.getTime() - Date.now())).toBeLessThan(60_000);
    const seen = ({ handshake: { url, query, time } }: RemoteSocket): unknown[] => [url, query.from, time];
    const [there] = await b.fetchSockets();
    expect(seen(there as RemoteSocket)).toEqual(['/halyard?from=a', 'a', time]);
    (a.sockets.get(id) as Socket).join('room');
    const second = await WireClient.open(b.port, {}, '/halyard?from=b');
    cleanUp.push(() => second.cut());
    second.send([0, [], '', [session, secret, 1, 0], '', 2]);
    await second.packet(1);
    const moved = b.sockets.get(id) as Socket;
    expect(seen(moved)).toEqual(['/halyard?from=a', 'a', time]);
    await second.close(1000);
    await expect.poll(() => told).toEqual([['room']]);
  });
});
