// A short chaos run by counts, as `npm run chaos` does a long one: each transport and codec once, on both hosts.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testSeed } from '@halyard/harness/random';
import { beforeAll, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const cuts = 20;

describe.each(hosts.map(([name]) => name))('on %s', (host) => {
  test.each(['websocket,json', 'polling,msgpack'])(
    'nothing is lost, doubled or out of order over %s',
    async (words) => {
      const args = ['--cuts', `${cuts}`, '--seed', `${testSeed()}`, '--only', `${host},${words}`];
      // What was wrong, and with which seed, is on stdout.
      const { stdout } = await chaos(args);
      expect(stdout).toContain('no faults');
      const [name, , cutsMade] = rowOf(stdout, host);
      expect(name).toBe(`${host} ${words.replace(',', ' ')}`);
      expect(Number(cutsMade)).toBeGreaterThanOrEqual(cuts);
    },
  );
});

test('what it cannot run is said, and fails', async () => {
  await expect(run('node', ['test/chaos/dist/run.js', '--only', 'smoke'], { cwd: root })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"smoke" is not one of'),
  });
});

beforeAll(() =>
  run('node', ['node_modules/tsup/dist/cli-default.js', '--config', 'test/chaos/tsup.config.ts'], { cwd: root }),
);

async function chaos(args: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await run('node', ['test/chaos/dist/run.js', ...args], { cwd: root, maxBuffer: 1 << 26 });
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return { stdout: String(error.stdout) };
    throw error;
  }
}

function rowOf(stdout: string, host: string): string[] {
  const line = stdout.split('\n').find((candidate) => candidate.startsWith(`| ${host} `)) ?? '';
  return line
    .split('|')
    .slice(1)
    .map((cell) => cell.trim());
}
