// Sessions that nobody comes back to, and whose server is gone: another server tells the app, in virtual time.
import { connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom } from '@halyard/harness/random';
import { type ExpiredSession, memory, Server } from '@halyard/server';
import { MemoryNetwork } from '@halyard/testkit/internal';
import { expect, test } from 'vitest';
import { ServerClock } from '../kit/server-clock';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const network = { latencyMs: [1, 1], noticeMs: [0, 0], unnoticed: 0 } as const;

/** Servers on one store, in virtual time, and what they were told. The store has the clock of the first. */
async function cluster(count: number, onExpired: (server: number, expired: ExpiredSession) => unknown = () => {}) {
  const clock = new VirtualClock();
  const adapter = memory({ shared: true });
  const told: string[] = [];
  const errors: string[] = [];
  const servers: { io: Server; time: ServerClock; wires: MemoryNetwork; kill(): void }[] = [];
  for (let i = 0; i < count; i++) {
    const time = new ServerClock(clock);
    const wires = new MemoryNetwork(clock, seededRandom(1), { ...network, latencyMs: [1, 1], noticeMs: [0, 0] }, true);
    const io = new Server({ host: wires.host, clock: time, adapter, recoveryWindowMs: 60_000 });
    io.on('error', (error, { where }) => errors.push(`${where}: ${error}`));
    io.on('session-expired', (expired) => {
      const sockets = expired.sockets.map(
        ({ namespace, data, rooms }) => `${namespace} ${JSON.stringify(data)} ${rooms}`,
      );
      told.push(`${i} ${sockets.join('; ')}`);
      return onExpired(i, expired);
    });
    for (const name of ['/', '/b']) {
      io.of(name).on('connection', (socket) => {
        socket.data.name = `ada of ${name}`;
        socket.join('room', 'other');
        socket.leave('other');
        socket.on('disconnect', () => told.push(`${i} disconnect`));
      });
    }
    await io.listen(1);
    const kill = (): void => {
      time.isGone = true;
      wires.cut();
    };
    servers.push({ io, time, wires, kill });
  }
  const elapse = async (ms: number) => {
    for (let i = 0; i < ms; i += 50) {
      clock.advance(50);
      await turn();
    }
  };
  const join = async (server: number) => {
    const transport = servers[server]!.wires.transport;
    const client = connect('http://memory.example', { clock, transport, codec: json(), random: () => 0.5 });
    const other = client.of('/b');
    while (!client.connected || !other.connected) await elapse(50);
    await elapse(500);
    return client;
  };
  const close = async () => {
    const closed = Promise.all(servers.filter(({ time }) => !time.isGone).map(({ io }) => io.close()));
    await elapse(5_000);
    await closed;
  };
  return { servers, told, errors, elapse, join, close };
}

test('one of the servers that are left is told what the session was, once it can not come back any more', async () => {
  const { servers, told, errors, elapse, join, close } = await cluster(3);
  const client = await join(1);
  servers[1]!.kill();
  client.connection.close();
  await elapse(60_000);
  expect(told).toEqual([]);
  await elapse(120_000);
  expect(told.map((line) => line.slice(2))).toEqual(['/ {"name":"ada of /"} room; /b {"name":"ada of /b"} room']);
  expect(errors).toEqual([]);
  await close();
});

test('where its server lives each socket fires disconnect instead', async () => {
  const { servers, told, elapse, join, close } = await cluster(2);
  const client = await join(0);
  servers[0]!.wires.cut();
  client.connection.close();
  await elapse(200_000);
  expect(told).toEqual(['0 disconnect', '0 disconnect']);
  await close();
});

test('a handler that fails is reported, and nobody is told again', async () => {
  const { servers, told, errors, elapse, join, close } = await cluster(3, async () => {
    throw new Error('not now');
  });
  const client = await join(1);
  servers[1]!.kill();
  client.connection.close();
  await elapse(250_000);
  expect([told.length, errors]).toEqual([1, ['a handler of "session-expired": Error: not now']]);
  await close();
});

test('a handler that takes too long: another server is told, and what follows is not kept from anybody', async () => {
  const { servers, told, errors, elapse, join, close } = await cluster(3, () =>
    told.length > 1 ? undefined : new Promise(() => {}),
  );
  const client = await join(1);
  servers[1]!.kill();
  client.connection.close();
  await elapse(250_000);
  expect(told.map(([server]) => server)).toEqual(['0', '2']);
  const later = await join(2);
  servers[2]!.kill();
  later.connection.close();
  await elapse(250_000);
  expect([told.at(-1)?.[0], told.length, errors]).toEqual(['0', 3, []]);
  await close();
});
