// A session sends faster than it may: what is beyond waits, over every transport, and nothing is lost.
import { connect } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { memory, type Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { untilHolds } from '../kit/until';
import { guardedServers } from './guarded-server';
import { RawWebSocket } from './raw';

const rate = 150;
const count = 300;

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  /** Collects what clients say. */
  function collecting(): { heard: unknown[]; volatile: unknown[]; warned: string[]; app(io: Server): void } {
    const heard: unknown[] = [];
    const volatile: unknown[] = [];
    const warned: string[] = [];
    const app = (io: Server): void => {
      io.on('warning', ({ code }) => void warned.push(code));
      io.on('connection', (socket) => {
        socket.on('count', (value) => {
          heard.push(value);
          return value;
        });
        socket.on('volatile', (value) => void volatile.push(value));
      });
    };
    return { heard, volatile, warned, app };
  }

  test.each(['websocket', 'sse', 'polling'] as const)(
    'what comes too fast waits, and is handled once and in order, over %s',
    async (transport) => {
      const { heard, warned, app } = collecting();
      const io = await serve({ packetsPerSecondMax: rate, sackPacketsMax: 8, windowPacketsMax: 64 }, app);
      const socket = connect(`http://127.0.0.1:${io.port}`, { transports: [transport] });
      cleanUp.push(() => socket.connection.close());
      const ends: unknown[] = [];
      socket.on('disconnect', (...why) => ends.push(why));
      const startedAt = performance.now();
      const replies = await Promise.all(
        Array.from({ length: count }, (_none, i) => socket.timeout(20_000).emitWithAck('count', i)),
      );
      // As many as may come in a second came at once.
      expect(performance.now() - startedAt).toBeGreaterThan(((count - rate) / rate) * 900);
      expect([replies, heard]).toEqual([[...Array(count).keys()], [...Array(count).keys()]]);
      expect([ends, warned]).toEqual([[], ['packetsPerSecondMax']]);
    },
  );

  test('the same by bytes, and where servers share a store', async () => {
    const { heard, warned, app } = collecting();
    const io = await serve({ bytesPerSecondMax: 100_000, adapter: memory({ shared: true }) }, app);
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: ['websocket'] });
    cleanUp.push(() => socket.connection.close());
    await untilHolds(() => expect(socket.connected).toBe(true));
    const startedAt = performance.now();
    const text = 'x'.repeat(10_000);
    await Promise.all(Array.from({ length: 15 }, () => socket.timeout(20_000).emitWithAck('count', text)));
    // Half a second by the server's clock, which is as exact as its ticks are on a busy machine.
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    expect([heard.length, warned]).toEqual([15, ['bytesPerSecondMax']]);
  });

  test('what waits when the connection is lost comes again', async () => {
    const { heard, app } = collecting();
    const io = await serve({ packetsPerSecondMax: rate }, app);
    const cable = await Cable.open(io.port);
    cleanUp.push(() => cable.close());
    const socket = connect(cable.url, { transports: ['websocket'], reconnect: { delayMinMs: 50, delayMaxMs: 50 } });
    cleanUp.push(() => socket.connection.close());
    for (let i = 0; i < count; i++) socket.emit('count', i);
    await untilHolds(() => expect(heard.length).toBeGreaterThanOrEqual(rate));
    expect(heard.length).toBeLessThan(count);
    cable.cut();
    await untilHolds(() => expect(heard.length).toBeGreaterThanOrEqual(count));
    expect(heard).toEqual([...Array(count).keys()]);
  });

  test('who says goodbye is heard to the end', async () => {
    const { heard, app } = collecting();
    const io = await serve({ packetsPerSecondMax: 10, windowPacketsMax: 256 }, app);
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: ['websocket'] });
    await untilHolds(() => expect(socket.connected).toBe(true));
    for (let i = 0; i < 200; i++) socket.emit('count', i);
    socket.connection.close();
    await untilHolds(() => expect(heard).toEqual([...Array(200).keys()]));
  });

  test('volatile events that come too fast are dropped, and counted', async () => {
    const { volatile, heard, app } = collecting();
    const io = await serve({ packetsPerSecondMax: 10 }, app);
    const socket = connect(`http://127.0.0.1:${io.port}`, { transports: ['websocket'] });
    cleanUp.push(() => socket.connection.close());
    await untilHolds(() => expect(socket.connected).toBe(true));
    for (let i = 0; i < 50; i++) socket.volatile.emit('volatile', i);
    await socket.timeout(10_000).emitWithAck('count', 1);
    const refused = io.metrics().find(({ name }) => name === 'halyard_refused_volatile_total');
    expect([volatile, heard]).toEqual([[...Array(10).keys()], [1]]);
    expect(refused?.samples).toEqual([{ labels: {}, value: 40 }]);
  });
});

describe.each(hosts)('by hand on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('who sends more than the window takes is closed with 4429, and nobody else is', async () => {
    const { port } = await serve({ packetsPerSecondMax: 1_000, sackPacketsMax: 8, windowPacketsMax: 64 });
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.send(...Array.from({ length: 6_000 }, () => [2, '/', 'nothing', []]));
    expect(await socket.close()).toMatchObject({
      code: 4429,
      reason: expect.stringMatching(/^ERR_WINDOW: .*64 packets/),
    });
  });

  test('heartbeats are answered while events wait', async () => {
    const { port } = await serve({ packetsPerSecondMax: 1_000, windowPacketsMax: 8_000 });
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.send(...Array.from({ length: 3_000 }, () => [2, '/', 'nothing', []]), [8]);
    const [, received] = await socket.packet(9);
    expect(received).toBeLessThan(3_000);
  });
});
