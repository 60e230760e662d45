// Large events to a client that reads: they come, and nobody is cut off or sent away, whatever is said beside them. So do large answers of
// the app's own.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, polling, sse, websocket } from '@halyard/client';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

const transports = { websocket, sse, polling };
const nine = 'x'.repeat(9_000_000);
const five = 'x'.repeat(5_000_000);
const one = 'x'.repeat(1_000_000);
const short = 'x'.repeat(100_000);

describe.each(hosts)('on %s', (_name, host) => {
  const { cleanUp, serve } = served(host);

  test.each(Object.entries(transports))('by %s', async (_transport, transport) => {
    const io = await serve({}, (io) =>
      io.on('connection', (socket) => {
        // What is not confirmed yet stands before it, and something stands behind it.
        socket.emit('first');
        socket.emit('state', nine);
        socket.emit('last');
        socket.on('five', () => {
          socket.emit('large', five);
          return 'said';
        });
        socket.on('six', () => {
          for (let i = 0; i < 6; i++) socket.emit('large', one);
          return 'said';
        });
        socket.join('room');
        socket.on('room', () => {
          io.to('room').emit('large', nine);
          for (let i = 0; i < 3; i++) io.to('room').emit('large', short);
          return 'said';
        });
      }),
    );
    const client = connect(`http://127.0.0.1:${io.port}`, { transports: [transport()] });
    cleanUp.push(() => client.disconnect());
    const got: unknown[] = [];
    const told: string[] = [];
    client.on('first', () => void got.push('first')).on('last', () => void got.push('last'));
    client.on('state', (text: string) => void got.push(text.length));
    client.on('large', (text: string) => void got.push(text.length));
    for (const name of ['connect', 'disconnect', 'error'] as const) client.on(name, () => void told.push(name));
    // What a stream brings with its next comment alone, after 15 s, was stuck.
    await expect.poll(() => got, { timeout: 12_000 }).toEqual(['first', 9_000_000, 'last']);
    expect(await client.emitWithAck('five')).toBe('said');
    expect(await client.emitWithAck('six')).toBe('said');
    expect(got.slice(3)).toEqual([5_000_000, ...Array<number>(6).fill(1_000_000)]);
    got.length = 0;
    expect(await client.emitWithAck('room')).toBe('said');
    await expect.poll(() => got, { timeout: 12_000 }).toEqual([9_000_000, 100_000, 100_000, 100_000]);
    expect(told).toEqual(['connect']);
  });

  test("an answer of the app's that is read slowly is what it was", async () => {
    const chunk = new Uint8Array(1 << 20);
    let pulled = 0;
    const io = await serve({
      fetch: () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              if (pulled++ < 30) controller.enqueue(chunk);
              else controller.close();
            },
          }),
        ),
    });
    const [response] = (await once(get(`http://127.0.0.1:${io.port}/file`), 'response')) as [IncomingMessage];
    let before = 0;
    // Nothing is read until no more can wait.
    await expect
      .poll(() => {
        const isStill = pulled > 1 && pulled === before;
        before = pulled;
        return isStill;
      })
      .toBe(true);
    let bytes = 0;
    let others = 0;
    response.on('data', (data: Buffer) => {
      bytes += data.length;
      others += data.filter((byte) => byte !== 0).length;
    });
    await once(response, 'end');
    expect([bytes, others]).toEqual([30 << 20, 0]);
  });
});
