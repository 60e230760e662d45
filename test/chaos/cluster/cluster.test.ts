// A short run of servers that are killed and stopped, as `npm run chaos:cluster` does a long one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redis as redisStore } from '@halyard/adapter-redis';
import { connect } from '@halyard/client';
import { testSeed } from '@halyard/harness/random';
import { node, Server } from '@halyard/server';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildOf, output } from '../../kit/built';
import { isLong } from '../../kit/long';
import { hasRedis, RedisServer } from '../../kit/redis-server';
import { untilHolds } from '../../kit/until';
import { Fleet } from './fleet';

describe.skipIf(!hasRedis)('servers behind a balancer that knows nothing of sessions', () => {
  test('are killed and stopped, and nothing is lost, doubled or out of order', async () => {
    const args = ['--seconds', '6', '--clients', '60', '--stop-ms', '4000', '--pause-ms', '2000', '--say-ms', '2000'];
    const patient = ['--heartbeat-ms', '1200', '--back-ms', '600000', '--seed', `${testSeed()}`];
    const { stdout } = await output('test/chaos/cluster/dist/run.js', [...args, ...patient]);
    expect(stdout).toContain('no faults');
  });

  test.runIf(isLong)(
    'are restarted one after the other under load: nothing is lost, and clients come back a few at a time',
    async () => {
      const args = ['--rolling', '--nodes', '3', '--seconds', '1', '--clients', '90', '--drain-ms', '10000'];
      const { stdout } = await output('test/chaos/cluster/dist/run.js', [
        ...[...args, '--pause-ms', '500', '--say-ms', '2000'],
        ...['--heartbeat-ms', '10000', '--seed', `${testSeed()}`],
      ]);
      expect(stdout).toMatch(/\| servers restarted \| 3 \|/);
      expect(stdout).toContain('no faults');
    },
  );

  test('a server that stands still for three seconds is missing in time, and there again after that', async () => {
    const redis = await RedisServer.start();
    const folder = await mkdtemp(join(tmpdir(), 'halyard-slow-'));
    const program = fileURLToPath(new URL('dist/node.js', import.meta.url));
    const fleet = new Fleet({
      count: 1,
      folder,
      program,
      redis: redis.url,
      seed: 1,
      heartbeatMs: 60_000,
      sayMs: 60_000,
      drainMs: 10_000,
    });
    const io = new Server({ host: node(), adapter: redisStore({ url: redis.url }) });
    io.on('connection', (socket) => socket.join('room'));
    await fleet.startAll();
    await io.listen(0, '127.0.0.1');
    const people = [io.port, fleet.ports[0] as number].map((port) => {
      const socket = connect(`http://127.0.0.1:${port}`, { auth: { client: 'c', rooms: ['room'] } });
      return socket.on('question', () => 'yes');
    });
    try {
      const room = io.in('room').timeout(500);
      await untilHolds(async () => expect(await room.count()).toEqual({ count: 2, missing: [] }));
      const [, other] = io.nodes();
      fleet.halt(0);
      const halted = new Promise((resolve) => setTimeout(resolve, 3_000));
      const [sockets, { replies, missing }] = await Promise.all([room.fetchSockets(), room.emitWithAck('question')]);
      expect([sockets.length, sockets.missing]).toEqual([1, [other]]);
      expect([replies, missing]).toEqual([['yes'], [other]]);
      await halted;
      fleet.goOn(0);
      await untilHolds(async () => expect((await room.emitWithAck('question')).replies).toEqual(['yes', 'yes']));
      expect((await room.fetchSockets()).map(({ id }) => id).toSorted()).toEqual(people.map(({ id }) => id).toSorted());
    } finally {
      for (const { connection } of people) connection.close();
      fleet.end();
      await io.close();
      await redis.end();
      await rm(folder, { recursive: true });
    }
  });

  beforeAll(() => buildOf('test/chaos/cluster'));
});
