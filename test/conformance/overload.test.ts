// A server that has more to do than it can sheds work in the order that docs/SERVER.md says, and takes it again by itself.
import { connect } from '@halyard/client';
import { type MetricSample, memory, type OverloadChange, type Server, type ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { http, RawWebSocket, request } from './raw';

/** Time that passes as it does, in a process that has as much memory as the test says. */
function machine() {
  const its = { bytes: 1_000 };
  const clock = {
    now: () => Math.floor(performance.now()),
    exact: () => performance.now(),
    after(delayMs: number, run: () => void) {
      const timer = setTimeout(run, delayMs === 50 ? 5 : delayMs);
      return () => clearTimeout(timer);
    },
    memoryBytes: () => its.bytes,
  };
  return { its, clock };
}

const marks = { memoryBytes: 1_000_000, loopDelayMs: 60_000, returnsPerSecondMax: 2, retryAfterMs: 7_000 };

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  async function shedding(options: ServerOptions = {}) {
    const { its, clock } = machine();
    const changes: OverloadChange[] = [];
    const warned: string[] = [];
    const io = await serve({ clock, overload: marks, recoveryWindowMs: 60_000, ...options }, (server) => {
      server.on('overload', (change) => void changes.push(change));
      server.on('warning', ({ code }) => void warned.push(code));
      server.on('connection', (socket) => {
        socket.join('all');
        socket.on('echo', (value) => value);
      });
    });
    const first = await RawWebSocket.connect(io.port);
    const session = await first.hello();
    return {
      ...{ io, first, session, changes, warned },
      begin: async () => {
        its.bytes = 2_000_000;
        await untilHolds(() => expect(changes.at(-1)?.state).toBe('shedding'));
      },
      end: async () => {
        its.bytes = 1_000;
        await untilHolds(() => expect(changes.at(-1)?.state).toBe('normal'));
      },
    };
  }

  test('new connections are refused, but for a few who may come back; new sessions are; and all of it is over again', async () => {
    const { io, first, session, begin, end, changes, warned } = await shedding();
    await begin();
    expect(changes).toEqual([
      expect.objectContaining({ state: 'shedding', reasons: ['memory'], memoryBytes: 2_000_000 }),
    ]);
    expect(io.health()).toMatchObject({ live: true, ready: false, reasons: [expect.stringContaining('memory')] });
    // Who comes back goes on.
    const back = await RawWebSocket.connect(io.port);
    back.send([0, [], '', [session.session, session.secret, 1, 0]]);
    expect(await back.packet(1)).toMatchObject({ 5: true });
    expect(await first.close()).toMatchObject({ code: 4409 });
    // Who is new does not.
    const stranger = await RawWebSocket.connect(io.port);
    stranger.send([0, [['/']], '']);
    expect(await stranger.close()).toMatchObject({
      code: 1013,
      reason: expect.stringMatching(/^ERR_OVERLOADED: .*; retry-after: 7$/),
    });
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => http(io.port, request('POST /halyard', { 'Content-Length': '0' }))),
    );
    const refused = answers.find(({ status }) => status === 503);
    expect(refused?.body).toContain('ERR_OVERLOADED');
    expect(refused?.headers['retry-after']).toBe('7');
    const status = await new Promise((resolve) => {
      const late = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`);
      late.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve([response.statusCode, response.headers['retry-after']]);
      });
      late.on('error', () => {});
      late.once('open', () => resolve('open'));
    });
    expect(status).toEqual([503, '7']);
    const shed = io.metrics().find(({ name }) => name === 'halyard_shed_total')?.samples as readonly MetricSample[];
    expect(shed.map(({ value }) => value)).toEqual([expect.any(Number), 1, 0]);
    expect(shed[0]?.value).toBeGreaterThanOrEqual(2);
    // Nobody who is there notices.
    back.send([2, '/', 'echo', ['here'], 1]);
    expect(await back.packet(3)).toEqual([3, 1, 'here']);
    await end();
    expect([io.health().ready, warned]).toEqual([true, ['overload']]);
    const welcome = await RawWebSocket.connect(io.port);
    await welcome.hello();
  });

  test('volatile events are dropped, and others are not', async () => {
    const { io, first, begin, session } = await shedding();
    await begin();
    io.to('all').volatile.emit('price', 1);
    io.sockets.get(session.id)?.volatile.emit('price', 2);
    io.to('all').emit('order', 3);
    expect(await first.packet(5)).toMatchObject({ 3: 'order' });
    expect(first.packets.filter(([type]) => type === 6)).toEqual([]);
    expect(io.slowReaderCounts.volatileDropped).toBe(2);
  });

  test('connections that began last are closed if nothing else helps, and their sessions go on later', async () => {
    const late = { ms: 0 };
    const clock = {
      now: () => Math.floor(performance.now()) + late.ms,
      exact: () => performance.now() + late.ms,
      after(delayMs: number, run: () => void) {
        // Later than it should by what the test says.
        const timer = setTimeout(
          () => {
            late.ms += delayMs === 50 ? lateness : 0;
            run();
          },
          delayMs === 50 ? 5 : delayMs,
        );
        return () => clearTimeout(timer);
      },
      memoryBytes: () => 1,
    };
    let lateness = 0;
    const io = await serve({
      clock,
      overload: { loopDelayMs: 500, endsNewest: true },
      adapter: memory({ shared: true }),
    });
    const first = await RawWebSocket.connect(io.port);
    await first.hello();
    const second = await RawWebSocket.connect(io.port);
    await second.hello();
    lateness = 600;
    expect(await second.close()).toMatchObject({ code: 1013, reason: expect.stringContaining('ERR_OVERLOADED') });
    lateness = 0;
    expect(io.sockets.size).toBe(2);
    first.send([8]);
    await first.packet(9);
  });

  test('a process that is really too busy sheds, its client waits, and comes in by itself', async () => {
    const changes: OverloadChange[] = [];
    const io = await serve({ overload: { loopDelayMs: 60, returnsPerSecondMax: 0, retryAfterMs: 1_000 } }, (server) => {
      server.on('overload', (change) => void changes.push(change));
      server.on('warning', () => {});
    });
    const first = await RawWebSocket.connect(io.port);
    await first.hello();
    let isBusy = true;
    const work = (): void => {
      const until = performance.now() + 250;
      while (performance.now() < until);
      if (isBusy) setTimeout(work, 1);
    };
    work();
    await untilHolds(() => expect(changes).toHaveLength(1));
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: ['polling'] });
    cleanUp.push(() => socket.connection.close());
    const waits: number[] = [];
    socket.connection.on('state', (change) => change.to === 'waiting' && waits.push(change.retryInMs));
    await untilHolds(() => expect(waits.length).toBeGreaterThan(0));
    isBusy = false;
    await untilHolds(() => expect(socket.connected).toBe(true));
    expect(changes.map(({ state }) => state)).toEqual(['shedding', 'normal']);
    expect(waits[0]).toBeGreaterThanOrEqual(1_000);
  });
});

test.each<[overload: unknown, rule: RegExp]>([
  [true, /"overload" is true: it may be false or options/],
  [{ loopDelay: 1 }, /"overload.loopDelay" is not an option: known ones are loopDelayMs/],
  [{ loopDelayMs: 9 }, /"overload.loopDelayMs" is 9: .* from 10 to 60000/],
  [{ memoryBytes: 1_000 }, /"overload.memoryBytes" is 1000: the process has \d+ bytes already/],
  [{ utilizationMax: 85 }, /"overload.utilizationMax" is 85: it may be a number from 0.1 to 1/],
  [{ endsNewest: 1 }, /"overload.endsNewest" is 1: it may be true or false/],
])('overload: %j is refused', async (overload, rule) => {
  const { Server } = await import('@halyard/server');
  expect(() => new Server({ overload } as ServerOptions) as Server).toThrow(rule);
});
