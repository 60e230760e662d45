// What is said to who gives a Redis that will not do, or options that are none. Longer than other files: a case for each.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import type { Position } from '@halyard/protocol';
import type { CommitResult } from '@halyard/server';
import { Redis } from 'ioredis';
import { describe, expect, it, test } from 'vitest';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { type RedisOptions, redis } from './redis';
import { Listening } from './testing/listener';
import { nodesOf } from './testing/nodes';

describe('redis()', () => {
  it.each<[unknown, string]>([
    [
      undefined,
      "The options of redis() are undefined: they may be an object, such as { url: 'redis://127.0.0.1:6379' }.",
    ],
    ['redis://user:secret@a', 'The options of redis() are a text: a URL is given as redis({ url }).'],
    [null, "The options of redis() are null: they may be an object, such as { url: 'redis://127.0.0.1:6379' }."],
    [
      { url: 'redis://a', prefix: 'mine:db1' },
      'The option "prefix" of redis() is not valid: it may not end with :db and a number, which stands for a database.',
    ],
    [{}, 'redis() does not know which Redis: give one of url, redis, cluster, client.'],
    [{ url: undefined }, 'redis() does not know which Redis: give one of url, redis, cluster, client.'],
    [{ url: 'redis://a', redis: {} }, 'redis() does not know which Redis: give one of url, redis, cluster, client.'],
    [
      { uri: 'redis://a' },
      'The option "uri" of redis() is not an option: known ones are url, redis, cluster, client, wait, prefix, codec.',
    ],
    [{ url: 'a:6379' }, 'The option "url" of redis() is not valid: it may be as redis://127.0.0.1:6379.'],
    [{ url: 'REDISS://a' }, 'The option "url" of redis() is not valid: it may be as redis://127.0.0.1:6379.'],
    ...['/abc', '//0', '/ 1', '/1.5', '/-1', '/0/', '/99999999999'].map((path): [unknown, string] => [
      { url: `redis://a${path}` },
      'The option "url" of redis() is not valid: the database at its end may be a whole number from 0, as in redis://127.0.0.1:6379/0.',
    ]),
    ...['?connectTimeout=abc', '?db=x', '/0?keyPrefix=x', '?family=6'].map((query): [unknown, string] => [
      { url: `redis://a${query}` },
      'The option "url" of redis() is not valid: a URL may have no "?". Options of ioredis may be given as { redis: { host, port, … } } instead.',
    ]),
    ...['redis://:a%zz@b', 'redis://a/0#b'].map((url): [unknown, string] => [
      { url },
      'The option "url" of redis() is not valid: in user and password % is written %25, and # is written %23.',
    ]),
    [
      { cluster: ['redis://a', 'redis://b?keyPrefix=x'] },
      'The option "cluster" of redis() is not valid: a URL may have no "?". Options of ioredis may be given as "redis" beside it.',
    ],
    ...['x', -1, 1.5, Number.NaN].map((db): [unknown, string] => [
      { redis: { db } },
      'The option "redis" of redis() is not valid: db may be a whole number from 0.',
    ]),
    [{ redis: 1 }, 'The option "redis" of redis() is not valid: it may be an object of options for ioredis.'],
    [{ client: {} }, 'The option "client" of redis() is not valid: it may be a Redis or a Cluster of ioredis.'],
    [
      { duplicate() {} },
      'redis() takes options, such as { url }, and not a client: one of ioredis is redis({ client }).',
    ],
    [
      { client: { duplicate() {}, sendCommand() {} } },
      'The option "client" of redis() is not one of ioredis, but perhaps of the package redis: give what that was made of, { url }, instead.',
    ],
    [
      { url: 'redis://a', prefix: 'a{b' },
      'The option "prefix" of redis() is not valid: it may be 1 to 128 characters without braces and spaces.',
    ],
    [
      { cluster: [] },
      'The option "cluster" of redis() is not valid: it may be a list of nodes, such as [{ host: \'10.0.0.1\', port: 6379 }].',
    ],
    [
      { url: 'redis://a', cluster: ['redis://b'] },
      'redis() does not know which Redis: give one of url, redis, cluster, client.',
    ],
    [
      { url: 'redis://a', wait: { replicas: 0 } },
      'The option "wait" of redis() is not valid: it may be { replicas: 1, timeoutMs: 100 }, with 1 to 64 replicas and 1 to 1000 ms.',
    ],
    [
      { url: 'redis://a', codec: {} },
      'The option "codec" of redis() is not valid: it may be a codec, such as msgpack().',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => redis(options as RedisOptions)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });
});

describe.skipIf(!hasRedis)('a Redis that will not do', () => {
  const nodes = nodesOf();

  async function refusalOf(options: RedisOptions): Promise<{ code: string; message: string }> {
    const { store } = nodes.make(options);
    return Promise.resolve(store.open('node', new Listening())).then(
      () => ({ code: 'none', message: '' }),
      ({ code, message }) => ({ code, message }),
    );
  }

  /** Something that answers as a Redis would, or not at all. */
  async function pretend(answer: (command: string) => string | undefined): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const command of String(data).split(/(?=\*\d+\r\n\$)/)) {
          const reply = answer(command.toLowerCase());
          if (reply !== undefined) socket.write(reply);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    nodes.cleanUp.push(() => void server.close());
    return `redis://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  test('is not there', async () => {
    expect(await refusalOf({ url: 'redis://:secret@127.0.0.1:1' })).toEqual({
      code: 'ERR_REDIS_UNREACHABLE',
      message:
        'Redis cannot be reached at 127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1): start it, or correct the option "url".',
    });
    expect(await refusalOf({ url: 'redis://nowhere.invalid' })).toMatchObject({ code: 'ERR_REDIS_UNREACHABLE' });
  });

  test('is named by no Sentinel', async () => {
    const redis = { name: 'shop', sentinels: [{ host: '127.0.0.1', port: 1 }] };
    expect(await refusalOf({ redis })).toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringMatching(
        /^The Sentinels name no Redis that answers: master shop of 127\.0\.0\.1:1 \(no answer .*"sentinels" and "name" in the option "redis"\.$/,
      ),
    });
  });

  test('does not answer', async () => {
    const url = await pretend(() => undefined);
    const began = Date.now();
    expect(await refusalOf({ url })).toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringContaining('does not answer as Redis does (no answer within'),
    });
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  test('is something else, or without TLS', async () => {
    const words = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';
    const { port } = await nodes.start();
    for (const url of [await pretend(() => words), `rediss://127.0.0.1:${port}`]) {
      expect(await refusalOf({ url })).toMatchObject({
        code: 'ERR_REDIS_UNREACHABLE',
        message: expect.stringContaining('rediss:// is with TLS, redis:// is without'),
      });
    }
  });

  test('has not so many databases', async () => {
    const { port } = await nodes.start();
    expect(await refusalOf({ url: `redis://127.0.0.1:${port}/99` })).toMatchObject({
      code: 'ERR_REDIS_DATABASE',
      message: expect.stringContaining(
        `Redis at 127.0.0.1:${port} has no such database (ERR DB index is out of range)`,
      ),
    });
  });

  test('lets its user not publish', async () => {
    const { url, port } = await nodes.start();
    const admin = new Redis(url);
    nodes.cleanUp.push(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pass', '~*', '&*', '+@all', '-spublish');
    expect(await refusalOf({ url: `redis://app:pass@127.0.0.1:${port}` })).toMatchObject({
      code: 'ERR_REDIS_PERMISSION',
    });
  });

  test('is too old', async () => {
    const info = '# Server\r\nredis_version:6.2.14\r\nrole:master\r\n';
    const url = await pretend((command) =>
      command.includes('info\r\n') && !command.includes('client') ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n',
    );
    expect(await refusalOf({ url })).toEqual({
      code: 'ERR_REDIS_VERSION',
      message: `Redis at ${url.slice(8)} is of version 6.2.14: redis() needs Redis 7.0 or later, or Valkey.`,
    });
  });

  test('is a replica', async () => {
    const master = await nodes.start();
    const replica = await nodes.start('--replicaof', '127.0.0.1', `${master.port}`);
    expect(await refusalOf({ url: replica.url })).toMatchObject({
      code: 'ERR_REDIS_REPLICA',
      message: expect.stringContaining('give the address of its master'),
    });
  });

  test('lacks replicas', async () => {
    const { url, port } = await nodes.start('--min-replicas-to-write', '1');
    expect(await refusalOf({ url })).toEqual({
      code: 'ERR_REDIS_REPLICAS',
      message: expect.stringMatching(
        new RegExp(
          `^Redis at 127.0.0.1:${port} takes nothing to store while it has fewer replicas than its min-replicas-to-write \\(NOREPLICAS .*\\): ` +
            'start them, or set that to 0.$',
        ),
      ),
    });
  });

  test('has as many clients as it may', async () => {
    const full = '-ERR max number of clients reached\r\n';
    const url = await pretend((command) => (command.includes('info\r\n') ? full : '+OK\r\n'));
    expect(await refusalOf({ url })).toEqual({
      code: 'ERR_REDIS_UNREACHABLE',
      message:
        `Redis at ${url.slice(8)} has as many clients as its maxclients allows (ERR max number of clients reached): ` +
        'raise that, or close connections that nobody needs.',
    });
    // As a rule it is gone before that is read.
    const own = await nodes.start('--maxclients', '1');
    const other = new Redis(own.url);
    nodes.cleanUp.push(() => other.disconnect());
    await other.ping();
    expect(await refusalOf({ url: own.url })).toEqual({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringContaining('as many clients as its maxclients allows'),
    });
  });

  test('answers with what is in its way', async () => {
    const url = await pretend((command) => (command.includes('eval') ? '-BUSY Redis is busy\r\n' : '$1\r\nx\r\n'));
    expect(await refusalOf({ url })).toEqual({
      code: 'ERR_REDIS_UNREACHABLE',
      message: `Redis at ${url.slice(8)} answers, and does not do what it is asked for (BUSY Redis is busy): mend that there.`,
    });
  });

  test('has a password', async () => {
    const { url, port } = await nodes.start('--requirepass', 'secret');
    for (const wrong of [url, `redis://:wrong@127.0.0.1:${port}`]) {
      const { code, message } = await refusalOf({ url: wrong });
      expect([code, message]).toEqual(['ERR_REDIS_PASSWORD', expect.stringContaining('redis://user:password@host')]);
    }
    expect(await refusalOf({ url: `redis://:secret@127.0.0.1:${port}` })).toMatchObject({ code: 'none' });
  });

  test.each([
    ['no keys', '~other:* &halyard:* +@all'],
    ['no channels', '~halyard:* resetchannels +@all'],
    ['no command of streams', '~halyard:* &halyard:* +@all -xadd'],
    ['no scripts', '~halyard:* &halyard:* +@all -@scripting'],
  ])('lets its user have %s', async (_what, rules) => {
    const { url, port } = await nodes.start();
    const admin = new Redis(url);
    nodes.cleanUp.push(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pass', ...rules.split(' '));
    expect(await refusalOf({ url: `redis://app:pass@127.0.0.1:${port}` })).toMatchObject({
      code: 'ERR_REDIS_PERMISSION',
      message: expect.stringContaining('~halyard:* &halyard:*'),
    });
  });

  test('is refused no more once it is what it is to be: what the message says is enough', async () => {
    const { url, port } = await nodes.start();
    const admin = new Redis(url);
    nodes.cleanUp.push(() => admin.disconnect());
    const rules = ['~halyard:*', '&halyard:*', '+@all', '-@admin'];
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pass', 'resetchannels', ...rules);
    expect(await refusalOf({ url: `redis://app:pass@127.0.0.1:${port}` })).toMatchObject({ code: 'none' });
  });

  test('has servers of another version, or with another codec of records', async () => {
    const server = await nodes.start();
    const { url } = server;
    const tell = (command: string) => server.tell(command);
    const key = 'halyard:{0}:terms';
    // Somebody else's, that no server has written: it is one's own from then on.
    await tell(`SET ${key} nonsense`);
    const { store } = nodes.make({ url });
    await store.open('first', new Listening());
    const said = await tell(`HMGET ${key} version codec`);
    expect(said[1]).toBe('msgpack');
    expect(await refusalOf({ url, codec: json() })).toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('all have to have the same "codec"'),
    });
    await tell(`HSET ${key} version 0.9`);
    const where = url.slice('redis://'.length);
    const message =
      `The servers of prefix "halyard" in the Redis at ${where} are of another version (theirs is 0.9, this one ${said[0]}): ` +
      'give this one another "prefix", or stop those and delete all keys that begin with halyard:.';
    expect(await refusalOf({ url })).toEqual({ code: 'ERR_STORE_VERSION', message });
    // It has changed nothing, and another prefix is another cluster.
    expect(await tell(`HGET ${key} version`)).toEqual(['0.9']);
    expect(await refusalOf({ url, prefix: 'other' })).toMatchObject({ code: 'none' });
    expect(Number((await tell(`PTTL ${key}`))[0])).toBeGreaterThan(2 * 86_400_000);
  });

  test('has servers that would take what is said by one codec for that of another one, while they are there', async () => {
    const { url } = await nodes.start();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ ...json(), name })) as [Codec, Codec, Codec];
    const old = nodes.make({ url }, [a, b]).store;
    await old.open('old', new Listening());
    const where = url.slice('redis://'.length);
    for (const [codecs, names] of [
      [[b, a], 'b,a'],
      [[c], 'c'],
      [[a, c, b], 'a,c,b'],
    ] as const) {
      await expect(nodes.make({ url }, codecs).store.open('new', new Listening())).rejects.toMatchObject({
        code: 'ERR_OPTION',
        message:
          `The servers of prefix "halyard" in the Redis at ${where} have the codecs a,b, and this server ${names}: ` +
          'those that both have may be at the same places, so put new ones last; or stop all servers before this one starts.',
      });
    }
    // One by one they may get another one, or lose it; which lets nobody in whom the others do not know.
    for (const codecs of [[a, b, c], [a]])
      await nodes.make({ url }, codecs).store.open(`${codecs.length}`, new Listening());
    await expect(nodes.make({ url }, [a, c]).store.open('new', new Listening())).rejects.toMatchObject({
      code: 'ERR_OPTION',
    });
    await old.close();
  });

  test('has one of them that comes at the same time: not both stay', async () => {
    const { url } = await nodes.start();
    const [a, b] = ['a', 'b'].map((name) => ({ ...json(), name })) as [Codec, Codec];
    const both = [nodes.make({ url }, [a, b]), nodes.make({ url }, [b, a])];
    const opened = await Promise.allSettled(both.map(({ store }, i) => store.open(`${i}`, new Listening())));
    expect(opened.map(({ status }) => status)).toContain('rejected');
    // Nor does one count that was refused.
    const there = ['0', '1'].filter((_, i) => opened[i]?.status === 'fulfilled');
    const third = nodes.make({ url }, there[0] === '0' ? [a, b] : [b, a]).store;
    await third.open('third', new Listening());
    expect(await third.nodes()).toEqual([...there, 'third']);
  });

  test('has none of them any more: what they had is no matter', async () => {
    const { url } = await nodes.start();
    const [a, b] = ['a', 'b'].map((name) => ({ ...json(), name })) as [Codec, Codec];
    const old = nodes.make({ url }, [a]).store;
    await old.open('old', new Listening());
    await old.close();
    await nodes.make({ url }, [b, a]).store.open('new', new Listening());
  });

  describe('lets its user have what the documentation says', () => {
    const documentation = readFileSync(new URL('../../../docs/CLUSTER.md', import.meta.url), 'utf8');
    const found = (form: RegExp): string[] => form.exec(documentation)?.[1]?.split(' ') ?? [];
    const rule = found(/^ACL SETUSER halyard (.*)$/m);
    const more = {
      database: found(/A database other than 0 needs `([^`]*)` too/),
      wait: found(/the option `wait` `([^`]*)`/),
      cluster: found(/a Redis Cluster `([^`]*)`/),
    };
    const user = { username: 'halyard', password: 'secret' };

    async function allow(servers: readonly RedisServer[], parts: readonly string[]): Promise<readonly Redis[]> {
      const admins = servers.map(({ url }) => new Redis(url));
      nodes.cleanUp.push(() => {
        for (const admin of admins) admin.disconnect();
      });
      for (const admin of admins) await admin.call('ACL', 'SETUSER', 'halyard', 'reset', ...parts);
      return admins;
    }

    /** All that a node does. @returns what it was not let do */
    async function refusedTo(options: RedisOptions, admins: readonly Redis[]): Promise<unknown[]> {
      const [a, b] = [await nodes.open(options), await nodes.open(options)];
      for (let i = 0; i < a.store.partitions + 2; i++) {
        await a.store.follow(`room ${i}`);
        a.store.listen(`room ${i}`);
        const [epoch] = ((await b.append(`room ${i}`, 'said')) as CommitResult).positions[0] as Position;
        await untilHolds(() => expect(a.heard).toContain(`entry room ${i} 1 said`));
        await b.store.read(`room ${i}`, 0, 9);
        await b.store.renew(`room ${i}`, epoch);
        b.store.publish(`room ${i}`, [Buffer.from('said')]);
        await a.store.session(`${i}`);
        await a.store.letters(`${i}`, 0, 9);
        a.store.unfollow(`room ${i}`);
      }
      expect(await a.store.send((await b.store.nodes()).at(-1) as string, 'question')).toContain('answer');
      await a.store.expired(9, 1_000);
      await a.store.roundTrip();
      for (const { store } of [a, b]) await store.close();
      return (await Promise.all(admins.map(async (admin) => (await admin.call('ACL', 'LOG')) as unknown[]))).flat();
    }

    test('all of which is needed, and no more', async () => {
      const server = await nodes.start();
      const url = `redis://halyard:secret@127.0.0.1:${server.port}`;
      const [admin] = await allow([server], rule);
      expect(await refusedTo({ url }, [admin as Redis])).toEqual([]);
      const untried = ['+info', '+sunsubscribe', '+exists'];
      for (const part of rule.filter((one) => one.startsWith('+') && !untried.includes(one))) {
        await allow([server], withoutPart(rule, part));
        // What was refused halfway has left something under the name of the node, which is always the same here.
        await (admin as Redis).flushall();
        expect([part, await refusalOf({ url })]).toMatchObject([part, { code: 'ERR_REDIS_PERMISSION' }]);
      }
    });

    test('for another database', async () => {
      const server = await nodes.start();
      const options = { url: `redis://halyard:secret@127.0.0.1:${server.port}/1` };
      await allow([server], rule);
      expect(await refusalOf(options)).toMatchObject({ code: 'ERR_REDIS_PERMISSION' });
      const admins = await allow([server], [...rule, ...more.database]);
      await admins[0]?.call('ACL', 'LOG', 'RESET');
      expect(await refusedTo(options, admins)).toEqual([]);
    });

    test('for the option wait', async () => {
      const server = await nodes.start();
      const options = { redis: { port: server.port, ...user }, wait: { replicas: 1, timeoutMs: 1 } };
      for (const part of more.wait) {
        await allow([server], [...rule, ...withoutPart(more.wait, part)]);
        expect([part, await refusalOf(options)]).toMatchObject([part, { code: 'ERR_REDIS_PERMISSION' }]);
      }
      const admins = await allow([server], [...rule, ...more.wait]);
      await admins[0]?.call('ACL', 'LOG', 'RESET');
      expect(await refusedTo(options, admins)).toEqual([]);
    });

    test('for a master that a Sentinel names', async () => {
      const server = await nodes.start();
      const sentinel = await RedisServer.watch('acl', server);
      nodes.cleanUp.push(() => sentinel.end());
      const options = { redis: { name: 'acl', sentinels: [{ host: '127.0.0.1', port: sentinel.port }], ...user } };
      expect(await refusedTo(options, await allow([server], rule))).toEqual([]);
    });

    test('for a Redis Cluster', async () => {
      const cluster = await nodes.startCluster();
      const options = { cluster: cluster.nodes, redis: user };
      for (const part of more.cluster) {
        await allow(cluster.servers, [...rule, ...withoutPart(more.cluster, part)]);
        expect([part, await refusalOf(options)]).toMatchObject([part, { code: 'ERR_REDIS_PERMISSION' }]);
      }
      const admins = await allow(cluster.servers, [...rule, ...more.cluster]);
      await Promise.all(admins.map((admin) => admin.call('ACL', 'LOG', 'RESET')));
      expect(await refusedTo(options, admins)).toEqual([]);
    });
  });

  test('may be given by a client of the app, which stays as it is', async () => {
    const { url } = await nodes.start();
    const client = new Redis(url, { keyPrefix: 'app:' });
    nodes.cleanUp.push(() => client.disconnect());
    const node = await nodes.open({ client });
    await node.append('room', 'a');
    await node.store.close();
    expect(await client.ping()).toBe('PONG');
  });
});

function withoutPart(rule: readonly string[], part: string): string[] {
  return rule.filter((one) => one !== part);
}
