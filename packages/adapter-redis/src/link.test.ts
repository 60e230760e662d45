import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../../test/kit/redis-server';
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
});
