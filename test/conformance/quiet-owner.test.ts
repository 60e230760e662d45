// A server that has nothing to store finds out by itself that its Redis has lost what it had stored.
import { redis } from '@halyard/adapter-redis';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { served } from '../kit/served';

const [, host] = hosts.at(-1)!;

describe.skipIf(!hasRedis)('a server that says nothing', () => {
  const { open, serve, cleanUp } = served(host);

  test('what others say to a socket of it comes, once and in order, though its Redis was emptied', async () => {
    const store = await RedisServer.start();
    cleanUp.push(() => store.end());
    const start = () => serve({ adapter: redis({ url: store.url }) }, (io) => io.on('connection', () => {}));
    const [here, there] = [await start(), await start()];
    // It confirms nothing, so that nothing of it is stored.
    const wire = await open(here);
    wire.send([0, [['/']]]);
    const [, , id] = await wire.packet(11);
    const say = (from: number): void => {
      for (let i = from; i < from + 3; i++) there.to(String(id)).emit('said', i);
    };
    const heard = (): unknown[] => wire.received.filter(([type]) => type === 2).map(([, , , args]) => args);
    say(0);
    await wire.until(() => heard().length === 3);
    await there.to('nobody').emitDurable('said');
    await store.tell('FLUSHALL');
    say(3);
    await wire.until(() => heard().length === 6);
    say(6);
    await wire.until(() => heard().length === 9);
    expect(heard()).toEqual([[0], [1], [2], [3], [4], [5], [6], [7], [8]]);
  });
});
