// What an operator is told though nothing fails, and what makes failures rarer: replicas that are waited for, and TLS.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../../test/kit/ports';
import { hasRedis } from '../../../test/kit/redis-server';
import { untilHolds } from '../../../test/kit/until';
import { nodesOf } from './testing/nodes';

describe.skipIf(!hasRedis)('a node', () => {
  const nodes = nodesOf();

  test('warns of a Redis that drops what it has when its memory is full, and of no other', async () => {
    const [good, bad] = [await nodes.start(), await nodes.start('--maxmemory-policy', 'allkeys-lru')];
    expect((await nodes.open({ url: good.url })).heard).toEqual(['up']);
    expect((await nodes.open({ url: bad.url })).heard).toEqual(['up', 'warning ERR_REDIS_EVICTION']);
  });

  test('waits for replicas if it is to, and says so when they are too slow; nothing else waits with it', async () => {
    const master = await nodes.start('--repl-diskless-sync-delay', '0');
    const replica = await nodes.start('--replicaof', '127.0.0.1', `${master.port}`);
    const [admin, other] = [new Redis(master.url), new Redis(replica.url)];
    nodes.cleanUp.push(
      () => admin.disconnect(),
      () => other.disconnect(),
    );
    await untilHolds(async () => expect(await admin.info('replication')).toContain('state=online'));
    const { store, heard, append } = await nodes.open({ url: master.url, wait: { replicas: 1, timeoutMs: 1_000 } });
    for (let i = 1; i <= 20; i++) {
      await append('room', `${i}`);
      expect(await other.xlen('halyard:{0}:entries:room')).toBe(i);
    }
    expect(heard).toEqual(['up']);
    replica.halt();
    const order: string[] = [];
    const stored = append('room', 'alone').then((result) => {
      order.push('stored');
      return result;
    });
    await untilHolds(async () => expect((await store.tops(['room']))[0]?.top).toBe(21));
    order.push('asked');
    expect(await stored).toMatchObject({ positions: [[expect.any(String), 21]] });
    expect(order).toEqual(['asked', 'stored']);
    expect(heard).toContain('warning ERR_REDIS_REPLICAS');
    replica.goOn();
  });

  test('waits for as long as it does by default if the time is undefined', async () => {
    const { url } = await nodes.start();
    const { heard, append } = await nodes.open({ url, wait: { replicas: 1, timeoutMs: undefined } });
    expect(await append('room', '1')).toMatchObject({ positions: [[expect.any(String), 1]] });
    expect(heard).toEqual(['up', 'warning ERR_REDIS_REPLICAS']);
  });

  test('may come by TLS, and says why it does not', async ({ skip }) => {
    if (spawnSync('openssl', ['version']).status !== 0) skip('openssl is not here');
    const folder = mkdtempSync(join(tmpdir(), 'halyard-tls-'));
    nodes.cleanUp.push(() => rmSync(folder, { recursive: true }));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    const port = await freePort();
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    await nodes.start('--tls-port', `${port}`, ...files, '--tls-auth-clients', 'no');
    await expect(nodes.open({ url: `rediss://localhost:${port}` })).rejects.toMatchObject({
      code: 'ERR_REDIS_UNREACHABLE',
      message: expect.stringContaining('self-signed certificate'),
    });
    const ca = readFileSync(certificate, 'utf8');
    const { append } = await nodes.open({ redis: { host: 'localhost', port, tls: { ca } } });
    expect(await append('room', 'a')).toMatchObject({ positions: [[expect.any(String), 1]] });
  });
});
