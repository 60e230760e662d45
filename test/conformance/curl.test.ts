// The transcript of docs/PROTOCOL.md §12.16 is true: its commands are run as they stand there, with curl.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Server } from '@halyard/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { readBlocks } from './transcript';

const protocol = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const [block = ''] = readBlocks(protocol, 'curl sse');
const steps = block.split('\n').map((line) => /^ *\d+ {2}([$<]) (.*)$/.exec(line) ?? []);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** @returns a pattern for a line in which names stand for any text, or for the one that they have stood for before */
function patternOf(line: string, names: ReadonlyMap<string, string>): RegExp {
  const parts = line.split(/<([\w-]+)>|(…)/).map((part, i) => {
    if (part === undefined) return '';
    if (i % 3 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (i % 3 === 2) return '.*';
    const known = names.get(part);
    return known === undefined ? `(?<${part}>[\\w.-]+)` : known;
  });
  return new RegExp(`^${parts.join('')}$`, 'm');
}

describe.skipIf(!hasCurl).each(hosts)('curl, on %s', (_name, host) => {
  test('server-sent events by hand', async () => {
    expect(steps.length).toBeGreaterThan(10);
    const io = new Server({ host: host() });
    io.on('connection', (socket) => socket.on('add', (a: number, b: number) => a + b));
    await io.listen(0, '127.0.0.1');
    onTestFinished(() => io.close());
    const names = new Map<string, string>();
    let heard = '';
    let stream: ChildProcess | undefined;
    for (const [, sign, text = ''] of steps) {
      if (sign === '$') {
        const command = text
          .replaceAll('localhost:3000', `127.0.0.1:${io.port}`)
          .replace(/<(\w+)>/g, (_text, name: string) => names.get(name) ?? '');
        const child = spawn('sh', ['-c', `exec ${command}`]);
        const said = new Promise((resolve) => child.once('close', resolve));
        if (stream === undefined) {
          stream = child;
          child.stdout.on('data', (chunk: Buffer) => {
            heard += chunk.toString().replaceAll('\r', '');
          });
          onTestFinished(() => void child.kill());
        } else expect(await said).toBe(0);
      } else {
        const pattern = patternOf(text, names);
        await expect.poll(() => pattern.test(heard), { message: text }).toBe(true);
        const found = pattern.exec(heard);
        for (const [name, value] of Object.entries(found?.groups ?? {})) names.set(name, value);
        heard = heard.slice((found?.index ?? 0) + (found?.[0].length ?? 0));
      }
    }
    expect(io.sockets.size).toBe(0);
  });
});
