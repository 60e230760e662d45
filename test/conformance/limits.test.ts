// Limits that count all clients, or all of one user, together.
import { connect } from '@halyard/client';
import { memory, type Server, type ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { http, RawSocket, RawWebSocket, request } from './raw';

/** @returns what a WebSocket handshake is answered, with 101 if it opens, and `retry-after` */
function handshaken(io: Server, headers: Record<string, string> = {}): Promise<[status: number, retryAfter?: string]> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`, { headers });
    socket.once('open', () => resolve([101]));
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve([response.statusCode ?? 0, response.headers['retry-after']]);
    });
    socket.on('error', () => {});
  });
}

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);
  const watched = async (options: ServerOptions, app?: (io: Server) => void): Promise<[Server, string[]]> => {
    const warned: string[] = [];
    const io = await serve(options, (server) => {
      server.on('warning', ({ code }) => void warned.push(code));
      app?.(server);
    });
    return [io, warned];
  };

  test('connections over all transports together', async () => {
    const [io, warned] = await watched({ connectionsMax: 2 });
    const first = await RawWebSocket.connect(io.port);
    expect((await http(io.port, request('POST /halyard', { 'Content-Length': '0' }))).status).toBe(200);
    expect(await handshaken(io)).toEqual([503, '5']);
    const answer = await http(io.port, request('POST /halyard', { 'Content-Length': '0' }));
    expect([answer.status, answer.body]).toEqual([503, expect.stringContaining('ERR_TOO_MANY_CONNECTIONS')]);
    first.cut();
    await untilHolds(async () => expect(await handshaken(io)).toEqual([101]));
    expect(warned).toEqual(['connectionsMax']);
  });

  test('connections that have not said who they are', async () => {
    const [io, warned] = await watched({ handshakesMax: 2 });
    const [one] = await Promise.all([RawWebSocket.connect(io.port), RawWebSocket.connect(io.port)]);
    expect(await handshaken(io)).toEqual([503, '1']);
    await one.hello();
    expect(await handshaken(io)).toEqual([101]);
    expect(await handshaken(io)).toEqual([503, '1']);
    expect(warned).toEqual(['handshakesMax']);
  });

  test('those that wait for the app, or for the store, are among them', async () => {
    let letIn = () => {};
    const isLetIn = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    const [io] = await watched({ handshakesMax: 1, adapter: memory({ shared: true }) }, (server) =>
      server.onResume(() => isLetIn),
    );
    const socket = await RawWebSocket.connect(io.port);
    const { session, secret } = await socket.hello();
    const back = await RawWebSocket.connect(io.port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    await untilHolds(async () => expect(await handshaken(io)).toEqual([503, '1']));
    letIn();
    await back.packet(1);
    expect(await handshaken(io)).toEqual([101]);
  });

  test.each(['connectionsMax', 'connectionsPerAddressMax', 'handshakesMax'])(
    'who waits for allowRequest at one time finds no more room than there is (%s)',
    async (option) => {
      let letIn = () => {};
      const isLetIn = new Promise<void>((resolve) => {
        letIn = resolve;
      });
      let asked = 0;
      const allowRequest = (): Promise<void> => {
        asked++;
        return isLetIn;
      };
      const [io, warned] = await watched({ [option]: 3, allowRequest });
      const sockets = Array.from({ length: 8 }, () => new WebSocket(`ws://127.0.0.1:${io.port}/halyard`));
      cleanUp.push(() => {
        for (const socket of sockets) socket.terminate();
      });
      const refused: unknown[] = [];
      for (const socket of sockets) {
        socket.on('unexpected-response', (_request, { statusCode }) => refused.push(statusCode));
        socket.on('close', (code) => refused.push(code));
        socket.on('error', () => {});
      }
      const polls = Array.from({ length: 4 }, () => http(io.port, request('POST /halyard', { 'Content-Length': '0' })));
      await untilHolds(() => expect(asked).toBe(12));
      letIn();
      const opened = (await Promise.all(polls)).filter(({ status }) => status === 200).length;
      const isWell = (): void => {
        const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
        expect(open + opened).toBe(3);
        expect(refused.filter((code) => [503, 429, 1013].includes(code as number))).toHaveLength(8 - open);
      };
      await untilHolds(isWell);
      expect(warned).toContain(option);
    },
  );

  test('connections of polling that were ended keep nobody out', async () => {
    const [io] = await watched({ connectionsMax: 5 });
    const opens = () => http(io.port, request('POST /halyard', { 'Content-Length': '0' }));
    const ended: string[] = [];
    for (let i = 0; i < 12; i++) {
      const { headers } = await opens();
      const its = { 'Halyard-Connection': headers['halyard-connection'] ?? '', 'Halyard-Seq': '1' };
      await http(io.port, request('POST /halyard', { ...its, 'Content-Length': '2' }, '[}'));
      ended.push(its['Halyard-Connection']);
    }
    expect((await opens()).status).toBe(200);
    // The last of them are still told why.
    const told = async (id: string): Promise<number> =>
      (await http(io.port, request('GET /halyard', { 'Halyard-Connection': id }))).status;
    expect([await told(ended[0] ?? ''), await told(ended[11] ?? '')]).toEqual([404, 200]);
  });

  test('bodies that have not come whole hold so much together, and small ones come all the same', async () => {
    const [io] = await watched({ httpBodyBytesMax: 1 << 20, httpBodiesBytesMax: 1 << 16 });
    const post = 'POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n';
    const small = await RawSocket.open(io.port);
    small.write(`${post}Content-Length: 60000\r\n\r\n${'x'.repeat(50_000)}`);
    for (let i = 0; i < 3; i++) {
      const large = await RawSocket.open(io.port);
      large.write(`${post}Content-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`);
      const { status, headers, body } = await large.response();
      expect([status, headers['retry-after'], body]).toEqual([503, '1', expect.stringContaining('ERR_BODIES_FULL')]);
      large.cut();
      // What is broken off holds nothing any more.
      const broken = await RawSocket.open(io.port);
      broken.write(`${post}Content-Length: 60000\r\n\r\n${'x'.repeat(50_000)}`);
      broken.cut();
    }
    small.write('x'.repeat(10_000));
    expect((await small.response()).status).toBe(200);
    small.cut();
    const whole = `${post}Content-Length: 65000\r\n\r\n${'x'.repeat(65_000)}`;
    for (let i = 0; i < 3; i++) expect((await http(io.port, whole)).status).toBe(200);
  });

  test('forwarded addresses come from listed proxies alone', async () => {
    const limits = { connectionsPerAddressMax: 1 };
    const [believing] = await watched({ ...limits, trustProxy: ['127.0.0.0/8'] });
    expect(await handshaken(believing, { 'x-forwarded-for': '192.0.2.1' })).toEqual([101]);
    expect(await handshaken(believing, { 'x-forwarded-for': '192.0.2.2' })).toEqual([101]);
    const [doubting] = await watched({ ...limits, trustProxy: ['10.0.0.0/8'] });
    expect(await handshaken(doubting, { 'x-forwarded-for': '192.0.2.1' })).toEqual([101]);
    expect(await handshaken(doubting, { 'x-forwarded-for': '192.0.2.2' })).toEqual([429, '5']);
  });

  const users = (server: Server): unknown =>
    server.use((handshake) => {
      handshake.data.user = handshake.auth.user;
    });
  const ofUser = {
    sessionsPerKeyMax: 2,
    sessionKey: ({ data }: { data: Record<string, unknown> }) => data.user as string,
  };
  const join = (io: Server, user?: string) => {
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: ['websocket'], auth: { user } as never });
    cleanUp.push(() => socket.connection.close());
    const ended: string[] = [];
    const refused: string[] = [];
    socket.on('disconnect', (reason: unknown) => void ended.push(JSON.stringify(reason)));
    socket.on('connect_error', (error: { code?: string }) => void refused.push(String(error.code)));
    return { socket, ended, refused, isThere: () => untilHolds(() => expect(socket.connected).toBe(true)) };
  };

  test('sessions of one user: the oldest ends', async () => {
    const [io, warned] = await watched({ ...ofUser }, users);
    const [first, second, stranger, nobody] = ['ann', 'ann', 'bob', undefined].map((user) => join(io, user));
    for (const one of [first, second, stranger, nobody]) await one?.isThere();
    await join(io, 'ann').isThere();
    await untilHolds(() => expect([first, second].filter((one) => !one?.socket.connected)).toHaveLength(1));
    const [gone] = [first, second].filter((one) => !one?.socket.connected);
    expect(gone?.ended).toEqual([expect.stringContaining('ERR_SESSIONS_PER_KEY')]);
    expect(gone?.socket.connection.state).toBe('closed');
    expect([stranger?.socket.connected, nobody?.socket.connected, warned]).toEqual([true, true, ['sessionsPerKeyMax']]);
  });

  test('sessions of one user: those that are away end before others', async () => {
    const [io] = await watched({ ...ofUser }, users);
    const first = join(io, 'ann');
    await first.isThere();
    const raw = await RawWebSocket.connect(io.port);
    raw.send([0, [['/', { user: 'ann' }]], '']);
    await raw.packet(11);
    raw.cut();
    await untilHolds(() => expect([...io.sockets.values()].filter((socket) => !socket.conn)).toHaveLength(1));
    await join(io, 'ann').isThere();
    expect(first.socket.connected).toBe(true);
    expect(io.sockets.size).toBe(2);
  });

  test('sessions of one user: one more is refused', async () => {
    const [io] = await watched({ ...ofUser, onSessionsPerKeyMax: 'refuse' }, users);
    const first = join(io, 'ann');
    await first.isThere();
    await join(io, 'ann').isThere();
    const third = join(io, 'ann');
    await untilHolds(() => expect(third.refused).toEqual(['ERR_SESSIONS_PER_KEY']));
    first.socket.connection.close();
    await untilHolds(() => expect(io.sockets.size).toBe(1));
    await join(io, 'ann').isThere();
  });

  test('sessions of one user: who comes with them from other servers has no more of them here', async () => {
    const adapter = memory({ shared: true });
    const options = { ...ofUser, onSessionsPerKeyMax: 'refuse' as const, sessionsPerKeyMax: 1, adapter };
    const [here, warned] = await watched(options, users);
    const elsewhere = await Promise.all(Array.from({ length: 3 }, () => watched(options, users)));
    const back: RawWebSocket[] = [];
    for (const [io] of elsewhere) {
      const raw = await RawWebSocket.connect(io.port);
      raw.send([0, [['/', { user: 'ann' }]], '']);
      const [, session, secret] = await raw.packet(1);
      await raw.packet(11);
      raw.cut();
      const again = await RawWebSocket.connect(here.port);
      again.send([0, [], '', [session, secret, 1, 0]]);
      await again.packet(1);
      back.push(again);
    }
    expect(await back[0]?.close()).toMatchObject({ reason: expect.stringContaining('ERR_SESSIONS_PER_KEY') });
    expect(await back[1]?.close()).toMatchObject({ reason: expect.stringContaining('ERR_SESSIONS_PER_KEY') });
    expect([here.sockets.size, back[2]?.closed, warned]).toEqual([1, undefined, ['sessionsPerKeyMax']]);
  });

  test('an address that opens sessions and leaves them has no more of them than it may have connections', async () => {
    const [io, warned] = await watched({ connectionsPerAddressMax: 3, sessionsMax: 5, trustProxy: true });
    const from = async (address: string): Promise<RawWebSocket> => {
      const socket = await RawWebSocket.connect(io.port, { 'X-Forwarded-For': address });
      socket.send([0]);
      await socket.packet(11);
      return socket;
    };
    const stays = await from('192.0.2.1');
    for (let i = 1; i < 9; i++) {
      const { size } = io.sockets;
      (await from('192.0.2.1')).cut();
      await untilHolds(() => expect([...io.sockets.values()].filter(({ conn }) => conn)).toHaveLength(1));
      expect(io.sockets.size).toBe(Math.min(size + 1, 4));
    }
    expect(warned).toEqual(['connectionsPerAddressMax']);
    const other = await from('192.0.2.2');
    expect([stays.closed, other.closed]).toEqual([undefined, undefined]);
  });

  test('a sessionKey that fails lets nobody in, and is reported', async () => {
    const errors: string[] = [];
    const [io] = await watched({ sessionKey: (() => 7) as never }, (server) => {
      server.on('error', (error, { where }) => void errors.push(`${where}: ${error}`));
    });
    const one = join(io, 'ann');
    await untilHolds(() => expect(one.refused).toEqual(['ERR_REFUSED']));
    expect(errors).toEqual([expect.stringMatching(/^sessionKey.*: TypeError: sessionKey returns a text/)]);
  });

  test('what waits in all outboxes together: those end that have most of it', async () => {
    const [io, warned] = await watched({ outboxBytesMax: 100_000, outboxesBytesMax: 150_000 });
    const silent = await RawWebSocket.connect(io.port);
    const { id } = await silent.hello();
    const other = await RawWebSocket.connect(io.port);
    const { id: its } = await other.hello();
    for (let i = 0; i < 6; i++) io.to(its).emit('text', 'x'.repeat(10_000));
    for (let i = 0; i < 9; i++) io.to(id).emit('text', 'x'.repeat(10_000));
    expect(await silent.close()).toMatchObject({ code: 4413, reason: expect.stringContaining('outboxesBytesMax') });
    expect([io.sockets.has(its), other.closed]).toEqual([true, undefined]);
    expect(warned).toContain('outboxesBytesMax');
  });
});
