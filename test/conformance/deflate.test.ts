// permessage-deflate (RFC 7692) on both hosts: what is compressed, what a bomb does, and order under a slow reader.
import { once } from 'node:events';
import { constants, deflateRawSync } from 'node:zlib';
import { connect } from '@halyard/client';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Server, ServerOptions } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

describe.each(hosts)('on %s', (name, host) => {
  const { cleanUp, serve } = served(host);

  function start(options: ServerOptions): Promise<Server> {
    return serve(options, (io) => {
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('echo', (value: unknown) => value);
      });
    });
  }

  /** A WebSocket by hand, and the bytes that have come over its connection. */
  async function open(io: Server, offer = true): Promise<{ ws: WebSocket; received(): number; packets: unknown[][] }> {
    const ws = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`, 'halyard.v1+json', { perMessageDeflate: offer });
    cleanUp.push(() => ws.terminate());
    const packets: unknown[][] = [];
    ws.on('message', (data) => packets.push(JSON.parse(String(data))));
    const socket = new Promise<{ bytesRead: number }>((resolve) => {
      ws.on('upgrade', (response) => resolve(response.socket));
    });
    await once(ws, 'open');
    ws.send('[0]');
    await expect.poll(() => packets.find(([type]) => type === 11)).toBeDefined();
    const { bytesRead } = await socket;
    const stream = await socket;
    return { ws, packets, received: () => stream.bytesRead - bytesRead };
  }

  /** How the session of who has come last ends. */
  function ended(io: Server): Promise<unknown> {
    const socket = [...io.sockets.values()].at(-1);
    return new Promise((resolve) => socket?.on('disconnect', resolve).on('away', () => resolve('away')));
  }

  const long = 'what compresses well '.repeat(500);

  test('what is large is compressed, whether it is for one or for a room, and what is small is not', async () => {
    const io = await start({ perMessageDeflate: true });
    const { ws, packets, received } = await open(io);
    expect(ws.extensions).toContain('permessage-deflate');
    for (const emit of [
      () => ws.send(JSON.stringify([2, '/', 'echo', [long], 1])),
      () => io.to('room').emit('said', long),
      () => io.emit('said', long),
    ]) {
      const [before, count] = [received(), packets.length];
      emit();
      await expect.poll(() => packets.length).toBeGreaterThan(count);
      expect(JSON.stringify(packets.at(-1))).toContain(long);
      expect(received() - before).toBeLessThan(1_000);
    }
    const before = received();
    const small = 'a'.repeat(900);
    io.emit('said', small);
    await expect.poll(() => JSON.stringify(packets.at(-1))).toContain(small);
    expect(received() - before).toBeGreaterThan(900);
  });

  test.each([
    ['x-webkit-deflate-frame', /^$/],
    ['permessage-deflate; server_max_window_bits=10', /^$|server_max_window_bits=10/],
    ['x-webkit-deflate-frame, permessage-deflate; client_max_window_bits', /^permessage-deflate/],
  ])('of what is offered it takes what it can do: %s', async (offer, taken) => {
    const io = await start({ perMessageDeflate: true });
    const headers = { 'sec-websocket-extensions': offer };
    const ws = new WebSocket(`ws://127.0.0.1:${io.port}/halyard`, 'halyard.v1+json', {
      headers,
      perMessageDeflate: false,
    });
    cleanUp.push(() => ws.terminate());
    ws.on('error', () => {});
    const [{ headers: answer }] = (await once(ws, 'upgrade')) as [{ headers: Record<string, string | undefined> }];
    expect(answer['sec-websocket-extensions'] ?? '').toMatch(taken);
  });

  test('nothing is for who has not offered it, or if it is off, which it is by default', async () => {
    for (const [options, offer] of [
      [{ perMessageDeflate: true }, false],
      [{}, true],
    ] as const) {
      const io = await start(options);
      const { ws, packets, received } = await open(io, offer);
      expect(ws.extensions).toBe('');
      const before = received();
      io.emit('said', long);
      await expect.poll(() => JSON.stringify(packets.at(-1))).toContain(long);
      expect(received() - before).toBeGreaterThan(long.length);
    }
  });

  test('with contextTakeover a message that comes again is a few bytes', async () => {
    if (name === 'uws') {
      const rejected = expect(start({ perMessageDeflate: { contextTakeover: true } })).rejects;
      await rejected.toThrow('uWebSockets.js compresses each message by itself');
      return;
    }
    const io = await start({ perMessageDeflate: { contextTakeover: true, thresholdBytes: 100 } });
    const { packets, received, ws } = await open(io);
    const random = Array.from({ length: 500 }, (_, i) => ((i * 7_919) % 1_009).toString(36)).join('');
    const costs: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [before, count] = [received(), packets.length];
      ws.send(JSON.stringify([2, '/', 'echo', [random], i + 1]));
      await expect.poll(() => packets.length).toBeGreaterThan(count);
      costs.push(received() - before);
    }
    expect(costs[2]).toBeLessThan((costs[0] as number) / 4);
  });

  test('a message that inflates beyond the limit ends its connection, and nobody else notices', async () => {
    const io = await start({ perMessageDeflate: true, frameBytesMax: 65_536 });
    const other = await open(io);
    const { ws } = await open(io);
    const over = ended(io);
    const bomb = deflateRawSync(Buffer.alloc(60 << 20, 0x20));
    expect(bomb.length).toBeLessThan(65_536);
    // A compressed text message, masked with zeros (RFC 6455 §5.2, RFC 7692 §6).
    const head = Buffer.from([0xc1, 0xfe, bomb.length >> 8, bomb.length & 0xff, 0, 0, 0, 0]);
    const memory = process.memoryUsage().rss;
    const stream = (ws as unknown as { _socket: { write(data: Buffer): void } })._socket;
    stream.write(Buffer.concat([head, bomb]));
    const [code] = await once(ws, 'close');
    // uWebSockets.js cuts without a close frame.
    expect(code).toBe(name === 'uws' ? 1006 : 1009);
    expect(await over).toMatchObject({ code: 1009 });
    expect(process.memoryUsage().rss - memory).toBeLessThan(48 << 20);
    other.ws.send('[2,"/","echo",["there"],1]');
    await expect.poll(() => other.packets.at(-1)).toEqual([3, 1, 'there']);
  });

  test('what cannot be inflated ends its session', async () => {
    const io = await start({ perMessageDeflate: true });
    const { ws } = await open(io);
    const over = ended(io);
    (ws as unknown as { _socket: { write(data: Buffer): void } })._socket.write(
      Buffer.from('c18400000000ffffffff', 'hex'),
    );
    const [code] = await once(ws, 'close');
    expect(code).toBe(name === 'uws' ? 1006 : 1007);
    expect(await over).toMatchObject({ code: name === 'uws' ? 1009 : 1007 });
  });

  test('who sends many small ones that inflate to much more than may be taken is cut before all of them are inflated', async () => {
    const io = await start({ perMessageDeflate: true, bytesPerSecondMax: 1 << 20, packetsPerSecondMax: 1_000_000 });
    let handled = 0;
    io.on('connection', (socket) => socket.on('much', () => void handled++));
    const { ws } = await open(io);
    const packet = deflateRawSync(Buffer.from(`[6,"/","much",["${'a'.repeat(200_000)}"]]`), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const bytes = packet.subarray(0, -4);
    const head = Buffer.from([0xc1, 0xfe, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0]);
    const stream = (ws as unknown as { _socket: { write(data: Buffer): void } })._socket;
    const beganMs = performance.now();
    stream.write(Buffer.concat(Array.from({ length: 2_000 }, () => [head, bytes]).flat()));
    const [code, reason] = await once(ws, 'close');
    expect([code, String(reason)]).toEqual([4429, expect.stringContaining('ERR_RATE')]);
    // What may be taken: five of them in a second.
    expect(handled).toBeLessThan(20 + (6 * (performance.now() - beganMs)) / 1_000);
  });

  // Elsewhere messages are inflated one after the other, and others come between.
  test.runIf(name === 'uws')(
    'who sends at once what inflates to more than a client may have under way is cut before most of it is inflated',
    async () => {
      const io = await start({ perMessageDeflate: true });
      const { ws } = await open(io);
      // Many values take long to read; nobody is in that namespace.
      const packet = deflateRawSync(Buffer.from(`[6,"/nowhere","much",[${'0,'.repeat(500_000)}0]]`), {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      const bytes = packet.subarray(0, -4);
      const head = Buffer.from([0xc1, 0xfe, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0]);
      const stream = (ws as unknown as { _socket: { write(data: Buffer): void } })._socket;
      stream.write(Buffer.concat(Array.from({ length: 400 }, () => [head, bytes]).flat()));
      const [code, reason] = await once(ws, 'close');
      expect([code, String(reason)]).toEqual([
        4429,
        expect.stringContaining('ERR_RATE: what was sent at once inflates'),
      ]);
    },
  );

  test('what is being compressed makes nobody slow: what is volatile goes behind it', async () => {
    const io = await start({ perMessageDeflate: true });
    const { packets } = await open(io);
    const [socket] = [...io.sockets.values()];
    for (let i = 0; i < 20; i++) {
      socket!.emit('large', long);
      await new Promise(setImmediate);
      socket!.volatile.emit('small', i);
      io.to('room').volatile.emit('small too', i);
      await expect.poll(() => packets.filter(([type]) => type === 6).length).toBe(2 * (i + 1));
    }
    expect(io.slowReaderCounts.volatileDropped).toBe(0);
  });

  test('what is above frameBytesMax, once inflated, is told as what is sent so', async () => {
    const io = await start({ perMessageDeflate: true, frameBytesMax: 65_536 });
    const { ws } = await open(io);
    ws.send(JSON.stringify([2, '/', 'echo', ['a'.repeat(70_000)]]));
    const [code, reason] = await once(ws, 'close');
    expect([code, String(reason)]).toEqual([1009, 'frames may have 65536 bytes (frameBytesMax)']);
  });

  test.each([
    ['within the limit', 64 << 20],
    ['also for readers that are cut and catch up', 131_072],
  ])(
    'large and small messages keep their order, to one and to a room, in text and in bytes, %s',
    async (_what, max) => {
      const io = await start({
        ...{ perMessageDeflate: { thresholdBytes: 512 }, codecs: [json(), msgpack()] },
        ...{ backpressureBytesMax: max, logBytesMax: 64 << 20, outboxBytesMax: 64 << 20 },
      });
      const clients = [json(), msgpack()].map((codec) => {
        const client = connect(`http://127.0.0.1:${io.port}`, { transports: ['websocket'], codec });
        cleanUp.push(() => client.disconnect());
        const heard: number[] = [];
        client.on('n', (n: number) => void heard.push(n));
        return { client, heard };
      });
      await expect.poll(() => clients.every(({ client }) => client.connected)).toBe(true);
      const all = Array.from({ length: 3_000 }, (_, n) => n);
      for (const n of all) {
        const filler = n % 3 === 0 ? long : n % 3 === 1 ? '' : 'b'.repeat(n % 700);
        if (n % 2) io.to('room').emit('n', n, filler);
        else for (const socket of io.sockets.values()) socket.emit('n', n, filler);
      }
      for (const { heard } of clients) {
        await expect.poll(() => heard.length).toBe(all.length);
        // What is for a room and what is for one socket are one order for a client.
        expect(heard).toEqual(all);
      }
    },
  );

  test.each([
    ['perMessageDeflate', 'zlib', 'true, false or { thresholdBytes, contextTakeover }'],
    ['perMessageDeflate.threshold', { threshold: 1 }, 'thresholdBytes or contextTakeover'],
    ['perMessageDeflate.thresholdBytes', { thresholdBytes: -1 }, 'a whole number from 0 to 1073741824'],
    ['perMessageDeflate.contextTakeover', { contextTakeover: 1 }, 'true or false'],
  ])('%s is refused if it is wrong', async (option, value, range) => {
    await expect(start({ perMessageDeflate: value as never })).rejects.toMatchObject({
      details: { option },
      message: expect.stringContaining(`it may be ${range}`),
    });
  });
});
