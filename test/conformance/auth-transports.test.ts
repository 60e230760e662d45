// What was presented, with both real ends: each host and each transport, all at the same time, because it takes seconds.
import { connect, type DisconnectInfo, PublicError, polling, sse, websocket } from '@halyard/client';
import { type Handshake, Server } from '@halyard/server';
import { expect, test } from 'vitest';
import { hosts } from '../kit/hosts';

const combinations = hosts.flatMap(([name, host]) =>
  [websocket, sse, polling].map((transport) => [`${name}, ${transport.name}`, host, transport] as const),
);

test.concurrent.each(combinations)(
  '%s: it is renewed in time over the connection, and ends the session with a reason if it is not',
  async (_name, host, transport) => {
    const io = await new Server({ host: host() }).listen(0, '127.0.0.1');
    const asked: unknown[] = [];
    const cookies: unknown[] = [];
    const lasting = (handshake: Handshake): void => {
      asked.push(handshake.auth.n);
      cookies.push(handshake.headers.get('cookie'));
      if ((handshake.auth.n as number) >= 3) throw new PublicError('ERR_GONE', 'Not any more.');
      // A fifth of it is what a busy machine may take to renew it.
      handshake.expiresAt = Date.now() + 6_000;
    };
    io.use(lasting);
    io.renew(lasting);
    let n = 0;
    const client = connect(`http://127.0.0.1:${io.port}`, {
      transports: [transport()],
      auth: () => ({ n: ++n }),
      extraHeaders: { cookie: 'sid=1' },
    });
    try {
      const told: unknown[] = [];
      client.on('connect', () => told.push('connect'));
      client.on('error', (error) => told.push((error as PublicError).code));
      const { code, reason, by, willReconnect } = await new Promise<DisconnectInfo>((resolve) => {
        client.on('disconnect', resolve);
      });
      expect({ code, by, willReconnect }).toEqual({ code: 4401, by: 'server', willReconnect: false });
      expect(reason).toMatch(/^ERR_AUTH_EXPIRED: auth ended at \S+ and was not renewed, for \/$/);
      // There may be time to ask once more.
      expect(asked.slice(0, 3)).toEqual([1, 2, 3]);
      expect(told.slice(0, 2)).toEqual(['connect', 'ERR_GONE']);
      expect(new Set(cookies)).toEqual(new Set(['sid=1']));
    } finally {
      client.connection.close();
      await io.close();
    }
  },
);
