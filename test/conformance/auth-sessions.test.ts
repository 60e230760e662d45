// Sessions of an Express app that are in Redis: the cookie says who it is to servers that have nothing else in common with the app, on each
// host, attached, and over every transport.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type TransportName } from '@halyard/client';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loginApp, redisStore, sessionServer, sessions } from '../../examples/auth/src/express-session';
import { hosts } from '../kit/hosts';
import { hasRedis, RedisServer } from '../kit/redis-server';

const transports: readonly TransportName[] = ['websocket', 'sse', 'polling'];

describe.skipIf(!hasRedis)('a session in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  /** As another process has them. */
  function itsSessions(): ReturnType<typeof sessions> {
    const client = new Redis(redis.port, '127.0.0.1');
    cleanUp.push(() => client.disconnect());
    return sessions(redisStore(client));
  }

  /** @returns the cookie of who has signed in to an app of its own */
  async function signedIn(): Promise<string> {
    const app = createServer(loginApp(itsSessions()));
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => app.close());
    const { port } = app.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/login/ada`, { method: 'POST' });
    // Its head goes out before the session is stored, and its end behind that.
    await answer.text();
    return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }

  async function isKnown(port: number, transport: TransportName): Promise<void> {
    const extraHeaders = { cookie: await signedIn() };
    const socket = connect(`http://127.0.0.1:${port}`, { transports: [transport], extraHeaders });
    cleanUp.push(() => socket.connection.close());
    expect(await socket.emitWithAck('who')).toBe('ada');
    const stranger = connect(`http://127.0.0.1:${port}`, { transports: [transport] });
    cleanUp.push(() => stranger.connection.close());
    const refused = new Promise((resolve) => stranger.on('connect_error', ({ code }) => resolve(code)));
    expect(await refused).toBe('ERR_SIGNED_OUT');
  }

  for (const [name, host] of hosts) {
    test.each(transports)(`is known on ${name}, over %s`, async (transport) => {
      const io = sessionServer(itsSessions(), { host: host() });
      await io.listen(0, '127.0.0.1');
      cleanUp.push(() => io.close());
      await isKnown(io.port, transport);
    });
  }

  test.each(transports)('is known where the server is attached to an app, over %s', async (transport) => {
    const withSession = itsSessions();
    const app = createServer(loginApp(withSession));
    const io = await sessionServer(withSession).attach(app);
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    cleanUp.push(
      () => app.close(),
      () => io.close(),
    );
    await isKnown(io.port, transport);
  });
});
