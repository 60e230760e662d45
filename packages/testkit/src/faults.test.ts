// What a network does to clients and servers when a test says so, and that nothing is lost by it.
import { memory } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { adds, newWorld } from '../testing/adding';
import type { World } from './world';

describe.each([['websocket'], ['polling']] as const)('over %s', (transport) => {
  const transports = [transport];

  test('a client connects and is answered, in virtual time', async () => {
    const world = newWorld({ latencyMs: 20 });
    adds(world.server());
    const client = world.connect({ transports });
    expect(client.connected).toBe(false);
    await world.until(() => client.connected);
    expect(client.connection.transport).toBe(transport);
    const connectedAt = world.now;
    expect(await world.until(client.emitWithAck('add', 1, 2))).toBe(3);
    expect(world.now).toBe(connectedAt + 40);
  });

  test('a client that is cut comes back to its session, and nothing is lost or comes twice', async () => {
    const world = newWorld();
    const io = world.server();
    const { heard } = adds(io);
    const client = world.connect({ transports });
    const got: unknown[] = [];
    const states: string[] = [];
    client.on('news', (text: string) => void got.push(text));
    client.connection.on('state', ({ to }) => void states.push(to));
    await world.until(() => client.connected);
    const { id } = client;
    for (let i = 0; i < 20; i++) {
      client.emit('say', `up ${i}`);
      io.to('all').emit('news', `down ${i}`);
      await world.advance(2);
      if (i % 5 === 0) world.cut(client);
    }
    await world.advance(10_000);
    expect([client.connected, client.id]).toEqual([true, id]);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `up ${i}`));
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `down ${i}`));
    // Polling has no connection to lose: it asks again.
    expect(states.includes('waiting')).toBe(transport === 'websocket');
  });

  test('a client that is offline queues, retries in vain, and sends when it is online', async () => {
    const world = newWorld();
    const { heard, life } = adds(world.server());
    const client = world.connect({ transports });
    await world.until(() => client.connected);
    world.offline(client);
    await world.until(() => !client.connected);
    client.emit('say', 'later');
    await world.advance(60_000);
    expect([client.connected, heard]).toEqual([false, []]);
    world.online(client);
    await world.until(() => client.connected && heard.length > 0);
    expect([client.recovered, heard, life]).toEqual([true, ['later'], ['connection', 'away', 'resume']]);
  });

  test('offline without an answer is noticed by timeouts alone', async () => {
    const world = newWorld();
    adds(world.server());
    const client = world.connect({ transports, connectTimeoutMs: 3_000 });
    world.offline(client, { silent: true, noticedBy: 'nobody' });
    await world.advance(2_999);
    expect(client.connection.state).toBe('connecting');
    await world.advance(1);
    expect(client.connection.state).toBe('waiting');
    await world.until(() => client.connection.state === 'connecting');
    await world.advance(2_999);
    expect(client.connection.state).toBe('connecting');
    world.online();
    await world.until(() => client.connected);
  });

  test('a client that reads nothing for a time gets all of it afterwards', async () => {
    const world = newWorld();
    const io = world.server();
    adds(io);
    const client = world.connect({ transports });
    const got: string[] = [];
    client.on('news', (text: string) => void got.push(text));
    await world.until(() => client.connected);
    world.stall(client, 5_000);
    const stalledAt = world.now;
    for (const text of ['a', 'b', 'c']) io.emit('news', text);
    await world.advance(4_900);
    expect(got).toEqual([]);
    await world.until(() => got.length === 3);
    expect(got).toEqual(['a', 'b', 'c']);
    expect(world.now).toBeLessThan(stalledAt + 6_000);
  });

  test('a server is restarted: clients find the next one, with a new session', async () => {
    const world = newWorld();
    const io = world.server();
    adds(io);
    const client = world.connect({ transports });
    await world.until(() => client.connected);
    const closed = new Promise((resolve) => client.once('disconnect', resolve));
    await io.close();
    expect(await world.until(closed)).toMatchObject({ code: 1001 });
    await world.advance(5_000);
    expect(client.connected).toBe(false);
    const { life } = adds(world.server());
    await world.until(() => client.connected);
    expect([client.recovered, life]).toEqual([false, ['connection']]);
    expect(await world.until(client.emitWithAck('add', 2, 2))).toBe(4);
  });

  test('a server is killed, and another one on the same store goes on with its session', async () => {
    const world = newWorld();
    const adapter = memory({ shared: true });
    const first = world.server({ adapter });
    adds(first);
    const client = world.connect({ transports });
    await world.until(() => client.connected);
    const { id } = client;
    const second = world.server({ adapter });
    const { heard, life } = adds(second);
    client.emit('say', 'before');
    world.kill(first);
    client.emit('say', 'after');
    await world.until(() => client.connected && heard.includes('after'));
    expect([client.recovered, client.id, life]).toEqual([true, id, ['recovered', 'resume']]);
    expect(heard).toEqual(['before', 'after']);
  });

  test('a server that was killed does nothing more, and its store forgets what nobody comes for', async () => {
    const world = newWorld();
    const adapter = memory({ shared: true });
    const options = { adapter, recoveryWindowMs: 60_000 };
    const io = world.server(options);
    const { life } = adds(io);
    const client = world.connect({ transports });
    await world.until(() => client.connected);
    world.kill(io);
    world.offline(client);
    await world.advance(600_000);
    expect(life).toEqual(['connection']);
    adds(world.server(options));
    world.online(client);
    await world.until(() => client.connected);
    expect(client.recovered).toBe(false);
  });

  test('when the newest server goes, new connections go to the one before it', async () => {
    const world = newWorld();
    const one = adds(world.server());
    const io = world.server();
    const other = adds(io);
    const client = world.connect({ transports });
    await world.until(() => client.connected);
    expect([one.life, other.life]).toEqual([[], ['connection']]);
    await io.close();
    await world.until(() => one.life.length > 0 && client.connected);
  });

  test('a client moves to another server when it is told to', async () => {
    const world = newWorld();
    const adapter = memory({ shared: true });
    const first = world.server({ adapter });
    const one = adds(first);
    const second = world.server({ adapter });
    const other = adds(second);
    const client = world.connect({ transports, server: first });
    await world.until(() => client.connected);
    expect(one.life).toEqual(['connection']);
    world.route(client, second);
    await world.advance(5_000);
    expect(other.life).toEqual([]);
    world.offline(client);
    await world.until(() => !client.connected);
    world.online(client);
    await world.until(() => client.connected);
    expect([client.recovered, other.life]).toEqual([true, ['recovered', 'resume']]);
  });

  test('what a browser adds to a request reaches the server, and origins are checked', async () => {
    const world = newWorld();
    const io = world.server({ path: '/live', origins: ['https://app.example'] });
    const cookies: unknown[] = [];
    io.use(({ headers, transport: over }) => void cookies.push(headers.get('cookie'), over));
    const headers = { cookie: 'sid=1', origin: 'https://app.example' };
    const client = world.connect({ transports, headers, path: '/live' });
    await world.until(() => client.connected);
    expect(cookies).toEqual(['sid=1', transport]);
    const stranger = world.connect({
      ...{ transports, path: '/live', headers: { origin: 'https://evil.example' } },
      reconnect: { attemptsMax: 0 },
    });
    await world.until(() => stranger.connection.state === 'closed');
  });
});

describe('a connection that only one end knows to be dead', () => {
  test('half-open: nobody is told, and the heartbeat finds out', async () => {
    const world = newWorld();
    const io = world.server({ heartbeatMs: 5_000, heartbeatTimeoutMs: 5_000 });
    const { life } = adds(io);
    const client = world.connect({ transports: ['websocket'] });
    await world.until(() => client.connected);
    world.cut(client, { noticedBy: 'nobody' });
    await world.advance(4_000);
    expect([client.connected, life]).toEqual([true, ['connection']]);
    await world.until(() => life.includes('away'), { withinMs: 12_000 });
    await world.until(() => client.connected && life.includes('resume'));
    expect(client.recovered).toBe(true);
  });

  test('the client alone: its session comes back before the server has missed it', async () => {
    const world = newWorld();
    const { life } = adds(world.server());
    const client = world.connect({ transports: ['websocket'] });
    await world.until(() => client.connected);
    world.cut(client, { noticedBy: 'client', noticeMs: 200 });
    await world.advance(199);
    expect(client.connected).toBe(true);
    await world.advance(1);
    expect([client.connected, life]).toEqual([false, ['connection']]);
    await world.until(() => client.connected);
    expect(client.recovered).toBe(true);
  });

  test('the server alone: it says that the client is away', async () => {
    const world = newWorld();
    const { life } = adds(world.server());
    const client = world.connect({ transports: ['websocket'] });
    await world.until(() => client.connected);
    world.cut(client, { noticedBy: 'server' });
    await world.advance(1);
    expect([client.connected, life]).toEqual([true, ['connection', 'away']]);
  });

  test('a server that is killed is missed at once', async () => {
    const world = newWorld();
    const io = world.server();
    adds(io);
    const client = world.connect({ transports: ['websocket'] });
    await world.until(() => client.connected);
    world.kill(io);
    await world.advance(0);
    expect(client.connection.state).toBe('waiting');
  });

  test('a server that is killed in silence', async () => {
    const world = newWorld();
    const io = world.server({ heartbeatMs: 5_000, heartbeatTimeoutMs: 5_000 });
    adds(io);
    const client = world.connect({ transports: ['websocket'] });
    await world.until(() => client.connected);
    world.kill(io, { noticedBy: 'nobody' });
    await world.advance(3_000);
    expect(client.connected).toBe(true);
    await world.until(() => client.connection.state === 'waiting');
  });
});

describe('HTTP', () => {
  test.each([
    ['a request is lost', (world: World) => world.loseRequest(undefined, { method: 'POST' })],
    ['an answer is lost', (world: World) => world.loseRequest(undefined, { method: 'POST', what: 'answer' })],
    ['an answer to a poll is lost', (world: World) => world.loseRequest(undefined, { method: 'GET', what: 'answer' })],
    [
      'a request is lost in silence',
      (world: World) => world.loseRequest(undefined, { method: 'POST', noticed: false }),
    ],
    ['a request comes twice', (world: World) => world.repeatRequest(undefined, { times: 3 })],
    ['much is lost and repeated', (world: World) => world.change({ loss: 0.05, repeat: 0.3, latencyMs: [1, 50] })],
  ])('%s: everything is handled once', async (_what, disturb) => {
    const world = newWorld();
    const { heard } = adds(world.server());
    const client = world.connect({ transports: ['polling'] });
    await world.until(() => client.connected);
    disturb(world);
    for (let i = 0; i < 10; i++) {
      client.emit('say', `${i}`);
      await world.advance(10);
    }
    await world.until(() => heard.length >= 10);
    await world.advance(5_000);
    expect(heard).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });

  test('a lost request is seen by nobody, and a lost answer by the server', async () => {
    for (const [what, isHeard] of [
      ['request', false],
      ['answer', true],
    ] as const) {
      const world = newWorld({ latencyMs: 1 });
      const { heard } = adds(world.server());
      const client = world.connect({ transports: ['polling'] });
      await world.until(() => client.connected);
      await world.advance(50);
      world.loseRequest(client, { what, method: 'POST', noticed: false });
      client.emit('say', 'once');
      await world.advance(5_000);
      expect(heard.length > 0).toBe(isHeard);
      await world.until(() => heard.length > 0);
      await world.advance(20_000);
      expect(heard).toEqual(['once']);
    }
  });

  test('a client falls back to polling where WebSockets lead nowhere', async () => {
    const world = newWorld();
    adds(world.server({ transports: ['polling'] }));
    const client = world.connect();
    await world.until(() => client.connected);
    expect(client.connection.transport).toBe('polling');
  });
});
