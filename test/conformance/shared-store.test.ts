// Servers that share a store, attacked at the edges of a move: nobody loses a session by what somebody else says, and what is not
// stored is not said.
// Longer than other files: it is a list of what was broken.
import { connect, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { type Adapter, memory, type Server, type ServerOptions, type Socket, type Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { encodeLoss } from '../../packages/server/src/session/letter';
import { hosts } from '../kit/hosts';
import { overseen } from '../kit/overseen';
import { routed } from '../kit/routed';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';
import type { WireClient } from '../kit/wire';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { cleanUp, open, serve } = served(host);

  /** Two servers on one store. */
  async function two(
    onSocket: (socket: Socket, server: 'A' | 'B') => void = () => {},
    options: ServerOptions = {},
    adapter: Adapter = newStore(),
  ) {
    const start = (name: 'A' | 'B'): Promise<Server> =>
      serve({ adapter, ...options }, (io) => io.on('connection', (socket) => onSocket(socket, name)));
    return { a: await start('A'), b: await start('B') };
  }

  /** A client by hand that has a session at a server. */
  async function greeted(io: Server, token = '', generation = 1) {
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null, token, generation]);
    const [, session, secret] = await wire.packet(1);
    await wire.packet(11);
    return { wire, key: [session, secret] as const };
  }

  const resume = (
    wire: WireClient,
    key: readonly unknown[],
    { received = 1, confirmed = 0, generation = 2, left = 0 } = {},
  ) => wire.send([0, [], 'by hand', [...key, received, confirmed], '', generation, left]);

  const closed = async (wire: WireClient) => (await wire.until(({ closed: close }) => close)).code;

  test('what follows HELLO in bytes is there when the store has answered', async () => {
    const shared = memory({ shared: true });
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const session = store.session.bind(store);
      // As one that is far away.
      store.session = (id) => new Promise((resolve) => setTimeout(() => resolve(session(id)), 20));
      return store;
    };
    const said = (socket: Socket): void => void socket.on('say', (text: string, bytes: Uint8Array) => [text, bytes]);
    const { a } = await two(said, { codecs: [json(), msgpack()] }, adapter);
    const socket = connect(`http://127.0.0.1:${a.port}`, { codec: msgpack(), transport: websocket() });
    cleanUp.push(() => socket.connection.close());
    const bytes = Uint8Array.of(1, 2, 3);
    expect(await socket.emitWithAck('say', 'at once', bytes)).toEqual(['at once', bytes]);
    expect(socket.connected).toBe(true);
  });

  test('a session comes back to a server that had it before, and goes on as the other one left it', async () => {
    const heard: string[] = [];
    const { a, b } = await two((socket, server) => {
      socket.on('event', (text: string) => {
        heard.push(`${server} ${text}`);
        return text;
      });
    });
    const { wire, key } = await greeted(a);
    wire.send([2, '/', 'event', ['1'], 1]);
    await wire.packet(3);
    wire.cut();
    const there = await open(b);
    resume(there, key, { received: 2, confirmed: 1, generation: 2, left: 1 });
    expect((await there.packet(1)).slice(4, 6)).toEqual([1, true]);
    there.send([2, '/', 'event', ['2'], 2]);
    await there.packet(3);
    there.cut();
    const back = await open(a);
    resume(back, key, { received: 3, confirmed: 2, generation: 3, left: 2 });
    expect((await back.packet(1)).slice(4, 6)).toEqual([2, true]);
    back.send([2, '/', 'event', ['3'], 3]);
    await back.packet(3);
    expect(heard).toEqual(['A 1', 'B 2', 'A 3']);
  });

  test('a client of ours goes from one to the other and back, and loses nothing', async () => {
    const heard: number[] = [];
    const { a, b } = await two((socket) => socket.on('event', (i: number) => void heard.push(i)));
    const route = routed(a);
    const client = connect('http://127.0.0.1', {
      reconnect: { delayMinMs: 1, delayMaxMs: 1 },
      codec: json(),
      transport: route.transport,
    });
    cleanUp.push(() => client.connection.close());
    for (let i = 0; i < 6; i++) {
      await client.emitWithAck('event', i * 10);
      for (let more = 1; more < 4; more++) client.emit('event', i * 10 + more);
      route.to = route.to === a ? b : a;
      route.cut();
    }
    await client.emitWithAck('event', 60);
    const all = Array.from({ length: 61 }, (_, i) => i).filter((i) => i % 10 < 4);
    // What left before a cut may have been handled, and may be handled again.
    expect([...new Set(heard)]).toEqual(all);
  });

  test('a session that is over as it arrives is told of, and that it is over', async () => {
    const shared = newStore();
    const told: string[] = [];
    let lossy: unknown;
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const letters = store.letters.bind(store);
      store.letters = async (session, after, countMax) => {
        const all = await letters(session, after, countMax);
        // What a server says that has stored something of a session, and hears that this is lost.
        const loss = { number: 1, node: 'gone', stamp: 1, body: encodeLoss(store.codec) };
        return session === lossy && after === 0 ? [loss] : all;
      };
      return store;
    };
    const app = (socket: Socket, server: 'A' | 'B') => {
      told.push(`${server} connection`);
      for (const event of ['moved', 'disconnect'] as const)
        socket.on(event, () => void told.push(`${server} ${event}`));
    };
    const { a, b } = await two(app, {}, adapter);
    const { wire, key } = await greeted(a);
    lossy = key[0];
    wire.cut();
    const other = await open(b);
    resume(other, key, { generation: 2 });
    const [, id, , , , recovered] = (await other.packet(1)) as unknown[];
    expect([id === key[0], recovered]).toEqual([false, false]);
    await untilHolds(() => expect(told).toEqual(['A connection', 'A moved', 'B connection', 'B disconnect']));
  });

  test('a HELLO that was overtaken, or counts more than there is, takes a session from nobody', async () => {
    const { a, b } = await two((socket) => socket.on('event', () => 'answer'));
    const { wire, key } = await greeted(a, 'token of a client', 3);
    wire.send([2, '/', 'event', [], 1]);
    await wire.packet(3);
    const late = await open(b);
    resume(late, key, { generation: 2 });
    expect(await closed(late)).toBe(4409);
    // A store may lose what it has had: that is no fault of the client's.
    for (const io of [a, b]) {
      for (const what of [{ received: 99 }, { confirmed: 99 }]) {
        const other = await open(io);
        resume(other, key, { ...what, generation: 4 });
        const [, id, , , , recovered, reason] = (await other.packet(1)) as unknown[];
        expect([id === key[0], recovered, reason]).toEqual([false, false, 'rolled-back']);
      }
    }
    wire.send([2, '/', 'event', [], 2]);
    await wire.packet(3, ([, ack]) => ack === 2);
  });

  test.each(['A', 'B'] as const)('a HELLO with a token that comes late, at %s, is not the session', async (where) => {
    const { a, b } = await two((socket) => socket.on('event', () => 'answer'));
    const { wire, key } = await greeted(a, 'token of a client', 2);
    // The client has been told of the session.
    wire.send([7, 1], [2, '/', 'event', [], 1]);
    await wire.packet(3);
    const late = await open(where === 'A' ? a : b);
    late.send([0, [['/']], 'by hand', null, 'token of a client', 1]);
    expect(await closed(late)).toBe(4409);
    wire.send([2, '/', 'event', [], 2]);
    await wire.packet(3, ([, ack]) => ack === 2);
    wire.cut();
    const back = await open(b);
    resume(back, key, { received: 3, confirmed: 2, generation: 3, left: 2 });
    expect((await back.packet(1)).slice(4, 6)).toEqual([2, true]);
  });

  test('a client that was not told of its session is told its new secret once that is stored', async () => {
    const { adapter, of } = overseen(newStore());
    const { a, b } = await two(undefined, {}, adapter);
    const { commits, claims } = of.B;
    // What B writes takes as long as it is held.
    commits.hold();
    const { wire, key } = await greeted(a, 'token of a client');
    wire.cut();
    const there = await open(b);
    there.send([0, [['/']], 'by hand', null, 'token of a client', 2]);
    await claims.called();
    // As long as this takes, WELCOME would have come.
    for (let i = 0; i < 3; i++) await greeted(a);
    expect(there.received).toEqual([]);
    commits.go();
    const [, session, secret] = await there.packet(1);
    expect(session).toBe(key[0]);
    expect(secret).not.toBe(key[1]);
    there.cut();
    const back = await open(a);
    resume(back, [session, secret], { received: 1, confirmed: 0, generation: 3 });
    expect((await back.packet(1))[1]).toBe(session);
  });

  test('who is gone as its session is let go is looked for at the server that had asked', async () => {
    const { adapter, of } = overseen(newStore());
    const { a, b } = await two(() => {}, {}, adapter);
    const { key } = await greeted(a);
    // What a server that starts asks the others is under way.
    await of.B.sends.called();
    of.B.sends.hold();
    const first = await open(b);
    resume(first, key, { generation: 2 });
    await of.B.sends.called();
    first.cut();
    // It comes after the end of the other one.
    await greeted(b);
    of.B.sends.go();
    await expect.poll(() => a.sockets.size).toBe(0);
    for (let i = 0; i < 3; i++) await greeted(b);
    expect(of.B.claims.count).toBe(1);
    const back = await open(a);
    resume(back, key, { generation: 3 });
    expect((await back.packet(1))[5]).toBe(true);
  });

  test('what has become too old while a log is read for the first time is missed by nobody who has had it', async () => {
    const store = newStore();
    let reads = 0;
    const adapter: Adapter = (context) => {
      const its = store(context) as Store;
      const read = its.read.bind(its);
      its.read = async (log, after, countMax) => {
        const page = await read(log, after, countMax);
        if (!log.includes('room') || ++reads === 1) return page;
        // The oldest entry has gone in between.
        const first = Math.max(page.first, 2);
        return { ...page, first, entries: after + 1 < first ? [] : page.entries };
      };
      return its;
    };
    const { a, b } = await two((socket) => void socket.join('room'), {}, adapter);
    const { wire, key } = await greeted(a);
    for (let i = 1; i <= 3; i++) a.to('room').emit('event', i);
    const [, , positions] = await wire.packet(5, ([, , , , args]) => (args as number[])[0] === 3);
    wire.cut();
    a.to('room').emit('event', 4);
    const there = await open(b);
    there.send([0, [], 'by hand', [...key, 1, 0, positions], '', 2]);
    expect((await there.packet(1))[5]).toBe(true);
    expect((await there.packet(5))[4]).toEqual([4]);
    expect(reads).toBeGreaterThan(1);
  });

  test('what another server may have handled is redelivered, whichever HELLO has brought the session', async () => {
    const { adapter, of } = overseen(newStore());
    const heard: string[] = [];
    const listen = (socket: Socket, server: 'A' | 'B') =>
      socket.on('event', (text: string) => {
        heard.push(`${server} ${text}${socket.redelivered ? ' again' : ''}`);
        return text;
      });
    const { a, b } = await two(listen, {}, adapter);
    const { wire, key } = await greeted(a);
    wire.cut();
    // On its way to B the client gives up, and goes back; B cannot ask A, is slow, and takes the session all the same.
    of.B.sends.hold();
    of.B.claims.hold();
    const early = await open(b);
    resume(early, key, { generation: 2 });
    await of.B.claims.called();
    early.cut();
    const back = await open(a);
    resume(back, key, { generation: 3 });
    await back.packet(1);
    of.A.commits.hold();
    cleanUp.push(() => of.A.commits.go());
    back.send([2, '/', 'event', ['1'], 1]);
    await untilHolds(() => expect(heard).toEqual(['A 1']));
    back.cut();
    of.B.claims.go();
    of.B.sends.go();
    const there = await open(b);
    resume(there, key, { generation: 4, left: 1 });
    there.send([2, '/', 'event', ['1'], 1]);
    await there.packet(3);
    there.send([2, '/', 'event', ['2'], 2]);
    await there.packet(3, ([, ack]) => ack === 2);
    expect(heard).toEqual(['A 1', 'B 1 again', 'B 2']);
  });

  test('what has left with a HELLO that was lost is handled at the server that it comes to, and said to be doubtful; what is over is not', async () => {
    const heard: string[] = [];
    const { a, b } = await two((socket, server) => {
      socket.on('event', (text: string) => void heard.push(`${server} ${text}${socket.redelivered ? ' again' : ''}`));
      socket.on('leave', () => void socket.disconnect(true));
    });
    const token = 'token of a client';
    const there = await open(b);
    there.send([0, [['/']], 'by hand', null, token, 2, 1], [2, '/', 'event', ['1']], [2, '/', 'event', ['2']]);
    expect((await there.packet(1)).slice(4)).toEqual([0, true, '']);
    await untilHolds(() => expect(heard).toEqual(['B 1 again', 'B 2']));
    there.cut();
    // Its WELCOME may have been lost: it is that session, at the other server too.
    const back = await open(a);
    back.send([0, [['/']], 'by hand', null, token, 3, 2], [2, '/', 'event', ['1']], [2, '/', 'event', ['2']]);
    expect((await back.packet(1)).slice(4)).toEqual([2, true, '']);
    back.send([2, '/', 'leave', []]);
    await closed(back);
    const late = await open(b);
    late.send([0, [['/']], 'by hand', null, token, 4, 3], [2, '/', 'event', ['1']], [2, '/', 'event', ['2']]);
    expect((await late.packet(1)).slice(4)).toEqual([0, false, 'unknown-session']);
    late.send([14], [2, '/', 'event', ['3'], 1]);
    await late.packet(3);
    expect(heard).toEqual(['B 1 again', 'B 2', 'B 3']);
  });

  /** Two servers whose calls may be held, and a client whose socket is at A. */
  async function seated() {
    const { adapter, of } = overseen(newStore());
    const sockets: Partial<Record<'A' | 'B', Socket>> = {};
    const { a, b } = await two(
      (socket, server) => {
        sockets[server] = socket;
      },
      {},
      adapter,
    );
    return { of, a, b, sockets, ...(await greeted(a)), socket: sockets.A as Socket };
  }

  test('what an app says to a socket, and of its rooms, that is elsewhere, and does not know it yet, is sent on: once, and in its order', async () => {
    const { of, a, b, wire, key, socket, sockets } = await seated();
    socket.join('before');
    a.to(socket.id).emit('n', 0);
    await wire.packet(2);
    wire.send([7, 1]);
    await wire.settle();
    // A stands still for the others, and stores nothing.
    of.A.commits.hold();
    of.B.sends.hold();
    cleanUp.push(() => of.A.commits.go());
    wire.cut();
    // Of another server: it is stored, and A takes it, and does not store that it has.
    b.to(socket.id).emit('n', 1);
    await of.A.commits.called();
    a.to(socket.id).emit('n', 2);
    socket.emit('n', 3);
    socket.join('late', 'later');
    socket.leave('before', 'later');
    const asked = socket.emitWithAck('question').catch(({ code }) => code);
    const there = await open(b);
    resume(there, key, { received: 2, generation: 2 });
    of.B.sends.go();
    expect((await there.packet(1))[5]).toBe(true);
    socket.emit('n', 4);
    of.A.commits.go();
    expect(await asked).toBe('ERR_SESSION_ENDED');
    socket.emit('n', 5);
    await there.until(({ events }) => events.includes('n 5'));
    await there.settle();
    expect(there.events).toEqual(['n 1', 'n 2', 'n 3', 'n 4', 'n 5']);
    expect([...(sockets.B as Socket).rooms]).toEqual([socket.id, 'late']);
  });

  test.each([
    [false, 'there'],
    [true, 'there'],
    [true, 'away'],
  ])(
    'who is sent out (session: %s), %s, where the session is not any more: what was said before comes, and then that',
    async (session, where) => {
      const { of, a, b, wire, key, socket } = await seated();
      await wire.settle();
      of.A.commits.hold();
      of.B.sends.hold();
      cleanUp.push(() => of.A.commits.go());
      if (where === 'away') {
        wire.cut();
        await untilHolds(() => socket.away);
      }
      socket.emit('n', 1);
      socket.emit('n', 2);
      socket.disconnect(session);
      await of.A.commits.called();
      const there = await open(b);
      resume(there, key, { received: 1, generation: 2 });
      of.B.sends.go();
      expect((await there.packet(1))[5]).toBe(true);
      of.A.commits.go();
      await there.packet(13);
      if (session) expect(await closed(there)).toBe(1000);
      expect(there.events).toEqual(['n 1', 'n 2']);
      await untilHolds(() => expect([a.sockets.size, b.sockets.size]).toEqual([0, 0]));
    },
  );

  test('a server that has lost a session says nothing for it any more', async () => {
    const { a, b } = await two((socket, server) => socket.on('event', () => `answer of ${server}`));
    const { wire, key } = await greeted(a);
    const there = await open(b);
    resume(there, key);
    await there.packet(1);
    wire.send([2, '/', 'event', [], 1]);
    expect(await closed(wire)).toBe(4409);
    expect(wire.received.filter(([type]) => type === 3)).toEqual([]);
    there.send([2, '/', 'event', [], 1]);
    expect(await there.packet(3)).toEqual([3, 1, 'answer of B']);
  });

  test('a server that closes leaves its sessions to the others', async () => {
    const { a, b } = await two((socket) => socket.on('event', () => 'answer'));
    const { wire, key } = await greeted(a);
    for (const socket of a.sockets.values()) Object.assign(socket.data, { user: 'ada' });
    a.emit('event', 'not read');
    await a.close();
    expect(await closed(wire)).toBe(1001);
    const back = await open(b);
    resume(back, key);
    expect((await back.packet(1)).slice(4, 6)).toEqual([0, true]);
    await back.packet(5);
    expect([...b.sockets.values()].map(({ data }) => data)).toEqual([{ user: 'ada' }]);
  });

  test.each(['json', 'msgpack'])(
    'what one server emits reaches the members of the other, by %s, and who is away',
    async (name) => {
      const codecs = [json(), msgpack()];
      const { a, b } = await two((socket) => socket.join('room'), { codecs });
      const codec = codecs.find((one) => one.name === name)!;
      const route = routed(a);
      const client = connect('http://127.0.0.1', {
        reconnect: { delayMinMs: 1, delayMaxMs: 1 },
        codec,
        transport: route.transport,
      });
      cleanUp.push(() => client.connection.close());
      const heard: string[] = [];
      client.on('said', (text: string) => void heard.push(text));
      await new Promise<void>((resolve) => client.once('connect', () => resolve()));
      b.to('room').emit('said', 'to the room');
      b.emit('said', 'to all');
      b.to(['room', 'nobody']).emit('said', 'to two rooms');
      await expect.poll(() => heard).toHaveLength(3);
      route.to = b;
      route.cut();
      // Nobody has the session now: it is found in the logs.
      for (const io of [b, a]) {
        io.to('room').emit('said', 'while it is away');
        io.to('another').emit('said', 'not for it');
      }
      await new Promise<void>((resolve) => client.once('connect', () => resolve()));
      b.emit('said', 'back');
      await expect.poll(() => heard.at(-1)).toBe('back');
      expect(heard).toEqual([
        ...['to the room', 'to all', 'to two rooms', 'while it is away', 'while it is away', 'back'],
      ]);
    },
  );

  test('what a client says had left does not open the window', async () => {
    let handled = 0;
    const { a, b } = await two((socket) =>
      socket.on('event', () => {
        handled++;
        return new Promise(() => {});
      }),
    );
    const { wire, key } = await greeted(a);
    wire.cut();
    const back = await open(b);
    resume(back, key, { left: Number.MAX_SAFE_INTEGER });
    await back.packet(1);
    for (let i = 0; i < 9_000; i++) back.send([2, '/', 'event', []]);
    expect(await closed(back)).toBe(4429);
    expect(handled).toBe(8_192);
  });

  test('what no record can hold is refused where it is said, or ends that session only', async () => {
    const errors: string[] = [];
    const { a } = await two((socket, server) => {
      socket.on('join', () => socket.join('x\ud83d'));
      socket.on('data', () => {
        if (server === 'A') Object.assign(socket.data, { deep: { wrong: () => {} } });
        return 'said';
      });
    });
    a.on('error', (error) => errors.push(String(error)));
    const { wire } = await greeted(a);
    const { wire: other } = await greeted(a);
    wire.send([2, '/', 'join', [], 1]);
    await wire.packet(4);
    expect(errors.splice(0)).toEqual([expect.stringContaining('surrogate pair')]);
    // Data that cannot be encoded is told once, with its path, and what was saved before stays.
    for (let i = 2; i < 5; i++) {
      wire.send([2, '/', 'data', [], i]);
      await wire.packet(3, ([, ack]) => ack === i);
    }
    expect(errors).toEqual([expect.stringContaining('deep.wrong')]);
    other.send([2, '/', 'data', [], 1]);
    await other.packet(3);
  });

  test('who leaves a namespace just as a room of it is joined still hears of the others', async () => {
    const { a } = await two();
    a.of('/b').on('connection', (socket) => socket.on('join', () => socket.join('room')));
    const { wire } = await greeted(a);
    wire.send([10, '/b']);
    await wire.packet(11, ([, name]) => name === '/b');
    wire.send([2, '/b', 'join', []], [13, '/b']);
    await wire.settle();
    a.emit('event', 'to all');
    expect((await wire.packet(5))[4]).toEqual(['to all']);
  });

  test('what was emitted just before a room is left, or a socket is ended, still comes, and before what follows', async () => {
    const { a } = await two((socket) => {
      socket.join('room');
      socket.on('leave', () => {
        a.to('room').emit('event', 'before it leaves');
        socket.leave('room');
        a.to('room').emit('event', 'after that');
        socket.emit('event', 'said then');
      });
      socket.on('end', () => {
        a.emit('event', 'goodbye');
        socket.disconnect();
      });
    });
    const { wire } = await greeted(a);
    wire.send([2, '/', 'leave', []]);
    await wire.packet(2);
    wire.send([2, '/', 'end', []]);
    await wire.packet(13);
    expect(wire.events).toEqual(['event before it leaves', 'event said then', 'event goodbye']);
  });

  test('a record is kept for as long as its client may be quiet', async () => {
    const kept: number[] = [];
    const store = memory({ shared: true });
    const { a } = await two(
      () => {},
      { heartbeatMs: 60_000, heartbeatTimeoutMs: 9_000, recoveryWindowMs: 1_000 },
      (context) => {
        const its = store(context) as Store;
        const commit = its.commit.bind(its);
        its.commit = (partition, all) => {
          kept.push(...all.records.map(({ keptMs }) => keptMs));
          return commit(partition, all);
        };
        return its;
      },
    );
    await greeted(a);
    expect(kept.length).toBeGreaterThan(0);
    for (const ms of kept) expect(ms).toBeGreaterThan(60_000 + 9_000 + 1_000);
  });

  test('much that is emitted at once is stored bit by bit, and comes whole and in order', async () => {
    const bytes: number[] = [];
    const store = memory({ shared: true });
    const { a, b } = await two(
      (socket) => void socket.join(['room', 'other']),
      {},
      (context) => {
        const its = store(context) as Store;
        const commit = its.commit.bind(its);
        its.commit = (partition, all) => {
          const bodies = all.steps.flatMap((step) => ('bodies' in step ? step.bodies : []));
          bytes.push(bodies.reduce((sum, body) => sum + (body?.length ?? 0), 0));
          return commit(partition, all);
        };
        return its;
      },
    );
    const wires = [(await greeted(a)).wire, (await greeted(b)).wire];
    const count = 300;
    for (let i = 0; i < count; i++) a.to(i % 3 === 0 ? ['room', 'other'] : 'room').emit('event', i, 'x'.repeat(1_000));
    for (const wire of wires) {
      await wire.packet(5, ([, , , , args]) => (args as number[])[0] === count - 1);
      const numbers = wire.received.filter(([type]) => type === 5).map(([, , , , args]) => (args as number[])[0]);
      expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
    }
    expect(Math.max(...bytes)).toBeLessThanOrEqual(65_536);
  });
});

describe.each(hosts)('middleware at work, on %s', (_name, host) => {
  const { open, serve } = served(host);

  test('counts as a namespace, whether its client still wants it or not', async () => {
    let asked = 0;
    let decide = (): void => {};
    const decided = new Promise<void>((resolve) => (decide = resolve));
    const io = await serve({ namespacesPerSessionMax: 4 });
    io.of('/slow').use(() => {
      asked++;
      return decided;
    });
    const wire = await open(io);
    wire.send([0]);
    for (let i = 0; i < 50; i++) wire.send([10, '/slow'], [13, '/slow']);
    await wire.settle();
    expect(asked).toBe(3);
    expect(wire.received.filter(([type, , code]) => type === 12 && code === 'ERR_NAMESPACES_FULL')).toHaveLength(47);
    decide();
    await turn();
    wire.send([10, '/slow']);
    await wire.packet(11, ([, name]) => name === '/slow');
  });
});
