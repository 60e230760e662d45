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
    let said = 0;
    const say = (count: number): void => {
      for (let i = 0; i < count; i++) there.to(String(id)).emit('said', said++);
    };
    const heard = (): number[] =>
      wire.received.filter(([type]) => type === 2).map(([, , , args]) => (args as [number])[0]);
    const untilHeard = (): Promise<unknown> => wire.until(() => heard().includes(said - 1));
    // More than the one that takes them knows one by one: all of them are sent again.
    say(600);
    await untilHeard();
    await there.to('nobody').emitDurable('said');
    await store.tell('FLUSHALL');
    say(3);
    await untilHeard();
    say(3);
    await untilHeard();
    expect(heard()).toEqual(Array.from({ length: 606 }, (_, i) => i));
  });
});
