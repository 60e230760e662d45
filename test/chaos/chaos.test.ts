// A short chaos run by counts, as `npm run chaos` does a long one: each host once; by `npm run test:long` all
// transports on both hosts.
import { fileURLToPath } from 'node:url';
import { testSeed } from '@halyard/harness/random';
import { beforeAll, expect, test } from 'vitest';
import { buildOf, output, runFile } from '../kit/built';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';

const cuts = isLong ? 10 : 6;

const combinations = isLong
  ? hosts.flatMap(([host]) => ['websocket,json', 'sse,protobuf', 'polling,msgpack'].map((its) => `${host},${its}`))
  : [`${hosts[0]![0]},websocket,json`, 'node,sse,protobuf'];

test.each(combinations)('nothing is lost, doubled or out of order by %s', async (words) => {
  const args = ['--cuts', `${cuts}`, '--seed', `${testSeed()}`, '--only', words];
  // What was wrong, and with which seed, is on stdout.
  const { stdout } = await output('test/chaos/dist/run.js', args);
  expect(stdout).toContain('no faults');
  const [name, , cutsMade] = rowOf(stdout, words.split(',')[0] as string);
  expect(name).toBe(words.replaceAll(',', ' '));
  expect(Number(cutsMade)).toBeGreaterThanOrEqual(cuts);
});

test('what it cannot run is said, and fails', async () => {
  const program = fileURLToPath(new URL('dist/run.js', import.meta.url));
  await expect(runFile('node', [program, '--only', 'smoke'])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"smoke" is not one of'),
  });
});

beforeAll(() => buildOf('test/chaos'));

function rowOf(stdout: string, host: string): string[] {
  const line = stdout.split('\n').find((candidate) => candidate.startsWith(`| ${host} `)) ?? '';
  return line
    .split('|')
    .slice(1)
    .map((cell) => cell.trim());
}
