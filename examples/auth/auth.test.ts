// The examples do what they say, on both hosts.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type HalyardError, type Socket, type TransportName } from '@halyard/client';
import { node, type Server, type ServerOptions } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { loginApp, sessionServer, sessions } from './src/express-session';
import { jwtServer, tokenOf } from './src/jwt';
import { Tickets, ticketServer } from './src/ticket';

/** By default that is uWebSockets.js, where it loads. */
const hosts: readonly (readonly [name: string, options: ServerOptions])[] = [
  ['the default host', {}],
  ['node', { host: node() }],
];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function listening(io: Server): Promise<string> {
  cleanUp.push(() => io.close());
  await io.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${io.port}`;
}

function client(url: string, options: Parameters<typeof connect>[1]): Socket {
  const socket = connect(url, options);
  cleanUp.push(() => socket.connection.close());
  return socket;
}

const refusal = (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.on('connect_error', (error: HalyardError) => resolve(error.code)));

describe.each(hosts)('on %s', (_name, options) => {
  test('a JWT is renewed before it ends, and the connection stays', async () => {
    const key = new Uint8Array(32).fill(7);
    const io = jwtServer(key, options);
    const url = await listening(io);
    let given = 0;
    const socket = client(url, {
      auth: async () => {
        given++;
        return { token: await tokenOf('ada', 1_500, key) };
      },
    });
    expect(await socket.emitWithAck('who')).toBe('ada');
    const [first] = io.sockets.values();
    const before = first!.handshake.expiresAt!;
    await expect
      .poll(() => first!.handshake.expiresAt!.getTime(), { timeout: 5_000 })
      .toBeGreaterThan(before.getTime());
    expect(given).toBe(2);
    expect(socket.connected).toBe(true);
    const stranger = client(url, { auth: { token: await tokenOf('eve', 1_500, new Uint8Array(32)) } });
    expect(await refusal(stranger)).toBe('ERR_TOKEN');
  });

  test.each<TransportName>(['websocket', 'sse', 'polling'])(
    'the cookie of an Express session says who it is, over %s',
    async (transport) => {
      const withSession = sessions();
      const app = createServer(loginApp(withSession));
      await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
      cleanUp.push(() => app.close());
      const { port } = app.address() as AddressInfo;
      const url = await listening(sessionServer(withSession, options));
      const answer = await fetch(`http://127.0.0.1:${port}/login/ada`, { method: 'POST' });
      await answer.text();
      const [cookie = ''] = answer.headers.getSetCookie().map((field) => field.split(';')[0]);
      const socket = client(url, { transports: [transport], extraHeaders: { cookie } });
      expect(await socket.emitWithAck('who')).toBe('ada');
      const stranger = client(url, { transports: [transport], extraHeaders: { cookie: 'connect.sid=s%3Anobody' } });
      expect(await refusal(stranger)).toBe('ERR_SIGNED_OUT');
    },
  );

  test('a ticket is good once', async () => {
    const tickets = new Tickets();
    const url = await listening(ticketServer(tickets, options));
    const ticket = tickets.give('ada');
    const socket = client(url, { auth: { ticket } });
    expect(await socket.emitWithAck('who')).toBe('ada');
    expect(await refusal(client(url, { auth: { ticket } }))).toBe('ERR_TICKET');
  });
});

test('an Express app has both, attached', async () => {
  const withSession = sessions();
  const app = createServer(loginApp(withSession));
  const io = await sessionServer(withSession).attach(app);
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  cleanUp.push(
    () => app.close(),
    () => io.close(),
  );
  const url = `http://127.0.0.1:${io.port}`;
  const answer = await fetch(`${url}/login/ada`, { method: 'POST' });
  await answer.text();
  const [cookie = ''] = answer.headers.getSetCookie().map((field) => field.split(';')[0]);
  const socket = client(url, { extraHeaders: { cookie } });
  expect(await socket.emitWithAck('who')).toBe('ada');
});
