import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { MissingRedisError, RedisServer, readInfo } from './redis-server';

it('reads of INFO what was done and what it took', () => {
  const info = [
    'used_cpu_sys:1.500000',
    'used_cpu_user:2.250000',
    'used_cpu_user_main_thread:9',
    '# Commandstats',
    'cmdstat_xadd:calls=12,usec=30,usec_per_call=2.50,rejected_calls=0,failed_calls=0',
    'cmdstat_client|setinfo:calls=2,usec=1,usec_per_call=0.5,rejected_calls=0,failed_calls=0',
    'cmdstat_info:calls=3,usec=1,usec_per_call=0.5,rejected_calls=0,failed_calls=0',
    'used_memory:1024',
    'used_memory_human:1K',
  ].join('\r\n');
  expect(readInfo(info)).toEqual({ cpuUs: 3_750_000, calls: { xadd: 12 }, usedBytes: 1_024 });
});

it('says what to do where there is no Redis', async () => {
  const { PATH } = process.env;
  process.env.PATH = '/nowhere';
  try {
    await expect(RedisServer.start(undefined)).rejects.toThrow(MissingRedisError);
    await expect(RedisServer.start(undefined)).rejects.toThrow('apt-get install redis-server');
  } finally {
    process.env.PATH = PATH;
  }
});

it.skipIf(spawnSync('redis-server', ['--version']).status !== 0)('starts one that tells what it does', async () => {
  const redis = await RedisServer.start(undefined);
  try {
    const { cpuUs, usedBytes } = await redis.mark();
    expect(cpuUs).toBeGreaterThan(0);
    expect(usedBytes).toBeGreaterThan(0);
  } finally {
    redis.end();
  }
});
