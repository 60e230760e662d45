// A world that is closed says what was still running, and ends it.
import { connect } from '@halyard/client';
import { memory } from '@halyard/server';
import { expect, test } from 'vitest';
import { adds, newWorld } from '../testing/adding';

const nothing = { clients: [], servers: [], connections: [], timers: [] };

test('an app that has ended everything has left nothing', async () => {
  const world = newWorld();
  const io = world.server({ recoveryWindowMs: 60_000 });
  adds(io);
  const clients = [world.connect({ transports: ['websocket'] }), world.connect({ transports: ['polling'] })];
  await world.until(() => clients.every(({ connected }) => connected));
  for (const { connection } of clients) connection.close();
  await world.advance(100);
  await io.close();
  expect(await world.close()).toEqual(nothing);
});

test('what was still running is named, and ends', async () => {
  const world = newWorld();
  const io = world.server();
  const { life } = adds(io);
  const client = world.connect({ transports: ['websocket'] });
  await world.until(() => client.connected);
  void world.sleep(3_600_000);
  expect(await world.close()).toEqual({
    clients: ['client 1'],
    servers: ['server 1'],
    connections: ['client 1: 1'],
    timers: ['world: 1'],
  });
  expect([client.connection.state, life]).toEqual(['closed', ['connection', 'disconnect']]);
  expect(await world.close()).toEqual(nothing);
  expect(() => world.server()).toThrow('closed');
  expect(() => world.connect()).toThrow('closed');
});

test('a client of the app that is never closed is named, and goes on with nothing', async () => {
  const world = newWorld();
  world.server();
  const client = connect('http://app.example/', world.clientOptions());
  await world.until(() => client.connected);
  const left = await world.close();
  expect(left).toMatchObject({ clients: ['client 1'], connections: ['client 1: 1'], timers: ['client 1: 1'] });
});

test('a half-open connection is named', async () => {
  const world = newWorld();
  world.server();
  const client = world.connect({ transports: ['websocket'] });
  await world.until(() => client.connected);
  world.cut(client, { noticedBy: 'server' });
  expect((await world.close()).connections).toEqual(['client 1: 1']);
});

test('a store that servers share outlives the first of them, and ends', async () => {
  const world = newWorld();
  const adapter = memory({ shared: true });
  const first = world.server({ adapter });
  adds(first);
  const client = world.connect();
  await world.until(() => client.connected);
  world.kill(first);
  adds(world.server({ adapter }));
  await world.until(() => client.connected);
  expect(await world.close()).toMatchObject({ servers: ['server 2'], timers: [] });
});
