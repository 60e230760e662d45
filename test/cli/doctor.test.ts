// `halyard doctor` names what is wrong, at set-ups that are broken in one way each: real servers on both hosts, and real proxies with the
// configuration that examples/proxies ships, a line of which is changed. Longer than other files: it is a table.
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { redis } from '@halyard/adapter-redis';
import { type DiagnoseOptions, type Diagnosis, diagnose } from '@halyard/cli';
import { connect } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { cert, key } from '@halyard/harness/certificate';
import { type HostFactory, type ListenOptions, PublicError, Server, type ServerOptions } from '@halyard/server';
import { afterAll, describe, expect, test } from 'vitest';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { freePort } from '../kit/ports';
import { hasRedis, RedisServer } from '../kit/redis-server';
import * as wrong from './certificates';
import { fileOf, halyard, type Run, trustsNobody } from './command';

/** The other host is visited in `npm run test:long`. */
const some = isLong ? hosts : hosts.slice(0, 1);

const has = (text: string): string => expect.stringContaining(text);

const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

/** What a visit is to find: the checks that find a fault, and what one of them says. */
interface Case {
  readonly options?: DiagnoseOptions;
  /** Of the command, which is run as it was built, as for `https:` too; else the diagnosis is made in this process. */
  readonly command?: { readonly args?: readonly string[]; readonly env?: Run['env'] };
  /** Names of the checks that find a fault; none if all is well. */
  readonly faults: readonly string[];
  /** Of the first of these checks, or of `check`. */
  readonly message?: string;
  readonly advice?: string;
  readonly check?: string;
  readonly level?: 'ok' | 'note' | 'warning';
}

/** What is not waited for, because a test is not about it. */
const quick: DiagnoseOptions = { idleMs: 0, waitMs: 2_000 };

async function visit(
  url: string,
  { options = {}, command }: Pick<Case, 'options' | 'command'> = {},
): Promise<Diagnosis> {
  const chosen = { ...quick, ...options };
  // Whose certificates are trusted is settled as a process begins.
  if (command === undefined && !url.startsWith('https:')) return diagnose(url, chosen);
  const args = Object.entries(chosen).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const ended = await halyard(['doctor', url, '--json', ...args, ...(command?.args ?? [])], command);
  expect(ended.stderr.replace(/^Warning: .*\n/gm, '')).toBe('');
  const diagnosis = JSON.parse(ended.stdout) as Diagnosis;
  expect(ended.code).toBe(diagnosis.healthy ? 0 : 1);
  return diagnosis;
}

async function finds(url: string, expected: Case): Promise<void> {
  const { faults, message = '', advice = '', level = 'fault', check = faults[0] } = expected;
  const diagnosis = await visit(url, expected);
  const found = diagnosis.findings.filter((finding) => finding.level === 'fault').map((finding) => finding.check);
  expect([...new Set(found)], JSON.stringify(diagnosis.findings, undefined, 1)).toEqual(faults);
  expect(diagnosis.healthy).toBe(faults.length === 0);
  if (check === undefined) return;
  const said = diagnosis.findings.filter((one) => one.check === check && one.level === level);
  const shown = said.map((one) => [one.message, one.advice.join('\n')]);
  expect(shown).toContainEqual([has(message), has(advice)]);
}

async function serve(
  host: () => HostFactory,
  options: ServerOptions = {},
  { app, listen = {} }: { readonly app?: (io: Server) => void; readonly listen?: ListenOptions } = {},
): Promise<Server> {
  const io = new Server({ host: host(), codecs: [json(), msgpack()], ...options });
  app?.(io);
  io.on('warning', () => {}).on('error', () => {});
  await io.listen(0, { address: '127.0.0.1', ...listen });
  cleanUp.push(() => io.close());
  return io;
}

const addressOf = ({ port }: Server): string => `http://127.0.0.1:${port}`;

async function behind(name: FrontName, servers: readonly (Server | number)[], ...changes: readonly Change[]) {
  const ports = servers.map((one) => (typeof one === 'number' ? one : (one.port as number)));
  const front = await Front.start(name, ports, changes);
  cleanUp.push(() => front.end());
  return front.url;
}

/** Something else that answers. */
async function stranger(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer(({ url = '' }, response) => answer(url, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => void server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.concurrent.each(some)('a server on %s', (name, host) => {
  test('in which nothing is wrong, by every codec that it has', async () => {
    const url = addressOf(await serve(host));
    await finds(url, { command: {}, faults: [] });
    await finds(url, {
      options: { codec: 'msgpack' },
      faults: [],
      check: 'codec',
      level: 'ok',
      message: 'has msgpack',
    });
  });

  test('without the codec of the client', async () => {
    await finds(addressOf(await serve(host)), {
      options: { codec: 'protobuf' },
      faults: ['codec'],
      message:
        'speak protobuf, and the server does not have it: it speaks halyard.v1+json, halyard.v1+msgpack. What follows',
      advice: 'codecs: [json(), msgpack(), protobuf()]',
    });
  });

  test('asked by pages of another origin', async () => {
    const pages = 'https://pages.example';
    await finds(addressOf(await serve(host)), {
      options: { origin: pages },
      faults: ['origin'],
      message: `Pages of ${pages} may not connect (403 ERR_ORIGIN)`,
      advice: `origins: ['${pages}']`,
    });
    const listed = { command: {}, options: { origin: pages }, faults: [], check: 'origin', level: 'ok' } as const;
    await finds(addressOf(await serve(host, { origins: [pages] })), listed);
  });

  test('at another path', async () => {
    const url = addressOf(await serve(host, { path: '/app/halyard' }));
    await finds(`${url}/app`, {
      faults: ['path'],
      message: 'no Halyard server at /halyard (404 ERR_PATH',
      advice: "{ path: '/app/halyard' }",
    });
    await finds(url, { faults: ['path'], message: 'has another path than what has come to it for /halyard' });
    await finds(url, { command: {}, options: { path: '/app/halyard' }, faults: [] });
  });

  test.runIf(name === hosts[0]?.[0])('whose certificate is none that clients take', async () => {
    const tls = async (file: string, text: string, itsKey: string) => {
      const files = { certFile: fileOf(`${file}.pem`, text), keyFile: fileOf(`${file}.key`, itsKey) };
      const io = await serve(host, {}, { listen: { tls: files } });
      return addressOf(io).replace('http:', 'https:');
    };
    await finds(await tls('expired', wrong.expired, wrong.key), {
      faults: ['tls'],
      message: 'has expired at Jan  1 00:00:00 2021 GMT',
      advice: 'nginx -s reload',
    });
    await finds(await tls('misnamed', wrong.misnamed, wrong.key), {
      faults: ['tls'],
      message: 'not for 127.0.0.1: it has DNS:other.example',
      advice: 'server_name',
    });
    const url = await tls('sound', cert, key);
    await finds(url, { faults: [], check: 'tls', level: 'ok', message: 'more days' });
    await finds(url, {
      command: { env: trustsNobody },
      faults: ['tls'],
      message: 'signed by itself',
      advice: 'NODE_EXTRA_CA_CERTS',
    });
    await finds(url.replace('https:', 'http:'), {
      faults: ['tls'],
      message: 'speaks TLS, and was asked without it',
      advice: url,
    });
  });

  test('that was asked by TLS and has none', async () => {
    const url = addressOf(await serve(host));
    await finds(url.replace('http:', 'https:'), { faults: ['tls'], message: 'no TLS at this port', advice: url });
  });

  test('that lets nobody in without a token, and is told none, or one', async () => {
    const app = (io: Server): void => {
      io.use(({ auth }) => {
        if ((auth as { token?: string } | undefined)?.token !== 'secret')
          throw new PublicError('ERR_TOKEN', 'Who is it?');
      });
    };
    const url = addressOf(await serve(host, {}, { app }));
    const refused = {
      check: 'session',
      level: 'warning',
      message: 'ERR_TOKEN: Who is it?',
      advice: '--auth-file',
    } as const;
    await finds(url, { faults: [], ...refused });
    const entered = { faults: [], check: 'session', level: 'ok', message: 'let into the namespace /.' } as const;
    await finds(url, { options: { auth: { token: 'secret' } }, ...entered });
    await finds(url, { command: { args: ['--auth-file', fileOf('auth.json', '{"token":"secret"}')] }, ...entered });
    await finds(url, { command: { env: { HALYARD_AUTH: '{"token":"secret"}' } }, ...entered });
  });

  test('with a transport alone, and a namespace that is not there', async () => {
    const url = addressOf(await serve(host, { transports: ['polling'] }));
    const off = { faults: [], level: 'note', message: 'is off at the server (its option "transports")' } as const;
    await finds(url, { check: 'websocket', ...off });
    await finds(url, { check: 'sse', ...off });
    await finds(`${url}/chat`, {
      ...{ faults: [], check: 'session', level: 'warning' },
      message: 'The server has no namespace /chat: ERR_NAMESPACE_UNKNOWN',
    });
  });

  test('that takes no more of one address', async () => {
    const io = await serve(host, { connectionsPerAddressMax: 1 });
    const client = connect(addressOf(io), { transports: ['polling'] });
    cleanUp.push(() => client.disconnect());
    await expect.poll(() => client.connected).toBe(true);
    await finds(addressOf(io), {
      faults: ['websocket', 'sse', 'polling'],
      message: 'takes no more connections of this address: 429 ERR_ADDRESS_FULL',
      advice: 'trustProxy: true',
    });
  });

  test.skipIf(!hasRedis)('whose Redis is away', async () => {
    const store = await RedisServer.start();
    cleanUp.push(() => store.end());
    const io = await serve(host, { adapter: redis({ url: store.url }), helloTimeoutMs: 1_500 });
    await finds(addressOf(io), { faults: [] });
    await store.stop();
    await finds(addressOf(io), {
      faults: ['session'],
      message: 'its store (Redis) is away: 1013 the store does not answer',
      advice: 'redis-cli -u',
    });
  });
});

describe.skipIf(!fronts.includes('nginx')).concurrent.each(some)('nginx in front of a server on %s', (_host, host) => {
  test('as it is shipped', async () => {
    const url = await behind('nginx', [await serve(host)]);
    await finds(url, {
      command: {},
      options: { idleMs: 500 },
      faults: [],
      check: 'path',
      level: 'ok',
      message: 'behind nginx/',
    });
  });

  test('that does not pass on Upgrade', async () => {
    const url = await behind(
      ...(['nginx', [await serve(host)]] as const),
      ['proxy_set_header Upgrade $http_upgrade;', ''],
      ['proxy_set_header Connection $halyard_connection;', ''],
    );
    await finds(url, {
      faults: ['websocket'],
      message: 'without its "Upgrade" (426 ERR_UPGRADE_REQUIRED',
      advice: 'proxy_set_header Upgrade $http_upgrade;',
    });
  });
});

describe.skipIf(!fronts.includes('nginx')).concurrent('nginx in front of a server', () => {
  const [[name, host]] = hosts as [(typeof hosts)[number]];

  test.skipIf(name !== 'uws')('that asks by HTTP/1.0', async () => {
    const url = await behind('nginx', [await serve(host)], ['proxy_http_version 1.1;', '']);
    await finds(url, { faults: ['path'], message: 'asks the server by HTTP/1.0', advice: 'proxy_http_version 1.1;' });
  });

  test('that gathers what it passes on', async () => {
    const gathers = ['proxy_buffering off;', 'proxy_ignore_headers X-Accel-Buffering;'] as const;
    const url = await behind('nginx', [await serve(host)], gathers);
    await finds(url, {
      options: { waitMs: 1_000 },
      faults: ['sse'],
      message: 'something on the way gathers it',
      advice: 'proxy_buffering off;',
    });
  });

  test('that cuts what is silent', async () => {
    const url = await behind('nginx', [await serve(host)], ['proxy_read_timeout 60s', 'proxy_read_timeout 1200ms']);
    const cut = { options: { idleMs: 3_000 }, faults: ['idle'], advice: 'proxy_read_timeout 60s;' } as const;
    await finds(url, { ...cut, message: 'A WebSocket was cut (1006) after' });
    await finds(url, { ...cut, message: 'A poll that waits was ended with 504 after' });
  });

  test('with a path that is not taken off on the way', async () => {
    const url = await behind('nginx', [await serve(host)], ['location /halyard {', 'location /app/halyard {']);
    await finds(url, {
      options: { path: '/app/halyard' },
      faults: ['path'],
      message: 'has another path than what has come to it for /app/halyard',
      advice: 'proxy_pass http://halyard/halyard;',
    });
    // nginx itself knows nothing of it.
    await finds(url, {
      faults: ['path'],
      message: 'it is no Halyard server: 404 by nginx',
      advice: 'location /halyard {',
    });
  });

  test('that puts its own Host in place of the one that was asked for', async () => {
    const url = await behind('nginx', [await serve(host)], ['proxy_set_header Host $http_host;', '']);
    await finds(url, {
      faults: ['origin'],
      message: 'itself are refused (403 ERR_ORIGIN)',
      advice: 'proxy_set_header Host $http_host;',
    });
  });

  test('that takes small bodies alone', async () => {
    const url = await behind('nginx', [await serve(host)], ['client_max_body_size 4m;', 'client_max_body_size 64k;']);
    await finds(url, { faults: ['bodies'], message: 'is answered 413 by nginx', advice: 'client_max_body_size 4m;' });
  });

  test('that says a second time which pages may read', async () => {
    const pages = 'https://pages.example';
    const twice = [
      'proxy_buffering off;',
      "add_header Access-Control-Allow-Origin '*' always; proxy_buffering off;",
    ] as const;
    const url = await behind('nginx', [await serve(host, { origins: [pages] })], twice);
    await finds(url, {
      options: { origin: pages },
      faults: ['origin'],
      message: `"access-control-allow-origin" is "${pages}, *"`,
      advice: 'no add_header Access-Control-Allow-Origin',
    });
  });

  test('and two servers that share no store', async () => {
    const url = await behind('nginx', [await serve(host), await serve(host)]);
    const diagnosis = await visit(url);
    expect(diagnosis.healthy).toBe(false);
    const faults = diagnosis.findings.filter(({ level }) => level === 'fault');
    expect(faults.map(({ message }) => message)).toContainEqual(has('share no store'));
    expect(faults.flatMap(({ advice }) => advice).join('\n')).toContain('adapter: redis(');
  });
});

describe.concurrent('without a server', () => {
  test('nothing listens, and there is no such host', async () => {
    await finds(`http://127.0.0.1:${await freePort()}`, {
      faults: ['reach'],
      message: 'nothing listens at port',
      advice: 'Is the server, or its proxy, running?',
    });
    await finds('http://nowhere.invalid', { faults: ['reach'], message: 'nowhere.invalid' });
  });

  test.skipIf(!fronts.includes('nginx'))('nginx answers in its place', async () => {
    await finds(await behind('nginx', [await freePort()]), {
      faults: ['path'],
      message: 'was answered 502 by nginx',
      advice: 'Is the server running',
    });
  });

  test.skipIf(!fronts.includes('nginx'))('the login page of a network does', async () => {
    const page = 'proxy_pass http://halyard;';
    const login = "default_type text/html; return 200 '<html><title>Log in</title></html>';";
    await finds(await behind('nginx', [await freePort()], [page, login]), {
      faults: ['path'],
      message: 'a page with the title "Log in"',
      advice: 'login page',
    });
  });

  test('a Socket.IO server does', async () => {
    const url = await stranger((path, response) => {
      if (path.startsWith('/socket.io/')) response.end('0{"sid":"x","upgrades":["websocket"]}');
      else response.writeHead(404).end('Cannot GET');
    });
    await finds(url, { faults: ['path'], message: 'is a Socket.IO server, at /socket.io/' });
  });

  test('a redirect does', async () => {
    const url = await stranger((_path, response) =>
      response.writeHead(302, { location: 'https://login.example/' }).end(),
    );
    await finds(url, { faults: ['path'], message: 'a redirect to "https://login.example/"' });
  });
});

describe.concurrent('what is on the way', () => {
  const host = hosts[0]?.[1] as () => HostFactory;

  test.skipIf(!fronts.includes('haproxy'))('is HAProxy, as it is shipped, and one that waits for a body', async () => {
    const io = await serve(host);
    await finds(await behind('haproxy', [io]), { faults: [] });
    const waits = 'balance roundrobin\n  http-response wait-for-body time 60s at-least 16000';
    await finds(await behind('haproxy', [io], ['balance roundrobin', waits]), {
      options: { waitMs: 1_000 },
      faults: ['sse'],
      message: 'something on the way gathers it',
      advice: 'wait-for-body',
    });
  });

  test('has another time', async () => {
    const io = await serve(host);
    const url = await stranger((path, response) => {
      request(`${addressOf(io)}${path}`, (answer) => {
        const date = new Date(Date.now() - 3_600_000).toUTCString();
        response.writeHead(answer.statusCode ?? 0, { ...answer.headers, date });
        answer.pipe(response);
      }).end();
    });
    const diagnosis = await visit(url);
    expect(diagnosis.findings).toContainEqual(
      expect.objectContaining({ check: 'clock', level: 'warning', message: has('behind the one of this machine') }),
    );
  });
});

test('people are told in lines, and how the command is called', async () => {
  const io = await serve(hosts[0]?.[1] as () => HostFactory);
  const { code, stdout } = await halyard(['doctor', addressOf(io), '--idle-ms', '0', '--codec', 'protobuf']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ok {7}reach {6}127\.0\.0\.1 accepts connections/);
  expect(stdout).toMatch(/\nFAULT {4}codec {6}The client is to speak protobuf/);
  expect(stdout).toContain('\n1 fault, no warnings.\n');
  const wrongly = [
    [['doctor'], 'URL may be an address'],
    [['doctor', 'http://user:secret@127.0.0.1'], 'credentials belong into --auth-file'],
    [['doctor', 'http://127.0.0.1/%zz'], 'URL may be an address'],
    [['doctor', 'http://127.0.0.1', '--idle-ms', 'x'], '--idle-ms may be a whole number from 0 to 600000, not "x"'],
    [['doctor', 'http://127.0.0.1', '--frob'], "Unknown option '--frob'"],
    [['doctor', 'http://127.0.0.1', '--origin', 'x'], 'origin may be what a browser sends'],
    [['doctor', 'http://127.0.0.1', '--auth-file', '/nowhere'], 'a file that can be read (ENOENT)'],
    [
      ['doctor', 'http://127.0.0.1', '--header', 'authorization secret@'],
      `--header may be as 'name: value', not "authorization …"`,
    ],
    [['frob'], 'There is no command "frob"'],
  ] as const;
  for (const [args, message] of wrongly) {
    const ended = await halyard(args);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toContain('secret@');
  }
  const secret = await halyard(['doctor', 'http://127.0.0.1:1', '--auth', '{"s":1}', '--header', 'cookie: s']);
  expect(secret.stderr.match(/^Warning: .*--auth-file/gm)).toHaveLength(2);
  const help = await halyard(['doctor', '--help']);
  expect([help.code, help.stdout]).toEqual([0, has('--idle-ms N')]);
});
