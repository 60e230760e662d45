// What a server can do with the sockets of others that share its store, and what becomes of that when one of those is dead, slow,
// or not what it should be; in memory and in Redis. Longer than other files: a case for each part of the API.
import { connect } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import {
  type Adapter,
  PublicError,
  type RemoteSocket,
  Server,
  type ServerOptions,
  type Socket,
  type Store,
  type StoreEvents,
  type Value,
} from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { contextOf, inMemory, places } from '../kit/stores';
import { WireClient } from '../kit/wire';

const rogueId = 'node-of-evil';

interface Joined {
  readonly wire: WireClient;
  readonly id: string;
}

const mark = 'a mark';
const ids = (sockets: readonly { readonly id: string }[]) => sockets.map(({ id }) => id).toSorted();
/** Names and first arguments of what may have been dropped. */
const volatile = ({ wire }: Joined) =>
  wire.received.filter(([type]) => type === 6).map(([, , event, args]) => `${event} ${(args as unknown[])[0]}`);

describe.each(places)('on %s', (_name, host, useStore) => {
  const isFar = useStore !== inMemory;
  const newEmpty = useStore();
  const newStore = () => newEmpty({ codec: json() });
  const { cleanUp, serve: serveAll } = clusterOf(host, newStore);
  let running: Server[] = [];
  let marks = 0;
  afterEach(() => {
    running = [];
  });

  /** The wires have all that servers have said to them, and their servers all of the wires. */
  async function settle(...joined: readonly Joined[]): Promise<void> {
    const number = ++marks;
    // It comes behind what was said before.
    for (const io of running) await io.emitDurable(mark, number);
    const isMark = (tuple: unknown[]): boolean => tuple.includes(mark);
    for (const { wire } of joined) {
      await wire.until(({ received }) => received.filter((tuple) => isMark(tuple)).length === running.length);
      await wire.settle();
      wire.received.splice(0, Infinity, ...wire.received.filter((tuple) => !isMark(tuple)));
    }
  }

  /** Servers on one store, and what they have reported. */
  async function serve(
    count: number,
    options: ServerOptions = {},
    app: (io: Server, index: number) => void = () => {},
  ) {
    const reported: string[] = [];
    const { adapter = newStore() } = options;
    const servers = await serveAll(
      count,
      (io, i) => {
        const note = (error: unknown, { where }: { where: string }) =>
          reported.push(`${where}: ${(error as { code?: string }).code ?? error}`);
        io.on('error', note);
        io.on('warning', ({ code }) => void reported.push(code));
        app(io, i);
      },
      { ...options, adapter },
    );
    running = servers.map(({ io }) => io);
    const [a, b, c] = running as [Server, Server, Server];
    return { a, b, c, servers, adapter, reported };
  }

  async function join(io: Server, ...rooms: string[]): Promise<Joined & { readonly socket: Socket }> {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    wire.send([0, [['/', { name: 'ada' }]], 'by hand']);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    const socket = io.sockets.get(id) as Socket;
    socket.join(...rooms);
    return { wire, id, socket };
  }

  /** A node of the store that is no server: it says what it wants. */
  async function rogue(adapter: Adapter, onMessage: StoreEvents['onMessage'] = () => null): Promise<Store> {
    const store = adapter(contextOf()) as Store;
    const ignore = () => {};
    await store.open(rogueId, {
      ...{
        onEntry: ignore,
        onLetter: ignore,
        onRenewed: ignore,
        onMissed: ignore,
        onMessage,
        onVolatile: ignore,
        onJoined: ignore,
        onLeft: ignore,
        onState: ignore,
        onWarning: ignore,
      },
    });
    cleanUp.push(() => store.close());
    for (const io of running) await expect.poll(() => io.nodes()).toContain(rogueId);
    return store;
  }

  test('every server knows all that are there', async () => {
    const early = new Server();
    expect(early.nodes()).toEqual([early.node]);
    const { a, b, servers } = await serve(3);
    const all = servers.map(({ io }) => io.node);
    for (const { io } of servers)
      expect([io.nodes()[0], ...io.nodes().toSorted()]).toEqual([io.node, ...all.toSorted()]);
    await b.close();
    await expect.poll(() => a.nodes().toSorted()).toEqual(all.filter((node) => node !== b.node).toSorted());
  });

  test('fetchSockets: each once, with what is known of it, from anywhere', async () => {
    const { a, b, c } = await serve(3);
    const one = await join(a, 'room', 'x');
    const two = await join(b, 'room');
    const three = await join(b, 'other');
    Object.assign(two.socket.data, { user: 'bob', at: new Date(5) });
    for (const io of [a, b, c]) {
      const sockets = await io.fetchSockets();
      expect([ids(sockets), sockets.missing]).toEqual([ids([one, two, three]), []]);
      expect(ids(await io.in('room').fetchSockets())).toEqual(ids([one, two]));
      expect(ids(await io.in('room').except('x').fetchSockets())).toEqual([two.id]);
      expect(ids(await io.in(three.id).fetchSockets())).toEqual([three.id]);
      expect(await io.in('nobody').fetchSockets()).toEqual([]);
      expect(await io.to([]).fetchSockets()).toEqual([]);
      expect(await io.of('/nobody').fetchSockets()).toEqual([]);
    }
    expect(ids(await a.local.fetchSockets())).toEqual([one.id]);
    expect(ids(await a.in('room').local.except('nobody').fetchSockets())).toEqual([one.id]);
    expect((await b.in(two.id).fetchSockets())[0]).toBe(two.socket);
    const there = (await a.in(two.id).fetchSockets())[0] as RemoteSocket;
    expect(there.namespace).toBe('/');
    expect([...there.rooms]).toEqual([two.id, 'room']);
    expect(there.data).toEqual({ user: 'bob', at: new Date(5) });
    const { handshake } = two.socket;
    for (const fact of ['auth', 'client', 'transport', 'address', 'secure', 'namespace'] as const) {
      expect([fact, there.handshake[fact]]).toEqual([fact, handshake[fact]]);
    }
    expect(there.handshake.auth).toEqual({ name: 'ada' });
    expect([...there.handshake.headers]).toEqual([...handshake.headers]);
    // It is a copy.
    there.data.user = 'eve';
    expect(two.socket.data.user).toBe('bob');
  });

  test('a socket of another server can emit, join, leave and disconnect', async () => {
    const { a, b, reported } = await serve(2, { roomsPerSocketMax: 2 });
    const joined = await join(b);
    const find = async () => (await a.in(joined.id).fetchSockets())[0] as RemoteSocket;
    const there = await find();
    there.emit('hello', 1, { deep: [Uint8Array.of(1)] });
    there.emit('hello', 2);
    await joined.wire.until(({ events }) => events.length === 2);
    expect(joined.wire.events).toEqual(['hello 1', 'hello 2']);
    there.join('one', ['two']);
    await expect.poll(() => [...joined.socket.rooms]).toEqual([joined.id, 'one', 'two']);
    there.leave('one');
    await expect.poll(async () => [...(await find()).rooms]).toEqual([joined.id, 'two']);
    // What is wrong is said at once; what fails there is reported.
    expect(() => there.join('x'.repeat(257))).toThrow(expect.objectContaining({ code: 'ERR_ROOM_NAME' }));
    expect(() => there.emit('connect' as string)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
    expect(() => there.emit('hello', () => {})).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    expect(reported).toEqual([]);
    there.join('three', 'four');
    await expect.poll(() => reported).toEqual(['roomsPerSocketMax', 'a letter of another server: ERR_ROOMS_FULL']);
    there.disconnect();
    await joined.wire.packet(13);
    const other = await join(b);
    ((await a.in(other.id).fetchSockets())[0] as RemoteSocket).disconnect(true);
    await other.wire.until(({ closed }) => closed);
    // Nobody has it any more: nothing happens.
    there.emit('hello', 3);
    expect(await a.count()).toEqual({ count: 0, missing: [] });
  });

  test('a socket of another server can be asked', async () => {
    const { a, b } = await serve(2);
    const joined = await join(b);
    const there = (await a.in(joined.id).fetchSockets())[0] as RemoteSocket;
    const asked = there.emitWithAck('question', 'why');
    const [, , , , ack] = await joined.wire.packet(2, ([, , event]) => event === 'question');
    joined.wire.send([3, ack, 'because']);
    expect(await asked).toBe('because');
    const late = there.timeout(50).emitWithAck('question');
    await expect(late).rejects.toMatchObject({
      code: 'ERR_ACK_TIMEOUT',
      message: expect.stringContaining(`The socket ${joined.id} of another server has not answered "question"`),
    });
    expect(() => there.timeout(0)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    const typed = there as unknown as Record<string, unknown>;
    for (const name of ['on', 'connected', 'nsp', 'volatile'])
      expect(() => typed[name]).toThrow(`socket.${name} is not there: it is a socket of another server`);
    expect(() => (there.timeout(5) as unknown as { emit: unknown }).emit).toThrow(
      'socket.timeout(ms).emit is not there',
    );
    expect(() => there.emit('hello', new Map())).toThrow('args[0]: cannot send an instance of Map');
    joined.wire.cut();
    joined.socket.disconnect();
    await expect(there.emitWithAck('question')).rejects.toMatchObject({ code: 'ERR_ACK_TIMEOUT' });
  });

  test('a socket that has gone on elsewhere since it was found is reached there', async () => {
    const { a, b, c, servers } = await serve(3);
    const joined = await join(b);
    const [, session, secret] = (await joined.wire.packet(1)) as [number, string, string];
    const there = (await a.in(joined.id).fetchSockets())[0] as RemoteSocket;
    await servers[1]?.kill();
    servers[1]?.noticed();
    const moved = await WireClient.open(c.port);
    cleanUp.push(() => moved.cut());
    moved.send([0, [], 'by hand', [session, secret, 1, 0], '', 1]);
    await moved.packet(1);
    there.emit('found', 1);
    await moved.until(({ events }) => events.includes('found 1'));
    expect(b.node).not.toBe(c.node);
  });

  test('what a server was asked that has gone since is done elsewhere, and every event is sent once', async () => {
    const { a, b, adapter, reported } = await serve(2);
    const joined = await join(b);
    const asked: unknown[] = [];
    const peer = { transport: 'websocket', address: '', secure: false, headers: [], url: '', time: 0 };
    const facts = { id: joined.id, generation: 9, rooms: [], data: '[3,1,{}]', auth: '[3,1,{}]', client: '', peer };
    const store = await rogue(adapter, (_from, message) => {
      const [, kind, value] = message as [number, string, Value[]];
      if (kind === 'sockets') return [true, [facts]];
      if (kind === 'sockets act') asked.push(value[1]);
      return new Promise<never>(() => {});
    });
    const there = (await a.fetchSockets())[0] as RemoteSocket;
    there.emit('early', 1);
    there.disconnect();
    await expect.poll(() => asked).toEqual(['disconnect']);
    there.emit('late', 2);
    await joined.wire.until(({ events }) => events.length > 1);
    expect(joined.wire.events).toEqual(['early 1', 'late 2']);
    store.close();
    await joined.wire.packet(13);
    expect(reported).toEqual([]);
  });

  test('an emit to ids of sockets finds them on any server, each once, and by no room that has it already', async () => {
    const { a, b, c } = await serve(3);
    const [one, two, three] = [await join(a, 'room'), await join(b, 'room'), await join(b)];
    const emit = (target: { emit(event: string): void }, event: string) => target.emit(event);
    emit(c.to(one.id), 'one');
    emit(a.to(one.id), 'one, at home');
    emit(c.to(one.id, two.id, three.id), 'each');
    emit(c.to('room').to(one.id, three.id), 'room, and one');
    emit(c.to(one.id, three.id).except('room'), 'not in the room');
    emit(c.to(one.id, three.id).except(one.id), 'not the first');
    emit(c.to(`${one.id.slice(0, -1)}~`, 'nobody.not-an-id'), 'nobody');
    emit(c.of('/another').to(one.id), 'of another namespace');
    emit(c, 'all');
    for (const { wire } of [one, two, three]) await wire.until(({ events }) => events.includes('all undefined'));
    await settle(one, two, three);
    const events = [one, two, three].map(({ wire }) => wire.events.map((event) => event.replace(' undefined', '')));
    expect(events.map((its) => its.toSorted())).toEqual([
      ['all', 'each', 'one', 'one, at home', 'room, and one'],
      ['all', 'each', 'room, and one'],
      ['all', 'each', 'not in the room', 'not the first', 'room, and one'],
    ]);
    // What one server says to one socket keeps its order.
    for (let i = 0; i < 50; i++) c.to(two.id).emit('count', i);
    await two.wire.until((wire) => wire.events.includes('count 49'));
    expect(two.wire.events.filter((event) => event.startsWith('count'))).toEqual(
      Array.from({ length: 50 }, (_, i) => `count ${i}`),
    );
    expect(() => one.socket.join(two.id)).toThrow(expect.objectContaining({ code: 'ERR_ROOM_NAME' }));
    expect(() => c.to(one.id).emit('wrong', () => {})).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
  });

  test('what is sent to a socket while nobody has it comes once it is back', async () => {
    const { a, b, c, servers } = await serve(3);
    const joined = await join(b, 'room');
    const [, session, secret] = (await joined.wire.packet(1)) as [number, string, string];
    c.to(joined.id).emit('before');
    await joined.wire.until(({ events }) => events.length === 1);
    await servers[1]?.kill();
    servers[1]?.noticed();
    c.to(joined.id).emit('meanwhile', 1);
    c.to(joined.id).except('room').emit('meanwhile', 2);
    c.to(joined.id).emit('meanwhile', 3);
    const back = await WireClient.open(a.port);
    cleanUp.push(() => back.cut());
    back.send([0, [], 'by hand', [session, secret, 2, 0], '', 2]);
    await back.until(({ events }) => events.includes('meanwhile 3'));
    c.to(joined.id).emit('after');
    await back.until(({ events }) => events.includes('after undefined'));
    expect(back.events).toEqual(['meanwhile 1', 'meanwhile 3', 'after undefined']);
  });

  test('socketsJoin, socketsLeave and disconnectSockets, here at once and elsewhere when they resolve', async () => {
    const { a, b, reported } = await serve(2, { roomsPerSocketMax: 2 });
    const [one, two] = [await join(a, 'room'), await join(b, 'room')];
    const other = await join(b);
    const done = a.in('room').socketsJoin('new');
    expect(one.socket.rooms.has('new')).toBe(true);
    expect(await done).toEqual({ missing: [] });
    expect([...two.socket.rooms]).toEqual([two.id, 'room', 'new']);
    expect([...other.socket.rooms]).toEqual([other.id]);
    await b.except(other.id).socketsLeave('room', 'new');
    expect([one, two].map(({ socket }) => socket.rooms.size)).toEqual([1, 1]);
    await a.local.socketsJoin('mine');
    expect([one, two, other].map(({ socket }) => socket.rooms.has('mine'))).toEqual([true, false, false]);
    // One that cannot does not keep it from the others.
    two.socket.join('full', 'up');
    expect(await a.in(two.id).in(other.id).socketsJoin('late')).toEqual({ missing: [b.node] });
    expect(other.socket.rooms.has('late')).toBe(true);
    expect(reported).toEqual(['roomsPerSocketMax', `asking node ${b.node} for "sockets act": ERR_ROOMS_FULL`]);
    await a.in(two.id).disconnectSockets();
    await two.wire.packet(13);
    await a.in('late').disconnectSockets(true);
    await other.wire.until(({ closed }) => closed);
    expect(ids(await b.fetchSockets())).toEqual([one.id]);
  });

  test('emitWithAck: the replies of all, and who has not replied', async () => {
    const { a, b, c } = await serve(3);
    const joined = [await join(a, 'room'), await join(b, 'room'), await join(c, 'room')];
    const outside = await join(c);
    const asked = c.in('room').timeout(400).emitWithAck('question', 'why', new Date(7));
    for (const [i, { wire }] of joined.entries()) {
      const packet = await wire.packet(2);
      expect(packet.slice(1, 4)).toEqual(['/', 'question', ['why', { $date: 7 }]]);
      if (i < 2) wire.send([3, packet[4], i === 0 ? { $date: 8 } : undefined].slice(0, i === 0 ? 3 : 2));
    }
    const { replies, missing } = await asked;
    expect(replies.toSorted()).toEqual([new Date(8), undefined]);
    expect(missing).toEqual([joined[2]?.id]);
    await settle(outside);
    expect(outside.wire.events).toEqual([]);
    expect(await a.in('nobody').emitWithAck('question')).toEqual({ replies: [], missing: [] });
    await expect(a.emitWithAck('connect' as string)).rejects.toMatchObject({ code: 'ERR_RESERVED_EVENT' });
    await expect(a.emitWithAck('question', () => {})).rejects.toMatchObject({ code: 'ERR_NOT_ENCODABLE' });
    const one = joined[0] as Joined;
    const own = a.local.emitWithAck('mine');
    one.wire.send([3, (await one.wire.packet(2, ([, , event]) => event === 'mine'))[4], 'yes']);
    expect(await own).toEqual({ replies: ['yes'], missing: [] });
  });

  test('an answer that is on its way when time is up still counts', async () => {
    const shared = newStore();
    const { a, b } = await serve(2, {
      adapter: (context) => {
        const store = shared(context) as Store;
        const { send } = store;
        store.send = async (node, message) => {
          const answer = await send.call(store, node, message);
          return new Promise((resolve) => setTimeout(() => resolve(answer), 500));
        };
        return store;
      },
    });
    const [silent, other] = [await join(b), await join(b)];
    const asked = a.timeout(100).emitWithAck('question');
    other.wire.send([3, (await other.wire.packet(2))[4], 'yes']);
    expect(await asked).toEqual({ replies: ['yes'], missing: [silent.id] });
  });

  test('a dead server is missing at once, a slow one at its deadline, and nothing rejects', async () => {
    const { a, b, c, servers, reported } = await serve(4, { ackTimeoutMs: 60_000 }, (io) => {
      io.on('ask', () => 'here');
    });
    const joined = await join(b, 'room');
    // It is dead, and nobody has noticed: all that is known is that it says nothing.
    await servers[2]?.kill();
    const slow = c.node;
    const dead = servers[3]?.io.node as string;
    const short = a.timeout(150);
    expect(await short.count()).toEqual({ count: 1, missing: [slow] });
    const fetched = await short.fetchSockets();
    expect([ids(fetched), fetched.missing]).toEqual([[joined.id], [slow]]);
    expect(await short.socketsJoin('late')).toEqual({ missing: [slow] });
    expect(joined.socket.rooms.has('late')).toBe(true);
    const asked = short.emitWithAck('question');
    joined.wire.send([3, (await joined.wire.packet(2))[4], 'yes']);
    expect(await asked).toEqual({ replies: ['yes'], missing: [slow] });
    expect(new Set(reported)).toEqual(new Set(['ERR_REQUEST_TIMEOUT']));
    // These would wait for a minute.
    const waiting = [a.count(), a.serverSideEmitWithAck('ask'), a.fetchSockets(), a.socketsLeave('late')];
    await servers[3]?.kill();
    servers[2]?.noticed();
    servers[3]?.noticed();
    expect((await Promise.all(waiting)).map(({ missing }) => missing.toSorted())).toEqual(
      Array(4).fill([dead, slow].toSorted()),
    );
    expect(await a.count()).toEqual({ count: 1, missing: [] });
  });

  test('a session that has moved counts once, for the server that has it', async () => {
    const { a, b, c } = await serve(3);
    const joined = await join(a, 'room');
    const [, session, secret] = (await joined.wire.packet(1)) as [number, string, string];
    const moved = await WireClient.open(b.port);
    cleanUp.push(() => moved.cut());
    moved.send([0, [], 'by hand', [session, secret, 1, 0], '', 1]);
    await moved.packet(1);
    (b.sockets.get(joined.id) as Socket).join('moved');
    expect([a.sockets.size, b.sockets.size]).toEqual([0, 1]);
    for (const io of [a, b, c]) {
      expect(await io.count()).toEqual({ count: 1, missing: [] });
      const sockets = await io.fetchSockets();
      expect(sockets.map(({ id, rooms }) => [id, [...rooms]])).toEqual([[joined.id, [joined.id, 'room', 'moved']]]);
    }
    const asked = c.emitWithAck('question');
    moved.send([3, (await moved.packet(2))[4], 'yes']);
    expect(await asked).toEqual({ replies: ['yes'], missing: [] });
  });

  test('serverSideEmit reaches all other servers, once each', async () => {
    const heard: unknown[][] = [];
    const { a, b, c, reported } = await serve(3, {}, (io, i) => {
      io.on('note', (...args: unknown[]) => void heard.push([i, ...args]));
      io.on('sum', async (x: number, y: number) => {
        if (i === 2) throw new PublicError('ERR_BUSY', 'Not now.');
        return x + y;
      });
      io.on('fail', () => {
        throw new Error(`secret of ${i}`);
      });
      if (i === 1) io.on('only b', () => undefined);
    });
    a.serverSideEmit('note', 1, { at: new Date(3) }, undefined);
    await expect.poll(() => heard.length).toBe(2);
    expect(heard.toSorted()).toEqual([
      [1, 1, { at: new Date(3) }],
      [2, 1, { at: new Date(3) }],
    ]);
    expect(await a.serverSideEmitWithAck('sum', 2, 3)).toEqual({ replies: [5], missing: [c.node] });
    expect(reported.splice(0)).toEqual([`asking node ${c.node} for "server event": ERR_BUSY`]);
    expect(await a.serverSideEmitWithAck('only b')).toEqual({ replies: [undefined], missing: [c.node] });
    expect(reported.splice(0)).toEqual([`asking node ${c.node} for "server event": ERR_NO_HANDLER`]);
    const failed = await b.serverSideEmitWithAck('fail');
    expect([failed.replies, failed.missing.toSorted()]).toEqual([[], [a.node, c.node].toSorted()]);
    expect(reported.splice(0).toSorted()).toEqual(
      [
        `asking node ${a.node} for "server event": ERR_HANDLER`,
        `asking node ${c.node} for "server event": ERR_HANDLER`,
        'the handler of "fail" of another server: Error: secret of 0',
        'the handler of "fail" of another server: Error: secret of 2',
      ].toSorted(),
    );
    // An error of a handler that nobody asked is reported where it is.
    a.serverSideEmit('fail');
    await expect.poll(() => reported.length).toBe(2);
    // Nobody handles it, and nobody has to.
    a.serverSideEmit('nothing');
    for (const name of ['connection', 'error', 'warning', 'session-expired', 'disconnect', 'overload', 'error']) {
      expect(() => a.serverSideEmit(name)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
    }
    expect(() => a.serverSideEmit('')).toThrow(expect.objectContaining({ code: 'ERR_EVENT_NAME' }));
    expect(() => a.serverSideEmit('note', () => {})).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    const nan = expect.objectContaining({ code: 'ERR_NOT_ENCODABLE', message: 'args[1]: cannot send NaN' });
    expect(() => a.serverSideEmit('note', 1, Number.NaN)).toThrow(nan);
    await expect(a.emitWithAck('note', 1, Number.NaN)).rejects.toEqual(nan);
    expect(() => a.on('note', 'no function' as never)).toThrow(expect.objectContaining({ code: 'ERR_HANDLER_TYPE' }));
  });

  test('volatile messages reach clients of other servers whose codec nobody speaks here', async () => {
    const { a, b } = await serve(2);
    await join(a);
    const client = connect(`http://127.0.0.1:${b.port}`, { codec: msgpack() });
    cleanUp.push(() => client.connection.close());
    const heard: unknown[] = [];
    client.on('loud', (text) => heard.push(text));
    await new Promise((resolve) => client.on('connect', resolve));
    await expect
      .poll(() => {
        a.volatile.emit('loud', 'here too');
        return heard[0];
      })
      .toBe('here too');
  });

  test('volatile messages reach the sockets of other servers, each at most once', async () => {
    const { a, b, c } = await serve(3);
    const one = await join(a, 'one', 'two');
    const two = await join(b, 'one', 'two');
    const three = await join(b, 'two');
    const four = await join(c);
    a.volatile.emit('all', 1);
    a.to('one').volatile.emit('one', 2);
    a.to('one', 'two').volatile.emit('both', 3);
    a.to('two').except('one').volatile.emit('not one', 4);
    c.to(two.id).volatile.emit('direct', 5);
    c.to(two.id, 'two').volatile.emit('direct and room', 6);
    one.socket.to('two').volatile.emit('from a member', 7);
    four.socket.broadcast.volatile.emit('from outside', 8);
    await settle(one, two, three, four);
    b.local.volatile.emit('local', 9);
    b.to('one').local.volatile.emit('local', 10);
    a.to('nobody').volatile.emit('never', 11);
    a.to([]).volatile.emit('never', 12);
    a.of('/nobody').volatile.emit('never', 13);
    await settle(one, two, three, four);
    // What two servers say comes in any order.
    const inAnyOrder = (client: typeof one) => volatile(client).toSorted();
    expect(inAnyOrder(one)).toEqual(['all 1', 'one 2', 'both 3', 'direct and room 6', 'from outside 8'].toSorted());
    expect(inAnyOrder(two)).toEqual(
      [
        ...['all 1', 'one 2', 'both 3', 'direct 5', 'direct and room 6', 'from a member 7', 'from outside 8'],
        ...['local 9', 'local 10'],
      ].toSorted(),
    );
    expect(inAnyOrder(three)).toEqual(
      [
        ...['all 1', 'both 3', 'not one 4', 'direct and room 6', 'from a member 7', 'from outside 8', 'local 9'],
      ].toSorted(),
    );
    expect(volatile(four)).toEqual(['all 1']);
  });

  test.skipIf(isFar)('a server hears what is volatile for a room as long as it has members of it', async () => {
    const heard: string[] = [];
    const shared = newStore();
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const { open } = store;
      store.open = (node, events) =>
        open.call(store, node, {
          ...events,
          onMessage: events.onMessage,
          onVolatile: (channel, frames) => {
            heard.push(channel);
            events.onVolatile(channel, frames);
          },
        });
      return store;
    };
    const { a, b } = await serve(2, { adapter });
    const say = (): string[] => {
      a.to('room').volatile.emit('said');
      return heard.splice(0);
    };
    expect(say()).toEqual([]);
    const [first, second] = [await join(b, 'room'), await join(b, 'room')];
    expect(say()).toEqual(['4:room/']);
    first.socket.leave('room');
    expect(say()).toEqual(['4:room/']);
    second.socket.disconnect();
    expect(say()).toEqual([]);
    // Made on demand, and gone with its last socket.
    b.of(/^\/made/);
    first.wire.send([10, '/made']);
    await first.wire.packet(11, ([, name]) => name === '/made');
    a.of('/made').volatile.emit('said');
    expect(heard.splice(0)).toEqual(['0:/made']);
    first.wire.send([13, '/made']);
    await first.wire.settle();
    a.of('/made').volatile.emit('said');
    expect(heard).toEqual([]);
  });

  test('a local emit is for the sockets of this server alone, in its place among all others', async () => {
    const { a, b } = await serve(2);
    const one = await join(a, 'room');
    const two = await join(b, 'room');
    const three = await join(a);
    a.emit('all', 1);
    a.local.emit('local', 2);
    a.in('room').local.emit('room', 3);
    a.local.except('room').emit('not room', 4);
    one.socket.to('room').local.emit('others', 5);
    a.local.to(two.id).emit('elsewhere', 6);
    a.emit('all', 7);
    expect(() => a.local.emit('wrong', () => {})).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    await settle(one, two, three);
    expect(one.wire.events).toEqual(['all 1', 'local 2', 'room 3', 'all 7']);
    expect(two.wire.events).toEqual(['all 1', 'all 7']);
    expect(three.wire.events).toEqual(['all 1', 'local 2', 'not room 4', 'all 7']);
  });

  test('counts of rooms', async () => {
    const { a, b } = await serve(2);
    const one = await join(a, 'room', 'x');
    await join(b, 'room');
    await join(b);
    for (const io of [a, b]) {
      expect(await io.count()).toEqual({ count: 3, missing: [] });
      expect(await io.in('room').count()).toEqual({ count: 2, missing: [] });
      expect(await io.in('room', 'x', one.id).count()).toEqual({ count: 2, missing: [] });
      expect(await io.of('/').in('room').except('x').count()).toEqual({ count: 1, missing: [] });
      expect(await io.to([]).count()).toEqual({ count: 0, missing: [] });
    }
    expect(await b.local.count()).toEqual({ count: 2, missing: [] });
  });

  // What is read is read by the same code, from whatever store it comes.
  describe.skipIf(isFar)('a node that is not what it should be', () => {
    const target = ['/', true, [], []];
    const bad: [string, Value, string][] = [
      ['no target', [1, 'sockets', null], 'ERR_SHAPE'],
      ['a target of another shape', [1, 'sockets', ['/', 'yes', [], []]], 'ERR_SHAPE'],
      ['rooms that are no text', [1, 'sockets', ['/', false, [7], []]], 'ERR_SHAPE'],
      ['too many rooms', [1, 'socket ids', ['/', false, Array(65_537).fill('x'), []]], 'ERR_TARGET_NAMES'],
      ['no action', [1, 'sockets act', [target]], 'ERR_ACTION'],
      ['an unknown action', [1, 'sockets act', [target, 'constructor', []]], 'ERR_ACTION'],
      ['rooms to join that are none', [1, 'sockets act', [target, 'join', 'room', 1, 'id']], 'ERR_SHAPE'],
      ['a room that has no name', [1, 'sockets act', [target, 'join', [''], 1, 'id']], 'ERR_ROOM_NAME'],
      ['a flag that is none', [1, 'sockets act', [target, 'disconnect', 1, 1, 'id']], 'ERR_SHAPE'],
      ['no stamp', [1, 'sockets act', [target, 'disconnect', true, 'x', 'id']], 'ERR_SHAPE'],
      ['no id', [1, 'sockets act', [target, 'disconnect', true, 1]], 'ERR_SHAPE'],
      ['a question that cannot be read', [1, 'sockets ask', [target, '{', 5]], 'ERR_VALUE'],
      ['a question without a name', [1, 'sockets ask', [target, '[3,1,[]]', 5]], 'ERR_SHAPE'],
      ['a question without a deadline', [1, 'sockets ask', [target, '[3,1,["x"]]', null]], 'ERR_SHAPE'],
      ['a question of a reserved name', [1, 'sockets ask', [target, '[3,1,["connect"]]', 5]], 'ERR_RESERVED_EVENT'],
      ['an event of a server that is none', [1, 'server event', ['[3,1,7]', true]], 'ERR_SHAPE'],
      ['a session to let go without a generation', [1, 'let-go', ['x', 'y']], 'ERR_LET_GO'],
      ['what is finished that is none', [1, 'finished', ['x']], 'ERR_FINISHED'],
      ['a reply that cannot be read', [1, 'finished', ['x', 1, [[1, false, '{']]]], 'ERR_FINISHED'],
      ['a failure without a code', [1, 'finished', ['x', 1, [[1, true, '[3,1,[7]]']]]], 'ERR_FINISHED'],
      ['a log without a place', [1, 'log top', ['x', 'y', 3]], 'ERR_LOG_TOP'],
      ['a request of a client that is none', [1, 'http', ['x']], 'ERR_FORWARDED'],
      ['an abort that is none', [1, 'http aborted', 'x'], 'ERR_FORWARDED'],
    ];
    test.each(bad)('asks with %s: it is told the rule', async (_what, message, code) => {
      const { a, adapter, reported } = await serve(1);
      const joined = await join(a);
      const answer = await (await rogue(adapter)).send(a.node, message);
      expect(answer).toEqual([false, code, expect.stringMatching(/./)]);
      await settle(joined);
      expect([joined.wire.events, [...joined.socket.rooms]]).toEqual([[], [joined.id]]);
      expect(reported).toEqual([]);
    });

    const answers: [string, Value][] = [
      ['nothing', null],
      ['a value of another shape', [true, { a: 1 }]],
      ['a list of other things', [true, [1, null]]],
      ['values that cannot be read', [true, [{ ...{ id: 'x', generation: 1, rooms: [], data: '{' } }]]],
      [
        'sockets whose data cannot be read',
        [
          true,
          [
            {
              ...{ id: 'x', generation: 1, rooms: [], data: '{', auth: '[3,1]', client: '' },
              peer: { transport: '', address: '', secure: false, headers: [], url: '', time: 0 },
            },
          ],
        ],
      ],
      ['an error', [false, 'ERR_BROKEN', 'it is broken']],
    ];
    test.each(answers)('answers with %s: it is missing, and that is reported', async (_what, answer) => {
      const { a, adapter, reported } = await serve(1);
      const joined = await join(a);
      await rogue(adapter, () => answer);
      const fetched = await a.fetchSockets();
      expect([ids(fetched), fetched.missing]).toEqual([[joined.id], [rogueId]]);
      expect(await a.count()).toEqual({ count: 1, missing: [rogueId] });
      expect(reported).toHaveLength(2);
      for (const one of reported) expect(one).toContain(rogueId);
      const asked = a.emitWithAck('question');
      joined.wire.send([3, (await joined.wire.packet(2))[4], 'yes']);
      expect(await asked).toEqual({ replies: ['yes'], missing: [rogueId] });
      expect((await a.serverSideEmitWithAck('any')).missing).toEqual([rogueId]);
    });

    const frame = Buffer.from('[6,"/","x",[]]');
    const header = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
    test.each<[string, unknown]>([
      ['nothing', undefined],
      ['no frames', []],
      ['a frame too few', [header(target), frame]],
      ['text for a frame', [header(target), 'x', frame]],
      ['no target', [undefined, frame, frame]],
      ['a target that is no JSON', [Buffer.from('{'), frame, frame]],
      ['a target of another shape', [header(['/', 1]), frame, frame]],
      ['a target too long', [header(['/', false, ['x'.repeat(1 << 20)], []]), frame, frame]],
    ])('says something volatile that is %s: it is dropped', async (_what, frames) => {
      const { a, adapter, reported } = await serve(1);
      const joined = await join(a);
      const store = await rogue(adapter);
      store.publish('0:/', frames as never);
      await expect.poll(() => reported).toEqual(['ERR_VOLATILE']);
      store.publish('0:/', [header(target), frame, frame]);
      expect(await joined.wire.packet(6)).toEqual([6, '/', 'x', []]);
      expect(joined.wire.received.filter(([type]) => type === 6)).toHaveLength(1);
    });
  });

  test('a server with a store of its own: the same calls, and nobody else', async () => {
    const io = await new Server({ host: host() }).listen(0, '127.0.0.1');
    cleanUp.push(() => io.close());
    const joined = await join(io, 'room');
    expect(io.nodes()).toEqual([io.node]);
    const sockets = await io.fetchSockets();
    expect([sockets[0], sockets.length, sockets.missing]).toEqual([joined.socket, 1, []]);
    expect(await io.in('room').count()).toEqual({ count: 1, missing: [] });
    expect(await io.socketsJoin('new')).toEqual({ missing: [] });
    expect(await io.serverSideEmitWithAck('any')).toEqual({ replies: [], missing: [] });
    io.serverSideEmit('any');
    io.in('room').local.emit('said', 1);
    io.local.volatile.emit('dropped', 2);
    await settle(joined);
    expect(joined.wire.events).toEqual(['said 1']);
    expect(volatile(joined)).toEqual(['dropped 2']);
  });
});
