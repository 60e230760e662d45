// HTTP/2 in front, HTTP/1.1 behind: sse and polling of many clients on one connection, as a browser with many tabs has it.
import { polling, sse } from '@halyard/client/core';
import { describe, expect, test } from 'vitest';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { connectTo } from './clients';
import { Http2Fetch } from './fetch-http2';

/** nginx ends a connection after 1,000 requests unless it is told another number. */
const changes: Record<FrontName, readonly Change[]> = {
  nginx: [['server_name app.example;', 'server_name app.example;\n  keepalive_requests 100;']],
  haproxy: [],
};

const ways = fronts.flatMap((name) => hosts.map(([hostName, host]) => [name, hostName, host] as const));

describe.each(ways)('through %s before %s', (name, _host, host) => {
  const { cleanUp, serve } = served(host);

  test('six clients of each kind on one connection: everything once and in order', async () => {
    const io = await serve({}, (io) =>
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('echo', (value: unknown) => value);
      }),
    );
    const front = await Front.start(name, [io.port as number], changes[name]);
    cleanUp.push(() => front.end());
    const connection = new Http2Fetch(front.url);
    cleanUp.push(() => connection.close());
    const { fetch } = connection;
    const clients = Array.from({ length: 12 }, (_, i) => {
      const told = connectTo(front.url, { transports: [i % 2 ? sse({ fetch }) : polling({ fetch })] });
      cleanUp.push(() => told.client.disconnect());
      const heard: number[] = [];
      told.client.on('said', (number: number) => void heard.push(number));
      return { ...told, heard };
    });
    await expect.poll(() => clients.every(({ client }) => client.connected)).toBe(true);
    const bytes = Uint8Array.of(0, 255, 10);
    const all = Array.from({ length: 20 }, (_, i) => i);
    for (const i of all) {
      io.to('room').emit('said', i);
      const replies = await Promise.all(clients.map(({ client }) => client.emitWithAck('echo', [i, bytes])));
      expect(replies).toEqual(clients.map(() => [i, bytes]));
    }
    for (const { heard, told } of clients) {
      await expect.poll(() => heard).toEqual(all);
      expect(told).toEqual(['connect false']);
    }
    // Each has a stream or a poll under way, all the time.
    expect(connection.most).toBeGreaterThan(clients.length);
    expect(connection.connections > 1).toBe(name === 'nginx');
  });
});
