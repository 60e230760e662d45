// What people who come from Socket.IO rely on without having read of it.
import { inspect } from 'node:util';
import { type Socket as ClientSocket, connect } from '@halyard/client';
import { PublicError, type Server, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { RawWebSocket } from './raw';

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  function client(io: Server, namespace = '/'): ClientSocket {
    const socket = connect(`http://127.0.0.1:${io.port}${namespace}`, { transports: ['websocket'] });
    cleanUp.push(() => socket.connection.close());
    return socket;
  }

  const came = (io: Pick<Server, 'on'>): Promise<Socket> => new Promise((resolve) => io.on('connection', resolve));

  test('a pattern that is an asynchronous function lets nobody in, and says why', async () => {
    const errors: string[] = [];
    const patterns = [async () => true, async () => Promise.reject(new Error('the database is gone'))];
    for (const pattern of patterns) {
      const io = await serve({}, (server) => {
        server.of(pattern as never).on('connection', () => void errors.push('connection'));
        server.on('error', (error) => void errors.push((error as Error).message));
      });
      const socket = client(io, '/any');
      const refusal = await new Promise((resolve) => socket.on('connect_error', resolve));
      expect(refusal).toMatchObject({ code: 'ERR_NAMESPACE_UNKNOWN' });
    }
    expect(errors).toEqual([0, 1].map(() => expect.stringContaining('returns true or false, and not a promise')));
  });

  test('a namespace that was made on demand goes when it is empty, also if the app has spoken to it', async () => {
    const io = await serve({ dynamicNamespacesMax: 2 }, (server) => {
      server.of(/^\/t/).on('connection', (socket) => server.of(socket.namespace).emit('hello'));
    });
    const wire = await RawWebSocket.connect(io.port);
    await wire.hello();
    wire.send([10, '/t1'], [10, '/t2'], [10, '/t3']);
    expect(await wire.packet(12)).toEqual([12, '/t3', 'ERR_DYNAMIC_NAMESPACES_FULL', expect.any(String)]);
    // One that has something of its own stays, and does not count any more.
    io.of('/t1').on('connection', () => {});
    wire.send([13, '/t1'], [13, '/t2'], [10, '/t4'], [10, '/t5'], [10, '/t6']);
    await untilHolds(() => expect(wire.packets.filter(([type]) => type === 12).length).toBe(2));
    expect(wire.packets.at(-1)).toEqual([12, '/t6', 'ERR_DYNAMIC_NAMESPACES_FULL', expect.any(String)]);
    wire.cut();
  });

  test('who holds a namespace that was made on demand means whatever has its name, also after it was empty', async () => {
    const io = await serve({ dynamicNamespacesMax: 1 });
    io.of(/^\/t/);
    const heard: unknown[] = [];
    const wire = await RawWebSocket.connect(io.port);
    await wire.hello();
    const enter = async (name: string): Promise<void> => {
      wire.send([10, name]);
      await wire.until(`CONNECTED ${name}`, () => wire.packets.some(([type, its]) => type === 11 && its === name));
    };
    const leave = async (name: string): Promise<void> => {
      wire.packets.length = 0;
      wire.send([13, name]);
      await settle();
    };
    const settle = async (): Promise<void> => {
      const pongs = () => wire.packets.filter(([type]) => type === 9).length;
      const before = pongs();
      wire.send([8]);
      await wire.until('PONG', () => pongs() > before);
    };
    await enter('/t1');
    const held = io.of('/t1');
    const room = held.to('room');
    const { sockets } = held;
    await leave('/t1');
    expect(sockets.size).toBe(0);
    // It is gone, and takes no room.
    await enter('/t2');
    await leave('/t2');
    await enter('/t1');
    expect([io.of('/t1') === held, sockets.size]).toEqual([true, 1]);
    [...sockets.values()][0]?.join('room');
    held.emit('news', 1);
    room.emit('news', 2);
    await settle();
    heard.push(...wire.packets.filter(([type]) => type === 5).map((packet) => packet.slice(-1)));
    expect(heard).toEqual([[[1]], [[2]]]);
    await leave('/t1');
    // What is said of it while it is empty is of the next one, which stays.
    held.on('connection', (socket) => void heard.push(socket.namespace));
    await enter('/t1');
    await enter('/t2');
    expect([heard.at(-1), io.of('/t1') === held]).toEqual(['/t1', true]);
    wire.cut();
  });

  test('a namespace that was made on demand, and is there again, has the rules that its pattern has by then, whoever holds it', async () => {
    const io = await serve();
    let isSecond = false;
    const first = io.of((name) => name === '/t' && !isSecond);
    io.of((name) => name === '/t').use(() => {
      throw new PublicError('ERR_SECOND', 'No.');
    });
    const wire = await RawWebSocket.connect(io.port);
    await wire.hello();
    const enter = async (): Promise<unknown> => {
      wire.packets.length = 0;
      wire.send([10, '/t']);
      const [type, , code] = await wire.until('an answer', () =>
        wire.packets.find(([type]) => type === 11 || type === 12),
      );
      return type === 11 ? 'in' : code;
    };
    expect(await enter()).toBe('in');
    const held = io.of('/t');
    wire.send([13, '/t']);
    isSecond = true;
    expect(await enter()).toBe('ERR_SECOND');
    isSecond = false;
    expect(await enter()).toBe('in');
    expect([io.of('/t') === held, held.sockets.size]).toEqual([true, 1]);
    wire.send([13, '/t']);
    first.use(() => {
      throw new PublicError('ERR_FIRST', 'No.');
    });
    expect(await enter()).toBe('ERR_FIRST');
    wire.cut();
  });

  test('the rooms of a namespace are as they are at each look, and are not copied', async () => {
    const io = await serve();
    const { rooms } = io.of('/');
    expect([rooms.size, rooms.has('a'), rooms.get('a'), [...rooms]]).toEqual([0, false, undefined, []]);
    const connection = came(io);
    client(io);
    const socket = await connection;
    socket.join('a', 'b');
    const members = rooms.get('a');
    expect([rooms.size, rooms.has('a'), [...rooms.keys()]]).toEqual([2, true, ['a', 'b']]);
    expect([members?.size, members?.has(socket.id), [...(members ?? [])]]).toEqual([1, true, [socket.id]]);
    expect([...rooms]).toEqual([...rooms.entries()]);
    expect(new Map(rooms).size).toBe(2);
    expect([...rooms.values()].map((ids) => [...ids])).toEqual([[socket.id], [socket.id]]);
    const seen: unknown[] = [];
    rooms.forEach((ids, name) => {
      ids.forEach((id) => void seen.push([name, id]));
    });
    expect(seen).toEqual([...rooms].flatMap(([name, ids]) => [...ids.entries()].map(([id]) => [name, id])));
    expect(inspect(rooms)).toContain(`'a' => Set(1) { '${socket.id}' }`);
    socket.leave('a');
    expect([members?.size, rooms.has('a'), rooms.size]).toEqual([0, false, 1]);
  });

  test('a handler that was added twice is there once when it was taken away once', async () => {
    const io = await serve();
    const connection = came(io);
    const ann = client(io);
    const socket = await connection;
    const calls: string[] = [];
    const said = (): void => void calls.push('server');
    const heard = (): void => void calls.push('client');
    socket.on('say', said).on('say', said).off('say', said);
    ann.on('hear', heard).on('hear', heard).off('hear', heard);
    await ann.emitWithAck('say').catch(() => {});
    await socket.emitWithAck('hear').catch(() => {});
    expect(calls).toEqual(['server', 'client']);
    socket.off('say', said);
    ann.off('hear', heard);
    await expect(ann.emitWithAck('say')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
    await expect(socket.emitWithAck('hear')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
  });

  test('what middleware of a socket writes into an event, its handlers are given', async () => {
    const io = await serve();
    const connection = came(io);
    const ann = client(io);
    const socket = await connection;
    socket.use(async (event) => {
      if (event[0] === 'old') event[0] = 'new';
      event[1] = String(event[1]).trim();
      event.push('by');
    });
    socket.use((event) => void event.push('two'));
    socket.on('new', (...args) => args);
    expect(await ann.emitWithAck('old', ' hello ', 2)).toEqual(['hello', 2, 'by', 'two']);
  });

  test.each([
    ['socket.disconnect(true)', (socket: Socket, _io: Server) => socket.disconnect(true)],
    ['io.disconnectSockets(true)', (_socket: Socket, io: Server) => void io.in('room').disconnectSockets(true)],
  ])(
    'who is away when it is sent out by %s is told when it is back, behind what was said before, and stays out',
    async (_how, sendOut) => {
      const io = await serve();
      const connection = came(io);
      const wire = await RawWebSocket.connect(io.port);
      const { session, secret } = await wire.hello();
      const socket = await connection;
      socket.join('room');
      const away = new Promise((resolve) => socket.on('away', resolve));
      wire.cut();
      await away;
      socket.emit('said', 'to you');
      io.to('room').emit('said', 'to all');
      const over = new Promise((resolve) => socket.on('disconnect', resolve));
      sendOut(socket, io);
      expect(await over).toMatchObject({ code: 1000, by: 'server' });
      expect([io.sockets.size, io.of('/').rooms.size]).toEqual([0, 0]);
      io.to('room').emit('said', 'behind its back');
      const back = await RawWebSocket.connect(io.port);
      back.send([0, [], '', [session, secret, 1, 0]]);
      await back.packet(13);
      expect(back.packets.slice(1)).toEqual([
        [2, '/', 'said', ['to you']],
        [5, '/', expect.anything(), 'said', ['to all']],
        [13, '/', 'disconnected by the server'],
      ]);
      back.cut();
    },
  );
});
