// A connection is cut at every byte of what opens it, until the first event is answered: the client is there in the end, in one
// session, and its event was handled once. So it is at every byte of an event on a connection that is there, and of what answers it. `npm run test:long` cuts at each byte, every other run at some.
import { connect, type TransportName } from '@halyard/client';
import { Cable, type Ending } from '@halyard/harness/cable';
import { testSeed } from '@halyard/harness/random';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { served } from '../kit/served';

const stride = isLong ? 1 : 41;
const first = 1 + (testSeed() % stride);
/** So many clients at one time. */
const atOnce = 16;

const transports: readonly TransportName[] = ['websocket', 'sse', 'polling'];
const ways = transports.flatMap((transport) =>
  (['reset', 'fin'] as const).map((ending) => [transport, ending] as const),
);

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host);

  test.each(ways)('the opening of a connection over %s, cut by %s at any byte', async (transport, ending) => {
    const connections: number[] = [];
    const handled: number[] = [];
    const io = await serve({}, (server) => {
      server.on('connection', (socket) => {
        connections.push((socket.handshake.auth as { bytes: number }).bytes);
        socket.on('say', (number: number) => {
          handled.push(number);
          return number;
        });
        socket.on('rest', () => {});
      });
    });

    /** @returns whether it was cut */
    const opens = async (bytes: number, ending: Ending): Promise<boolean> => {
      const cable = await Cable.open(io.port as number);
      cleanUp.push(() => cable.close());
      cable.cutAfter(bytes, ending);
      const client = connect(cable.url, {
        auth: { bytes },
        transports: [transport],
        reconnect: { delayMinMs: 1, delayMaxMs: 5 },
      });
      cleanUp.push(() => client.disconnect());
      expect(await client.emitWithAck('say', bytes)).toBe(bytes);
      const wasCut = cable.cuts > 0;
      // Its goodbye is not: by then it is connected.
      cable.cutAfter(Number.POSITIVE_INFINITY);
      await client.emitWithAck('rest');
      client.disconnect();
      return wasCut;
    };

    const cuts: number[] = [];
    for (let bytes = first, isOver = false; !isOver; bytes += atOnce * stride) {
      const batch = Array.from({ length: atOnce }, (_, i) => bytes + i * stride);
      const wereCut = await Promise.all(batch.map((bytes) => opens(bytes, ending)));
      cuts.push(...batch.filter((_, i) => wereCut[i]));
      isOver = wereCut.includes(false);
    }
    // The handshake, HELLO, WELCOME, the event and its reply have more than that.
    expect(cuts.at(-1)).toBeGreaterThan(300);
    expect(connections.toSorted((a, b) => a - b)).toEqual([...new Set(connections)].toSorted((a, b) => a - b));
    expect(handled.toSorted((a, b) => a - b)).toEqual(connections.toSorted((a, b) => a - b));
    // None is left that nobody knows of.
    await expect.poll(() => io.sockets.size).toBe(0);
  });

  test.each(ways)('an event over %s and its answer, cut by %s at any byte', async (transport, ending) => {
    const handled: number[] = [];
    const heard: unknown[] = [];
    const io = await serve({}, (server) => {
      server.on('connection', (socket) => {
        socket.on('say', (number: number, text: string) => {
          handled.push(number);
          socket.emit('said', number);
          return text;
        });
        socket.on('rest', () => {});
      });
    });
    const text = 'x'.repeat(100);

    /** @returns whether it was cut */
    const says = async (bytes: number): Promise<boolean> => {
      const cable = await Cable.open(io.port as number);
      cleanUp.push(() => cable.close());
      const client = connect(cable.url, { transports: [transport], reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
      cleanUp.push(() => client.disconnect());
      client.on('said', (number) => void heard.push(number));
      await client.emitWithAck('rest');
      cable.cutAfter(bytes, ending);
      expect(await client.emitWithAck('say', bytes, text)).toBe(text);
      const wasCut = cable.cuts > 0;
      cable.cutAfter(Number.POSITIVE_INFINITY);
      await client.emitWithAck('rest');
      client.disconnect();
      return wasCut;
    };

    const all: number[] = [];
    let isOver = false;
    for (let bytes = first; !isOver; bytes += atOnce * stride) {
      const batch = Array.from({ length: atOnce }, (_, i) => bytes + i * stride);
      isOver = (await Promise.all(batch.map((bytes) => says(bytes)))).includes(false);
      all.push(...batch);
    }
    expect(all.length).toBeGreaterThan(200 / stride);
    expect(handled.toSorted((a, b) => a - b)).toEqual(all);
    expect(heard.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
  });
});
