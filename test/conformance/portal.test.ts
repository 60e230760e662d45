// A network whose login page answers everything with 200, the handshakes of WebSockets too, until somebody has logged in: from then on the
// client is connected, by itself, and what was said meanwhile is not lost.
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect, type TransportName } from '@halyard/client';
import { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { untilHolds } from '../kit/until';

const page = '<!doctype html><title>Please log in</title>';
const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${page.length}\r\n\r\n${page}`;

async function portal(targetPort: number) {
  const sockets = new Set<Socket>();
  const its = { isOpen: false, asked: [] as string[], port: 0, close: () => {} };
  const server = createServer((client) => {
    sockets.add(client.on('error', () => {}));
    if (its.isOpen) {
      const target = connectTcp(targetPort, '127.0.0.1');
      sockets.add(target.on('error', () => {}));
      client.pipe(target).pipe(client);
      return;
    }
    client.on('data', (data: Buffer) => {
      if (its.isOpen) client.destroy();
      else {
        its.asked.push(/upgrade: websocket/i.test(data.toString()) ? 'websocket' : 'http');
        client.write(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  its.port = (server.address() as { port: number }).port;
  its.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return its;
}

describe.each(hosts)('on %s', (_name, host) => {
  test.each<[name: string, transports: TransportName[]]>([
    ['all transports', ['websocket', 'sse', 'polling']],
    ['WebSocket alone', ['websocket']],
    ['sse alone', ['sse']],
    ['polling alone', ['polling']],
  ])('behind a login page, by %s', async (_what, transports) => {
    const handled: unknown[] = [];
    const io = new Server({ host: host() });
    io.on('connection', (socket) => {
      socket.on('said', (what: unknown) => void handled.push(what));
    });
    await io.listen(0, '127.0.0.1');
    const way = await portal(io.port);
    const client = connect(`http://127.0.0.1:${way.port}`, { transports, fallbackDelayMs: 50 });
    try {
      const errors: { code: string; isFinal?: boolean }[] = [];
      client.on('connect_error', (error) => void errors.push(error as never));
      client.emit('said', 'meanwhile');
      await untilHolds(() => expect(errors.length).toBeGreaterThan(1));
      expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_CONNECT']));
      expect(new Set(way.asked)).toEqual(
        new Set(transports.map((name) => (name === 'websocket' ? 'websocket' : 'http'))),
      );
      way.isOpen = true;
      await untilHolds(() => expect(handled).toEqual(['meanwhile']));
      await untilHolds(() => expect(client.connected).toBe(true));
      if (transports.length === 1) expect(client.connection.transport).toBe(transports[0]);
    } finally {
      client.connection.close();
      way.close();
      await io.close();
    }
  });
});
