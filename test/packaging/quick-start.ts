// The quick start of the README, to the letter: its commands are run in an empty folder, on its files. Only where packages come from and
// which port it is are others.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../kit/ports';
import { env, libraries, packages, run } from './packages';
import { quickStart } from './readme';

/** Where the packages are that it installs, and what these need. */
const places = new Map([
  ['@halyard/server', () => [packages.archive('server'), ...common(), libraries.ws]],
  ['@halyard/client', () => [packages.archive('client'), ...common()]],
  ['uNetworking/uWebSockets.js#v20.66.0', () => [libraries.uws]],
  ['typescript', () => [libraries.typescript]],
  ['tsx', () => [libraries.tsx]],
  ['@types/node', () => [libraries.nodeTypes]],
]);

const common = () => (['codec', 'contract', 'protocol'] as const).map((name) => packages.archive(name));
const install = 'npm install ';

describe('the quick start', () => {
  let cwd: string;
  let commands: readonly string[];
  let port: number;
  const started: ChildProcess[] = [];

  beforeAll(async () => {
    const shown = await quickStart();
    commands = shown.commands;
    cwd = join(packages.folder, 'quick-start');
    await mkdir(cwd);
    port = await freePort();
    for (const [name, code] of shown.files) await writeFile(join(cwd, name), code.replace('3000', `${port}`));
  });

  afterEach(async () => {
    for (const { pid, exitCode, signalCode } of started.splice(0)) {
      if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid);
    }
  });

  /** Runs one of its commands, which ends. @returns what it prints, and that it has failed */
  async function does(command: string): Promise<string> {
    const failed = ({ stdout, stderr, message }: { stdout: string; stderr: string; message: string }) =>
      [message, stdout, stderr].join('\n');
    return run('sh', ['-c', offline(command)], { cwd, env }).then(({ stdout }) => stdout, failed);
  }

  /** @returns the command, with packages from here */
  function offline(command: string): string {
    if (!command.startsWith(install)) return command;
    const words = command.slice(install.length).split(' ');
    const from = words.flatMap((word) => {
      const place = places.get(word);
      if (place === undefined && !word.startsWith('--')) throw new Error(`Nobody has told where ${word} is.`);
      return place?.() ?? [word];
    });
    return [install, '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...new Set(from)].join(' ');
  }

  /** Runs one of its commands, which goes on. @returns the lines that it prints, one after the other */
  function starts(command: string): AsyncIterator<string> {
    const child = spawn('sh', ['-c', command], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async function lineOf(lines: AsyncIterator<string>): Promise<string | undefined> {
    const { value } = await lines.next();
    return value;
  }

  async function talks(server: string, client: string): Promise<void> {
    const listening = starts(server);
    expect(await lineOf(listening)).toBe(`Listening on port ${port}.`);
    const first = starts(client);
    expect(await lineOf(first)).toMatch(/^sent as [0-9a-f-]{36}$/);
    const second = starts(client);
    expect(await lineOf(second)).toMatch(/^sent as [0-9a-f-]{36}$/);
    expect(await lineOf(first)).toMatch(/^\S+: hello$/);
    const ends = started.map((child) => once(child, 'exit'));
    for (const { pid } of started) process.kill(-(pid as number));
    await Promise.all(ends);
  }

  test('is installed, checked and run as the README says', async () => {
    const [server, client, ...more] = commands.filter((command) => /^npx tsx /.test(command));
    expect([server, client, more]).toEqual(['npx tsx server.ts', 'npx tsx client.ts', []]);
    const others = commands.filter((command) => !/^npx tsx /.test(command));
    const checks = others.filter((command) => command.startsWith('npx tsc '));
    expect(checks).toHaveLength(1);
    for (const command of others.filter((command) => !checks.includes(command))) {
      expect(await does(command)).not.toContain('Command failed');
    }
    for (const command of checks) expect(await does(command)).toBe('');
    await talks('npx tsx server.ts', 'npx tsx client.ts');
  });

  test.skipIf(!('typescript' in process.features) || !process.features.typescript)(
    'runs without tsx, where Node runs TypeScript by itself',
    () => talks('node server.ts', 'node client.ts'),
  );
});
