// While its store is away a server says so: once it is for two seconds, with what keeps it away, and when it is back.
import { redis } from '@halyard/adapter-redis';
import { node, Server } from '@halyard/server';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { hasRedis, RedisServer } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

async function scene() {
  const server = await RedisServer.start();
  cleanUp.push(() => server.end());
  const log: string[] = [];
  const say = (level: string) => (facts: { code?: string }, message: string) =>
    void log.push([level, facts.code, message].filter(Boolean).join(' '));
  const io = new Server({
    adapter: redis({ url: server.url }),
    host: node(),
    logger: { debug() {}, info: say('info'), warn: say('warn'), error: say('error') },
  });
  await io.listen(0, '127.0.0.1');
  cleanUp.push(() => io.close());
  const admin = new Redis(server.url);
  admin.on('error', () => {});
  cleanUp.push(() => admin.disconnect());
  const at = server.url.replace('redis://', '');
  return { server, log, io, admin, at };
}

type Scene = Awaited<ReturnType<typeof scene>>;

const kill = async (admin: Redis): Promise<void> => {
  for (const kind of ['pubsub', 'normal']) await admin.call('CLIENT', 'KILL', 'TYPE', kind, 'SKIPME', 'yes');
};

interface Trouble {
  readonly name: string;
  make(scene: Scene): Promise<unknown>;
  mend(scene: Scene): Promise<unknown>;
  readonly code: string;
  readonly message: (at: string) => string;
}

const troubles: readonly Trouble[] = [
  {
    name: 'it is gone',
    make: ({ server }) => server.stop(),
    mend: ({ server }) => server.run(),
    code: 'ERR_REDIS_UNREACHABLE',
    message: (at) => `Redis at ${at} cannot be reached any more (connect ECONNREFUSED `,
  },
  {
    name: 'it hangs',
    make: async ({ server }) => server.halt(),
    mend: async ({ server }) => server.goOn(),
    code: 'ERR_REDIS_UNREACHABLE',
    message: (at) => `Redis at ${at} does not answer any more: it hangs, `,
  },
  {
    name: 'it has another password',
    async make({ admin }) {
      await admin.config('SET', 'requirepass', 'another');
      await kill(admin);
    },
    mend: ({ admin }) => admin.config('SET', 'requirepass', ''),
    code: 'ERR_REDIS_PASSWORD',
    message: (at) => `Redis at ${at} refuses user and password (`,
  },
  {
    name: 'it has become a replica',
    make: ({ admin }) => admin.replicaof('127.0.0.1', 1),
    mend: ({ admin }) => admin.replicaof('NO', 'ONE'),
    code: 'ERR_REDIS_REPLICA',
    message: (at) => `Redis at ${at} is a replica, which cannot be written to: `,
  },
];

describe.skipIf(!hasRedis)('a server is told what is wrong with its Redis', () => {
  test.each(troubles)('$name', async ({ make, mend, code, message }) => {
    const all = await scene();
    const { io, log, at } = all;
    expect(io.health()).toMatchObject({ ready: true, reasons: [] });
    await make(all);
    // On its way there it may have been something else.
    await untilHolds(() => expect(log).toContainEqual(expect.stringContaining(`warn ${code} ${message(at)}`)));
    await untilHolds(() =>
      expect(io.health().reasons).toEqual([expect.stringContaining(`refuses to store (${code}): `)]),
    );
    await mend(all);
    await untilHolds(() => expect(log.at(-1)).toBe('info The store that was away is back.'));
    await untilHolds(() => expect(io.health()).toMatchObject({ ready: true, reasons: [] }));
  });

  test('it drops what it likes, as somebody has set it since', async () => {
    const { admin, log, at } = await scene();
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await kill(admin);
    await untilHolds(() =>
      expect(log).toEqual([
        expect.stringContaining(`warn ERR_REDIS_EVICTION Redis at ${at} has the maxmemory-policy allkeys-lru: `),
      ]),
    );
  });
});
