import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { Link } from './link';
import { nodesOf } from './testing/nodes';

describe.skipIf(!hasRedis)('a link', () => {
  const nodes = nodesOf();

  test('fails what is in flight when it is lost, whatever its client would do', async () => {
    const server = await nodes.start();
    const client = new Redis(server.url, {
      ...{ lazyConnect: true, maxRetriesPerRequest: null, autoResendUnfulfilledCommands: false },
    });
    const link = new Link(client, { onBack() {}, onLost() {} });
    nodes.cleanUp.push(() => link.close());
    await link.open();
    const failed = expect(link.run((redis) => redis.blpop('nothing', 0))).rejects.toThrow(
      'the connection to Redis is lost',
    );
    expect(link.inFlight).toBe(1);
    await server.stop();
    await failed;
    expect(link.inFlight).toBe(0);
    await expect(link.run((redis) => redis.ping())).rejects.toThrow('there is no connection to Redis');
  });

  test('is back also if its client gives up, because a master is told while it asks for that', async () => {
    const master = await nodes.start();
    const sentinel = await RedisServer.watch('link', master);
    nodes.cleanUp.push(() => sentinel.end());
    const client = new Redis({
      ...{ name: 'link', sentinels: [{ host: '127.0.0.1', port: sentinel.port }], lazyConnect: true },
    });
    const said: string[] = [];
    const link = new Link(client, { onBack: () => said.push('back'), onLost: () => said.push('lost') });
    nodes.cleanUp.push(() => link.close());
    await link.open();
    client.once('end', () => said.push('end'));
    // What its listener to Sentinels does.
    const { connector } = client as unknown as { connector: { disconnect(): void } };
    client.once('connecting', () => connector.disconnect());
    link.renew();
    await untilHolds(() => expect(said).toEqual(['lost', 'end', 'back']));
    expect(await link.run((redis) => redis.ping())).toBe('PONG');
  });
});
