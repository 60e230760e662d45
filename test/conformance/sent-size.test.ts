// What clients are told of the server's limits, and that the server keeps to what it tells.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { memory, type Server, type Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { http, request } from './raw';

const tooBig = expect.objectContaining({
  code: 'ERR_FRAME_TOO_BIG',
  message: expect.stringContaining('(server option: sentFrameBytesMax)'),
});

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, open, cleanUp } = served(host, { sentFrameBytesMax: 131_072 });

  async function joined(io: Server) {
    const wire = await open(io);
    wire.send([0]);
    const [, , , settings] = await wire.packet(1);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    return { wire, settings, socket: io.sockets.get(id) as Socket };
  }

  test('the limits of polling are told when it is opened, and the largest frame in WELCOME', async () => {
    const io = await serve({ pollHoldMs: 12_345, httpBodyBytesMax: 2_048 });
    const opening = request('POST /halyard', { Origin: 'http://halyard.test', 'Content-Length': '0' });
    const { headers } = await http(io.port, opening);
    expect(headers).toMatchObject({ 'halyard-poll-hold-ms': '12345', 'halyard-body-bytes-max': '2048' });
    for (const name of ['halyard-poll-hold-ms', 'halyard-body-bytes-max']) {
      expect(headers['access-control-expose-headers']).toContain(name);
    }
    expect((await joined(io)).settings).toEqual([25_000, 20_000, 120_000, 1 << 20, 32, 1_000, 1_024, 1 << 20, 131_072]);
  });

  test('what is larger is refused where it is emitted, and nobody gets it', async () => {
    const errors: string[] = [];
    const io = await serve({}, (server) => {
      server.on('error', (error) => errors.push((error as { code: string }).code));
      server.on('connection', (socket) => {
        socket.join('room');
        socket.on('ask', (length: number) => 'x'.repeat(length));
      });
    });
    // Bytes count, and not characters.
    for (const text of ['x'.repeat(65_536), 'é'.repeat(32_768)]) {
      // With nobody there as with somebody.
      expect(() => io.emit('n', text)).toThrow(tooBig);
    }
    const { wire, socket } = await joined(io);
    for (const text of ['x'.repeat(65_536), 'é'.repeat(32_768), '語'.repeat(22_000)]) {
      for (const emitter of [io, io.to('room'), io.volatile, io.to(socket.id), socket, socket.volatile]) {
        expect(() => emitter.emit('n', text)).toThrow(tooBig);
      }
      await expect(socket.emitWithAck('n', text)).rejects.toEqual(tooBig);
      await expect(io.emitWithAck('n', text)).rejects.toEqual(tooBig);
      await expect(io.emitDurable('n', text)).rejects.toEqual(tooBig);
    }
    wire.send([2, '/', 'ask', [70_000], 1], [2, '/', 'ask', [10], 2]);
    expect(await wire.packet(3)).toEqual([3, 2, 'xxxxxxxxxx']);
    expect(wire.received.filter(([type]) => type === 4)).toEqual([[4, 1, 'ERR_HANDLER', 'The handler failed.']]);
    expect(errors).toEqual(['ERR_FRAME_TOO_BIG']);
    // What is just within goes, whatever its characters take.
    for (const emitter of [io, socket]) emitter.emit('fits', 'é'.repeat(32_700));
    await wire.settle();
    expect(wire.events.map((event) => event.slice(0, 5))).toEqual(['fits ', 'fits ']);
  });

  test('the same event is too large whoever is there, and the stack says who has emitted it', async () => {
    const io = await serve({}, (server) => server.on('connection', (socket) => socket.join(['a', 'b', 'c'])));
    const fits = 65_536 - '[5,"/",[],"n",[""]]'.length;
    const emitters = () => [io, io.to('a'), io.to(['a', 'b', 'c']), io.except('b'), io.volatile, io.local];
    const check = (emit: (text: string) => unknown): void => {
      emit('x'.repeat(fits));
      let thrown: unknown;
      try {
        emit('x'.repeat(fits + 1));
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toEqual(tooBig);
      expect((thrown as Error).stack).toContain('sent-size.test.ts');
    };
    const checkAll = (): void => {
      for (const emitter of emitters()) check((text) => emitter.emit('n', text));
    };
    checkAll();
    const { socket } = await joined(io);
    checkAll();
    for (const emitter of [io.to(socket.id), socket, socket.volatile, socket.to('a')]) {
      check((text) => emitter.emit('n', text));
    }
    await expect(socket.emitWithAck('n', 'x'.repeat(fits + 1))).rejects.toEqual(tooBig);
    await expect(io.emitWithAck('n', 'x'.repeat(fits + 1))).rejects.toEqual(tooBig);
  });

  test('what is for a socket of another server is refused here, by the codec that takes the most', async () => {
    const adapter = memory({ shared: true });
    const [a, b] = await Promise.all([0, 1].map(() => serve({ adapter, codecs: [msgpack(), json()] })));
    const wire = await open(b as Server);
    wire.send([0]);
    const [, , id] = (await wire.packet(11)) as [number, string, string];
    // 50,000 bytes in msgpack, and in base64 a third more.
    expect(() => a?.to(id).emit('n', new Uint8Array(50_000))).toThrow(tooBig);
    a?.to(id).emit('n', 'x'.repeat(20_000));
    await wire.until(({ events }) => events.length > 0);
    expect(wire.events).toEqual([`n ${'x'.repeat(20_000)}`]);
    cleanUp.push(() => wire.cut());
  });
});
