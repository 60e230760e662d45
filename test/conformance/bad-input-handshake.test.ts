// Who is refused before there is a connection: what is no handshake, foreign pages, protocols the server has not. Longer than other files:
// tables of what comes in, each with its answer.
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { Poller } from './poller';
import { type HttpResponse, handshake, http, RawSocket, RawWebSocket, request } from './raw';

describe.each(hosts)('handshakes on %s', (name, host) => {
  const serve = guardedServers(host);

  test.each<[what: string, status: number, code: string, asked: string]>([
    ['a plain GET', 426, 'ERR_UPGRADE_REQUIRED', request('GET /halyard')],
    ['PUT', 405, 'ERR_METHOD', request('PUT /halyard', { 'Content-Length': '0' })],
    ['PATCH', 405, 'ERR_METHOD', request('PATCH /halyard', { 'Content-Length': '0' })],
    ['PUT for a connection that is none', 405, 'ERR_METHOD', request('PUT /halyard', { 'Halyard-Connection': 'none' })],
    ['a handshake by PUT', 405, 'ERR_METHOD', handshake().replace('GET', 'PUT')],
    ['a handshake by PATCH', 405, 'ERR_METHOD', handshake().replace('GET', 'PATCH')],
    ['a handshake by POST', 400, 'ERR_HANDSHAKE', handshake({ 'Content-Length': '0' }).replace('GET', 'POST')],
    ['a handshake by DELETE', 400, 'ERR_HANDSHAKE', handshake().replace('GET', 'DELETE')],
    ['another Upgrade by POST', 400, 'ERR_HANDSHAKE', handshake({ Upgrade: 'h2c' }).replace('GET', 'POST')],
    ['no Upgrade', 426, 'ERR_UPGRADE_REQUIRED', handshake({ Upgrade: undefined })],
    ['another Upgrade', 426, 'ERR_UPGRADE_REQUIRED', handshake({ Upgrade: 'h2c' })],
    ['no Connection', 400, 'ERR_HANDSHAKE', handshake({ Connection: undefined })],
    ['another Connection', 400, 'ERR_HANDSHAKE', handshake({ Connection: 'keep-alive' })],
    ['no version', 426, 'ERR_WEBSOCKET_VERSION', handshake({ 'Sec-WebSocket-Version': undefined })],
    ['an old version', 426, 'ERR_WEBSOCKET_VERSION', handshake({ 'Sec-WebSocket-Version': '8' })],
    ['two versions', 426, 'ERR_WEBSOCKET_VERSION', handshake({ 'Sec-WebSocket-Version': '13, 8' })],
    ['no key', 400, 'ERR_WEBSOCKET_KEY', handshake({ 'Sec-WebSocket-Key': undefined })],
    ['a short key', 400, 'ERR_WEBSOCKET_KEY', handshake({ 'Sec-WebSocket-Key': 'c2hvcnQ=' })],
    ['a key that is no base64', 400, 'ERR_WEBSOCKET_KEY', handshake({ 'Sec-WebSocket-Key': '!'.repeat(24) })],
    ['a key of 17 bytes', 400, 'ERR_WEBSOCKET_KEY', handshake({ 'Sec-WebSocket-Key': `${'A'.repeat(23)}=` })],
    ['another path', 404, 'ERR_PATH', handshake({}, '/elsewhere')],
  ])('%s: %i %s', async (_what, status, code, asked) => {
    const { port } = await serve();
    const answer = await http(port, asked);
    expect(refusal(answer)).toEqual({ status, code });
    if (status === 426) {
      expect(answer.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' });
    }
  });

  // uWS keeps the connection for another request, and has a timer for those that send none.
  test.runIf(name === 'node')('who is refused is let go, even if it stays', async () => {
    const { port } = await serve();
    const socket = await RawSocket.open(port, true);
    socket.write(handshake({ 'Sec-WebSocket-Version': '8' }));
    expect((await socket.response()).status).toBe(426);
    await socket.until('the end', () => socket.ended);
    // Nobody is there any more: the answer to more bytes is a reset.
    while (!socket.gone) {
      socket.write('more');
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test.runIf(name === 'node')('a handshake by HEAD is answered without a body', async () => {
    const { port } = await serve();
    for (const path of ['/halyard', '/elsewhere']) {
      const socket = connectTcp(port, '127.0.0.1', () => socket.write(handshake({}, path).replace('GET', 'HEAD')));
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1.1 4\d\d .*\r\ncontent-length: [1-9]\d*\r\n\r\n$/is);
    }
  });

  test('a transport that is switched off', async () => {
    const onlyWebSocket = await serve({ transports: ['websocket'] });
    for (const method of ['PUT', 'PATCH']) {
      const answer = await http(onlyWebSocket.port, request(`${method} /halyard`, { 'Content-Length': '0' }));
      expect(refusal(answer)).toEqual({ status: 405, code: 'ERR_METHOD' });
    }
    expect(refusal(await http(onlyWebSocket.port, request('POST /halyard', { 'Content-Length': '0' })))).toEqual({
      status: 400,
      code: 'ERR_TRANSPORT',
    });
  });
});

describe.each(hosts)('origins on %s', (_name, host) => {
  const serve = guardedServers(host);
  const ok = { status: 101, code: undefined };
  const refused = { status: 403, code: 'ERR_ORIGIN' };

  /** Answers to a page of `Origin` on the host named `Host`, over both transports. */
  async function answers(port: number, headers: Record<string, string | undefined>) {
    const polling = await http(port, request('POST /halyard', { 'Content-Length': '0', ...headers }));
    return { websocket: refusal(await http(port, handshake(headers))), polling: refusal(polling) };
  }

  test.each<[host: string, origin: string | undefined, allowed: boolean]>([
    ['halyard.test', undefined, true],
    ['halyard.test', 'http://halyard.test', true],
    ['halyard.test', 'https://halyard.test', true],
    ['halyard.test:80', 'http://halyard.test', true],
    ['halyard.test', 'http://halyard.test:80', true],
    ['halyard.test:443', 'https://halyard.test', true],
    ['Halyard.Test', 'http://halyard.test', true],
    ['halyard.test:3000', 'http://halyard.test:3000', true],
    ['halyard.test', 'http://foreign.test', false],
    ['halyard.test:443', 'http://halyard.test', false],
    ['halyard.test', 'http://halyard.test:3000', false],
    ['halyard.test', 'http://halyard.test.foreign.test', false],
    ['halyard.test', 'http://foreign.test/halyard.test', false],
    ['halyard.test', 'http://halyard.test@foreign.test', false],
    ['halyard.test', 'null', false],
    ['halyard.test', 'halyard.test', false],
    ['halyard.test', 'http://halyard.test, http://foreign.test', false],
    ['', 'file:///', false],
    ['', 'file://', false],
    ['', 'data:', false],
    ['', 'blob:', false],
    ['', 'http://', false],
    ['', 'http://halyard.test', false],
    ['', 'null', false],
    ['halyard.test', 'file:///', false],
    ['halyard.test', 'ftp://halyard.test', false],
    ['halyard.test', 'app://halyard.test', false],
    ['halyard.test', 'app:halyard.test', false],
  ])('on %s a page of %s: %s', async (Host, Origin, allowed) => {
    const { port, io } = await serve();
    expect(await answers(port, { Host, Origin })).toEqual(
      allowed ? { websocket: ok, polling: { ...ok, status: 200 } } : { websocket: refused, polling: refused },
    );
    expect(io.sockets.size).toBe(1);
  });

  test('only listed ones, if there is a list', async () => {
    // Apps have schemes of their own: Capacitor, Tauri, extensions, Electron.
    const apps = ['capacitor://localhost', 'tauri://localhost', 'chrome-extension://abcdef', 'app://.', 'file://'];
    const { port } = await serve({ origins: ['https://app.test', 'null', ...apps] });
    for (const Origin of ['https://app.test', 'null', undefined, ...apps]) {
      expect((await answers(port, { Origin })).websocket).toEqual(ok);
    }
    const others = [
      'http://app.test',
      'https://app.test:444',
      'http://halyard.test',
      'https://APP.test',
      'capacitor://other',
    ];
    for (const Origin of others) {
      expect(await answers(port, { Origin })).toEqual({ websocket: refused, polling: refused });
    }
  });

  test('a forwarded host counts only behind a trusted proxy', async () => {
    const headers = { Origin: 'http://foreign.test', 'X-Forwarded-Host': 'foreign.test' };
    expect((await answers((await serve()).port, headers)).websocket).toEqual(refused);
    expect((await answers((await serve({ trustProxy: true })).port, headers)).websocket).toEqual(ok);
  });

  test('of several forwarded hosts the last one counts: those before it may be the client’s', async () => {
    const { port } = await serve({ trustProxy: true });
    const headers = { Origin: 'http://foreign.test', 'X-Forwarded-Host': 'foreign.test, halyard.test' };
    expect((await answers(port, headers)).websocket).toEqual(refused);
  });

  test.each(['foreign.test/x', 'foreign.test#', 'evil@foreign.test', 'foreign.test\\x'])(
    'a forwarded host is a host: %s',
    async (host) => {
      const { port } = await serve({ trustProxy: true });
      const headers = { Origin: 'http://foreign.test', 'X-Forwarded-Host': host };
      expect((await answers(port, headers)).websocket).toEqual(refused);
    },
  );

  test('a page is let send any header field but those of proxies', async () => {
    const { port } = await serve({ trustProxy: true });
    const asked = 'x-mine, x-forwarded-host, X-Forwarded-For, forwarded, x-real-ip, x-forwarded-proto';
    const foreign = { Origin: 'http://foreign.test', 'Access-Control-Request-Headers': asked, 'Content-Length': '0' };
    const { headers } = await http(port, request('OPTIONS /halyard', foreign));
    expect(headers['access-control-allow-headers']).toMatch(/, x-mine$/);
    expect(headers['access-control-allow-headers']).not.toMatch(/forward|real/);
  });

  test.each(['x/admin?', 'x/admin#', 'x\\admin?', '', 'x y', 'user@x', 'x:port', '[::1'])(
    'a Host that is none does not make another path for the app: %j',
    async (host) => {
      const paths: string[] = [];
      const fetch = ({ url }: Request): Response => {
        paths.push(new URL(url).pathname);
        return new Response('the app');
      };
      const { port } = await serve({ fetch });
      const { status } = await http(port, `GET /public HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect([status, paths]).toEqual([400, []]);
      for (const good of ['a.example', 'a.example:', 'a_b.example:8080', '127.0.0.1:1', '[::1]:3000']) {
        await http(port, `GET /public HTTP/1.1\r\nHost: ${good}\r\n\r\n`);
        expect(paths.splice(0)).toEqual(['/public']);
      }
    },
  );

  test('every request of a polling connection is checked, and a foreign one leaves it alone', async () => {
    const { port } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const foreign = { Origin: 'http://foreign.test', 'Content-Length': '0', 'Halyard-Connection': poller.connection };
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await http(port, request(`${method} /halyard`, { ...foreign, 'Halyard-Seq': '2' }));
      expect(refusal(answer)).toEqual(refused);
    }
    await poller.send([2, '/', 'echo', ['still here'], 1]);
    expect(await poller.packet(3)).toEqual([3, 1, 'still here']);
  });

  test('a foreign page may read that it is refused and why, and nothing else', async () => {
    for (const options of [{}, { origins: ['https://app.test'] }, { transports: ['websocket'] as const }]) {
      const { port, io } = await serve(options);
      io.on('warning', () => {});
      const foreign = { Origin: 'http://foreign.test', 'Content-Length': '0' };
      // Otherwise a browser would not send what is refused then.
      const preflight = await http(port, request('OPTIONS /halyard', foreign));
      expect(preflight).toMatchObject({ status: 204, body: '' });
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
      const handshake = { ...upgrade, 'Content-Length': '0', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
      expect((await http(port, request('OPTIONS /halyard', handshake))).status).toBe(400);
      for (const answer of [
        preflight,
        await http(port, request('POST /halyard', foreign)),
        await http(port, request('GET /halyard', foreign)),
        await http(port, request('POST /halyard', { ...foreign, 'Halyard-Connection': 'none' })),
      ]) {
        expect(answer.headers).toMatchObject({ 'access-control-allow-origin': 'http://foreign.test', vary: 'origin' });
        expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
        if (answer === preflight) continue;
        expect(answer.status).toBe(403);
        expect(JSON.parse(answer.body)).toEqual({
          code: 'ERR_ORIGIN',
          message: 'Pages of http://foreign.test may not connect (server option: origins).',
        });
      }
    }
  });

  test('the operator is told of each foreign page once a minute, and what to do', async () => {
    const { port, io } = await serve();
    const warnings: string[] = [];
    io.on('warning', ({ code, message, count }) => warnings.push(`${code} ${count} ${message}`));
    for (let i = 0; i < 3; i++) {
      for (const origin of ['http://one.test', 'http://two.test']) await answers(port, { Origin: origin });
    }
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^ERR_ORIGIN 1 A page of "http:\/\/one\.test" was refused at \/halyard \(403\), .*"halyard\.test".*origins: \["http:\/\/one\.test"\].*changeOrigin.*trustProxy/,
    );
    expect(warnings[1]).toContain('http://two.test');
    // Who names many fills neither the console nor the memory.
    for (let i = 0; i < 100; i++) await http(port, handshake({ Origin: `http://${i}.test` }));
    // 32 are told apart, and all others are one.
    expect(warnings).toHaveLength(33);
    const listed = await serve({ origins: ['https://app.test'] });
    listed.io.on('warning', ({ message }) => warnings.push(message));
    await answers(listed.port, { Origin: 'http://app.test' });
    expect(warnings.at(-1)).toBe(
      'A page of "http://app.test" was refused at /halyard (403), because it is not in the list (server option: origins). ' +
        'If it is yours, list it: origins: ["http://app.test"].',
    );
  });

  test('cookies are for pages of listed origins, and never for all', async () => {
    for (const [origins, credentials] of [
      [['https://halyard.test'], 'true'],
      ['*', undefined],
      ['same-host', undefined],
    ] as const) {
      const { port } = await serve({ origins });
      const Origin = 'https://halyard.test';
      const opened = await http(port, request('POST /halyard', { Origin, 'Content-Length': '0' }));
      expect(opened.status).toBe(200);
      const preflight = await http(port, request('OPTIONS /halyard', { Origin }));
      for (const { headers } of [opened, preflight]) {
        expect(headers['access-control-allow-credentials']).toBe(credentials);
        expect(headers['access-control-allow-origin']).toBe(Origin);
      }
    }
  });

  test('a page may send the header fields that it asks for, if they are names', async () => {
    const { port } = await serve();
    const ours = 'content-type, halyard-protocol, halyard-connection, halyard-seq, halyard-ack, halyard-close';
    for (const [asked, more] of [
      ['authorization,X-Tenant', ', authorization, x-tenant'],
      ['halyard-seq, x-a , x-a', ', x-a'],
      ['x y, <b>, ', ''],
      ['x'.repeat(1_025), ''],
    ]) {
      const headers = { Origin: 'https://halyard.test', 'Access-Control-Request-Headers': asked };
      const answer = await http(port, request('OPTIONS /halyard', headers));
      expect(answer.headers['access-control-allow-headers']).toBe(ours + more);
    }
  });

  test('what the host itself refuses a page may read too, if it may connect', async () => {
    const { port } = await serve({ httpBodyBytesMax: 1_024 });
    const big = { 'Content-Length': '2000' };
    const odd = { 'Transfer-Encoding': 'gzip' };
    for (const [headers, status, body] of [
      [big, 413, 'x'.repeat(2_000)],
      [odd, 400, ''],
    ] as const) {
      for (const [Origin, reads] of [
        ['https://halyard.test', 'https://halyard.test'],
        ['https://foreign.test', undefined],
      ]) {
        const answer = await http(port, request('POST /halyard', { ...headers, Origin }, body));
        expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, reads]);
      }
    }
  });

  test('a page that may connect may read the answers', async () => {
    const { port } = await serve({ origins: ['https://app.test'] });
    const preflight = await http(port, request('OPTIONS /halyard', { Origin: 'https://app.test' }));
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://app.test',
        'access-control-allow-methods': 'POST, GET, DELETE',
        'access-control-allow-headers':
          'content-type, halyard-protocol, halyard-connection, halyard-seq, halyard-ack, halyard-close',
        vary: 'origin',
      },
    });
    const opened = await http(port, request('POST /halyard', { Origin: 'https://app.test', 'Content-Length': '0' }));
    expect(opened.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-expose-headers':
        'halyard-protocol, halyard-connection, halyard-seq, halyard-frames, halyard-close, halyard-poll-hold-ms, halyard-body-bytes-max, retry-after',
      'access-control-allow-credentials': 'true',
    });
  });
});

describe.each(hosts)('protocols on %s', (_name, host) => {
  const serve = guardedServers(host);
  const supported = ['halyard.v1+json', 'halyard.v1+msgpack'];

  test.each(['graphql-ws', 'halyard.v2+json', 'halyard.v1+protobuf', 'halyard.v1+json;q=1', ','])(
    '"%s": 400 with what the server has',
    async (offered) => {
      const { port } = await serve({ codecs: [json(), msgpack()] });
      const answers = [
        await http(port, handshake({ 'Sec-WebSocket-Protocol': offered })),
        await http(port, request('POST /halyard', { 'Halyard-Protocol': offered, 'Content-Length': '0' })),
      ];
      for (const answer of answers) {
        expect(refusal(answer)).toEqual({ status: 400, code: 'ERR_NO_COMMON_PROTOCOL' });
        const { message, supported: listed } = JSON.parse(answer.body) as { message: string; supported: string[] };
        expect(listed).toEqual(supported);
        expect(message).toContain('halyard.v1+json, halyard.v1+msgpack');
      }
    },
  );

  test('the first offered one that the server has is echoed; none offered is JSON, and unnamed', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    const named = await RawWebSocket.connect(port, {
      'Sec-WebSocket-Protocol': 'halyard.v2+json, halyard.v1+msgpack, halyard.v1+json',
    });
    expect(named.subprotocol).toBe('halyard.v1+msgpack');
    const unnamed = await RawWebSocket.connect(port);
    expect(unnamed.subprotocol).toBeUndefined();
    await unnamed.hello();
    for (const socket of [named, unnamed]) socket.cut();
  });
});

/** Status and reason, which is JSON if it is a refusal. */
function refusal({ status, headers, body }: HttpResponse): { status: number; code: string | undefined } {
  if (status < 400) return { status, code: undefined };
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  const { code, message } = JSON.parse(body) as { code: string; message: string };
  expect(message).toMatch(/^[A-Z].*\.$/);
  return { status, code };
}
