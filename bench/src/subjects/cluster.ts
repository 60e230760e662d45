// Nodes of a cluster that share a Redis: Halyard, and Socket.IO with each of its adapters for that, on ws and with ioredis.
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import type { ServerOptions } from 'socket.io';
import type { SharedRedis } from '../contract/operations';
import { type Build, start } from './halyard';
import { onHttp, recoveryWindowMs } from './socketio';
import type { Subject } from './subject';

type Adapters = Pick<typeof import('@halyard/adapter-redis'), 'redis'>;

function halyard(
  name: string,
  title: string,
  load: () => Promise<[Build, typeof import('@halyard/codec/json'), Adapters]>,
): Subject {
  return {
    name,
    title,
    dialect: 'halyard-json',
    async start(plan, tally, shared) {
      const [build, { json }, { redis }] = await load();
      return start(build, build.uws(), json(), plan, tally, { adapter: redis(needed(shared)) });
    },
  };
}

const halyardRedis = halyard('halyard-redis', 'Halyard on uws, json, with @halyard/adapter-redis', () =>
  Promise.all([import('@halyard/server'), import('@halyard/codec/json'), import('@halyard/adapter-redis')]),
);

/** @param folder as of `halyardBefore` */
export function clusterBefore(folder: string): Subject {
  const load = (file: string) => import(pathToFileURL(`${folder}/packages/${file}`).href);
  return halyard('halyard-redis-before', 'Halyard with @halyard/adapter-redis, another build', () =>
    Promise.all([load('server/dist/index.js'), load('codec/dist/json.js'), load('adapter-redis/dist/index.js')]),
  );
}

type SocketioOptions = (redis: Redis, prefix: string) => Promise<Partial<ServerOptions>>;

function socketio(name: string, title: string, optionsOf: SocketioOptions): Subject {
  return {
    name,
    title,
    dialect: 'socketio',
    async start(plan, tally, shared) {
      const { Redis } = await import('ioredis');
      const { url, prefix } = needed(shared);
      return onHttp(plan, tally, await optionsOf(new Redis(url), prefix));
    },
  };
}

export const clusterSubjects: readonly Subject[] = [
  socketio('socketio-redis', 'Socket.IO with @socket.io/redis-adapter', async (redis, prefix) => {
    const { createAdapter } = await import('@socket.io/redis-adapter');
    return { adapter: createAdapter(redis, redis.duplicate(), { key: prefix }) };
  }),
  socketio(
    'socketio-redis-sharded',
    'Socket.IO with the sharded adapter of @socket.io/redis-adapter',
    async (redis, prefix) => {
      const { createShardedAdapter } = await import('@socket.io/redis-adapter');
      return { adapter: createShardedAdapter(redis, redis.duplicate(), { channelPrefix: prefix }) };
    },
  ),
  socketio(
    'socketio-redis-streams',
    'Socket.IO with @socket.io/redis-streams-adapter and connection state recovery',
    async (redis, prefix) => {
      const { createAdapter } = await import('@socket.io/redis-streams-adapter');
      const names = { streamName: prefix, channelPrefix: prefix, sessionKeyPrefix: `${prefix}:session:` };
      return {
        adapter: createAdapter(redis, names),
        connectionStateRecovery: { maxDisconnectionDuration: recoveryWindowMs },
      };
    },
  ),
  halyardRedis,
];

function needed(redis: SharedRedis | undefined): SharedRedis {
  if (redis === undefined) throw new Error('a node of a cluster needs a Redis');
  return redis;
}
