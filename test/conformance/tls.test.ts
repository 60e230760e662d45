// TLS that the hosts end themselves: every transport, a reload of the certificate, and WebSocket over HTTP/2 on node.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect, type TransportName } from '@halyard/client';
import { cert, key } from '@halyard/harness/certificate';
import { node, Server, type TlsOptions } from '@halyard/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

let folder: string;
let tls: TlsOptions;
const another = (): string => join(folder, 'another');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halyard-tls-'));
  await writeFile(join(folder, 'first.key'), key);
  await writeFile(join(folder, 'first.crt'), cert);
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const files = ['-keyout', `${another()}.key`, '-out', `${another()}.crt`];
  execFileSync('openssl', [...request, '-subj', '/CN=another', ...files], { stdio: 'ignore' });
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  // Nobody has signed these certificates but themselves.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  tls = { keyFile: join(folder, 'now.key'), certFile: join(folder, 'now.crt') };
  await install('first');
});
afterEach(() => vi.unstubAllEnvs());

async function install(name: string): Promise<void> {
  for (const kind of ['key', 'crt']) await copyFile(join(folder, `${name}.${kind}`), join(folder, `now.${kind}`));
}

/** @returns whose certificate the server shows to who asks for a name */
async function shownTo(port: number, servername: string): Promise<unknown> {
  const socket = connectTls({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp } = served(host);

  async function serve(): Promise<Server> {
    const io = new Server({ host: host() });
    io.on('connection', (socket) => {
      socket.on('echo', (value: unknown) => value);
    });
    await io.listen(0, { address: '127.0.0.1', tls });
    cleanUp.push(() => io.close());
    return io;
  }

  test.each<TransportName>(['websocket', 'sse', 'polling'])('a client talks over %s', async (transport) => {
    const io = await serve();
    const client = connect(`wss://127.0.0.1:${io.port}`, { transports: [transport] });
    cleanUp.push(() => client.disconnect());
    expect(await client.emitWithAck('echo', 'ü')).toBe('ü');
    expect(client.connection.transport).toBe(transport);
    const [socket] = [...io.sockets.values()];
    expect(socket?.handshake.secure).toBe(true);
  });

  test('a new certificate is shown from the reload on, and who is connected stays', async () => {
    const io = await serve();
    const client = connect(`wss://127.0.0.1:${io.port}`, { transports: ['websocket'] });
    cleanUp.push(() => client.disconnect());
    expect(await client.emitWithAck('echo', 1)).toBe(1);
    await install('another');
    const shown = async (): Promise<unknown[]> =>
      Promise.all(['app.example', 'x.a.example', 'other.example'].map((one) => shownTo(io.port, one)));
    expect(await shown()).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    io.reloadTls();
    expect(await shown()).toEqual(['another', 'another', 'another']);
    expect(await client.emitWithAck('echo', 2)).toBe(2);
    const fetched = await fetch(`https://127.0.0.1:${io.port}/halyard`, { method: 'PUT' });
    expect(fetched.status).toBe(405);
  });

  test('files that are wrong at a reload are told, and nothing changes', async () => {
    const io = await serve();
    await copyFile(`${another()}.key`, tls.keyFile);
    expect(() => io.reloadTls()).toThrow(
      expect.objectContaining({ code: 'ERR_TLS', message: expect.stringContaining('cannot be used: ') }),
    );
    expect(await shownTo(io.port, 'app.example')).toBe('127.0.0.1');
  });

  test.each<[string, () => TlsOptions, string]>([
    ['a key of another certificate', () => ({ ...tls, keyFile: `${another()}.key` }), 'cannot be used: '],
    ['no file', () => ({ ...tls, keyFile: join(folder, 'nothing') }), 'tls.keyFile cannot be read: ENOENT'],
    ['no PEM', () => ({ ...tls, certFile: '/etc/hostname' }), 'cannot be used: '],
  ])('%s: listen says so', async (_what, options, words) => {
    const io = new Server({ host: host() });
    await expect(io.listen(0, { tls: options() })).rejects.toMatchObject({
      code: 'ERR_TLS',
      message: expect.stringContaining(words),
    });
    await io.listen(0, '127.0.0.1');
    expect(() => io.reloadTls()).toThrow('This server ends no TLS');
    await io.close();
  });

  test('who is connected over HTTP goes on, whatever carries it, and is said what all are', async () => {
    const io = await serve();
    const clients = (['websocket', 'sse', 'polling'] as const).map((transport) =>
      connect(`wss://127.0.0.1:${io.port}`, { transports: [transport] }),
    );
    const heard: unknown[] = [];
    const lost: number[] = [];
    let reloads = 0;
    for (const client of clients) {
      cleanUp.push(() => client.disconnect());
      client.on('disconnect', () => lost.push(reloads));
      client.on('all', (value: unknown) => heard.push(value));
      expect(await client.emitWithAck('echo', 0)).toBe(0);
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    cleanUp.push(() => agent.destroy());
    const ask = (): Promise<readonly [status: unknown, isKept: boolean]> =>
      new Promise((resolve, reject) => {
        const request = get({ host: '127.0.0.1', port: io.port, path: '/nothing', agent }, (answer) => {
          answer.resume().on('end', () => resolve([answer.statusCode, request.reusedSocket]));
        }).on('error', reject);
      });
    expect(await ask()).toEqual([404, false]);
    while (reloads < 5) {
      reloads++;
      io.reloadTls();
      // A connection that is kept goes on with the certificate that it had.
      if (reloads <= 2) expect(await ask()).toEqual([404, true]);
      for (const client of clients) expect(await client.emitWithAck('echo', reloads)).toBe(reloads);
      io.emit('all', reloads);
      await expect.poll(() => heard.length).toBe(reloads * 3);
    }
    expect(heard).toEqual([1, 2, 3, 4, 5].flatMap((reload) => [reload, reload, reload]));
    // Of uws those that were there before the last three reloads, and they have resumed.
    expect(lost.filter((reload) => reload < 3)).toEqual([]);
    // Nobody else listens there.
    await expect(new Server({ host: host() }).listen(io.port, '127.0.0.1')).rejects.toMatchObject({
      code: 'ERR_LISTEN',
    });
  });
});

test.each([
  ['tls', 'yes', 'it may be { keyFile, certFile }'],
  ['tls.key', { key: 'x' }, 'known ones are keyFile, certFile, passphrase'],
  ['tls.certFile', { keyFile: 'x' }, 'it may be a text'],
])('%s is refused if it is wrong', async (option, given, rule) => {
  await expect(new Server().listen(0, { tls: given as never })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining(`"${option}"`),
    details: { option },
  });
  await expect(new Server().listen(0, { tls: given as never })).rejects.toThrow(rule);
});

describe('a WebSocket over HTTP/2 (RFC 8441)', () => {
  const { cleanUp } = served(node);

  async function session(): Promise<[io: Server, http2: ReturnType<typeof connectHttp2>]> {
    const io = new Server({ host: node() });
    io.on('connection', (socket) => {
      socket.on('echo', (value: unknown) => value);
    });
    await io.listen(0, { address: '127.0.0.1', tls });
    cleanUp.push(() => io.close());
    const http2 = connectHttp2(`https://127.0.0.1:${io.port}`, { rejectUnauthorized: false });
    http2.on('error', () => {});
    cleanUp.push(() => http2.destroy());
    const [settings] = await once(http2, 'remoteSettings');
    expect(settings.enableConnectProtocol).toBe(true);
    return [io, http2];
  }

  const handshake = { ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' };

  /** A text message as a client sends it, masked with zeros (RFC 6455 §5.2). */
  function message(text: string): Buffer {
    return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
  }

  test('has messages both ways, beside requests on the same connection, and is closed', async () => {
    const [io, http2] = await session();
    const stream = http2.request(
      { ...handshake, ':path': '/halyard', 'sec-websocket-protocol': 'halyard.v1+json' },
      { endStream: false },
    );
    const [headers] = await once(stream, 'response');
    expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'halyard.v1+json' });
    expect(headers).not.toHaveProperty('sec-websocket-accept');
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    stream.write(message('[0]'));
    stream.write(message('[2,"/","echo",["x"],1]'));
    await expect.poll(() => text).toContain('[3,1,"x"]');
    expect(io.sockets.size).toBe(1);

    const beside = http2.request({ ':method': 'PUT', ':path': '/halyard' }, { endStream: true });
    expect((await once(beside, 'response'))[0]).toMatchObject({ ':status': 405 });
    beside.destroy();

    stream.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]));
    await once(stream, 'end');
    stream.end();
    await expect.poll(() => io.sockets.size).toBe(0);
  });

  test.each([
    ['at another path', { ':path': '/other' }, 404],
    ['of no known subprotocol', { ':path': '/halyard', 'sec-websocket-protocol': 'other.v1' }, 400],
    ['of another version', { ':path': '/halyard', 'sec-websocket-version': '8' }, 426],
  ])('%s is refused', async (_what, fields, status) => {
    const [, http2] = await session();
    const stream = http2.request({ ...handshake, ...fields }, { endStream: false });
    const [headers] = await once(stream, 'response');
    let body = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    await once(stream, 'end');
    expect([headers[':status'], JSON.parse(body).code]).toEqual([status, expect.stringMatching(/^ERR_/)]);
  });

  test('whose stream is reset, or whose connection is, leaves its session to be resumed', async () => {
    const [io, http2] = await session();
    const gone = vi.fn();
    io.on('connection', (socket) => void socket.on('disconnect', gone));
    for (const end of [(stream: { destroy(): void }) => stream.destroy(), () => http2.destroy()]) {
      const stream = http2.request({ ...handshake, ':path': '/halyard' }, { endStream: false });
      stream.on('error', () => {});
      await once(stream, 'response');
      stream.write(message('[0]'));
      const before = io.sockets.size;
      await expect.poll(() => io.sockets.size).toBe(before + 1);
      end(stream);
    }
    expect(await shownTo(io.port, 'x.example')).toBe('127.0.0.1');
    expect([io.sockets.size, gone.mock.calls.length]).toEqual([2, 0]);
  });
});
