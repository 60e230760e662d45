// What an app, and a client on the raw wire, may expect of the server on every host: one suite, run for each.
import { PublicError, type Server, type ServerOptions, type Socket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import type { HostStart } from '../../../test/kit/hosts';
import { WireClient } from '../../../test/kit/wire';

/** Registers the suite. @param start gives a server that is reached at its `port` on 127.0.0.1 */
export function hostSuite(name: string, start: HostStart): void {
  describe(name, () => {
    const servers: Server[] = [];

    async function listening(options: ServerOptions = {}): Promise<Server> {
      const io = await start(options);
      servers.push(io);
      return io;
    }

    afterEach(async () => {
      for (const io of servers.splice(0)) await io.close();
    });

    /** A connected client, its socket, and what a resume needs. */
    async function join(
      io: Server,
      ...rooms: string[]
    ): Promise<{ wire: WireClient; socket: Socket; session: string; secret: string }> {
      const wire = await WireClient.open(io.port);
      wire.send([0]);
      const [, session, secret] = (await wire.packet(1)) as [number, string, string];
      const [, , id] = (await wire.packet(11)) as [number, string, string];
      const socket = io.sockets.get(id);
      if (socket === undefined) throw new Error('no socket');
      socket.join(rooms);
      return { wire, socket, session, secret };
    }

    async function resume(
      io: Server,
      { wire, session, secret }: { wire: WireClient; session: string; secret: string },
      received = wire.counted,
      positions = wire.positions,
    ): Promise<WireClient> {
      const next = await WireClient.open(io.port);
      next.send([0, [['/']], 'test', [session, secret, received, 0, positions]]);
      await next.packet(1);
      return next;
    }

    async function away(client: { wire: WireClient; socket: Socket }): Promise<void> {
      const gone = new Promise<void>((resolve) => client.socket.once('away', () => resolve()));
      client.wire.cut();
      await gone;
    }

    test('whole rooms, several rooms, except and ids each reach whom they name, once', async () => {
      const io = await listening();
      const a = await join(io, 'one', 'two');
      const b = await join(io, 'two');
      const c = await join(io);
      io.emit('all', 1);
      io.to('one').emit('one', 2);
      io.to('one').to('two').emit('both', 3);
      a.socket.to('two').emit('not-a', 4);
      io.to(c.socket.id).to('one').emit('c-and-one', 5);
      io.except('two').emit('only-c', 6);
      b.socket.broadcast.emit('not-b', 7);
      io.to(['one', a.socket.id]).emit('a-once', 8);
      io.to('nobody').emit('never', 9);
      io.to([]).emit('never', 10);
      a.socket.to([]).emit('never', 11);
      await Promise.all([a, b, c].map(({ wire }) => wire.settle()));
      expect(a.wire.events).toEqual(['all 1', 'one 2', 'both 3', 'c-and-one 5', 'not-b 7', 'a-once 8']);
      expect(b.wire.events).toEqual(['all 1', 'both 3', 'not-a 4']);
      expect(c.wire.events).toEqual(['all 1', 'c-and-one 5', 'only-c 6', 'not-b 7']);
    });

    test('direct and published messages arrive in the order they were emitted', async () => {
      const io = await listening();
      const a = await join(io, 'room', 'other');
      const b = await join(io, 'room');
      const expected: string[] = [];
      for (let i = 0; i < 400; i += 4) {
        a.socket.emit('direct', i);
        io.to('room').emit('room', i + 1);
        io.to(['room', 'other']).emit('loop', i + 2);
        b.socket.to('room').emit('others', i + 3);
        expected.push(`direct ${i}`, `room ${i + 1}`, `loop ${i + 2}`, `others ${i + 3}`);
      }
      await a.wire.settle();
      expect(a.wire.events).toEqual(expected);
      await b.wire.settle();
      expect(b.wire.events).toEqual(expected.filter((what) => !/direct|others/.test(what)));
    });

    test('one that speaks to others hears nothing of it: as a member, not a member, away, or catching up', async () => {
      const io = await listening();
      const a = await join(io, 'room');
      const b = await join(io, 'room');
      const c = await join(io);
      a.socket.to('room').emit('member', 1);
      c.socket.to('room').emit('guest', 2);
      io.to('room').except(c.socket.id, a.socket.id).emit('two', 3);
      io.to('room').except('nobody').emit('nobody', 4);
      await a.wire.settle();
      await away(a);
      a.socket.to('room').emit('absent', 5);
      a.socket.broadcast.emit('absent', 6);
      io.to('room').emit('all', 7);
      const long = 'x'.repeat(100_000);
      for (let i = 0; i < 5; i++) a.socket.emit('direct', long);
      // It hears of its return when there is more than the first page to send.
      a.socket.once('resume', () => a.socket.to('room').emit('catching', 8));
      const catching = await resume(io, a);
      io.to('room').emit('all', 9);
      await catching.until(({ events }) => events.includes('all 9'));
      await Promise.all([catching, b.wire, c.wire].map((wire) => wire.settle()));
      expect(a.wire.events).toEqual(['guest 2', 'nobody 4']);
      expect(catching.events.filter((what) => !what.startsWith('direct'))).toEqual(['all 7', 'all 9']);
      expect(b.wire.events).toEqual([
        'member 1',
        'guest 2',
        'two 3',
        'nobody 4',
        'absent 5',
        'absent 6',
        'all 7',
        'catching 8',
        'all 9',
      ]);
      expect(c.wire.events).toEqual(['absent 6']);
    });

    test('a resume brings everything missed, in the order it was emitted, without what was not for it', async () => {
      const io = await listening();
      const a = await join(io, 'one', 'two');
      const b = await join(io, 'two');
      io.emit('before', 0);
      a.socket.emit('before', 1);
      await a.wire.settle();
      await away(a);
      a.socket.emit('direct', 2);
      io.to('one').emit('one', 3);
      io.emit('all', 4);
      io.to(['one', 'two']).emit('both', 5);
      b.socket.to('two').emit('from-b', 6);
      io.except('one').emit('not-for-a', 7);
      a.socket.leave('one');
      io.to('one').emit('left', 8);
      io.except('one').emit('again-for-a', 9);
      a.socket.join('three');
      io.to('three').emit('three', 10);
      a.socket.emit('direct', 11);
      const back = await resume(io, a);
      io.emit('live', 12);
      await back.settle();
      expect((await back.packet(1)).slice(4)).toEqual([0, true, '']);
      expect(back.events).toEqual([
        'direct 2',
        'one 3',
        'all 4',
        'both 5',
        'from-b 6',
        'again-for-a 9',
        'three 10',
        'direct 11',
        'live 12',
      ]);
      expect(a.socket.recovered).toBe(true);
    });

    test('what was in flight when the connection broke is sent again from where the client says it is', async () => {
      const io = await listening();
      const a = await join(io, 'one');
      for (let i = 0; i < 10; i++) {
        io.to('one').emit('room', i);
        a.socket.emit('direct', i);
      }
      await a.wire.settle();
      await away(a);
      // The client says that it saw three of each.
      const log = a.wire.positions[0] as string;
      const back = await resume(io, a, 4, [log, 3]);
      await back.settle();
      expect(back.events[0]).toBe('room 3');
      expect(back.events).toHaveLength(14);
    });

    test('a room left before its last messages were read is still read to its end', async () => {
      const io = await listening();
      const a = await join(io, 'one');
      io.to('one').emit('seen', 0);
      await a.wire.settle();
      const { counted, positions } = a.wire;
      io.to('one').emit('missed', 1);
      a.socket.leave('one');
      io.to('one').emit('not mine', 2);
      await a.wire.settle();
      await away(a);
      const back = await resume(io, a, counted, positions);
      await back.settle();
      expect(back.events).toEqual(['missed 1']);
    });

    test('a log that no longer reaches back fails loudly', async () => {
      const io = await listening({ logPacketsMax: 10 });
      const a = await join(io, 'one');
      const bystander = await join(io, 'one');
      await away(a);
      const over = new Promise((resolve) => a.socket.once('disconnect', resolve));
      for (let i = 0; i < 11; i++) io.to('one').emit('room', i);
      const back = await resume(io, a);
      expect((await back.packet(1)).slice(5)).toEqual([false, 'log-trimmed']);
      await over;
      await bystander.wire.settle();
      expect(bystander.wire.events).toHaveLength(11);
    });

    test('ten messages of a log of ten are all there', async () => {
      const io = await listening({ logPacketsMax: 10 });
      const a = await join(io, 'one');
      await away(a);
      for (let i = 0; i < 10; i++) io.to('one').emit('room', i);
      const back = await resume(io, a);
      await back.settle();
      expect(back.events).toHaveLength(10);
    });

    test('a large backlog is fed by pages while more is emitted, and stays in order', async () => {
      const io = await listening({ logPacketsMax: 10_000, logBytesMax: 64 << 20, outboxBytesMax: 64 << 20 });
      const a = await join(io, 'one');
      await away(a);
      const expected: string[] = [];
      const emit = (from: number, to: number): void => {
        for (let i = from; i < to; i++) {
          if (i % 3 === 0) a.socket.emit('m', i, 'x'.repeat(2_000));
          else (i % 3 === 1 ? io.to('one') : io).emit('m', i, 'x'.repeat(2_000));
          expected.push(`m ${i}`);
        }
      };
      emit(0, 3_000);
      const back = await resume(io, a);
      emit(3_000, 3_300);
      await back.until(() => back.events.length >= 3_300);
      await back.settle();
      expect(back.events).toEqual(expected);
    });

    test('a second attachment evicts the first, and goes on', async () => {
      const io = await listening();
      const a = await join(io);
      const back = await resume(io, a);
      expect(await a.wire.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
      a.socket.emit('hi', 1);
      await back.settle();
      expect(back.events).toEqual(['hi 1']);
    });

    test('a HELLO that was overtaken by a later one takes the session from nobody', async () => {
      const io = await listening();
      const token = 'a token of its own';
      const [first, second, third, late] = await Promise.all([1, 2, 3, 4].map(() => WireClient.open(io.port)));
      if (first === undefined || second === undefined || third === undefined || late === undefined) throw new Error();
      second.send([0, [['/']], '', null, token, 2]);
      const [, session, secret] = (await second.packet(1)) as [number, string, string];
      first.send([0, [['/']], '', null, token, 1]);
      expect(await first.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
      third.send([0, [['/']], '', [session, secret, 0, 0, []], '', 4]);
      expect(await second.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
      late.send([0, [['/']], '', [session, secret, 0, 0, []], '', 3]);
      expect(await late.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
      await third.settle();
      expect(io.sockets.size).toBe(1);
    });

    test('a resume over a connection whose RESET was lost is heard', async () => {
      const io = await listening();
      io.on('connection', (socket) => {
        socket.on('echo', (value) => value);
      });
      const wire = await WireClient.open(io.port);
      wire.send([0, [['/']], '', ['no-such', 'secret', 0, 0, []]]);
      const [, session, secret] = (await wire.packet(1)) as [number, string, string];
      wire.cut();
      const back = await resume(io, { wire, session, secret });
      back.send([2, '/', 'echo', ['heard'], 1]);
      expect(await back.packet(3)).toEqual([3, 1, 'heard']);
    });

    test('a token whose session has a hole in a log is a new session, and says so', async () => {
      const io = await listening({ logPacketsMax: 5 });
      const token = 'a token of its own';
      const first = await WireClient.open(io.port);
      first.send([0, [['/']], '', null, token, 1]);
      await first.packet(11);
      first.cut();
      await expect.poll(() => [...io.sockets.values()][0]?.away).toBe(true);
      for (let i = 0; i < 20; i++) io.emit('n', i);
      const again = await WireClient.open(io.port);
      again.send([0, [['/']], '', null, token, 2], [8], [14]);
      expect((await again.packet(1)).slice(5)).toEqual([false, 'log-trimmed']);
      await again.settle();
      expect(again.events).toEqual([]);
      expect(again.received.filter(([type]) => type === 9)).toHaveLength(1);
    });

    test('what was published before the server disconnected a socket is still read', async () => {
      const io = await listening();
      const a = await join(io, 'room', 'other');
      await away(a);
      io.to('room').emit('room', 1);
      io.except('other').emit('not mine', 2);
      a.socket.emit('direct', 3);
      a.socket.disconnect();
      io.to('room').emit('late', 4);
      const back = await resume(io, a);
      await back.packet(13);
      await back.settle();
      expect(back.events).toEqual(['room 1', 'direct 3']);
    });

    test('a connection that breaks in the midst of an emit does not change the order for others', async () => {
      const io = await listening({ backpressureBytesMax: 131_072 });
      const poller = async (): Promise<{ id: string; poll: (received: number) => Promise<string> }> => {
        const url = `http://127.0.0.1:${io.port}/halyard`;
        const opened = await fetch(url, { method: 'POST' });
        const connection = opened.headers.get('halyard-connection') ?? '';
        const welcomed = await fetch(url, {
          method: 'POST',
          body: '[0]',
          headers: { 'halyard-connection': connection, 'halyard-seq': '1', 'halyard-ack': '0' },
        });
        const poll = async (received: number): Promise<string> =>
          (await fetch(url, { headers: { 'halyard-connection': connection, 'halyard-ack': `${received}` } })).text();
        const [, id] = /\[11,"\/","([^"]+)"\]/.exec(await welcomed.text()) ?? [];
        return { id: id ?? '', poll };
      };
      const slow = await poller();
      const quick = await poller();
      const gone = new Promise((resolve) => io.sockets.get(slow.id)?.on('away', resolve));
      io.sockets.get(slow.id)?.on('away', () => io.emit('left', 'x'));
      let received = 1;
      let heard = '';
      for (let i = 0; i < 6; i++) {
        io.emit('n', i, 'x'.repeat(60_000));
        heard += `${await quick.poll(received++)}\n`;
      }
      await gone;
      // It may have come with one of those.
      if (!heard.includes('left')) heard += await quick.poll(received);
      const offsets = [...heard.matchAll(/^\[5,"\/",\["\w+",(\d+)\]/gm)].map(([, offset]) => Number(offset));
      expect(offsets).toEqual([1, 2, 3, 4, 5, 6, 7]);
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

    test('events that wait for a slow middleware are bounded', async () => {
      const io = await listening({ waitingPacketsMax: 10 });
      io.on('connection', (socket) => socket.use(() => new Promise(() => {})));
      const { wire } = await join(io);
      for (let i = 0; i < 50; i++) wire.send([2, '/', 'x', [i]]);
      expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 1008 });
    });

    test('events that wait for a namespace are bounded in bytes', async () => {
      const io = await listening({ waitingBytesMax: 10_000 });
      io.of('/slow').use(() => new Promise(() => {}));
      const { wire } = await join(io);
      wire.send([10, '/slow']);
      for (let i = 0; i < 5; i++) wire.send([2, '/slow', 'x', ['x'.repeat(3_000)]]);
      expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 1008 });
    });

    test('one socket that owes too many replies is missing, and the others are asked', async () => {
      const io = await listening({ pendingAcksMax: 1 });
      const a = await join(io);
      const b = await join(io);
      const owed = a.socket
        .timeout(300)
        .emitWithAck('first')
        .catch(() => {});
      const asked = io.timeout(300).emitWithAck('second');
      b.wire.send([3, (await b.wire.packet(2))[4], 'yes']);
      expect(await asked).toEqual({ replies: ['yes'], missing: [a.socket.id] });
      await owed;
      expect(() => a.socket.timeout(Number.NaN)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    });

    test('volatile messages behind others of the same turn are sent', async () => {
      const io = await listening();
      const { wire, socket } = await join(io);
      socket.emit('first', 0);
      socket.volatile.emit('v', 1);
      io.volatile.emit('v', 2);
      await wire.settle();
      expect(wire.received.filter(([type]) => type === 6).map((tuple) => tuple[3])).toEqual([[1], [2]]);
    });

    test('a session away for longer than its window ends', async () => {
      const io = await listening({ recoveryWindowMs: 200 });
      const a = await join(io, 'one');
      const over = new Promise((resolve) => a.socket.once('disconnect', resolve));
      a.wire.cut();
      expect(await over).toMatchObject({ code: 4410 });
      expect(io.sockets.size).toBe(0);
      expect(io.of('/').rooms.size).toBe(0);
      const back = await resume(io, a);
      expect((await back.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
    });

    test('after a refused resume everything before RESET is ignored', async () => {
      const io = await listening();
      const heard: unknown[] = [];
      io.on('connection', (socket) => {
        socket.on('say', (text) => {
          heard.push(text);
        });
      });
      const wire = await WireClient.open(io.port);
      wire.send(
        [0, [['/']], '', ['no-such', 'secret', 0, 0, []]],
        [2, '/', 'say', ['of the other']],
        [14],
        [2, '/', 'say', ['mine']],
      );
      await wire.settle();
      expect(heard).toEqual(['mine']);
    });

    test('a client whose WELCOME was lost says HELLO again with its token, and is handled once', async () => {
      const io = await listening();
      const heard: unknown[] = [];
      io.on('connection', (socket) => {
        socket.on('say', (text) => {
          heard.push(text);
          return text;
        });
      });
      io.of('/late').on('connection', () => heard.push('late'));
      const token = 'a token of its own';
      const first = await WireClient.open(io.port);
      first.send([0, [['/']], '', null, token], [2, '/', 'say', [1], 1], [2, '/', 'say', [2], 2]);
      await first.packet(3, ([, ack]) => ack === 2);
      first.cut();
      const again = await WireClient.open(io.port);
      const flight = [1, 2, 3].map((n) => [2, '/', 'say', [n], n]);
      again.send([0, [['/'], ['/late']], '', null, token], ...flight);
      await again.packet(3, ([, ack]) => ack === 3);
      expect(heard).toEqual([1, 2, 'late', 3]);
      expect(io.sockets.size).toBe(1);
      expect((await again.packet(1))[1]).toBe((await first.packet(1))[1]);
      // Once the client has confirmed anything it knows its session, and the token is nobody's.
      again.send([7, again.counted]);
      await again.settle();
      const stranger = await WireClient.open(io.port);
      stranger.send([0, [['/']], '', null, token]);
      expect((await stranger.packet(1))[1]).not.toBe((await first.packet(1))[1]);
    });

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

    test('replies of many, and the ids of those that do not answer', async () => {
      const io = await listening();
      const a = await join(io, 'one');
      const b = await join(io, 'one');
      const asked = io.to('one').timeout(300).emitWithAck('question', 1);
      const [, , , , ack] = await a.wire.packet(2);
      a.wire.send([3, ack, 'answer']);
      expect(await asked).toEqual({ replies: ['answer'], missing: [b.socket.id] });
      // The late answer of b is no error.
      b.wire.send([3, (await b.wire.packet(2))[4], 'late']);
      await b.wire.settle();
      expect(b.wire.closed).toBeUndefined();
    });

    test('socketsJoin, socketsLeave, fetchSockets and disconnectSockets act on whom a target means', async () => {
      const io = await listening();
      const a = await join(io, 'one');
      const b = await join(io);
      io.in('one').socketsJoin('two');
      expect([...a.socket.rooms]).toEqual([a.socket.id, 'one', 'two']);
      expect((await io.in('two').fetchSockets()).map(({ id }) => id)).toEqual([a.socket.id]);
      io.socketsLeave('one');
      expect(io.of('/').rooms.has('one')).toBe(false);
      io.except('two').disconnectSockets();
      expect(await b.wire.packet(13)).toEqual([13, '/', 'disconnected by the server']);
      io.disconnectSockets(true);
      expect(await a.wire.until((wire) => wire.closed)).toMatchObject({ code: 1000 });
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

    test('volatile messages reach who is there and are never kept', async () => {
      const io = await listening();
      const a = await join(io, 'one');
      const b = await join(io, 'one');
      await away(b);
      io.to('one').volatile.emit('tick', 1);
      b.socket.volatile.emit('tick', 2);
      const back = await resume(io, b);
      await back.settle();
      await a.wire.settle();
      expect(a.wire.received.filter(([type]) => type === 6)).toEqual([[6, '/', 'tick', [1]]]);
      expect(back.received.filter(([type]) => type === 6)).toEqual([]);
    });

    test('a consumer that does not read is cut and catches up from where it was', async () => {
      const io = await listening({ backpressureBytesMax: 131_072, logPacketsMax: 100_000, logBytesMax: 1 << 29 });
      const a = await join(io, 'one');
      await a.wire.settle();
      const gone = new Promise<void>((resolve) => a.socket.once('away', () => resolve()));
      a.wire.pause();
      let sent = 0;
      while (!a.socket.away) {
        for (let i = 0; i < 40; i++) io.to('one').emit('room', sent++, 'x'.repeat(10_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await gone;
      a.wire.unpause();
      await a.wire.until((wire) => wire.closed);
      const seen = a.wire.events.length;
      expect(a.wire.events).toEqual(Array.from({ length: seen }, (_, i) => `room ${i}`));
      const back = await resume(io, a);
      await back.until(() => back.events.length + seen >= sent);
      await back.settle();
      expect([...a.wire.events, ...back.events]).toEqual(Array.from({ length: sent }, (_, i) => `room ${i}`));
    });
  });
}
