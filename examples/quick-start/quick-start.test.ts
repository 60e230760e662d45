// The README's quick start is this example to the letter, and it works.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from '@halyard/client';
import { afterAll, expect, test, vi } from 'vitest';

const folder = new URL('./src/', import.meta.url);
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const copies: URL[] = [];

function source(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}

/** Imports a copy that uses another port than the one everybody reads. */
async function run<Module>(name: string, port: number): Promise<Module> {
  const copy = new URL(`${name}.copy.ts`, folder);
  copies.push(copy);
  writeFileSync(copy, source(`${name}.ts`).replace('3000', String(port)));
  return (await import(copy.href)) as Module;
}

afterAll(() => {
  for (const copy of copies) rmSync(copy);
});

test.each(['events.ts', 'server.ts', 'client.ts'])('the README shows %s', (name) => {
  expect(readme).toContain(`\`\`\`ts\n// ${name}\n${source(name)}\`\`\``);
});

test('the quick start talks', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { io } = await run<typeof import('./src/server')>('server', 0);
  const other = connect(`http://localhost:${io.port}`);
  const heard = new Promise((resolve) => other.on('message', resolve));
  await new Promise((resolve) => other.on('connect', resolve));
  const { socket } = await run<typeof import('./src/client')>('client', io.port);
  expect(await heard).toEqual({ from: socket.id, text: 'hello' });
  expect(log.mock.calls.flat()).toEqual([
    `Listening on port ${io.port}.`,
    expect.stringMatching(/^sent as [0-9a-f-]{36}$/),
  ]);
  log.mockRestore();
  for (const client of [socket, other]) client.connection.close();
  await io.close();
});
