// A server of HTTP/2 that takes HTTP/1.1 too, as Vite makes one for https: polling comes over the first, WebSockets over
// the second.
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createSecureServer, type Http2SecureServer } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect as tcp } from 'node:net';
import { connect as tls } from 'node:tls';
import { cert, key } from '@halyard/harness/certificate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Server, type ServerOptions } from '../index';

let app: Http2SecureServer;
let io: Server;
let session: ClientHttp2Session | undefined;
const warnings: string[] = [];
const fatal: unknown[] = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));
process.on('uncaughtException', (error) => fatal.push(error));

beforeEach(() => {
  app = createSecureServer({ key, cert, allowHTTP1: true });
});

afterEach(async () => {
  session?.destroy();
  session = undefined;
  await io.close();
  app.close();
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings.splice(0)).toEqual([]);
  expect(fatal.splice(0)).toEqual([]);
});

async function start(options: ServerOptions = {}): Promise<number> {
  io = await new Server(options).attach(app);
  io.on('connection', (socket) => {
    socket.on('echo', (value: unknown) => value);
    socket.on('cookie', () => socket.handshake.headers.get('cookie'));
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  return (app.address() as AddressInfo).port;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** How the stream was closed. */
  readonly rstCode: number;
}

function opened(port: number): ClientHttp2Session {
  session ??= connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }).on('error', () => {});
  return session;
}

/** Asks over HTTP/2, as a page of the same host. @param ends whether the body ends, or more of it would come */
async function ask(
  port: number,
  method: string,
  headers: Record<string, string | string[]> = {},
  body = '',
  ends = true,
): Promise<Answer> {
  const stream = opened(port).request(
    { ':method': method, ':path': '/halyard', origin: `https://127.0.0.1:${port}`, ...headers },
    { endStream: false },
  );
  stream.on('error', () => {});
  if (ends) stream.end(body);
  else stream.write(body);
  let text = '';
  let status = 0;
  let got: Record<string, unknown> = {};
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    text += chunk;
  });
  stream.on('response', ({ ':status': code, ...fields }) => {
    status = code ?? 0;
    got = fields;
  });
  await once(stream, 'close');
  return { status, headers: got, body: text, rstCode: stream.rstCode };
}

/** Opens a polling connection. @returns asks with its next body */
async function poller(port: number, headers: Record<string, string | string[]> = {}) {
  const opening = await ask(port, 'POST', { 'halyard-protocol': 'halyard.v1+json', ...headers });
  expect(opening.status).toBe(200);
  const connection = String(opening.headers['halyard-connection']);
  let bodies = 0;
  let received = 0;
  const send = async (method: string, body?: string): Promise<unknown[][]> => {
    const answer = await ask(
      port,
      method,
      {
        'halyard-connection': connection,
        'halyard-ack': `${received}`,
        ...(method === 'POST' && { 'halyard-seq': `${++bodies}` }),
      },
      body,
    );
    expect([200, 204]).toContain(answer.status);
    received = Number(answer.headers['halyard-seq'] ?? received);
    return answer.body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  return { send, connection };
}

test('polling of a page of the same host over HTTP/2', async () => {
  const port = await start();
  const { send } = await poller(port, { cookie: ['a=1', 'b=2'] });
  expect((await send('POST', '[0]')).map(([type]) => type)).toEqual([1, 11]);
  expect(await send('POST', '[2,"/","echo",["over HTTP/2"],1]')).toEqual([[3, 1, 'over HTTP/2']]);
  // A browser sends cookies one by one.
  expect(await send('POST', '[2,"/","cookie",[],2]')).toEqual([[3, 2, 'a=1; b=2']]);
  const poll = send('GET');
  io.emit('news', 1);
  expect((await poll).map(([type, , , name]) => [type, name])).toEqual([[5, 'news']]);
});

test('a WebSocket over HTTP/1.1 beside it', async () => {
  const port = await start();
  const socket = new WebSocket(`wss://127.0.0.1:${port}/halyard`, {
    rejectUnauthorized: false,
    origin: `https://127.0.0.1:${port}`,
  });
  await once(socket, 'open');
  socket.send('[0]');
  const [welcome] = await once(socket, 'message');
  expect(JSON.parse(String(welcome))[0]).toBe(1);
  socket.terminate();
});

test('pages of other hosts are refused, and so is what is no request of ours', async () => {
  const port = await start({ httpBodyBytesMax: 1024 });
  const refusal = async (...args: [method: string, headers?: Record<string, string>, body?: string]) => {
    const { status, body } = await ask(port, ...args);
    return [status, body && JSON.parse(body).code];
  };
  expect(await refusal('POST', { origin: 'https://foreign.test' })).toEqual([403, 'ERR_ORIGIN']);
  expect(await refusal('GET')).toEqual([426, 'ERR_UPGRADE_REQUIRED']);
  expect(await refusal('HEAD')).toEqual([426, '']);
  expect(await refusal('OPTIONS')).toEqual([204, '']);
  expect(await refusal('POST', { 'halyard-connection': 'none' })).toEqual([404, 'ERR_CONNECTION_UNKNOWN']);
  expect(await refusal('POST', {}, 'x'.repeat(2048))).toEqual([413, 'ERR_BODY_TOO_BIG']);
  expect(await refusal('GET', { ':path': '/elsewhere' })).toEqual([404, 'ERR_PATH']);
  // Of a body that is too big no more is read, and the others of its connection go on.
  const endless = await ask(port, 'POST', {}, 'x'.repeat(2048), false);
  expect([endless.status, endless.rstCode]).toEqual([413, 0]);
  expect((await ask(port, 'POST')).status).toBe(200);
});

test('the app hears all else, of both versions', async () => {
  app.on('request', (_request, response) => response.end('the app'));
  const port = await start();
  expect((await ask(port, 'GET', { ':path': '/page' })).body).toBe('the app');
  const body = await new Promise((resolve, reject) => {
    httpsRequest({ port, host: '127.0.0.1', path: '/page', rejectUnauthorized: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    })
      .on('error', reject)
      .end();
  });
  expect(body).toBe('the app');
});

test('an app that listens to streams gets no 404 of ours', async () => {
  app.on('stream', (stream, headers) => {
    if (headers[':path'] !== '/halyard') setImmediate(() => stream.respond({ ':status': 200 }, { endStream: true }));
  });
  const port = await start();
  expect((await ask(port, 'GET', { ':path': '/page' })).status).toBe(200);
  expect((await ask(port, 'POST')).status).toBe(200);
});

test('a body that is broken off is not taken for a whole one', async () => {
  const port = await start();
  const errors: unknown[] = [];
  io.on('error', (error) => errors.push(error));
  const { send, connection } = await poller(port);
  await send('POST', '[0]');
  for (const breakOff of ['the stream', 'the connection']) {
    const arrived = new Promise((resolve) => app.once('stream', (stream) => stream.once('data', resolve)));
    const stream = opened(port).request({
      ':method': 'POST',
      ':path': '/halyard',
      'halyard-connection': connection,
      'halyard-seq': '2',
      'halyard-ack': '1',
    });
    stream.on('error', () => {});
    const gone = new Promise((resolve) => app.once('stream', (theirs) => theirs.once('close', resolve)));
    stream.write('[13,"/"]\n');
    await arrived;
    if (breakOff === 'the stream') stream.destroy();
    else session?.destroy();
    await gone;
    if (breakOff === 'the connection') session = undefined;
    expect(io.sockets.size).toBe(1);
  }
  expect(await send('POST', '[2,"/","echo",[1],1]')).toEqual([[3, 1, 1]]);
  expect(errors).toEqual([]);
});

test('a body that stands still is answered, and its stream closed', async () => {
  const port = await start();
  const { status, body, rstCode } = await ask(port, 'POST', {}, 'half', false);
  expect([status, JSON.parse(body).code, rstCode]).toEqual([408, 'ERR_BODY_IDLE', 0]);
  expect((await ask(port, 'POST')).status).toBe(200);
});

test('who does not read a stream of events is cut at the limit', async () => {
  // It had no limit: 200 MB waited here.
  const port = await start({ backpressureBytesMax: 1 << 20 });
  io.on('connection', (socket) => socket.join('all'));
  const stream = opened(port).request({
    accept: 'text/event-stream',
    'halyard-protocol': 'halyard.v1+json',
    ':path': '/halyard',
  });
  const [headers] = await once(stream, 'response');
  stream.resume();
  await ask(port, 'POST', { 'halyard-connection': String(headers['halyard-connection']), 'halyard-seq': '1' }, '[0]');
  await expect.poll(() => io.sockets.size).toBe(1);
  const [socket] = [...io.sockets.values()];
  stream.pause();
  let sent = 0;
  for (; !socket?.away && sent < 1_000; sent++) {
    io.to('all').emit('large', 'x'.repeat(50_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(socket?.away).toBe(true);
  // What is on the way is beside the limit.
  expect(sent).toBeLessThan(60);
  stream.destroy();
});

test('who reads a stream of events again gets all of it, in order', async () => {
  const port = await start();
  io.on('connection', (socket) => socket.join('all'));
  const stream = opened(port).request({
    accept: 'text/event-stream',
    'halyard-protocol': 'halyard.v1+json',
    ':path': '/halyard',
  });
  const [headers] = await once(stream, 'response');
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await ask(port, 'POST', { 'halyard-connection': String(headers['halyard-connection']), 'halyard-seq': '1' }, '[0]');
  await expect.poll(() => io.sockets.size).toBe(1);
  stream.pause();
  for (let i = 0; i < 40; i++) io.to('all').emit('large', i, 'x'.repeat(50_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  stream.resume();
  const numbers = (): number[] => [...text.matchAll(/"large",\[(\d+),/g)].map(([, n]) => Number(n));
  await expect.poll(numbers).toEqual(Array.from({ length: 40 }, (_, i) => i));
  stream.destroy();
});

test('a peer may go at any time', async () => {
  const port = await start();
  const { connection } = await poller(port);
  const kinds = [{}, { 'halyard-connection': connection }, { origin: 'https://foreign.test' }];
  for (const method of ['POST', 'GET', 'DELETE', 'HEAD', 'OPTIONS']) {
    for (const headers of kinds) {
      for (const breakOff of ['the stream', 'the connection', 'the socket']) {
        for (const when of ['with the request', 'after it']) {
          const raw = tcp(port, '127.0.0.1').on('error', () => {});
          const own = connect(`https://127.0.0.1:${port}`, {
            createConnection: () => tls({ socket: raw, ALPNProtocols: ['h2'], rejectUnauthorized: false }),
          }).on('error', () => {});
          const gone = new Promise((resolve) => app.once('session', (theirs) => theirs.once('close', resolve)));
          await once(own, 'remoteSettings');
          const arrived = new Promise((resolve) => app.once('stream', resolve));
          const stream = own.request({ ':method': method, ':path': '/halyard', ...headers }, { endStream: false });
          stream.on('error', () => {});
          stream.write('x');
          if (when === 'after it') await arrived;
          if (breakOff === 'the stream') stream.close(8, () => own.destroy());
          else if (breakOff === 'the socket') raw.resetAndDestroy();
          else own.destroy();
          await gone;
        }
      }
    }
  }
  expect(fatal).toEqual([]);
  expect((await ask(port, 'POST')).status).toBe(200);
});
