// `halyard tail` as it was built, in a process of its own, beside a server that something happens on.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { admin } from '@halyard/admin';
import { connect } from '@halyard/client';
import type { HostFactory, Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { fileOf, halyard } from './command';

const program = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const password = 'correct horse battery';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const { serve, cleanUp } = served(hosts[0]?.[1] as () => HostFactory, { logger: quiet });

const serving = (): Promise<Server> =>
  serve({}, (io) => {
    admin(io, { password });
    io.on('connection', (socket) =>
      socket.on('fail', () => {
        throw new TypeError('secret');
      }),
    );
  });

interface Following {
  readonly child: ChildProcessWithoutNullStreams;
  stdout: string;
}

function follow(url: string, args: readonly string[] = []): Following {
  const child = spawn(process.execPath, [program, 'tail', url, ...args], {
    env: { ...process.env, NO_COLOR: '1', HALYARD_ADMIN_PASSWORD: password },
  });
  cleanUp.push(() => child.kill('SIGKILL'));
  const following: Following = { child, stdout: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    following.stdout += text;
  });
  child.stderr.resume();
  return following;
}

async function happen(io: Server): Promise<void> {
  const guest = connect(`http://127.0.0.1:${io.port}`);
  await guest.emitWithAck('fail').catch(() => {});
  guest.connection.close();
}

/** How many follow, as the server knows them. */
const followed = (io: Server) => expect.poll(() => io.of('/halyard-admin').rooms.get('tailing')?.size);

describe('what happens', () => {
  test('is a line each, of the kinds that are asked for, until it is interrupted', async () => {
    const io = await serving();
    const url = `http://127.0.0.1:${io.port}`;
    const [all, errors] = [follow(url), follow(`${url}/halyard-admin`, ['--kind', 'error,refusal'])];
    await followed(io).toBe(2);
    await happen(io);
    await expect.poll(() => all.stdout).toContain('session ended');
    await expect.poll(() => errors.stdout).toContain('TypeError');
    expect(all.stdout).toMatch(
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} ${io.node} connection opened  transport=websocket connection=\\d+$`,
        'm',
      ),
    );
    expect(all.stdout).toMatch(/ event failed +code=ERR_HANDLER/);
    expect(all.stdout).toMatch(/ error +code=TypeError where="the handler of \\"fail\\" in namespace \/"$/m);
    const lines = errors.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('·'));
    expect(lines).toEqual([expect.stringMatching(/ error +code=TypeError /)]);
    expect(all.stdout + errors.stdout).not.toContain('secret');
    const exits = [all, errors].map(({ child }) => once(child, 'exit'));
    all.child.kill('SIGINT');
    errors.child.kill('SIGTERM');
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0]);
  });

  test('is JSON for programs', async () => {
    const io = await serving();
    const following = follow(`http://127.0.0.1:${io.port}`, ['--json', '--kind', 'session']);
    await followed(io).toBe(1);
    await happen(io);
    await expect.poll(() => following.stdout).toContain('session ended');
    const said = following.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(said).toContainEqual(
      expect.objectContaining({ node: io.node, happening: 'session ended', level: 'info', code: 1000 }),
    );
    expect(said.every(({ happening }) => happening.startsWith('session'))).toBe(true);
  });
});

test('who is not let in is told why, and what to do', async () => {
  const io = await serving();
  const url = `http://127.0.0.1:${io.port}`;
  const wrong = await halyard(['tail', url], { env: { HALYARD_ADMIN_PASSWORD: 'another one than it' } });
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toBe(
    'ERR_ADMIN_PASSWORD: The password is another one. It is what the environment variable HALYARD_ADMIN_PASSWORD holds.\n',
  );
  expect((await halyard(['tail', url])).stderr).toContain(
    'ERR_ADMIN_PASSWORD: This namespace is entered with the password',
  );
  const file = fileOf('auth.json', JSON.stringify({ password: 'not this one either' }));
  expect((await halyard(['tail', url, '--auth-file', file])).stderr).toContain('The password is another one.');
  const other = await halyard(['tail', `${url}/chat`], { env: { HALYARD_ADMIN_PASSWORD: password } });
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('Call admin(io, { password })')]);
  const warned = await halyard(['tail', url, '--auth', '{"password":"x"}']);
  expect(warned.stderr).toContain('Warning: --auth can be read by everybody on this machine');
  expect((await halyard(['tail', url, '--kind', 'all'])).code).toBe(2);
});
