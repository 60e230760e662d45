// Servers and an emitter by a user of Redis that may do what docs/CLUSTER.md says and nothing else: nothing is refused, and all of it is used.
import { readFileSync } from 'node:fs';
import { Emitter, type RedisOptions, redis } from '@halyard/adapter-redis';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, engines } from '../kit/engines';
import type { KillableServer } from '../kit/killable';
import { lab } from '../kit/on-redis';
import { hasRedis } from '../kit/redis-server';
import { untilHolds } from '../kit/until';

const documentation = readFileSync(new URL('../../docs/CLUSTER.md', import.meta.url), 'utf8');
const [, rule = ''] = /^ACL SETUSER halyard (.*)$/m.exec(documentation) ?? [];
/** What is needed besides, in backquotes behind the words for when. */
const besides = (when: string): string =>
  new RegExp(`${when}[^\`]*\`(\\+[^\`]*)\``).exec(documentation.slice(documentation.indexOf(rule)))?.[1] as string;

const user = { username: 'halyard', password: 'secret' };

/** The same Redis as that user. */
function asUser({ url, redis, cluster }: RedisOptions): RedisOptions {
  if (cluster !== undefined) return { cluster, redis: user };
  const where = redis ?? { host: '127.0.0.1', port: Number(new URL(url as string).port) };
  // What is waited for is nobody: that is a warning.
  return { redis: { ...where, ...user, db: 3 }, wait: { replicas: 1, timeoutMs: 1 } };
}

describe.skipIf(!hasRedis).each(engines)('the rule of the documentation, on %s', (_name, start) => {
  const { serve, client, cleanUp } = lab();
  let store: Engine;

  beforeAll(async () => {
    store = await start();
  });
  afterAll(() => store.end());

  test('is enough for all that servers and an emitter do, and none of it is too much', async () => {
    const isCluster = store.options.cluster !== undefined;
    const more = isCluster ? besides('Redis Cluster') : `${besides('other than 0')} ${besides('option `wait`')}`;
    const all = `${rule} ${more}`;
    expect(await store.tell(`ACL SETUSER halyard reset ${all}`)).toContain('OK');
    await store.tell('CONFIG RESETSTAT');
    const options = asUser(store.options);
    const servers = await serve(
      2,
      (io, index) => {
        io.on('warning', () => {});
        io.on('error', () => {});
        io.on('work', (what) => `${what} at ${index}`);
        io.on('connection', (socket) => {
          if (!socket.recovered) socket.join('room');
          socket.on('where', () => index);
          socket.on('move', async (from: string, to: string) => {
            socket.leave(from);
            socket.join(to);
            socket.data.at = to;
            await socket.save();
          });
        });
      },
      { adapter: redis(options), logPacketsMax: 10 },
    );
    const [a, b] = servers as [KillableServer, KillableServer];
    const emitter = new Emitter({ ...options, codecs: [json(), msgpack()] });
    emitter.on('warning', () => {});
    cleanUp.push(() => emitter.close());
    const [ann, ben] = [await client(a), await client(b, msgpack())];

    // Rooms, by all kinds of emits, more than a log keeps.
    for (let i = 0; i < 30; i++) (i % 2 ? a : b).io.to('room').emit('said', `${i}`);
    await emitter.to('room').idempotencyKey('once').emitDurable('said', 'by the emitter');
    await emitter.to('room').idempotencyKey('once').emitDurable('said', 'by the emitter');
    await a.io.to(ben.socket.id as string).emitDurable('said', 'to ben');
    emitter.to('room').volatile.emit('said', 'volatile');
    for (const { heard } of [ann, ben]) {
      await untilHolds(() => expect(heard).toEqual(expect.arrayContaining(['29', 'by the emitter', 'volatile'])));
      expect(heard.filter((text) => text === 'by the emitter').length).toBe(1);
    }
    await untilHolds(() => expect(ben.heard).toContain('to ben'));
    for (const { socket } of [ann, ben]) await socket.emitWithAck('move', 'room', 'other');
    await untilHolds(async () => expect(await emitter.in('other').count()).toEqual({ count: 2, missing: [] }));
    expect((await b.io.fetchSockets()).map(({ data }) => data.at)).toEqual(['other', 'other']);
    expect((await emitter.serverSideEmitWithAck('work', 1)).replies.length).toBe(2);
    // Nobody is in the room any more: it is not followed for much longer.
    await untilHolds(async () => expect(await store.tell('PUBSUB SHARDCHANNELS *:log:4:room/')).toEqual([]));

    // Redis loses everything: logs go on in another epoch, and sessions are written again.
    await store.tell('FLUSHALL');
    await a.io.to('other').emitDurable('said', 'after the loss');
    for (const { heard } of [ann, ben]) await untilHolds(() => expect(heard).toContain('after the loss'));
    // What is stored once more may be skipped for who has had it: their clients confirm something behind that before they may go on elsewhere.
    for (const { socket } of [ann, ben]) for (let i = 0; i < 40; i++) await socket.emitWithAck('where');
    const keys = isCluster ? 'KEYS *:session:*' : 'SELECT 3\r\nKEYS *:session:*';
    await untilHolds(async () => {
      expect((await store.tell(keys)).filter((line) => line.includes(':session:')).length).toBe(2);
    });

    // A server is gone, and the session of its client goes on at another one.
    ann.route.to = b;
    await a.kill();
    b.io.to('other').emit('said', 'while nobody has it');
    await untilHolds(() => expect(ann.heard).toContain('while nobody has it'));
    expect(await ann.socket.emitWithAck('where')).toBe(1);
    expect(ann.socket.recovered).toBe(true);
    await emitter.close();
    await b.close();

    expect(await store.tell('ACL LOG')).toEqual([]);
    const used = (await store.tell('INFO commandstats')).flatMap((line) => /^cmdstat_([^:]+):/.exec(line)?.[1] ?? []);
    const words = all.split(' ').filter((word) => word.startsWith('+'));
    expect(words.filter((word) => !used.includes(word.slice(1)))).toEqual([]);
  });
});
