// Redis is away for a moment, for all servers, and one of them finds the way back later than the others: what it has said meanwhile to a
// socket that comes to another server is not lost.
import { redis } from '@halyard/adapter-redis';
import { Cable } from '@halyard/harness/cable';
import type { Server } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { lab } from '../kit/on-redis';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

describe.skipIf(!hasRedis)('servers whose Redis is started anew', () => {
  const { client, serve } = lab();
  const afterwards: (() => unknown)[] = [];
  // Behind what the servers do as they close.
  afterEach(async () => {
    for (const end of afterwards.splice(0)) await end();
  });

  test('wait for one that comes back late before they take its sessions', async () => {
    const store = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
    const cable = await Cable.open(store.port);
    afterwards.push(
      () => store.end(),
      () => cable.close(),
    );
    const one = async (port: number): Promise<{ io: Server }> => {
      const [server] = await serve(1, () => {}, { adapter: redis({ url: `redis://127.0.0.1:${port}` }) });
      return server as { io: Server };
    };
    const [here, there] = [await one(cable.port), await one(store.port)];
    await untilHolds(() => expect(there.io.nodes()).toHaveLength(2));
    const ann = await client(here);
    const socket = here.io.sockets.get(ann.socket.id as string);
    const said: string[] = [];
    const say = (): void => {
      said.push(`${said.length}`);
      socket?.emit('said', said.at(-1));
    };
    say();
    await untilHolds(() => expect(ann.heard).toEqual(said));
    cable.pull();
    await store.stop();
    say();
    await store.run();
    const isBack = new Promise<boolean>((resolve) => ann.socket.once('connect', ({ recovered }) => resolve(recovered)));
    ann.route.to = there;
    ann.cut();
    for (let i = 0; i < 3; i++) {
      say();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    cable.mend();
    expect(await isBack).toBe(true);
    await untilHolds(() => expect(ann.heard).toEqual(said));
  });
});
