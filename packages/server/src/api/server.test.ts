import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { hosts, starts } from '../../../../test/kit/hosts';
import { WireClient } from '../../../../test/kit/wire';
import { type ListenOptions, memory, Server, type ServerOptions, type Store } from '../index';

/** Whether the Node that runs this can share ports. */
const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
const canShare = major >= 24 || (major === 22 && minor >= 12);

describe.each(hosts)('listening on %s', (name, host) => {
  const servers: Server[] = [];

  async function listening(options: ServerOptions): Promise<Server> {
    const io = new Server({ host: host(), ...options });
    servers.push(io);
    return io.listen(0, '127.0.0.1');
  }

  afterEach(async () => {
    for (const io of servers.splice(0)) await io.close();
  });

  test('the store is opened once, however often listening fails, and not before the port is had', async () => {
    const shared = memory({ shared: true });
    const taken = await new Server({ host: host(), adapter: shared }).listen(0, '127.0.0.1');
    let opened = 0;
    const io = new Server({
      host: host(),
      adapter: (context) => {
        const store = shared(context) as Store;
        const open = store.open.bind(store);
        store.open = (...what) => {
          opened++;
          return open(...what);
        };
        return store;
      },
    });
    servers.push(taken, io);
    for (let i = 0; i < 2; i++)
      await expect(io.listen(taken.port, '127.0.0.1')).rejects.toMatchObject({ code: 'ERR_LISTEN' });
    expect([opened, taken.nodes()]).toEqual([0, [taken.node]]);
    expect(await taken.serverSideEmitWithAck('hello')).toEqual({ replies: [], missing: [] });
    await io.listen(0, '127.0.0.1');
    expect(opened).toBe(1);
    await expect.poll(() => taken.nodes()).toEqual([taken.node, io.node]);
  });

  test('a server that never listened is closed without waiting for its store', async () => {
    // In this clock no time passes.
    const clock = { now: () => 0, wall: () => 0, after: () => () => {}, soon: setImmediate };
    await new Server({ host: host(), adapter: memory({ shared: true }), clock }).close();
  });

  test('listen can be tried again on another port', async () => {
    const taken = await new Server({ host: host() }).listen(0, '127.0.0.1');
    servers.push(taken);
    const io = new Server({ host: host() });
    servers.push(io);
    await expect(io.listen(taken.port, '127.0.0.1')).rejects.toMatchObject({ code: 'ERR_LISTEN' });
    await io.listen(0, '127.0.0.1');
    const wire = await WireClient.open(io.port);
    wire.send([0]);
    await wire.packet(11);
  });

  test('a port is shared if all who listen on it say so, and else it is refused', async () => {
    const first = new Server({ host: host() });
    servers.push(first);
    const shared = { address: '127.0.0.1', reusePort: true };
    if (name === 'node' && !canShare) {
      await expect(first.listen(0, shared)).rejects.toMatchObject({ code: 'ERR_REUSE_PORT' });
      await first.listen(0, { address: '127.0.0.1' });
      return;
    }
    const { port } = await first.listen(0, shared);
    const second = new Server({ host: host() });
    servers.push(second);
    await expect(second.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'ERR_LISTEN' });
    await second.listen(port, shared);
    // The system chooses who gets a connection: sooner or later each has one.
    while (!(first.sockets.size > 0 && second.sockets.size > 0)) {
      const wire = await WireClient.open(port);
      wire.send([0]);
      await wire.packet(11);
    }
  });

  test.each([
    [70_000, {}, 'The port is 70000: it may be a whole number from 0 to 65535.'],
    [0, null, 'The option "address" of listen is null: it may be a local address, or an object of options.'],
    [0, { host: 'a' }, 'The option "host" of listen is not an option: take address.'],
    [0, { address: 1 }, 'The option "address" of listen is 1: it may be a local address.'],
    [0, { reusePort: 'yes' }, 'The option "reusePort" of listen is yes: it may be true or false.'],
  ])('listen refuses %j and %j', async (port, options, message) => {
    const io = new Server({ host: host() });
    await expect(io.listen(port, options as ListenOptions)).rejects.toMatchObject({ code: 'ERR_OPTION', message });
  });

  test('the reply goes by the handlers that were called', async () => {
    const io = await listening({});
    io.on('connection', (socket) => {
      socket.once('once', () => {});
      socket.on('leaves', async () => {
        socket.off('leaves');
      });
      socket.onAny((event) => {
        if (event === 'added') socket.on('added', () => 'late');
        if (event === 'removed') socket.off('removed');
      });
      socket.on('removed', () => 'never');
      socket.on('', () => 'no name');
    });
    const wire = await WireClient.open(io.port);
    wire.send([0]);
    await wire.packet(11);
    for (const [i, event] of ['once', 'leaves', 'added', 'removed', 'other'].entries())
      wire.send([2, '/', event, [], i + 1]);
    const replies = () => wire.received.filter(([type]) => type === 3 || type === 4).map((reply) => reply.slice(0, 3));
    await wire.until(() => replies().length === 5);
    expect(replies().toSorted((one, other) => Number(one[1]) - Number(other[1]))).toEqual([
      [3, 1],
      [3, 2],
      [3, 3, 'late'],
      [4, 4, 'ERR_NO_HANDLER'],
      [4, 5, 'ERR_NO_HANDLER'],
    ]);
  });

  test('close tells every client 1001 and frees the port', async () => {
    const io = await new Server({ host: host() }).listen(0, '127.0.0.1');
    const greeted = await WireClient.open(io.port);
    greeted.send([0]);
    await greeted.packet(11);
    const silent = await WireClient.open(io.port);
    const { port } = io;
    await io.close();
    expect(await silent.until((wire) => wire.closed)).toMatchObject({ code: 1001 });
    expect(await greeted.until((wire) => wire.closed)).toMatchObject({ code: 1001 });
    const again = new Server({ host: host() });
    servers.push(again);
    await again.listen(port, '127.0.0.1');
    await expect(new Server({ host: host() }).listen(port, '127.0.0.1')).rejects.toMatchObject({
      code: 'ERR_LISTEN',
    });
  });

  test('what the fetch option answers is framed once, with all its cookies', async () => {
    const io = await listening({
      fetch: () => {
        const headers = new Headers({ 'content-length': '5', 'x-one': '1' });
        headers.append('set-cookie', 'a=1');
        headers.append('set-cookie', 'b=2');
        return new Response('hello', { headers });
      },
    });
    const raw = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(io.port, '127.0.0.1', () =>
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      );
      socket.on('data', (data) => {
        text += data;
        if (text.endsWith('hello')) {
          socket.destroy();
          resolve(text.toLowerCase());
        }
      });
    });
    expect(raw.match(/content-length: 5\r/g)).toHaveLength(1);
    expect(raw.match(/set-cookie: [ab]=[12]\r/g)).toHaveLength(2);
  });

  test('the fetch option answers other paths, whatever it does', async () => {
    const io = await listening({
      fetch: async (request) => {
        const url = new URL(request.url);
        if (url.pathname === '/throws') throw new Error('boom');
        return new Response(`${request.method} ${url.pathname}${url.search} ${await request.text()}`, {
          status: 201,
          headers: { 'x-seen': request.headers.get('x-sent') ?? '' },
        });
      },
    });
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    const response = await fetch(`http://127.0.0.1:${io.port}/page?q=1`, {
      method: 'POST',
      body: 'text',
      headers: { 'x-sent': 'yes' },
    });
    expect([response.status, response.headers.get('x-seen'), await response.text()]).toEqual([
      201,
      'yes',
      'POST /page?q=1 text',
    ]);
    expect((await fetch(`http://127.0.0.1:${io.port}/throws`)).status).toBe(500);
    const odd = await new Promise<string>((resolve) => {
      const socket = connect(io.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a b\r\n\r\n'));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString());
      });
    });
    expect(odd).toMatch(/^HTTP\/1.1 400 /);
    expect(errors).toHaveLength(1);
  });
});

test("attached, other paths stay the app's, and so does its server", async () => {
  const [, start] = starts.at(-1) ?? [];
  const io = await start?.({});
  if (io === undefined) throw new Error('no start');
  expect(await (await fetch(`http://127.0.0.1:${io.port}/page`)).text()).toBe('the app');
  expect((await fetch(`http://127.0.0.1:${io.port}/halyard`, { method: 'POST' })).status).toBe(200);
  await io.close();
  await expect(new Server().attach({} as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  // As an app of Express is.
  const app = Object.assign(() => {}, { listeners: () => [], listen: () => {} });
  await expect(new Server().attach(app as never)).rejects.toMatchObject({
    message: 'attach takes an http.Server or https.Server, such as http.createServer(app).',
  });
});
