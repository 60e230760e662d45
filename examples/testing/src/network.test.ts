// What else a network does.
import { simulate } from '@halyard/testkit';
import { expect, test } from 'vitest';
import { type ClientToServer, type ServerToClient, serveRoom } from './room';

test('a connection that is half-open is noticed by its heartbeat', async () => {
  const world = simulate();
  const io = serveRoom(world.server({ heartbeatMs: 5_000, heartbeatTimeoutMs: 5_000 }));
  const client = world.connect<ServerToClient, ClientToServer>();
  await world.until(() => client.connected);
  world.cut(client, { noticedBy: 'nobody' });
  client.emit('say', 'into the void');
  await world.advance(1_000);
  expect(client.connected).toBe(true);
  await world.until(() => [...io.sockets.values()][0]?.away);
  await world.until(() => client.recovered);
  await world.close();
});

test('a body is handled once, though its answer is lost and it is sent again', async () => {
  const world = simulate();
  serveRoom(world.server());
  const client = world.connect<ServerToClient, ClientToServer>({ transports: ['polling'] });
  await world.until(() => client.connected);
  world.loseRequest(client, { method: 'POST', what: 'answer' });
  expect(await world.until(client.emitWithAck('say', 'one'))).toBe(1);
  expect(await world.until(client.emitWithAck('say', 'two'))).toBe(2);
  await world.close();
});

test('an app that has closed all it had has left nothing', async () => {
  const world = simulate();
  const io = serveRoom(world.server());
  const client = world.connect<ServerToClient, ClientToServer>();
  await world.until(() => client.connected);
  client.connection.close();
  await world.advance(100);
  await io.close();
  expect(await world.close()).toEqual({ clients: [], servers: [], connections: [], timers: [] });
});
