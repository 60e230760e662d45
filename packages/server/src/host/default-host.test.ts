// Where uWebSockets.js is not there, or is something else, the server runs on Node's own HTTP, and says so.
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('uWebSockets.js');
  vi.resetModules();
  vi.restoreAllMocks();
});

test.each<[what: string, module: () => { readonly default?: unknown }, why: string]>([
  [
    'not installed',
    () => {
      throw new Error('no such module');
    },
    'uWebSockets.js does not load: ',
  ],
  // As webpack does it for what is optional and not there, or is to be left out.
  [
    'an empty module',
    () => ({ default: {} }),
    'uWebSockets.js does not load: what is imported by that name is something else',
  ],
  ['no module at all', () => ({ default: undefined }), 'uWebSockets.js does not load: what is imported by that name'],
])('%s', async (_what, module, why) => {
  vi.resetModules();
  vi.doMock('uWebSockets.js', module);
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { Server } = await import('../index');
  const io = new Server();
  await io.listen(0, '127.0.0.1');
  try {
    expect((await fetch(`http://127.0.0.1:${io.port}/halyard`)).status).toBe(426);
    expect(warned.mock.calls).toEqual([[expect.stringContaining(`Halyard runs on node:http and ws, because ${why}`)]]);
  } finally {
    await io.close();
  }
});
