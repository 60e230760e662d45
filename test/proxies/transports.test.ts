// Every transport through nginx and HAProxy as examples/proxies has them, to both hosts.
import { randomBytes } from 'node:crypto';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { HostFactory, Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import type { KillableServer } from '../kit/killable';
import { served } from '../kit/served';
import { clientAddress, connectTo, transportNames } from './clients';

const codecs = { json, msgpack };

/** The path is the server's as well, or is taken off on the way. */
const underPath: Record<FrontName, Record<'kept' | 'taken', readonly Change[]>> = {
  nginx: {
    kept: [['location /halyard {', 'location /app/halyard {']],
    taken: [
      ['location /halyard {', 'location /app/halyard {'],
      ['proxy_pass http://halyard;', 'proxy_pass http://halyard/halyard;'],
    ],
  },
  haproxy: {
    kept: [['uri /halyard ver', 'uri /app/halyard ver']],
    taken: [['balance roundrobin', 'balance roundrobin\n  http-request replace-path /app(/.*) \\1']],
  },
};

describe.each(fronts)('through %s', (name) => {
  const cluster = clusterOf(hosts[0]?.[1] as () => HostFactory);

  describe.each(hosts)('to a server on %s', (_host, host) => {
    const { cleanUp, serve } = served(host, { codecs: [json(), msgpack()] });

    async function behind(io: Server, changes: readonly Change[] = []) {
      const front = await Front.start(name, [io.port as number], changes);
      cleanUp.push(() => front.end());
      return front;
    }

    test.each(transportNames)('%s: events both ways, replies, binary, and one of two megabytes', async (transport) => {
      const io = await serve({ frameBytesMax: 3 << 20 }, (io) =>
        io.on('connection', (socket) => {
          socket.on('echo', (value: unknown) => value);
          socket.on('say', (value: unknown) => void socket.emit('said', value));
          socket.on('ask', () => socket.emitWithAck('asked', 20));
        }),
      );
      const front = await behind(io);
      const big = 'ü'.repeat(1_000_000);
      const { client } = connectTo(front.url, { names: [transport] });
      cleanUp.push(() => client.disconnect());
      expect((await client.emitWithAck('echo', big)) === big).toBe(true);
      for (const codec of ['json', 'msgpack'] as const) {
        const { client, told } = connectTo(front.url, { names: [transport], codec: codecs[codec]() });
        cleanUp.push(() => client.disconnect());
        const said: unknown[] = [];
        client.on('said', (value: unknown) => void said.push(value));
        client.on('asked', (number: number) => number + 1);
        const bytes = new Uint8Array(randomBytes(300));
        expect(await client.emitWithAck('echo', bytes)).toEqual(bytes);
        expect(await client.emitWithAck('ask')).toBe(21);
        const all = Array.from({ length: 50 }, (_, i) => i);
        for (const i of all) client.emit('say', i);
        await expect.poll(() => said).toEqual(all);
        expect(client.connection.transport).toBe(transport);
        expect(told).toEqual(['connect false']);
      }
    });

    test('who it is, and by which way, is told to the server; what a client says of that is not believed', async () => {
      const io = await serve({ trustProxy: true }, (io) =>
        io.on('connection', ({ handshake }) => {
          const { address, secure, headers } = handshake;
          const [from, proto] = ['x-forwarded-for', 'x-forwarded-proto'].map((name) => headers.get(name));
          seen.push([address, secure, from, proto, headers.get('host')]);
        }),
      );
      const seen: unknown[] = [];
      const front = await behind(io);
      for (const transport of transportNames) {
        const { client, told } = connectTo(front.url, {
          names: [transport],
          extraHeaders: { origin: front.url, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'http' },
        });
        cleanUp.push(() => client.disconnect());
        // A page of the host that it asks.
        await expect.poll(() => told).toEqual(['connect false']);
      }
      const all = `203.0.113.7, ${clientAddress}`;
      expect(seen).toEqual(Array(3).fill([clientAddress, false, all, 'https', `127.0.0.1:${front.port}`]));
    });

    test.each([
      ['that the server has too', '/app/halyard', underPath[name].kept],
      ['that is of the proxy alone', '/halyard', underPath[name].taken],
    ])('under a path %s', async (_which, path, changes) => {
      const io = await serve({ path }, (io) => io.on('connection', (socket) => socket.on('echo', (i: number) => i)));
      const front = await behind(io, changes);
      for (const transport of transportNames) {
        const { client } = connectTo(front.url, { names: [transport], path: '/app/halyard' });
        cleanUp.push(() => client.disconnect());
        expect(await client.emitWithAck('echo', 1)).toBe(1);
      }
    });
  });

  test('to three servers in turn, of which one dies: everything once and in order', async () => {
    const { cleanUp, serve } = cluster;
    const servers = await serve(3, (io) =>
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('count', (i: number) => {
          socket.emit('counted', i);
          return i;
        });
      }),
    );
    const front = await Front.start(
      name,
      servers.map(({ io }) => io.port as number),
    );
    cleanUp.push(() => front.end());
    const clients = transportNames.map((transport) => {
      const told = connectTo(front.url, { names: [transport] });
      cleanUp.push(() => told.client.disconnect());
      const heard: Record<string, number[]> = { room: [], counted: [] };
      for (const event of ['room', 'counted']) told.client.on(event, (i: number) => void heard[event]?.push(i));
      return { ...told, heard };
    });
    await expect.poll(() => clients.map(({ told }) => told)).toEqual(clients.map(() => ['connect false']));

    const all = Array.from({ length: 60 }, (_, i) => i);
    for (const i of all) {
      if (i === 30) {
        const owner = servers.find(({ io }) => io.sockets.size > 0) as KillableServer;
        await owner.kill();
        owner.noticed();
        servers.splice(servers.indexOf(owner), 1);
      }
      servers[0]?.io.to('room').emit('room', i);
      expect(await Promise.all(clients.map(({ client }) => client.emitWithAck('count', i)))).toEqual([i, i, i]);
    }
    for (const { heard } of clients) await expect.poll(() => heard).toEqual({ room: all, counted: all });
    for (const { told } of clients) expect(told.filter((line) => /false|^error/.test(line))).toEqual(['connect false']);
  });
});
