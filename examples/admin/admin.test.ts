// The example does what it says: the page is there, and who knows the password is told of who is there.
import { connect, type Socket } from '@halyard/client';
import { afterEach, expect, test, vi } from 'vitest';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.connection.close();
  vi.unstubAllEnvs();
});

test('the page of the example is there, and shows who is', async () => {
  vi.stubEnv('PORT', '0');
  vi.stubEnv('ADMIN_PASSWORD', 'correct horse battery');
  const { io } = await import('./src/server');
  try {
    const url = `http://127.0.0.1:${io.port}`;
    expect(await (await fetch(`${url}/halyard-admin`)).text()).toContain('<h1>Halyard</h1>');
    expect((await fetch(url)).status).toBe(404);
    const ada = connect(url, { auth: { user: 'ada' } });
    const admin = connect(`${url}/halyard-admin`, { auth: { password: 'correct horse battery' } });
    sockets.push(ada, admin);
    await expect.poll(() => [ada.connected, admin.connected]).toEqual([true, true]);
    const answer = new Promise((resolve) => admin.on('answer', (_id, _node, found) => resolve(found)));
    expect(await admin.emitWithAck('ask', 1, { what: 'sessions', search: 'ada' })).toEqual([io.node]);
    expect(await answer).toMatchObject({ rows: [{ description: 'ada', state: 'live' }] });
  } finally {
    await io.close();
  }
});
