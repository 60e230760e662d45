import { simulate } from '@halyard/testkit';
import { expect, test } from 'vitest';
import { type ClientToServer, type ServerToClient, serveRoom } from './room';

test('what is said while a client is cut off arrives when it is back', async () => {
  const world = simulate();
  serveRoom(world.server());
  const ann = world.connect<ServerToClient, ClientToServer>();
  const ben = world.connect<ServerToClient, ClientToServer>();
  const heard: string[] = [];
  ben.on('said', (text) => void heard.push(text));
  await world.until(() => ann.connected && ben.connected);

  world.offline(ben); // my client is cut here
  await world.until(ann.emitWithAck('say', 'hello'));
  world.online(ben);
  await world.until(() => heard.length > 0);

  expect(heard).toEqual(['hello']);
  expect(ben.recovered).toBe(true);
  await world.close();
});
