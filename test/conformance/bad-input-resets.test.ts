// Peers that reset their connection, at any point of what they do: an error that nobody hears would end the process.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { starts } from '../kit/hosts';
import { Poller } from './poller';
import { handshake, http, RawSocket, RawWebSocket, request, wsFrame } from './raw';

const fatal: unknown[] = [];
const onFatal = (error: unknown): void => {
  fatal.push(error);
};
beforeAll(() => {
  process.on('uncaughtException', onFatal);
});
afterEach(() => {
  expect(fatal.splice(0)).toEqual([]);
});
afterAll(() => {
  process.off('uncaughtException', onFatal);
});

const post = request('POST /halyard', { 'Content-Length': '0' });
const shake = handshake();
const hello = wsFrame('[0]');

/** What a peer writes in one flight before it resets. */
const flights: [what: string, flight: (string | Uint8Array)[]][] = [
  ['nothing', []],
  ['half a head', [post.slice(0, 30)]],
  ['half a body', [request('POST /halyard', { 'Content-Length': '10' }, 'hello')]],
  ['half a chunk', [request('POST /halyard', { 'Transfer-Encoding': 'chunked' }, '10\r\nhello')]],
  ['a request', [post]],
  ['two requests', [post, post]],
  ['a request elsewhere', [request('GET /elsewhere')]],
  ['odd framing', [request('POST /halyard', { 'Transfer-Encoding': 'xchunked' })]],
  ['no HTTP', ['hello\r\n\r\n']],
  ['half a handshake', [shake.slice(0, 60)]],
  ['a handshake', [shake]],
  ['a handshake behind a request', [post, shake]],
  ['a handshake and half a frame', [shake, hello.subarray(0, 3)]],
  ['a handshake and HELLO', [shake, hello]],
  ['a handshake, HELLO and more', [shake, hello, ...Array<Uint8Array>(50).fill(wsFrame('[2,"/","echo",["x"],1]'))]],
  ['a handshake and a broken frame', [shake, '\xff\xff\xff\xff']],
  ['a handshake and a broken packet', [shake, wsFrame('[99]')]],
  ['a handshake and a close', [shake, wsFrame(Uint8Array.of(3, 232), 8)]],
  ['a handshake and a ping', [shake, wsFrame('', 9)]],
  ['a handshake elsewhere', [handshake({}, '/elsewhere')]],
  ['a handshake of a foreign page', [handshake({ Origin: 'http://foreign.test' })]],
  ['a handshake of another version', [handshake({ 'Sec-WebSocket-Version': '8' })]],
  ['an upgrade to something else', [handshake({ Upgrade: 'h2c' })]],
  ['CONNECT', [request('CONNECT halyard.test:80')]],
  ['a request that wants to go on', [request('POST /halyard', { Expect: '100-continue', 'Content-Length': '5' })]],
];

describe.each(starts)('resets, %s', (_name, start) => {
  test.each(flights)('after %s', async (_what, flight) => {
    const io = await start({});
    io.on('connection', (socket) => {
      socket.on('echo', (value: unknown) => value);
    });
    // With what was written still under way, and when all of it was read.
    for (const wait of [false, true]) {
      for (let round = 0; round < 5; round++) {
        const socket = await RawSocket.open(io.port);
        for (const part of flight) socket.write(part);
        if (wait) await http(io.port, post);
        socket.reset();
      }
    }
    expect((await http(io.port, post)).status).toBe(200);
    await io.close();
  });

  test('while a poll is held, and while a connection ends', async () => {
    const io = await start({});
    const poller = await Poller.open(io.port);
    await poller.send([0]);
    await poller.packet(11);
    const headers = { 'Halyard-Connection': poller.connection, 'Halyard-Ack': String(poller.received) };
    for (let round = 0; round < 5; round++) {
      const socket = await RawSocket.open(io.port);
      socket.write(request('GET /halyard', headers));
      await http(io.port, post);
      socket.reset();
      const wire = await RawWebSocket.connect(io.port);
      await wire.hello();
      io.emit('news', 'x'.repeat(100_000));
      wire.reset();
      io.emit('news', 'x'.repeat(100_000));
    }
    const wires = await Promise.all(Array.from({ length: 5 }, () => RawWebSocket.connect(io.port)));
    for (const wire of wires) await wire.hello();
    io.disconnectSockets(true);
    for (const wire of wires) wire.reset();
    const last = await Promise.all(Array.from({ length: 5 }, () => RawWebSocket.connect(io.port)));
    for (const wire of last) await wire.hello();
    const closed = io.close();
    for (const wire of last) wire.reset();
    await closed;
  });
});
