// The promise at its edges: what is missed is brought, once and in order, and nothing else is, however many rooms there are
// and whatever was trimmed, left or excepted.
// Longer than other files: a case for each edge, on both hosts.
import type { Server, Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import type { WireClient } from '../kit/wire';

interface Joined {
  readonly wire: WireClient;
  readonly socket: Socket;
  readonly session: string;
  readonly secret: string;
}

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve, open } = served(host);

  async function join(io: Server, namespaces: string[] = ['/'], ...rooms: string[]): Promise<Joined> {
    const wire = await open(io);
    wire.send([0, namespaces.map((name) => [name])]);
    const [, session, secret] = (await wire.packet(1)) as [number, string, string];
    for (const name of namespaces) await wire.packet(11, ([, namespace]) => namespace === name);
    const [, , id] = wire.received.find(([type]) => type === 11) as [number, string, string];
    const socket = io.of(namespaces[0] as string).sockets.get(id) as Socket;
    socket.join(rooms);
    return { wire, socket, session, secret };
  }

  async function cut({ wire, socket }: Joined): Promise<void> {
    const gone = new Promise<void>((resolve) => socket.once('away', () => resolve()));
    wire.cut();
    await gone;
  }

  /** Resumes from what the client has read. @returns the new connection, and whether the session was recovered */
  async function resume(
    io: Server,
    { wire, session, secret }: Joined,
    positions = wire.positions,
    received = wire.counted,
  ): Promise<{ back: WireClient; recovered: boolean; reason: unknown }> {
    const back = await open(io);
    back.send([0, [], '', [session, secret, received, 0, positions]]);
    const [, , , , , recovered, reason] = await back.packet(1);
    return { back, recovered: recovered === true, reason };
  }

  test('a message to 257 rooms reaches each recipient once, live and when it is read again', async () => {
    const io = await serve();
    const rooms = Array.from({ length: 600 }, (_, i) => `room ${i}`);
    const one = await join(io, ['/'], 'room 0');
    const many = await join(io, ['/'], ...rooms.slice(250));
    const all = await join(io, ['/'], ...rooms);
    const last = await join(io, ['/'], 'room 599', 'room 3');
    io.to(rooms.slice(0, 257)).emit('n', 1);
    io.to(rooms).emit('n', 2);
    for (const { wire } of [one, many, all, last]) {
      await wire.settle();
      expect(wire.events).toEqual(['n 1', 'n 2']);
      // One log is enough, so that a client knows no log of a room it is not in.
      expect(wire.received.filter(([type]) => type === 5).map(([, , flat]) => (flat as unknown[]).length)).toEqual([
        2, 2,
      ]);
    }
    await Promise.all([one, many, all, last].map(cut));
    io.to(rooms.slice(0, 300)).except('nobody').emit('n', 3);
    io.to(rooms).emit('n', 4);
    for (const client of [one, many, all, last]) {
      const { back, recovered } = await resume(io, client);
      await back.settle();
      expect([recovered, back.events]).toEqual([true, ['n 3', 'n 4']]);
      // Once more: what was read by one log is not read again by another.
      const positions = [...client.wire.positions, ...back.positions];
      const again = await resume(io, client, positions);
      await again.back.settle();
      expect([again.recovered, again.back.events]).toEqual([true, []]);
    }
  });

  test('a member of several rooms of a message gets it by the first, and not again after it left that', async () => {
    const io = await serve();
    const client = await join(io, ['/'], 'a', 'b', 'c');
    io.to(['a', 'b']).emit('n', 1);
    io.to(['c', 'b']).emit('n', 2);
    await client.wire.settle();
    client.socket.leave('a');
    io.to(['a', 'b']).emit('n', 3);
    await client.wire.settle();
    await cut(client);
    io.to(['b', 'a', 'c']).emit('n', 4);
    const { back, recovered } = await resume(io, client);
    await back.settle();
    expect([recovered, client.wire.events, back.events]).toEqual([true, ['n 1', 'n 2', 'n 3'], ['n 4']]);
  });

  test('what was excepted by a room where nothing was ever sent is not read after the room was left', async () => {
    const io = await serve();
    const client = await join(io, ['/'], 'a');
    const other = await join(io, ['/'], 'a');
    client.socket.join('r2');
    io.to('a').except('r2').emit('n', 1);
    client.socket.leave('r2');
    await cut(client);
    client.socket.join('r3');
    io.to('a').except('r3').emit('n', 2);
    client.socket.leave('r3');
    io.to('a').emit('n', 3);
    const { back, recovered } = await resume(io, client);
    await back.settle();
    expect([recovered, back.events]).toEqual([true, ['n 3']]);
    await other.wire.settle();
    expect(other.wire.events).toEqual(['n 1', 'n 2', 'n 3']);
  });

  test('9 namespaces of 1,000 rooms, one message each, cut: each once, and no more is sent than a client can name', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `/${i}`);
    const io = await serve();
    for (const name of names) {
      io.of(name).on('connection', (socket) => {
        socket.join(Array.from({ length: 1_000 }, (_, i) => `room ${i}`));
      });
    }
    const client = await join(io, names);
    const wanted: string[] = [];
    for (const name of names) {
      for (let i = 0; i < 1_000; i++) {
        wanted.push(`n ${name} ${i}`);
        io.of(name).to(`room ${i}`).emit('n', `${name} ${i}`);
      }
    }
    // It does not answer: the rest is held.
    const { wire } = client;
    await wire.packet(8);
    await wire.until(({ events }) => events.length >= 8_192);
    wire.send([8]);
    await wire.packet(9);
    expect(wire.events.length).toBe(8_192);
    // Cut here, it can name all it has read.
    expect(wire.positions.length / 2).toBe(8_192);
    await cut(client);
    const { back, recovered } = await resume(io, client);
    expect(recovered).toBe(true);
    // With 8,192 positions named nothing may be sent before two PINGs: with the second one the first is answered.
    await back.packet(8);
    expect(back.events).toEqual([]);
    back.send([9]);
    await back.until(({ received }) => received.filter(([type]) => type === 8).length > 1);
    back.send([9]);
    await back.until(({ events }) => events.length >= 9_000 - 8_192);
    await back.settle();
    expect([...wire.events, ...back.events]).toEqual(wanted);
  });

  test('more positions than HELLO may have are a refused resume, and close nobody for good', async () => {
    const io = await serve();
    const client = await join(io);
    await cut(client);
    const positions = Array.from({ length: 8_193 }, (_, i) => [`log ${i}`, 1]).flat();
    const { back, recovered, reason } = await resume(io, client, positions);
    expect([recovered, reason]).toEqual([false, 'too-many-positions']);
    back.send([14], [2, '/', 'x', [], 1]);
    await back.settle();
    expect(back.closed).toBeUndefined();
  });

  test('a client in more rooms than it can name, that answers, is never held for good', async () => {
    const io = await serve({ roomsPerSocketMax: 8_000 }, (server) => {
      for (const name of ['/', '/b'])
        server.of(name).on('connection', (socket) => {
          socket.join(Array.from({ length: 5_000 }, (_, i) => `room ${i}`));
        });
    });
    const { wire } = await join(io, ['/', '/b']);
    let answered = 0;
    const answer = setInterval(() => {
      const asked = wire.received.filter(([type]) => type === 8).length;
      for (; answered < asked; answered++) wire.send([9]);
    }, 1);
    cleanUp.push(() => clearInterval(answer));
    const wanted: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5_000; i++) {
        for (const name of ['/', '/b']) {
          io.of(name).to(`room ${i}`).emit('n', wanted.length);
          wanted.push(`n ${wanted.length}`);
        }
      }
    }
    await wire.until(({ events }) => events.length >= wanted.length);
    await wire.settle();
    expect(wire.events).toEqual(wanted);
    expect(wire.positions.length / 2).toBe(10_000);
  });

  test('a resume with 9,000 rooms and 9,000 missed messages comes in order: `feed.test.ts` counts its work', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `/${i}`);
    const io = await serve();
    for (const name of names) {
      io.of(name).on('connection', (socket) => {
        socket.join(Array.from({ length: 1_000 }, (_, i) => `room ${i}`));
      });
    }
    const client = await join(io, names);
    await cut(client);
    const wanted: string[] = [];
    for (let i = 999; i >= 0; i--) {
      for (const name of names) {
        io.of(name).to(`room ${i}`).emit('n', wanted.length);
        wanted.push(`n ${wanted.length}`);
      }
    }
    const { back, recovered } = await resume(io, client);
    expect(recovered).toBe(true);
    await back.until(({ events }) => events.length >= 8_192);
    let answered = 0;
    while (back.events.length < 9_000) {
      const asked = back.received.filter(([type]) => type === 8).length;
      for (; answered < asked; answered++) back.send([9]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await back.settle();
    expect(back.events).toEqual(wanted);
  });

  test('WELCOME is lost and the window passes: what had left is told unconfirmed, and is not handled again', async () => {
    const handled: unknown[] = [];
    const io = await serve({ recoveryWindowMs: 1 }, (server) =>
      server.on('connection', (socket) => {
        socket.on('e', (n: unknown) => {
          handled.push(n);
        });
      }),
    );
    const token = 'a text nobody guesses';
    const first = await open(io);
    first.send([0, [['/']], '', null, token, 1, 0], [2, '/', 'e', [1]]);
    await first.packet(11);
    first.cut();
    await expect.poll(() => io.sockets.size).toBe(0);
    const second = await open(io);
    second.send([0, [['/']], '', null, token, 2, 1], [2, '/', 'e', [1]]);
    const welcome = await second.packet(1);
    expect(welcome.slice(4)).toEqual([0, false, 'unknown-session']);
    second.send([14], [2, '/', 'e', [2]]);
    await second.settle();
    expect(handled).toEqual([1, 2]);
    // Nothing had left: a new session, and nothing to tell.
    const third = await open(io);
    third.send([0, [['/']], '', null, 'another text nobody guesses', 1, 0], [2, '/', 'e', [3]]);
    expect((await third.packet(1)).slice(4)).toEqual([0, false, '']);
    await third.settle();
    expect(handled).toEqual([1, 2, 3]);
  });

  test('HELLO is lost: what had left comes again, and its handlers are told that it may have been handled elsewhere', async () => {
    const handled: unknown[] = [];
    const io = await serve({}, (server) =>
      server.on('connection', (socket) => {
        socket.on('e', (n: unknown) => {
          handled.push([n, socket.redelivered]);
        });
      }),
    );
    const token = 'a text the server never had';
    const second = await open(io);
    second.send([0, [['/']], '', null, token, 2, 2], [2, '/', 'e', [1]], [2, '/', 'e', [2]], [2, '/', 'e', [3]]);
    expect((await second.packet(1)).slice(4)).toEqual([0, true, '']);
    await second.settle();
    const all = [
      [1, true],
      [2, true],
      [3, false],
    ];
    expect(handled).toEqual(all);
    // WELCOME is lost too: it is that session, and nothing is handled again.
    second.cut();
    const third = await open(io);
    third.send([0, [['/']], '', null, token, 3, 3], [2, '/', 'e', [1]], [2, '/', 'e', [2]], [2, '/', 'e', [3]]);
    expect((await third.packet(1)).slice(4)).toEqual([3, true, '']);
    await third.settle();
    expect(handled).toEqual(all);
    // The HELLO that was lost comes now, over a connection that is given up.
    const late = await open(io);
    late.send([0, [['/']], '', null, token, 1, 0], [2, '/', 'e', [1]]);
    expect(await late.close()).toMatchObject({ code: 4409 });
    expect(handled).toEqual(all);
    expect(io.sockets.size).toBe(1);
  });

  test('a HELLO that comes late, with the token of a session that its client knows by now: nothing is handled again', async () => {
    const handled: unknown[] = [];
    const io = await serve({}, (server) =>
      server.on('connection', (socket) => {
        socket.on('e', (n: unknown) => {
          handled.push(n);
        });
      }),
    );
    const token = 'a text nobody guesses';
    const third = await open(io);
    third.send([0, [['/']], '', null, token, 3, 1], [2, '/', 'e', [1]]);
    await third.packet(11);
    third.send([7, 1]);
    await third.settle();
    for (const [generation, left] of [
      [1, 0],
      [2, 1],
    ]) {
      const late = await open(io);
      late.send([0, [['/']], '', null, token, generation, left], [2, '/', 'e', [1]]);
      expect(await late.close()).toMatchObject({ code: 4409 });
    }
    await third.settle();
    expect([handled, io.sockets.size]).toEqual([[1], 1]);
  });

  test.each(['unknown-session', 'log-trimmed'])(
    'WELCOME that refuses (%s) is lost as well: what had left is not handled again',
    async (reason) => {
      const handled: unknown[] = [];
      const options = reason === 'unknown-session' ? { recoveryWindowMs: 200 } : { logPacketsMax: 1 };
      const io = await serve(options, (server) =>
        server.on('connection', (socket) => {
          socket.on('e', (n: unknown) => {
            handled.push(n);
          });
        }),
      );
      const token = 'a text nobody guesses';
      const hello = [0, [['/']], '', null, token, 0, 1];
      const first = await open(io);
      first.send([0, [['/']], '', null, token, 0, 0], [2, '/', 'e', [1]]);
      await first.packet(11);
      first.cut();
      if (reason === 'unknown-session') await expect.poll(() => io.sockets.size).toBe(0);
      else for (let i = 0; i < 3; i++) io.emit('n', i);
      for (let i = 0; i < 2; i++) {
        const lost = await open(io);
        lost.send(hello, [2, '/', 'e', [1]]);
        expect((await lost.packet(1)).slice(4)).toEqual([0, false, reason]);
        lost.cut();
      }
      const last = await open(io);
      last.send(hello, [2, '/', 'e', [1]]);
      expect((await last.packet(1)).slice(4)).toEqual([0, false, reason]);
      last.send([14], [2, '/', 'e', [2]]);
      await last.settle();
      expect(handled).toEqual([1, 2]);
    },
  );

  test('a namespace left and entered again while much is brought: nothing of before, and nothing that was excepted', async () => {
    const io = await serve({ logBytesMax: 1 << 28, logPacketsMax: 1 << 20 });
    let entered = 0;
    io.on('connection', (socket) => {
      if (entered++ > 0) socket.broadcast.emit('no');
    });
    const client = await join(io);
    await cut(client);
    for (let i = 0; i < 1_000; i++) io.emit('old', i, 'x'.repeat(20_000));
    const back = await open(io);
    back.pause();
    back.send([0, [], '', [client.session, client.secret, 1, 0, []]], [13, '/'], [10, '/']);
    await expect.poll(() => entered).toBe(2);
    io.emit('new');
    back.unpause();
    await back.until(({ events }) => events.some((event) => event.startsWith('new')));
    await back.settle();
    const at = back.received.findIndex(([type]) => type === 11);
    const behind = back.received.slice(at).flatMap(([type, , , event]) => (type === 5 ? [event] : []));
    expect(behind).toEqual(['new']);
    expect(back.events.filter((event) => event.startsWith('no '))).toEqual([]);
  });

  test('rooms that were spoken to before they are too many to name count as well', async () => {
    const io = await serve({ roomsPerSocketMax: 8_000 }, (server) => server.of('/b'));
    const client = await join(io, ['/', '/b']);
    const { wire, socket } = client;
    const rooms = (first: number, count: number): string[] =>
      Array.from({ length: count }, (_, i) => `room ${first + i}`);
    socket.join(rooms(0, 7_900));
    for (const room of rooms(0, 7_900)) io.to(room).emit('n');
    const [other] = io.of('/b').sockets.values();
    other?.join(rooms(0, 1_000));
    for (const room of rooms(0, 1_000)) io.of('/b').to(room).emit('n');
    await wire.packet(8);
    wire.send([8]);
    await wire.packet(9);
    expect(wire.positions.length / 2).toBeLessThanOrEqual(8_192);
    let answered = 0;
    while (wire.events.length < 8_900) {
      const asked = wire.received.filter(([type]) => type === 8).length;
      for (; answered < asked; answered++) wire.send([9]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await wire.settle();
    expect(wire.events.length).toBe(8_900);
  });

  test('one that speaks all the time is asked what it has handled, and is recovered when that has gone from its log', async () => {
    const io = await serve({ heartbeatMs: 100, logPacketsMax: 8 });
    const client = await join(io, ['/'], 'lobby');
    const { wire, socket } = client;
    socket.on('say', () => {
      io.to('lobby').emit('said');
    });
    // The next as soon as the last has come back, so that it is never silent.
    const { received } = wire;
    const asked = (): boolean => received.some(([type]) => type === 8);
    while (!asked() && received.length < 20_000) {
      const { length } = received;
      wire.send([2, '/', 'say', []]);
      await wire.until(() => received.length > length);
    }
    expect(asked()).toBe(true);
    wire.send([9]);
    await wire.settle();
    // Nothing came behind the question, or one: the log keeps that one, and all that it is not known to have handled.
    for (let i = 0; i < 7; i++) io.to('lobby').emit('said');
    await cut(client);
    // It has forgotten its position, as it may.
    const { recovered } = await resume(io, client, []);
    expect(recovered).toBe(true);
  });

  test('messages that were not for it trim its log, and it is recovered', async () => {
    const io = await serve();
    const client = await join(io, ['/'], 'lobby');
    const other = await join(io, ['/'], 'lobby');
    io.to('lobby').emit('n', 0);
    await client.wire.settle();
    for (let i = 0; i < 12; i++) client.socket.to('lobby').emit('own', i, 'x'.repeat(100_000));
    await cut(client);
    io.to('lobby').emit('n', 1);
    const { back, recovered, reason } = await resume(io, client);
    expect([recovered, reason]).toEqual([true, '']);
    await back.settle();
    expect(back.events).toEqual(['n 1']);
    // For the other one something was trimmed that it has not read.
    await cut(other);
    expect(await resume(io, other, [])).toMatchObject({ recovered: false, reason: 'log-trimmed' });
  });

  test('the same in a log of 4, with a PING in the midst, by id, by room and by several rooms', async () => {
    const io = await serve({ logPacketsMax: 4 });
    const client = await join(io, ['/'], 'lobby', 'mine', 'second');
    const ways = [
      () => client.socket.to('lobby').emit('own'),
      () => io.to('lobby').except('mine').emit('own'),
      () => io.to('lobby').except(['mine', 'elsewhere']).emit('own'),
    ];
    for (const emit of ways) {
      for (let i = 0; i < 10; i++) {
        emit();
        if (i === 5) await client.wire.settle();
      }
    }
    await cut(client);
    for (const emit of ways) for (let i = 0; i < 10; i++) emit();
    const { back, recovered } = await resume(io, client);
    await back.settle();
    expect([recovered, back.events]).toEqual([true, []]);
    // By the log of the first room it has them, so that in the second they were not for it.
    const again = { ...client, wire: back };
    for (let i = 0; i < 4; i++) io.to(['mine', 'second']).emit('both', i);
    await back.settle();
    await cut(again);
    for (let i = 4; i < 6; i++) io.to('second').emit('both', i);
    const third = await open(io);
    third.send([0, [], '', [client.session, client.secret, client.wire.counted, 0, back.positions]]);
    expect((await third.packet(1))[5]).toBe(true);
    await third.settle();
    expect([...back.events, ...third.events]).toEqual(Array.from({ length: 6 }, (_, i) => `both ${i}`));
  });

  test('a message for it among those trims it loudly', async () => {
    const io = await serve({ logPacketsMax: 4 });
    const client = await join(io, ['/'], 'lobby');
    await cut(client);
    client.socket.to('lobby').emit('own');
    io.to('lobby').emit('for it');
    for (let i = 0; i < 10; i++) client.socket.to('lobby').emit('own');
    expect(await resume(io, client)).toMatchObject({ recovered: false, reason: 'log-trimmed' });
  });

  test('a room that was left before anything of it was trimmed does not count', async () => {
    const io = await serve({ logPacketsMax: 2 });
    const client = await join(io, ['/'], 'lobby', 'left');
    io.to('left').emit('n', 1);
    await client.wire.settle();
    client.socket.leave('left');
    await join(io, ['/'], 'left');
    await cut(client);
    for (let i = 0; i < 9; i++) io.to('left').emit('not for it');
    expect(await resume(io, client)).toMatchObject({ recovered: true });
  });

  test('SACK goes by bytes: what is confirmed keeps pace with any size', async () => {
    const io = await serve({ sackDelayMs: 60_000 }, (server) =>
      server.on('connection', (socket) => {
        socket.on('chunk', (text: string) => text.length);
      }),
    );
    const { wire, socket } = await join(io);
    wire.send([2, '/', 'chunk', ['x'.repeat(512 * 1024)], 1]);
    expect(await wire.packet(7)).toEqual([7, 1]);
    expect(await wire.packet(3)).toEqual([3, 1, 512 * 1024]);
    // Below that, they go by count and time.
    wire.send([2, '/', 'chunk', ['x'.repeat(10)], 2]);
    await wire.packet(3, ([, ack]) => ack === 2);
    expect(wire.received.filter(([type]) => type === 7).length).toBe(1);
    socket.disconnect(true);
  });

  test('the browser that puts a page aside closes with 1001: the session goes on', async () => {
    const io = await serve();
    const client = await join(io);
    const gone = new Promise((resolve) => client.socket.once('away', resolve));
    await client.wire.close(1001);
    await gone;
    expect(await resume(io, client)).toMatchObject({ recovered: true });
    const left = await join(io);
    const over = new Promise((resolve) => left.socket.once('disconnect', resolve));
    await left.wire.close(1000);
    await over;
  });
});
