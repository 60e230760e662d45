// A way on which WebSockets over TLS open, and stall once they have carried so much: what ends TLS there lets everything else pass. The
// client finds out, another transport carries on by itself, and nothing is missing or comes twice.

import { request } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { connect } from '@halyard/client';
import { cert, key } from '@halyard/harness/certificate';
import { Server } from '@halyard/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { untilHolds } from '../kit/until';

/** A client waits ten seconds longer than for a heartbeat to find out, and does so twice. */
const open = [
  ['with its first frame', 300],
  ['in the midst of what is said', 8_000],
] as const;

const messages = 60;
const text = 'x'.repeat(500);

/** @param bytes a WebSocket brings so many to the client, and then none; it stays open */
async function stalling(targetPort: number, bytes: number): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const proxy: HttpsServer = createServer({ key, cert }, (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const passed = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  proxy.on('upgrade', ({ method, url, headers }, client: Socket) => {
    const server = connectTcp(targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    server.write(`${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    let left = bytes;
    server.on('data', (data: Buffer) => {
      client.write(data.subarray(0, left));
      left = Math.max(0, left - data.length);
    });
    client.on('data', (data: Buffer) => server.write(data));
    client.on('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

beforeEach(() => {
  // Nobody has signed this certificate but itself.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
});
afterEach(() => vi.unstubAllEnvs());

describe.each(hosts)('on %s', (_name, host) => {
  test.each([['before it is open', 0], ['in the midst of its handshake', 100], ...(isLong ? open : [])] as const)(
    'WebSockets that stall %s',
    async (_when, bytes) => {
      const io = new Server({ host: host(), heartbeatMs: 400, heartbeatTimeoutMs: 400, pollHoldMs: 1_000 });
      const sessions = new Set<string>();
      io.on('connection', (socket) => {
        sessions.add(socket.id);
        socket.join('all');
      });
      await io.listen(0, '127.0.0.1');
      const way = await stalling(io.port, bytes);
      const client = connect(way.url, { fallbackDelayMs: 100, connectTimeoutMs: 1_000 });
      try {
        const got: number[] = [];
        client.on('told', (number: unknown) => void got.push(number as number));
        await untilHolds(() => expect(io.sockets.size).toBe(1));
        for (let i = 0; i < messages; i++) io.to('all').emit('told', i, text);
        await untilHolds(() => expect(got).toHaveLength(messages));
        expect(got).toEqual([...got.keys()]);
        expect(client.connection.transport).not.toBe('websocket');
        expect(sessions.size).toBe(1);
      } finally {
        client.connection.close();
        way.close();
        await io.close();
      }
    },
  );
});
