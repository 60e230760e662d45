// One address takes no more than its share, over any transport, and others notice nothing.
import { request } from 'node:http';
import { connect } from '@halyard/client';
import type { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';

interface Opened {
  readonly status: number;
  readonly code: string | undefined;
  /** How many seconds later it may be tried again. */
  readonly retryAfter: string | undefined;
  close(): Promise<void>;
}

type Opener = (port: number, address: string) => Promise<Opened>;

const byWebSocket: Opener = (port, address) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/halyard`, { headers: { 'x-forwarded-for': address } });
    const close = () =>
      new Promise<void>((closed) => {
        socket.once('close', () => closed());
        socket.close();
      });
    socket.once('open', () => resolve({ status: 101, code: undefined, retryAfter: undefined, close }));
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => {
        const { code } = JSON.parse(body) as { code: string };
        resolve({
          ...{ status: response.statusCode ?? 0, code, retryAfter: response.headers['retry-after'] },
          close: async () => {},
        });
      });
    });
    socket.once('error', reject);
  });

const byHttp =
  (method: string, accept: string): Opener =>
  (port, address) =>
    new Promise((resolve, reject) => {
      const headers = { accept, 'x-forwarded-for': address };
      const opening = request(
        { host: '127.0.0.1', port, path: '/halyard', method, headers, agent: false },
        (response) => {
          const id = String(response.headers['halyard-connection']);
          let body = '';
          const close = async (): Promise<void> => {
            await fetch(`http://127.0.0.1:${port}/halyard`, {
              method: 'DELETE',
              headers: { 'halyard-connection': id },
            });
            opening.destroy();
          };
          const told = (code?: string): void =>
            resolve({ status: response.statusCode ?? 0, code, retryAfter: response.headers['retry-after'], close });
          response.on('error', () => {});
          if ((response.statusCode ?? 0) < 400) told();
          response.on('data', (chunk) => {
            body += chunk;
          });
          response.on('end', () => {
            if ((response.statusCode ?? 0) >= 400) told((JSON.parse(body) as { code: string }).code);
          });
        },
      );
      opening.on('error', reject);
      opening.end();
    });

const openers: readonly (readonly [name: string, opener: Opener, status: number])[] = [
  ['websocket', byWebSocket, 101],
  ['sse', byHttp('GET', 'text/event-stream'), 200],
  ['polling', byHttp('POST', '*/*'), 200],
];

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host, { trustProxy: true });

  /** Somebody else goes on as if nothing had happened. */
  async function honest(io: Server) {
    const socket = connect(`http://127.0.0.1:${io.port}`, { extraHeaders: { 'x-forwarded-for': '198.51.100.9' } });
    cleanUp.push(() => socket.connection.close());
    await untilHolds(() => expect(socket.connected).toBe(true));
    return async () => expect(await socket.timeout(10_000).emitWithAck('echo', 'here')).toBe('here');
  }
  const echoes = (io: Server): unknown => io.on('connection', (socket) => socket.on('echo', (value) => value));

  test.each(openers)(
    'an address that has too many connections is refused more of them, over %s',
    async (_name, open, status) => {
      const io = await serve({ connectionsPerAddressMax: 3 }, echoes);
      const warned: string[] = [];
      io.on('warning', ({ code }) => void warned.push(code));
      const isThere = await honest(io);
      const three = [];
      for (let i = 0; i < 3; i++) three.push(await open(io.port, '192.0.2.1'));
      expect(three.map((one) => one.status)).toEqual([status, status, status]);
      for (const [, other] of openers) {
        expect(await other(io.port, '192.0.2.1')).toMatchObject({
          status: 429,
          code: 'ERR_ADDRESS_FULL',
          retryAfter: '5',
        });
      }
      await isThere();
      expect(warned).toEqual(['connectionsPerAddressMax']);
      await three[1]?.close();
      await untilHolds(async () => expect((await open(io.port, '192.0.2.1')).status).toBe(status));
      expect((await open(io.port, '192.0.2.1')).status).toBe(429);
      await isThere();
    },
  );

  test('what the server closes, or what is cut, makes room as well', async () => {
    const io = await serve({ connectionsPerAddressMax: 1, helloTimeoutMs: 100 });
    for (const end of ['4400', 'cut', 'too late', 'closed'] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`, {
        headers: { 'x-forwarded-for': '192.0.2.1' },
      });
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      expect((await byWebSocket(io.port, '192.0.2.1')).status).toBe(429);
      if (end === '4400') socket.send('no packet');
      else if (end === 'cut') socket.terminate();
      else if (end === 'closed') socket.close();
      await closed;
      // The server hears of it in its own time.
      await untilHolds(async () => {
        const next = await byWebSocket(io.port, '192.0.2.1');
        await next.close();
        expect(next.status).toBe(101);
      });
    }
  });

  test.each(openers)(
    'an address that opens them too fast is refused for a while, over %s',
    async (_name, open, status) => {
      const io = await serve({ opensPerAddressPerSecondMax: 1 }, echoes);
      const isThere = await honest(io);
      const many = await Promise.all(Array.from({ length: 20 }, () => open(io.port, '192.0.2.1')));
      const refused = many.filter((one) => one.status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(10);
      expect(refused[0]).toMatchObject({ code: 'ERR_ADDRESS_RATE', retryAfter: '1' });
      await isThere();
      await untilHolds(async () => expect((await open(io.port, '192.0.2.1')).status).toBe(status));
    },
  );
});
