// A connection before its HELLO, and the HELLO that asks for a session it may not have.

import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { Poller } from './poller';
import { Opcode, RawWebSocket, wsFrame } from './raw';

describe.each(hosts)('before HELLO on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('silence is closed with 4408, on both transports', async () => {
    const { port } = await serve({ helloTimeoutMs: 50 });
    const socket = await RawWebSocket.connect(port);
    const poller = await Poller.open(port);
    expect(await socket.close()).toEqual({ code: 4408, reason: 'no HELLO within helloTimeoutMs' });
    expect(await poller.close()).toBe('4408 no HELLO within helloTimeoutMs');
    expect(await poller.send([0])).toMatchObject({ status: 404 });
  });

  test('a HELLO that comes byte by byte is closed with 4408 too', async () => {
    const { port } = await serve({ helloTimeoutMs: 200 });
    const socket = await RawWebSocket.connect(port);
    const bytes = wsFrame(`[0,[["/"]],"${'slow'.repeat(2_500)}"]`);
    for (const byte of bytes) {
      if (socket.closed !== undefined) break;
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await socket.close()).toMatchObject({ code: 4408 });
  });

  test('PING is answered four times, a fifth is closed with 4400, and HELLO may follow the fourth', async () => {
    const { port } = await serve();
    const [much, enough] = [await RawWebSocket.connect(port), await RawWebSocket.connect(port)];
    much.send([8], [8], [8], [8], [8]);
    expect(await much.close()).toEqual({ code: 4400, reason: 'ERR_HELLO_EXPECTED: the first packet is HELLO' });
    expect(much.packets).toEqual([[9], [9], [9], [9]]);
    enough.send([8], [8], [8], [8], [0]);
    await expect.poll(() => enough.packets.map(([type]) => type)).toEqual([9, 9, 9, 9, 1, 11]);
    const poller = await Poller.open(port);
    const answer = await poller.send([8]);
    expect([answer.status, answer.body]).toEqual([200, '[9]']);
  });

  test('PING does not hold the time for HELLO', async () => {
    const { port } = await serve({ helloTimeoutMs: 200 });
    const socket = await RawWebSocket.connect(port);
    socket.send([8]);
    expect(await socket.close()).toMatchObject({ code: 4408 });
    expect(socket.packets).toEqual([[9]]);
  });

  test.each([
    ['an event', [2, '/', 'echo', [1], 1]],
    ['CONNECT', [10, '/']],
    ['SACK', [7, 0]],
    ['PONG', [9]],
    ['RESET', [14]],
    ['a packet of the server', [1, 's', 'k', [1, 1, 1, 1, 1, 1, 1, 1], 0, false, '']],
  ])('%s is closed with 4400, on both transports', async (_what, packet) => {
    const { port, io } = await serve();
    const socket = await RawWebSocket.connect(port);
    const poller = await Poller.open(port);
    // What follows in the same flight is not looked at.
    socket.send(packet, [0]);
    expect(await poller.send(packet, [0])).toMatchObject({ status: 204 });
    expect(await socket.close()).toEqual({ code: 4400, reason: 'ERR_HELLO_EXPECTED: the first packet is HELLO' });
    expect(await poller.close()).toBe('4400 ERR_HELLO_EXPECTED: the first packet is HELLO');
    expect(socket.packets).toEqual([]);
    expect(io.sockets.size).toBe(1);
  });

  test.each<[what: string, text: string, reason: string]>([
    ['no JSON', '{', 'ERR_FRAME_DECODE: not a packet'],
    ['namespaces that are no list', '[0,"/"]', 'ERR_PACKET_SHAPE: namespaces: an array'],
    ['a namespace without its slash', '[0,[["chat"]]]', 'ERR_PACKET_SHAPE: namespace: starts with "/"'],
    ['65 namespaces', JSON.stringify([0, Array(65).fill(['/'])]), 'ERR_PACKET_SHAPE: namespaces: at most 64'],
    ['a client that is no text', '[0,[],7]', 'ERR_PACKET_SHAPE: client: text of 0 to 1024 characters'],
    [
      'a resume with a token',
      '[0,[],"",["s","k",0,0],"sixteen letters."]',
      'ERR_PACKET_SHAPE: HELLO has a token, or resumes',
    ],
    ['a resume without counts', '[0,[],"",["s","k"]]', 'ERR_PACKET_SHAPE: received: a whole number from 0'],
    [
      'a token that could be guessed',
      '[0,[],"",null,"short"]',
      'ERR_PACKET_SHAPE: token: text of 16 to 256 characters',
    ],
    ['half a position', '[0,[],"",["s","k",0,0,["log"]]]', 'ERR_PACKET_SHAPE: positions: pairs'],
  ])('a HELLO with %s is closed with 4400', async (_what, text, reason) => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    socket.message(text);
    const close = await socket.close();
    expect(close.code).toBe(4400);
    expect(close.reason).toContain(reason);
  });
});

describe.each(hosts)('resuming what is not yours on %s', (_name, host) => {
  const serve = guardedServers(host);

  test.each<[what: string, resume: (session: string, secret: string) => [string, string]]>([
    ['a wrong id', (_session, secret) => ['no-such-session', secret]],
    ['a wrong secret', (session, secret) => [session, `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`]],
    ['a short secret', (session) => [session, 'x']],
    ['a secret of other letters', (session, secret) => [session, 'é'.repeat(secret.length)]],
    ['id and secret swapped', (session, secret) => [secret, session]],
    ['names of Object.prototype', () => ['__proto__', 'constructor']],
  ])('%s: an unknown session, and its owner notices nothing', async (_what, resume) => {
    const { port, io } = await serve();
    const owner = await RawWebSocket.connect(port);
    const { session, secret, id } = await owner.hello();
    const thief = await RawWebSocket.connect(port);
    const poller = await Poller.open(port);
    thief.send([0, [['/']], '', [...resume(session, secret), 0, 0]]);
    await poller.send([0, [['/']], '', [...resume(session, secret), 0, 0]]);
    const welcomes = [await thief.packet(1), await poller.packet(1)];
    for (const welcome of welcomes) {
      expect(welcome.slice(4)).toEqual([0, false, 'unknown-session']);
      expect(welcome[1]).not.toBe(session);
      expect(welcome[2]).not.toBe(secret);
    }
    owner.send([2, '/', 'echo', ['mine'], 1]);
    expect(await owner.packet(3)).toEqual([3, 1, 'mine']);
    expect(owner.closed).toBeUndefined();
    expect(io.sockets.get(id)?.recovered).toBe(false);
  });

  test('a session of another codec is unknown', async () => {
    const { msgpack } = await import('@halyard/codec-msgpack');
    const { json } = await import('@halyard/codec/json');
    const { port } = await serve({ codecs: [json(), msgpack()] });
    const owner = await RawWebSocket.connect(port);
    const { session, secret } = await owner.hello();
    const other = await RawWebSocket.connect(port, { 'Sec-WebSocket-Protocol': 'halyard.v1+msgpack' });
    const resume = { session, secret, received: 0, confirmed: 0, positions: [] };
    other.message(
      msgpack().encode({
        type: 0,
        namespaces: [],
        client: '',
        resume,
        token: '',
        generation: 0,
        left: 0,
      }) as Uint8Array,
    );
    const welcome = msgpack().decode(await other.until('WELCOME', () => other.binary[0]));
    expect(welcome).toMatchObject({ type: 1, recovered: false, reason: 'unknown-session' });
    owner.send([2, '/', 'echo', ['mine'], 1]);
    expect(await owner.packet(3)).toEqual([3, 1, 'mine']);
  });

  test('a stale one, whose session has ended', async () => {
    const { port, io } = await serve();
    const first = await RawWebSocket.connect(port);
    const { session, secret, id } = await first.hello();
    io.sockets.get(id)?.disconnect(true);
    expect(await first.close()).toMatchObject({ code: 1000 });
    const second = await RawWebSocket.connect(port);
    second.send([0, [], '', [session, secret, 2, 0]]);
    expect((await second.packet(1)).slice(4)).toEqual([0, false, 'unknown-session']);
  });

  test.each([
    ['1000, the client is done', 1000, false],
    ['1001, the browser has put the page away', 1001, true],
    ['no code', undefined, true],
    ['4000, the server was silent', 4000, true],
    ['4400, the server broke a rule', 4400, false],
  ])('after a close by the client with %s, its session is there or not', async (_what, code, recovered) => {
    const { port } = await serve();
    const first = await RawWebSocket.connect(port);
    const { session, secret } = await first.hello();
    first.message(code === undefined ? new Uint8Array() : Uint8Array.of(code >> 8, code & 255), Opcode.Close);
    await first.until('the end', () => first.ended);
    const second = await RawWebSocket.connect(port);
    second.send([0, [], '', [session, secret, 1, 0]]);
    expect((await second.packet(1)).slice(5)).toEqual([recovered, recovered ? '' : 'unknown-session']);
  });

  test.each<[what: string, received: number, confirmed: number]>([
    ['more received than was sent', 3, 0],
    ['more confirmed than was handled', 2, 2],
    ['less received than was confirmed', 0, 0],
  ])('%s: 4400, and the owner notices nothing', async (_what, received, confirmed) => {
    const { port, io } = await serve();
    const owner = await RawWebSocket.connect(port);
    const { session, secret, id } = await owner.hello();
    // CONNECTED and this answer are the two counted packets of the server.
    owner.send([2, '/', 'echo', ['one'], 1]);
    await owner.packet(3);
    owner.send([7, 1], [8]);
    await owner.packet(9);
    const other = await RawWebSocket.connect(port);
    other.send([0, [], '', [session, secret, received, confirmed]]);
    const reason = 'ERR_RESUME_COUNTS: the resume counts what cannot be';
    expect(await other.close()).toEqual({ code: 4400, reason });
    expect(other.packets).toEqual([]);
    owner.send([2, '/', 'echo', ['two'], 2]);
    await owner.until('the second answer', () => owner.packets.some(([type, ack]) => type === 3 && ack === 2));
    expect(owner.closed).toBeUndefined();
    expect(io.sockets.get(id)?.recovered).toBe(false);
  });

  test('a token of a session that was resumed meanwhile is of no session', async () => {
    const { port, io } = await serve({ recoveryWindowMs: 100 });
    const hello = [0, [['/']], '', null, 'a text nobody guesses'];
    const owner = await RawWebSocket.connect(port);
    owner.send(hello);
    const [, session, secret] = (await owner.packet(1)) as [number, string, string];
    await owner.packet(11);
    const back = await RawWebSocket.connect(port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    expect(await back.packet(1)).toMatchObject({ 5: true });
    const other = await RawWebSocket.connect(port);
    other.send(hello);
    expect(await other.packet(1)).toMatchObject({ 5: false });
    back.send([2, '/', 'echo', ['mine'], 1]);
    expect(await back.packet(3)).toEqual([3, 1, 'mine']);
    // And none of them is left behind.
    for (const socket of [owner, back, other]) socket.cut();
    await expect.poll(() => io.sockets.size).toBe(1);
  });
});
