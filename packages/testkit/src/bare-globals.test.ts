// A test environment without what Node has as globals, as that of jest for jsdom is.
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test('a world without a global TextEncoder and TextDecoder', async () => {
  // From Node 22 on it makes its fetch of them when somebody first asks for that: a world of jest's has that from outside.
  expect(globalThis.Response).toBeDefined();
  for (const name of ['TextEncoder', 'TextDecoder']) vi.stubGlobal(name, undefined);
  vi.resetModules();
  const { simulate } = await import('./index');
  const world = simulate();
  const io = world.server();
  io.on('connection', (socket) => socket.on('echo', (value: unknown) => value));
  const client = world.connect();
  expect(await world.until(client.emitWithAck('echo', 'é'))).toBe('é');
  await world.close();
});
