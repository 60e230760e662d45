// The example for all cores as it was built: real processes on one port, beside a real Redis, and those who come to different ones talk.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect, polling, type Transport, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { freePort } from '../kit/ports';
import { hasRedis, RedisServer } from '../kit/redis-server';

const built = new URL('../../examples/all-cores/dist/server.js', import.meta.url);
/** The same, on the host `node`, whose workers share a port by themselves. */
const onNode = new URL('../../examples/all-cores/dist/server-node.copy.js', import.meta.url);
const workers = 2;

test('the documentation shows it', () => {
  const source = readFileSync(new URL('../../examples/all-cores/src/server.ts', import.meta.url), 'utf8');
  expect(readFileSync(new URL('../../docs/CLUSTER.md', import.meta.url), 'utf8')).toContain(
    `\`\`\`ts\n${source}\`\`\``,
  );
});

describe.skipIf(!hasRedis).each(hosts.map(([name]) => name))('on %s', (host) => {
  const cleanUp: (() => unknown)[] = [];
  let redis: RedisServer;
  let port: number;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const source = readFileSync(built, 'utf8');
    writeFileSync(
      onNode,
      `import { node } from '@halyard/server';\n${source.replace('new Server({', '$& host: node(),')}`,
    );
  });
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    rmSync(onNode);
    await redis.end();
  });

  async function start(): Promise<void> {
    port = await freePort();
    const env = { ...process.env, PORT: `${port}`, REDIS_URL: redis.url, WORKERS: `${workers}` };
    const program = fileURLToPath(host === 'node' ? onNode : built);
    const primary = spawn(process.execPath, [program], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    cleanUp.push(() => ended(primary));
  }

  /** @returns a client, what it has heard, and which process it is at */
  async function client(transport: Transport) {
    const heard: string[] = [];
    const reconnect = { delayMinMs: 10, delayMaxMs: 100 };
    const socket = connect(`http://127.0.0.1:${port}`, { transport, codec: json(), reconnect });
    cleanUp.push(() => socket.connection.close());
    socket.on('said', (text: string) => void heard.push(text));
    // Servers may be on their way for long on a busy machine.
    const where = () => socket.timeout(60_000).emitWithAck('where') as Promise<number>;
    return { socket, heard, where, pid: await where() };
  }

  /** @returns clients of which one at least is at each of the processes */
  async function everywhere(transport: () => Transport) {
    const clients: Awaited<ReturnType<typeof client>>[] = [];
    while (new Set(clients.map(({ pid }) => pid)).size < workers) clients.push(await client(transport()));
    return clients;
  }

  test('all talk to each other, and a process that is killed is not missed', async () => {
    await start();
    const clients = [...(await everywhere(websocket)), ...(await everywhere(polling))];
    const said: string[] = [];
    const everyoneSays = async (what: string): Promise<void> => {
      for (const [i, { socket }] of clients.entries()) {
        said.push(`${what} ${i}`);
        await socket.emitWithAck('say', `${what} ${i}`);
      }
      for (const { heard } of clients) await expect.poll(() => heard).toEqual(said);
    };
    await everyoneSays('hello');
    const killed = clients[0]?.pid as number;
    process.kill(killed, 'SIGKILL');
    await everyoneSays('still here');
    for (const { where } of clients) expect(await where()).not.toBe(killed);
    expect(clients[0]?.socket.recovered).toBe(true);
  });
});

/** Its workers end with it. */
async function ended(primary: ChildProcess): Promise<void> {
  if (primary.exitCode !== null) return;
  const exit = once(primary, 'exit');
  primary.kill('SIGTERM');
  await exit;
}
