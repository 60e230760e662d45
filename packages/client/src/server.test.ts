// The client against the real server.
import { PublicError } from '@halyard/protocol';
import { node, Server, type Socket as ServerSocket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { type ClientOptions, connect, polling, type Socket, websocket } from './index';

describe.each([
  ['websocket', websocket],
  ['polling', polling],
])('over %s', (name, transport) => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.connection.close();
    for (const server of servers.splice(0)) await server.close();
  });

  async function listening(): Promise<Server> {
    const io = new Server();
    servers.push(io);
    return io.listen(0, '127.0.0.1');
  }

  function dial(io: Server, options: ClientOptions = {}): Socket {
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: [transport()], ...options });
    sockets.push(socket);
    return socket;
  }

  const once = (socket: Socket, event: 'connect' | 'disconnect' | 'connect_error') =>
    new Promise((resolve) => socket.once(event, resolve as never));

  test('events and acknowledgements both ways', async () => {
    const io = await listening();
    io.on('connection', (socket) => {
      socket.on('add', (a: number, b: number) => a + b);
      socket.on('fail', () => {
        throw new PublicError('ERR_MINE', 'no', { why: 1 });
      });
      socket.on('ask me', () => socket.emitWithAck('question', 20));
    });
    const socket = dial(io);
    socket.on('question', async (n: number) => n + 1);
    expect(await socket.emitWithAck('add', 1, 2)).toBe(3);
    await expect(socket.emitWithAck('fail')).rejects.toMatchObject({ code: 'ERR_MINE', data: { why: 1 } });
    expect(await socket.emitWithAck('ask me')).toBe(21);
    expect(socket.connection.transport).toBe(name);
    expect(socket.id).toBe([...io.sockets.keys()][0]);
  });

  test('rooms, namespaces and refusals', async () => {
    const io = await listening();
    io.on('connection', (socket) => void socket.join('room'));
    io.of('/admin').use((handshake) => {
      if (handshake.auth.key !== 'right') throw new PublicError('ERR_KEY', 'wrong key');
    });
    const socket = dial(io);
    const heard: unknown[] = [];
    socket.on('news', (n: number) => heard.push(n));
    await once(socket, 'connect');
    for (let i = 0; i < 50; i++) io.to('room').emit('news', i);
    await expect.poll(() => heard.length).toBe(50);
    expect(heard).toEqual([...Array(50).keys()]);
    const bad = socket.of('/admin', { auth: { key: 'guess' } });
    expect(await once(bad, 'connect_error')).toMatchObject({ code: 'ERR_KEY' });
    const good = socket.of('/admin', { auth: () => ({ key: 'right' }) });
    expect(good).toBe(bad);
    await once(good, 'connect');
    expect(socket.connected).toBe(true);
  });

  test('a cut connection resumes: nothing is lost or doubled in either direction', async () => {
    const io = await listening();
    const got: unknown[] = [];
    let there: ServerSocket | undefined;
    io.on('connection', (socket) => {
      there = socket;
      socket.join('room');
      socket.on('up', (n: number) => void got.push(n));
    });
    const cut: (() => void)[] = [];
    const flaky = {
      ...transport(),
      open: (...[address, events]: Parameters<ReturnType<typeof transport>['open']>) => {
        const link = transport().open(address, events);
        cut.push(() => {
          link.close(1006, '');
          events.onClose({ code: 1006, reason: 'cut', by: 'network' });
        });
        return link;
      },
    };
    const socket = dial(io, { transports: [flaky], reconnect: { delayMinMs: 1 } });
    const heard: unknown[] = [];
    socket.on('down', (n: number) => void heard.push(n));
    await once(socket, 'connect');
    const { id } = socket;
    for (let round = 0; round < 5; round++) {
      const back = once(socket, 'connect');
      for (let i = 0; i < 20; i++) {
        if (i === 10) cut.at(-1)!();
        socket.emit('up', round * 20 + i);
        if (i % 2) io.to('room').emit('down', round * 20 + i);
        else there!.emit('down', round * 20 + i);
      }
      expect(await back).toEqual({ recovered: true, unconfirmed: 0 });
    }
    await expect.poll(() => [got.length, heard.length]).toEqual([100, 100]);
    expect([got, heard]).toEqual([[...Array(100).keys()], [...Array(100).keys()]]);
    expect(socket.id).toBe(id);
  });

  test('a WELCOME that was lost costs nothing: what was sent with HELLO is handled once', async () => {
    const io = await listening();
    const got: unknown[] = [];
    io.on('connection', (socket) => {
      socket.on('up', (n: number) => {
        got.push(n);
        return n;
      });
    });
    let attempts = 0;
    const deaf = {
      ...transport(),
      open: (...[address, events]: Parameters<ReturnType<typeof transport>['open']>) => {
        if (attempts++) return transport().open(address, events);
        const link = transport().open(address, {
          ...events,
          onFrame() {
            link.close(1006, '');
            events.onClose({ code: 1006, reason: 'cut', by: 'network' });
          },
        });
        return link;
      },
    };
    const socket = dial(io, { transports: [deaf], reconnect: { delayMinMs: 1 } });
    const replies = [1, 2, 3].map((n) => socket.emitWithAck('up', n));
    expect(await Promise.all(replies)).toEqual([1, 2, 3]);
    expect([got, attempts, io.sockets.size]).toEqual([[1, 2, 3], 2, 1]);
  });

  test('a server that was started anew loses the session, and says so', async () => {
    const first = await new Server({ host: node() }).listen(0, '127.0.0.1');
    const { port } = first;
    const socket = dial(first, { reconnect: { delayMinMs: 1, delayMaxMs: 50 } });
    await once(socket, 'connect');
    const back = once(socket, 'connect');
    await first.close();
    const second = new Server({ host: node() });
    servers.push(second);
    await second.listen(port, '127.0.0.1');
    expect(await back).toMatchObject({ recovered: false, reason: expect.any(String) });
    expect(socket.recovered).toBe(false);
  });
});
