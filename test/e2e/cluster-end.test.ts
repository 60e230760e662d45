// `npm run demo:cluster` leaves nothing running, however it ends.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { hasHaproxy } from '../kit/haproxy';
import { isLong } from '../kit/long';
import { type Running, running, treeOf } from '../kit/processes';
import { hasRedis } from '../kit/redis-server';
import { untilHolds } from '../kit/until';
import { clusterScript, startChat, startProgram } from './chat-server';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe.skipIf(!hasRedis || !hasHaproxy)('the chat on a cluster', () => {
  const cleanUp: (() => unknown)[] = [];
  let all: readonly Running[] = [];

  const left = (): Running[] => {
    const pids = new Set(all.map(({ pid }) => pid));
    return running().filter(({ pid }) => pids.has(pid));
  };

  afterEach(async () => {
    // None of these is anybody else's: a number is not given again so soon.
    for (const { pid } of left()) process.kill(pid, 'SIGKILL');
    for (const end of cleanUp.splice(0)) await end();
  });

  /** @returns what was started */
  async function started(chat: { readonly pid: number }): Promise<readonly Running[]> {
    await untilHolds(() => {
      all = treeOf(chat.pid);
      const [redis, haproxy, servers] = [/redis-server/, /haproxy/, /node\.js$/].map(
        (name) => all.filter(({ command }) => name.test(command)).length,
      );
      expect([redis, haproxy, servers]).toEqual([1, 1, 3]);
    });
    return all;
  }

  const gone = () => untilHolds(() => expect(left()).toEqual([]));

  test.each(isLong ? (['SIGINT', 'SIGTERM', 'SIGKILL'] as const) : (['SIGINT'] as const))(
    'ends when what has started it gets %s',
    async (signal) => {
      const { pid } = await startChat(0, clusterScript);
      await started({ pid });
      process.kill(pid, signal);
      // As Ctrl-C does, which comes from the terminal and from npm.
      if (signal === 'SIGINT') process.kill(pid, signal);
      await gone();
    },
  );

  test.runIf(isLong)('ends when what holds its programs is killed', async () => {
    const chat = await startChat(0, clusterScript);
    const holder = (await started(chat)).find(({ parent }) => parent === chat.pid) as Running;
    process.kill(holder.pid, 'SIGKILL');
    await gone();
  });

  test.runIf(isLong)('ends though a server stands still', async () => {
    const chat = await startChat(0, clusterScript);
    const server = (await started(chat)).find(({ command }) => command.endsWith('node.js')) as Running;
    process.kill(server.pid, 'SIGSTOP');
    await chat.kill();
    await gone();
  });

  test.each(isLong ? (['SIGINT', 'SIGTERM'] as const) : (['SIGTERM'] as const))(
    'ends when npm alone gets %s',
    async (signal) => {
      // What comes before it installs and builds.
      const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      const start = scripts['demo:cluster'].split(' && ').at(-1);
      const folder = await mkdtemp(join(tmpdir(), 'halyard-demo-'));
      cleanUp.push(() => rm(folder, { recursive: true, force: true }));
      await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { demo: `cd '${root}' && ${start}` } }));
      const { pid } = await startProgram(['npm', 'run', '--silent', 'demo'], 0, folder);
      await started({ pid });
      process.kill(pid, signal);
      await gone();
    },
  );
});
