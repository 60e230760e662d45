// `halyard connect`: what is typed is done, each packet is shown, and nothing that opens a session is.
import { readFileSync } from 'node:fs';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { type Handshake, type HostFactory, PublicError, type Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { freePort } from '../kit/ports';
import { served } from '../kit/served';
import { fileOf, halyard, type Run } from './command';

const { serve } = served(hosts[0]?.[1] as () => HostFactory, { codecs: [json(), msgpack()] });

/** @returns the URL of a server that answers what it is asked */
async function answering(): Promise<string> {
  const app = (io: Server): void => {
    io.on('connection', (socket) => {
      socket.join('lobby');
      socket.on('echo', (...args: unknown[]) => args);
      socket.on('say', (text: string) => void io.to('lobby').emit('said', text));
      socket.on('big', () => 2n ** 60n);
    });
    io.of('/members').use(({ auth }) => {
      if ((auth as { token?: string } | undefined)?.token !== 'secret')
        throw new PublicError('ERR_TOKEN', 'Who \u001b[31mis it?');
    });
  };
  const { port } = await serve({}, app);
  return `http://127.0.0.1:${port}`;
}

async function type(url: string, lines: readonly string[], args: readonly string[] = [], run: Run = {}) {
  const ended = await halyard(['connect', url, ...args], { ...run, input: `${lines.join('\n')}\n` });
  return { ...ended, lines: ended.stdout.split('\n') };
}

describe('what is typed', () => {
  test('is sent as it is, by every transport and codec, and what comes is shown', async () => {
    const url = await answering();
    const typed = [
      'ack echo {"a": [1, "x y"]} word 12 {"$date":0} "a \\"b"',
      'emit say "hi there"',
      'wait said',
      'ack big',
      'state',
    ];
    for (const args of [[], ['--codec', 'msgpack', '--transport', 'polling'], ['--transport', 'sse']]) {
      const { code, stdout, stderr } = await type(url, typed, args);
      const values = '{"a":[1,"x y"]},"word",12,{"$date":0},"a \\"b"';
      expect(stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} → HELLO {7}\[0,\[\["\/"\]\],/);
      expect(stdout).toContain(`→ EVENT       [2,"/","echo",[${values}],1]\n`);
      expect(stdout).toContain(`· reply to echo: [${values}]\n`);
      expect(stdout).toMatch(/← PUBLISH {5}\[5,"\/",\[".*",\d+\],"said",\["hi there"\]\]/);
      expect(stdout).toContain('· reply to big: {"$big":"1152921504606846976"}\n');
      expect(stdout).toContain(`· open by ${args.at(-1) ?? 'websocket'}: / (`);
      expect([code, stderr]).toEqual([0, '']);
    }
  });

  test('enters namespaces, with what is asked for there', async () => {
    const url = await answering();
    const { code, stdout } = await type(url, [
      'join /members',
      'join /members {"token":"secret"}',
      'state',
      'leave',
      'state',
    ]);
    expect(stdout).toContain('· /members does not connect: ERR_TOKEN: Who \\u001b[31mis it?\n');
    expect(stdout).toContain('· /members connected\n');
    expect(stdout).toMatch(/· open by websocket: \/ \(\S+\), \/members \(\S+\)\n/);
    expect(stdout).toMatch(/· open by websocket: \/ \(\S+\)\n/);
    expect(code).toBe(1);
  });

  test('may be wrong, which is told, and the rest is done', async () => {
    const { code, stdout } = await type(await answering(), [
      'frob',
      'emit',
      'emit echo {"a"',
      'emit connect',
      '# why',
      'ack nothing',
      'ack echo 1',
    ]);
    expect(stdout).toContain('ERR_COMMAND: There is no command "frob": type help.');
    expect(stdout).toContain('ERR_COMMAND: Which event?');
    expect(stdout).toContain('ERR_VALUE: This begins like JSON, and is none: {"a"');
    expect(stdout).toContain('ERR_RESERVED_EVENT: ');
    expect(stdout).toContain('ERR_NO_HANDLER: Nothing handles "');
    expect(stdout).toContain('· reply to echo: [1]');
    expect(code).toBe(1);
  });
});

test('what opens a session, or says who somebody is, is not shown', async () => {
  const url = `${await answering()}/members`;
  const env = { HALYARD_AUTH: '{"token":"secret"}' };
  const { code, stdout } = await type(url, ['quit', 'emit frob'], [], { env });
  expect(code).toBe(0);
  expect(stdout).toContain('[0,[["/members","…"]],');
  expect(stdout).toMatch(/← WELCOME {5}\[1,"[^"]+","…",/);
  expect(stdout).not.toMatch(/secret|frob/);
});

describe('what is presented again before it ends', () => {
  test.each([
    ['', []],
    [', as JSON', ['--json']],
  ])('is not shown%s', async (_name, args) => {
    const { port } = await serve({}, (io: Server) => {
      const lasting = (handshake: Handshake): void => {
        handshake.expiresAt = Date.now() + 2_500;
      };
      io.use(lasting);
      io.renew((handshake) => {
        lasting(handshake);
        io.emit('renewed', handshake.auth.token === 'secret');
      });
    });
    const env = { HALYARD_AUTH: '{"token":"secret"}' };
    const { code, stdout, stderr } = await type(`http://127.0.0.1:${port}`, ['wait renewed'], args, { env });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/RENEW.*\[15,"\/","…",1\]/);
    expect(stdout).toMatch(/"renewed",\[true\]/);
    expect(stdout).not.toContain('secret');
  });
});

test('for programs there is a line of JSON for each', async () => {
  const { lines } = await type(await answering(), ['ack big'], ['--json']);
  const said = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  expect(said).toContainEqual(
    expect.objectContaining({ direction: 'out', name: 'EVENT', packet: [2, '/', 'big', [], 1] }),
  );
  expect(said).toContainEqual(expect.objectContaining({ value: { $big: '1152921504606846976' } }));
});

test('the history is kept where that is asked for', async () => {
  const file = fileOf('history', 'state\n');
  await type(await answering(), ['ack echo 1'], ['--history', file]);
  expect(readFileSync(file, 'utf8')).toBe('state\nack echo 1\n');
});

test('who is not there is not waited for, and a wrong transport is named', async () => {
  const { code, stdout } = await type(`http://127.0.0.1:${await freePort()}`, ['state'], ['--wait-ms', '300']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  expect(stdout).toContain('/ is not connected within 0.3 seconds.');
  const wrong = await type('http://127.0.0.1', [], ['--transport', 'carrier-pigeon']);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining(
      '--transport may be one or more of websocket, sse, polling, with commas between them, not "carrier-pigeon".',
    ),
  ]);
});

test('what cannot be is refused before anything is done', async () => {
  const url = 'http://127.0.0.1:1';
  for (const [args, env, message] of [
    [['connect', '--history', '/nope/dir/h'], {}, '--history may be a file that can be read and written (ENOENT)'],
    [['connect', '--auth', '"SECRET"'], {}, `--auth is to be an object, such as '{"token":"…"}'.`],
    [['connect', '--auth', '["SECRET"]'], {}, '--auth is to be an object'],
    [['bench', '--auth', '5'], {}, '--auth is to be an object'],
    [['tail', '--auth', 'null'], {}, '--auth is to be an object'],
    [['doctor', '--auth-file', fileOf('text.json', '"SECRET"')], {}, '--auth-file is to be an object'],
    [['doctor'], { HALYARD_AUTH: '"SECRET"' }, 'HALYARD_AUTH is to be an object'],
    [['bench', '--event', ''], {}, '--event may be the name of an event (event: text of 1 to 256 characters), not "".'],
    [['bench', '--event', 'connect'], {}, '--event may be the name of an event ("connect" is a lifecycle event)'],
    [['bench', '--fan-out', 'away'], {}, '--fan-out may be the name of an event ("away" is a lifecycle event)'],
    [
      ['tail', '--kind', 'x'],
      {},
      '--kind may be one or more of connection, session, refusal, event, warning, error, with',
    ],
  ] as const) {
    const { code, stdout, stderr } = await halyard([...args, url], { env });
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('SECRET');
  }
});

test('a URL that is refused is not repeated: it may hold secrets', async () => {
  for (const [args, message] of [
    [['connect', 'ftp://SECRETNAME:SECRETPW@127.0.0.1'], 'begin with http://'],
    [['connect', 'SECRETNAME:SECRETPW@127.0.0.1'], 'begin with http://'],
    [['connect', 'http://SECRETNAME:SECRETPW@127.0 .1'], 'not "one that cannot be read"'],
    [['connect', 'http://SECRETNAME:SECRETPW'], 'not "one that cannot be read"'],
    [['connect', 'http://127.0.0.1/%zz?token=SECRETQ'], 'not "one that cannot be read"'],
    [['bench', 'http://SECRETNAME:SECRETPW@127.0.0.1'], 'not "one with credentials"'],
    [['tail', 'http://127.0.0.1/?token=SECRETQ'], 'without "?" and "#"'],
    [['doctor', 'http://127.0.0.1/#SECRETQ'], 'without "?" and "#"'],
    [['doctor', 'http://127.0.0.1', 'http://SECRETNAME:SECRETPW@127.0.0.1'], 'options alone, not "1 more"'],
    [['doctor', 'http://127.0.0.1', '--origin', 'http://SECRETNAME:SECRETPW@127.0.0.1'], 'what a browser sends'],
    [['doctor', 'http://127.0.0.1', '--path', '/halyard?token=SECRETQ'], 'path may be a path that begins'],
    [['http://SECRETNAME:SECRETPW@127.0.0.1'], 'There is no such command.'],
  ] as const) {
    const { code, stdout, stderr } = await halyard(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('SECRET');
  }
});
