// What is taken from sockets whose server is cut off from the store just then: it is taken as soon as the server is back, whether the others
// had noticed or not; and what it has taken itself meanwhile is taken from those at the others.
import { Emitter, redis } from '@halyard/adapter-redis';
import type { HostFactory, Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { type Path, pathTo } from '../kit/path';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';

describe.skipIf(!hasRedis)('a server that was cut off from the Redis', () => {
  const { cleanUp, serve, open } = served(hosts[0]?.[1] as () => HostFactory, { ackTimeoutMs: 1_000 });

  async function two(): Promise<{ path: Path; near: Server; far: Server }> {
    const store = await RedisServer.start();
    cleanUp.push(() => store.end());
    const path = await pathTo(store.port);
    cleanUp.push(() => path.cut());
    const app = (io: Server): unknown => io.on('warning', () => {}).on('error', () => {});
    const near = await serve({ adapter: redis({ url: store.url }) }, app);
    const far = await serve({ adapter: redis({ url: path.url }) }, app);
    await untilHolds(() => expect([near.nodes().length, far.nodes().length]).toEqual([2, 2]));
    return { path, near, far };
  }

  /** A client that is in these rooms. */
  async function member(io: Server, ...rooms: string[]) {
    const wire = await open(io);
    wire.send([0, [['/', null]], 'by hand', null, '', 1]);
    const [, , id] = await wire.packet(11);
    const socket = io.sockets.get(id as string)!;
    socket.join(...rooms);
    await socket.save();
    return { wire, socket };
  }

  test.each([
    ['before anybody has noticed', 2],
    ['for so long that it was taken for gone', 1],
  ])('%s', async (_when, nodes) => {
    const { path, near, far } = await two();
    const [banned, other, later] = [await member(far, 'banned'), await member(far, 'club'), await member(far)];
    const [barred, guest] = [await member(near, 'barred'), await member(near, 'club')];
    // What was done before is not done again.
    const spared = await member(far, 'staff', 'moderators');
    expect(await near.in('staff').except('moderators').disconnectSockets(true)).toEqual({ missing: [] });
    spared.socket.leave('moderators');
    await spared.socket.save();
    path.cut();
    await untilHolds(() => expect(near.nodes()).toHaveLength(nodes));
    const done = [near.in('banned').disconnectSockets(true), near.in('club').socketsLeave('club')];
    const its = far.in('barred').disconnectSockets(true);
    expect((await Promise.all(done)).map(({ missing }) => missing.length)).toEqual([nodes - 1, nodes - 1]);
    await its;
    // Who comes behind it is not meant.
    later.socket.join('banned', 'club');
    await path.open();
    await untilHolds(() => expect(banned.wire.closed?.code).toBe(1000));
    await untilHolds(() => expect(barred.wire.closed?.code).toBe(1000));
    await untilHolds(() => expect(other.socket.rooms.has('club')).toBe(false));
    expect([...later.socket.rooms]).toEqual(expect.arrayContaining(['banned', 'club']));
    expect([later, guest, other, spared].map(({ wire }) => wire.closed)).toEqual(Array(4).fill(undefined));
  });

  test('and that an emitter has taken from, where there is no other server', async () => {
    const store = await RedisServer.start();
    cleanUp.push(() => store.end());
    const path = await pathTo(store.port);
    cleanUp.push(() => path.cut());
    const app = (io: Server): unknown => io.on('warning', () => {}).on('error', () => {});
    const io = await serve({ adapter: redis({ url: path.url }) }, app);
    const emitter = new Emitter({ url: store.url, ackTimeoutMs: 1_000 });
    cleanUp.push(() => emitter.close());
    emitter.on('warning', () => {}).on('error', () => {});
    const banned = await member(io, 'banned');
    expect(await emitter.in('nobody').disconnectSockets(true)).toEqual({ missing: [] });
    path.cut();
    expect((await emitter.in('banned').disconnectSockets(true)).missing).toHaveLength(1);
    await path.open();
    await untilHolds(() => expect(banned.wire.closed?.code).toBe(1000));
  });
});
