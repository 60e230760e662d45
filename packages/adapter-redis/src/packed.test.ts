import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { hasRedis, RedisServer } from '../../../test/kit/redis-server';
import { packed } from './packed';

it.skipIf(!hasRedis)('is what scripts take apart', async () => {
  const server = await RedisServer.start();
  const client = new Redis(server.url);
  try {
    const texts = ['', 'ä'.repeat(85), 'é'.repeat(90), '🙂'];
    const numbers = [0, 127, 128, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1];
    const list = [...texts, ...numbers, [], ['a', [1]], ...Array.from({ length: 70_000 }, (_, i) => i)];
    const unpacked = (value: Buffer) => client.callBuffer('EVAL', 'return cmsgpack.unpack(ARGV[1])', 0, value);
    const asBytes = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(asBytes) : typeof value === 'string' ? Buffer.from(value) : value;
    expect(await unpacked(packed(list))).toEqual(asBytes(list));
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));
    expect(await unpacked(packed([bytes, 'behind']))).toEqual([bytes, Buffer.from('behind')]);
  } finally {
    client.disconnect();
    await server.end();
  }
});
