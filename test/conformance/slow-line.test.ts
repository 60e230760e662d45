// A client behind a line of 2 KB/s was away, and much has been said meanwhile: it catches up, over every transport, and loses neither its
// connection again and again nor its session.
import { connect } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { untilHolds } from '../kit/until';

/** Bytes in five milliseconds. */
const slow = 10;
/** In half a minute it carries about 60 KB: more than a client waits for one answer. */
const messages = isLong ? 100 : 6;
const messageBytes = 1_000;
const caughtUpMsMax = 150_000;

describe.each(hosts)('on %s', (_name, host) => {
  test.concurrent.each(['websocket', 'sse', 'polling'] as const)('up, by %s', async (transport) => {
    const got: number[] = [];
    const io = new Server({ host: host() });
    io.on('connection', (socket) => socket.on('told', (number: unknown) => void got.push(number as number)));
    await io.listen(0, '127.0.0.1');
    const cable = await Cable.open(io.port);
    const client = connect(cable.url, { transports: [transport] });
    try {
      await untilHolds(() => expect(client.connected).toBe(true));
      const [before] = io.sockets.keys();
      cable.pull();
      const text = 'x'.repeat(messageBytes);
      for (let i = 0; i < messages; i++) client.emit('told', i, text);
      // More than goes in one body, alone.
      client.emit('told', messages, text.repeat(isLong ? 60 : 4));
      cable.flow();
      // uWebSockets.js answers 505 to a request whose first line comes in parts, as no network sends it.
      cable.segmentBytes = 500;
      cable.slow(slow, 'up');
      cable.mend();
      await untilHolds(() => expect(got.length).toBe(messages + 1), caughtUpMsMax);
      expect(got).toEqual([...got.keys()]);
      expect([...io.sockets.keys()]).toEqual([before]);
    } finally {
      client.connection.close();
      await cable.close();
      await io.close();
    }
  });

  test.concurrent.each(['websocket', 'sse', 'polling'] as const)('by %s', async (transport) => {
    const io = new Server({ host: host() });
    io.on('connection', (socket) => socket.join('all'));
    await io.listen(0, '127.0.0.1');
    const cable = await Cable.open(io.port);
    const client = connect(cable.url, { transports: [transport] });
    try {
      const got: number[] = [];
      client.on('told', (number: unknown) => void got.push(number as number));
      await untilHolds(() => expect(io.sockets.size).toBe(1));
      await untilHolds(() => expect(client.connected).toBe(true));
      const [before] = io.sockets.keys();
      cable.pull();
      const text = 'x'.repeat(messageBytes);
      for (let i = 0; i < messages; i++) io.to('all').emit('told', i, text);
      cable.flow();
      cable.slow(slow, 'down');
      cable.mend();
      await untilHolds(() => expect(got.length).toBe(messages), caughtUpMsMax);
      expect(got).toEqual([...got.keys()]);
      expect([...io.sockets.keys()]).toEqual([before]);
      // A connection of polling outlives the cut.
      if (transport !== 'polling') expect(io.slowReaderCounts.caughtUp).toBeGreaterThan(0);
    } finally {
      client.connection.close();
      await cable.close();
      await io.close();
    }
  });
});
