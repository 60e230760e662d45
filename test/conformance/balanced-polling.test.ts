// Clients that poll through a balancer that sends each request to another server: nothing is lost, also with a server.
import { type Socket as ClientSocket, connect, polling } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { balancer, type Fault } from '../kit/balancer';
import { clusterOf } from '../kit/cluster';
import { hosts } from '../kit/hosts';
import type { KillableServer } from '../kit/killable';

const codecs = { json: json(), msgpack: msgpack() };

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = clusterOf(host);

  describe.each(['json', 'msgpack'] as const)('with %s', (codec) => {
    /** A client that polls at the next server every time, with what it has heard and how often it has connected. */
    async function client(servers: () => readonly KillableServer[], faultOf?: (number: number) => Fault) {
      const { port, given, close } = await balancer(() => servers().map(({ io }) => io.port), faultOf);
      cleanUp.push(close);
      const socket: ClientSocket = connect(`http://127.0.0.1:${port}`, {
        codec: codecs[codec],
        transport: polling(),
        reconnect: { delayMinMs: 1, delayMaxMs: 5 },
      });
      cleanUp.push(() => socket.connection.close());
      const connects: boolean[] = [];
      socket.on('connect', ({ recovered }) => void connects.push(recovered));
      return { socket, given, connects };
    }

    test('everything comes once and in order, both ways', async () => {
      const heard: number[] = [];
      const servers = await serve(3, (io) =>
        io.on('connection', (socket) => {
          socket.join('room');
          socket.on('event', (i: number, bytes: Uint8Array) => {
            heard.push(i);
            socket.emit('direct', i, bytes);
            return i;
          });
        }),
      );
      const { socket, given, connects } = await client(() => servers);
      const direct: number[] = [];
      const said: number[] = [];
      socket.on('direct', (i: number, bytes: Uint8Array) => void direct.push(bytes[0] === i % 256 ? i : -1));
      socket.on('said', (i: number) => void said.push(i));
      const count = 120;
      for (let i = 0; i < count; i++) {
        if (i % 4 === 0) expect(await socket.emitWithAck('event', i, Uint8Array.of(i % 256))).toBe(i);
        else socket.emit('event', i, Uint8Array.of(i % 256));
        // From whichever server.
        (servers[i % 3] as KillableServer).io.to('room').emit('said', i);
      }
      await expect.poll(() => [heard.length, direct.length, said.length]).toEqual([count, count, count]);
      const all = Array.from({ length: count }, (_, i) => i);
      expect(heard).toEqual(all);
      expect(direct).toEqual(all);
      // A room has one order for all, and what one server says is in its order; between two servers there is none.
      for (const server of [0, 1, 2])
        expect(said.filter((i) => i % 3 === server)).toEqual(all.filter((i) => i % 3 === server));
      expect(connects).toEqual([false]);
      // One server has the socket, and all of them were asked.
      expect(servers.map(({ io }) => io.sockets.size).toSorted()).toEqual([0, 0, 1]);
      for (const { io } of servers) expect(given.get(io.port)).toBeGreaterThan(5);
    });

    test('requests and answers that are lost, and requests that come to two servers, do no harm', async () => {
      const heard: number[] = [];
      const servers = await serve(3, (io) =>
        io.on('connection', (socket) =>
          socket.on('event', (i: number) => {
            heard.push(i);
            socket.emit('direct', i);
            return i;
          }),
        ),
      );
      const faults: Record<string, number> = { request: 0, answer: 0, twice: 0 };
      const faultOf = (number: number): Fault => {
        // A link that never opened has nothing to keep: the client would come again.
        if (number < 4) return undefined;
        let kind: Fault;
        if (number % 7 === 0) kind = 'request';
        else if (number % 9 === 0) kind = 'answer';
        else if (number % 3 === 0) kind = 'twice';
        if (kind !== undefined) faults[kind] = (faults[kind] ?? 0) + 1;
        return kind;
      };
      const { socket, connects } = await client(() => servers, faultOf);
      const direct: number[] = [];
      socket.on('direct', (i: number) => void direct.push(i));
      const count = 30;
      for (let i = 0; i < count; i++) expect(await socket.emitWithAck('event', i)).toBe(i);
      await expect.poll(() => direct.length).toBe(count);
      const all = Array.from({ length: count }, (_, i) => i);
      expect([heard, direct]).toEqual([all, all]);
      expect(connects).toEqual([false]);
      for (const [kind, times] of Object.entries(faults)) expect([kind, times > 1]).toEqual([kind, true]);
    });

    test('the server that has it is killed: it goes on at another, and nothing is lost', async () => {
      const settled = new Set<number>();
      const repeated: number[] = [];
      const handle = (socket: Socket): void => {
        socket.join('room');
        socket.on('event', (i: number) => {
          if (settled.has(i) && !socket.redelivered) repeated.push(i);
          settled.add(i);
          return i;
        });
      };
      let servers = await serve(3, (io) => io.on('connection', handle));
      const { socket, connects } = await client(() => servers);
      const said: number[] = [];
      socket.on('said', (i: number) => void said.push(i));
      const replies: number[] = [];
      const count = 60;
      for (let i = 0; i < count; i++) {
        if (i === 20 || i === 40) {
          const owner = servers.find(({ io }) => io.sockets.size > 0) as KillableServer;
          await owner.kill();
          owner.noticed();
          servers = servers.filter((server) => server !== owner);
        }
        socket.emit('event', i);
        if (i % 5 === 0) replies.push(await socket.emitWithAck('event', 1_000 + i));
        (servers[i % servers.length] as KillableServer).io.to('room').emit('said', i);
        // Then it is stored, and outlives its server.
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      }
      const all = Array.from({ length: count }, (_, i) => i);
      await expect.poll(() => said.length).toBe(count);
      expect(said).toEqual(all);
      await expect.poll(() => all.filter((i) => !settled.has(i))).toEqual([]);
      expect(replies).toEqual(all.filter((i) => i % 5 === 0).map((i) => 1_000 + i));
      expect(repeated).toEqual([]);
      expect(connects).toEqual([false, true, true]);
    });
  });
});
