// Servers that go, and others that come.
import { memory } from '@halyard/server';
import { simulate } from '@halyard/testkit';
import { expect, test } from 'vitest';
import { type ClientToServer, type ServerToClient, serveRoom } from './room';

test('a server is restarted: the client is back, and is told that its session is not', async () => {
  const world = simulate();
  const io = serveRoom(world.server());
  const client = world.connect<ServerToClient, ClientToServer>();
  await world.until(() => client.connected);
  await io.close();
  await world.advance(5_000);
  serveRoom(world.server());
  await world.until(() => client.connected);
  expect(client.recovered).toBe(false);
  await world.close();
});

test('a server is lost, and another one on the same store goes on with its sessions', async () => {
  const world = simulate();
  const adapter = memory({ shared: true });
  const first = serveRoom(world.server({ adapter }));
  serveRoom(world.server({ adapter }));
  const client = world.connect<ServerToClient, ClientToServer>({ server: first });
  await world.until(() => client.connected);
  world.kill(first);
  world.route(client);
  await world.until(() => client.recovered);
  await world.close();
});
