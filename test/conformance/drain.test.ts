// A server that is about to stop: what it has begun is finished, and its clients go to the others one after the other, with nothing lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { connect } from '@halyard/client';
import { json } from '@halyard/codec/json';
import type { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { lab } from '../kit/on-redis';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';
import { WireClient } from '../kit/wire';

const transports = ['websocket', 'sse', 'polling'] as const;

/** Nobody waits for so long for what is done. */
const longMs = 600_000;

describe.each(hosts)('a server alone, on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  async function client(io: Server, transport: (typeof transports)[number]) {
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: [transport] });
    cleanUp.push(() => socket.connection.close());
    await untilHolds(() => expect(socket.connected).toBe(true));
    return socket;
  }

  test.each(transports)('finishes what it has begun, and its client has the reply, over %s', async (transport) => {
    let goOn = (_value: string): void => {};
    const io = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('ask', () => new Promise<string>((resolve) => (goOn = resolve)) as never);
        socket.on('echo', (value) => value);
      });
    });
    const socket = await client(io, transport);
    const closes: unknown[] = [];
    socket.on('disconnect', (close) => closes.push(close));
    const reply = socket.emitWithAck('ask');
    await untilHolds(() => expect(io.of('/').sockets.size).toBe(1));
    await socket
      .timeout(5_000)
      .emitWithAck('nothing')
      .catch(() => {});
    let isClosed = false;
    const closed = io.close({ drainMs: longMs }).then(() => {
      isClosed = true;
    });
    // Nobody new is taken meanwhile, and who is there goes on.
    for (const headers of [{}, { accept: 'text/event-stream' }] as Record<string, string>[]) {
      const method = headers.accept === undefined ? 'POST' : 'GET';
      const response = await fetch(`http://127.0.0.1:${io.port}/halyard`, { method, headers });
      expect([response.status, await response.json()]).toMatchObject([503, { code: 'ERR_STOPPING' }]);
    }
    await expect(WireClient.open(io.port)).rejects.toThrow();
    expect(await socket.timeout(5_000).emitWithAck('echo', 1)).toBe(1);
    expect([isClosed, closes]).toEqual([false, []]);
    goOn('the reply');
    expect(await reply).toBe('the reply');
    await closed;
    await untilHolds(() => expect(closes).toMatchObject([{ code: 1001 }]));
  });

  test.each<[what: string, begins: (io: Server, wait: () => Promise<void>) => void]>([
    ['a handler', (io, wait) => io.on('connection', (socket) => socket.on('ask', () => wait().then(() => 'done')))],
    [
      'one beside the handler that replies',
      (io, wait) =>
        io.on('connection', (socket) => {
          socket.on('ask', () => 'done');
          socket.on('ask', wait);
        }),
    ],
    [
      'middleware of a socket',
      (io, wait) =>
        io.on('connection', (socket) => {
          socket.use(wait);
          socket.on('ask', () => 'done');
        }),
    ],
    [
      'middleware of the namespace',
      (io, wait) => {
        io.use(wait);
        io.on('connection', (socket) => socket.on('ask', () => 'done'));
      },
    ],
  ])('waits for %s, though its client has confirmed all that there was', async (_what, begins) => {
    let goOn: (() => void) | undefined;
    let isFinished = false;
    const io = await serve({}, (io) =>
      begins(io, async () => {
        await new Promise<void>((resolve) => (goOn = resolve));
        isFinished = true;
      }),
    );
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    // It says how much it has when that is asked for, and at once.
    wire.send([0, [['/']]]);
    await wire.packet(1);
    wire.send([2, '/', 'ask', [], 1]);
    await untilHolds(() => expect(goOn).toBeDefined());
    if (wire.received.some(([type]) => type === 11)) wire.send([7, 1]);
    if (wire.received.some(([type]) => type === 3)) wire.send([7, 2]);
    await wire.settle();
    const closing = io.close({ drainMs: longMs });
    // Whoever does not wait is closed long before this.
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([wire.closed, isFinished]).toEqual([undefined, false]);
    goOn?.();
    expect(await wire.packet(3)).toEqual([3, 1, 'done']);
    wire.send([7, 2]);
    await closing;
    expect(isFinished).toBe(true);
  });

  test('does not wait for longer than it was told, nor once it is told again to close', async () => {
    for (const isTold of [false, true]) {
      const io = await serve({}, (io) => {
        io.on('connection', (socket) => socket.on('ask', () => new Promise<never>(() => {})));
      });
      const socket = await client(io, 'websocket');
      socket.emit('ask');
      await socket
        .timeout(5_000)
        .emitWithAck('nothing')
        .catch(() => {});
      const closed = io.close({ drainMs: isTold ? longMs : 100 });
      if (isTold) await io.close();
      await closed;
    }
  });

  test.each(['https://eu.example/', 'https://eu.example/halyard', 'ftp://eu.example', 'eu.example', 5])(
    'says which url it takes, and not %j',
    async (url) => {
      const io = await serve();
      await expect(io.close({ drainMs: 100, url: url as string })).rejects.toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringMatching(/^url is .*: it may be the origin of a server/),
      });
    },
  );

  test('says which drainMs it takes', async () => {
    const io = await serve();
    for (const drainMs of [-1, Number.NaN, 3_600_001, '5', null]) {
      await expect(io.close({ drainMs: drainMs as number })).rejects.toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringMatching(/^drainMs is .*: it may be a number of milliseconds from 0 to 3600000\.$/),
      });
    }
  });
});

describe.each(places)('servers, on %s', (_name, host, useStore) => {
  const use = useStore();
  const { serve, client, cleanUp } = lab(host);

  test('hand their clients over one after the other: nothing is lost, doubled or told', async () => {
    const answers: ((value: string) => void)[] = [];
    const [a, b, c] = await serve(
      3,
      (io) => {
        io.on('connection', (socket) => {
          if (!socket.recovered) socket.join('room');
          socket.on('ask', () => new Promise<string>((resolve) => answers.push(resolve)) as never);
        });
      },
      { adapter: use() },
    );
    if (a === undefined || b === undefined || c === undefined) throw new Error('three servers');
    const people = await Promise.all(Array.from({ length: 30 }, () => client(a, json())));
    for (const [i, { route }] of people.entries()) route.to = i % 2 ? b : c;
    const told: string[] = [];
    let moved = 0;
    for (const { socket } of people) {
      for (const event of ['connect', 'disconnect'] as const) socket.on(event, () => void told.push(event));
      socket.connection.on('state', ({ to, reason }) => void (to === 'open' && reason === 'moved' && moved++));
    }
    const replies = people.slice(0, 5).map(({ socket }) => socket.timeout(30_000).emitWithAck('ask'));
    await untilHolds(() => expect(answers.length).toBe(5));
    let said = 0;
    const traffic = setInterval(() => (said % 2 ? b : c).io.to('room').emit('said', `${said++}`), 5);
    cleanUp.push(() => clearInterval(traffic));
    let isClosed = false;
    const closed = a.io.close({ drainMs: 30_000 }).then(() => {
      isClosed = true;
    });
    await untilHolds(() => expect(moved).toBe(30));
    // They are at the others, and what was begun here is still to be finished.
    expect([isClosed, told]).toEqual([false, []]);
    for (const answer of answers) answer('the reply');
    expect(await Promise.all(replies)).toEqual(Array(5).fill('the reply'));
    await closed;
    clearInterval(traffic);
    const all = Array.from({ length: said }, (_, i) => `${i}`);
    for (const { heard } of people) {
      await untilHolds(() => expect(heard.length).toBeGreaterThanOrEqual(said));
      expect(heard.toSorted((one, other) => Number(one) - Number(other))).toEqual(all);
    }
    await untilHolds(() => expect(b.io.nodes()).not.toContain(a.io.node));
  });

  test('are left by who was told where to go, for the origin that the app lists', async () => {
    const [a, b] = await serve(2, (io) => io.on('connection', () => {}), { adapter: use() });
    if (a === undefined || b === undefined) throw new Error('two servers');
    const origin = `http://127.0.0.1:${b.io.port}`;
    const socket = connect(`http://127.0.0.1:${a.io.port}`, { followServers: [origin] });
    cleanUp.push(() => socket.connection.close());
    await untilHolds(() => expect(socket.connected).toBe(true));
    const { id } = socket;
    const told: string[] = [];
    for (const event of ['connect', 'disconnect'] as const) socket.on(event, () => void told.push(event));
    await a.io.close({ drainMs: 30_000, url: origin });
    expect([told, socket.connected, socket.id]).toEqual([[], true, id]);
    await untilHolds(() => expect([...b.io.sockets.keys()]).toEqual([id]));
  });

  test('end the connections that requests come over, so that a balancer leads the next ones elsewhere', async () => {
    const [a] = await serve(1, (io) => io.on('connection', () => {}), { adapter: use() });
    if (a === undefined) throw new Error('a server');
    const wire = await WireClient.open(a.io.port);
    cleanUp.push(() => wire.cut());
    wire.send([0]);
    await wire.packet(11);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanUp.push(() => agent.destroy());
    const post = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ port: a.io.port, path: '/halyard', method: 'POST', agent }, (response) =>
          response.on('end', () => resolve(response)).resume(),
        );
        request.on('error', reject).end();
      });
    const before = await post();
    expect([before.statusCode, before.headers.connection]).not.toContain('close');
    const closed = a.io.close({ drainMs: 2_000 });
    // The host node ends those over which nothing is under way at once.
    const answer = await post().then(
      ({ statusCode, headers }) => [statusCode, headers.connection],
      () => 'it is gone',
    );
    expect([[503, 'close'], 'it is gone']).toContainEqual(answer);
    await closed;
  });

  test('send off who does not leave when it is told to', async () => {
    const [a] = await serve(1, (io) => io.on('connection', () => {}), { adapter: use() });
    if (a === undefined) throw new Error('a server');
    const wire = await WireClient.open(a.io.port);
    cleanUp.push(() => wire.cut());
    wire.send([0]);
    await wire.packet(11);
    await a.io.close({ drainMs: 500, url: 'https://eu.example' });
    expect(await wire.packet(64)).toEqual([64, 0, 'https://eu.example']);
    expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 1012 });
  });
});

describe('a process that is told to stop', () => {
  const program = fileURLToPath(new URL('signalled.ts', import.meta.url));

  async function run(...args: string[]) {
    const child = spawn(process.execPath, ['--conditions', '@halyard/source', '--import', 'tsx', program, ...args]);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await untilHolds(() => expect(said).toContain('listening'));
    return { child, over: once(child, 'exit'), said: () => said };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('by %s closes its server, and ends with 0', async (signal) => {
    const { child, over, said } = await run();
    child.kill(signal);
    expect(await over).toEqual([0, null]);
    expect(said()).toContain('closed');
  });

  test('twice ends at once', async () => {
    const { child, over, said } = await run('busy');
    const [, port] = /listening on (\d+)/.exec(said()) ?? [];
    const socket = connect(`http://127.0.0.1:${port}`);
    socket.emit('ask');
    await untilHolds(() => expect(said()).toContain('asked'));
    child.kill('SIGTERM');
    await untilHolds(() => expect(said()).toContain('stopping'));
    child.kill('SIGTERM');
    expect(await over).toEqual([1, null]);
    socket.connection.close();
    expect(said()).not.toContain('closed');
  });

  test('ends with 1 if closing fails, and says why', async () => {
    const { child, over, said } = await run('fails');
    child.kill('SIGTERM');
    expect(await over).toEqual([1, null]);
    expect(said()).toContain('Halyard: closing failed: Error: the database is gone');
  });
});
