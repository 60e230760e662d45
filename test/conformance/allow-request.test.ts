// The app decides who may connect before there is a connection, on every host and over every transport.
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { Poller } from './poller';
import { handshake, http, RawWebSocket, request } from './raw';

describe.each(hosts)('allowRequest, on %s', (_name, host) => {
  const { serve } = served(host);
  const asks = (port: number, headers: Record<string, string> = {}) => [
    http(port, handshake(headers)),
    http(port, request('POST /halyard', { 'Content-Length': '0', ...headers })),
  ];
  const codeOf = ({ status, body }: { status: number; body: string }): unknown[] =>
    status < 400 ? [status] : [status, JSON.parse(body).code, JSON.parse(body).message];

  test('sees the request of each transport once, and before any connection', async () => {
    const seen: unknown[] = [];
    const io = await serve({
      trustProxy: true,
      allowRequest: ({ transport, method, url, headers, address, secure }) => {
        seen.push([transport, method, url, headers.get('x-tenant'), address, secure]);
      },
    });
    const headers = { 'X-Tenant': 'a', 'X-Forwarded-For': '192.0.2.7' };
    const wire = await RawWebSocket.connect(io.port, headers, '/halyard?a=1');
    await wire.hello();
    await wire.until('welcome', () => wire.packets.length > 1);
    wire.cut();
    const poller = await Poller.open(io.port);
    await poller.send([0]);
    await poller.packet(11);
    expect(seen).toEqual([
      ['websocket', 'GET', '/halyard?a=1', 'a', '192.0.2.7', false],
      ['polling', 'POST', '/halyard', undefined, '127.0.0.1', false],
    ]);
    // What is refused anyway is not asked.
    await Promise.all(asks(io.port, { Origin: 'http://foreign.test' }));
    await Promise.all([
      http(io.port, handshake({ 'Sec-WebSocket-Protocol': 'none' })),
      http(io.port, request('POST /halyard', { 'Halyard-Protocol': 'none', 'Content-Length': '0' })),
      http(io.port, request('GET /halyard')),
    ]);
    expect(seen).toHaveLength(2);
  });

  test.each<[what: string, answer: () => unknown, said: unknown[]]>([
    ['nothing', () => undefined, []],
    ['true', () => true, []],
    ['a promise of nothing', async () => {}, []],
    ['false', () => false, [403, 'ERR_REFUSED', 'The connection was refused.']],
    ['a promise of false', async () => false, [403, 'ERR_REFUSED', 'The connection was refused.']],
    ['a refusal', () => ({ status: 429, code: 'ERR_BUSY', message: 'Later.' }), [429, 'ERR_BUSY', 'Later.']],
    ['a promise of one without a code', async () => ({ status: 401, message: 'Who?' }), [401, 'ERR_REFUSED', 'Who?']],
    ['an error', () => raise(new Error('secret')), [500, 'ERR_ALLOW_REQUEST', 'The server failed to decide.']],
    ['a rejection', () => Promise.reject(1), [500, 'ERR_ALLOW_REQUEST', 'The server failed to decide.']],
    [
      'another status',
      () => ({ status: 200, message: 'x' }),
      [500, 'ERR_ALLOW_REQUEST', 'The server failed to decide.'],
    ],
    ['null', () => null, [500, 'ERR_ALLOW_REQUEST', 'The server failed to decide.']],
  ])('that answers with %s', async (_what, answer, said) => {
    const errors: string[] = [];
    const io = await serve({ allowRequest: answer as never }, (server) => {
      server.on('error', (_error, { where }) => errors.push(where));
    });
    const [webSocket, polling] = await Promise.all(asks(io.port, { Origin: 'http://halyard.test' }));
    expect(codeOf(webSocket!)).toEqual(said.length === 0 ? [101] : said);
    expect(codeOf(polling!)).toEqual(said.length === 0 ? [200] : said);
    expect(polling!.headers['access-control-allow-origin']).toBe('http://halyard.test');
    expect(errors).toEqual(said[0] === 500 ? ['allowRequest', 'allowRequest'] : []);
  });

  test('that decides later: the client speaks then, and who is gone by then is forgotten', async () => {
    const decide: (() => void)[] = [];
    const io = await serve({ allowRequest: () => new Promise<void>((resolve) => decide.push(resolve)) });
    const opening = RawWebSocket.connect(io.port);
    await expect.poll(() => decide.length).toBe(1);
    decide[0]?.();
    const wire = await opening;
    await wire.hello();
    wire.send([8]);
    await wire.packet(9);
    expect(io.sockets.size).toBe(1);
    const socket = await RawWebSocket.open(io.port);
    socket.write(handshake());
    const poll = await RawWebSocket.open(io.port);
    poll.write(request('POST /halyard', { 'Content-Length': '0' }));
    await expect.poll(() => decide.length).toBe(3);
    socket.reset();
    poll.reset();
    // Whoever comes after them has been heard after they were.
    const next = http(io.port, request('POST /halyard', { 'Content-Length': '0' }));
    await expect.poll(() => decide.length).toBe(4);
    for (const go of decide) go();
    expect((await next).status).toBe(200);
    wire.cut();
  });

  test('that takes too long, or is asked by too many', async () => {
    const warnings: string[] = [];
    const io = await serve(
      { allowRequest: () => new Promise<never>(() => {}), helloTimeoutMs: 50, undecidedRequestsMax: 2 },
      (server) => server.on('warning', ({ code }) => warnings.push(code)),
    );
    const answers = await Promise.all([...asks(io.port), ...asks(io.port)]);
    expect(answers.map((answer) => codeOf(answer).slice(0, 2)).toSorted()).toEqual([
      [503, 'ERR_ALLOW_TIMEOUT'],
      [503, 'ERR_ALLOW_TIMEOUT'],
      [503, 'ERR_TOO_MANY_UNDECIDED'],
      [503, 'ERR_TOO_MANY_UNDECIDED'],
    ]);
    expect(warnings.toSorted()).toEqual(['helloTimeoutMs', 'undecidedRequestsMax']);
  });

  test('that has not decided when the server closes', async () => {
    const decide: (() => void)[] = [];
    const io = await serve({ allowRequest: () => new Promise<void>((resolve) => decide.push(resolve)) });
    const socket = await RawWebSocket.open(io.port);
    socket.write(handshake());
    await expect.poll(() => decide.length).toBe(1);
    const closed = io.close();
    decide[0]?.();
    await closed;
    await socket.until('the end', () => socket.ended);
  });
});

function raise(error: Error): never {
  throw error;
}
