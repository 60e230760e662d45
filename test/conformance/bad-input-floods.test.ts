// Much at once, little at a time, and the end in the middle of something.

import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { Poller } from './poller';
import { handshake, http, Opcode, RawSocket, RawWebSocket, request, wsFrame } from './raw';

describe.each(hosts)('floods on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('thousands of frames in one write are all handled, in order', async () => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const count = 5_000;
    const frames = Array.from({ length: count }, (_none, i) => wsFrame(`[2,"/","echo",[${i}],${i + 1}]`));
    socket.write(Buffer.concat(frames));
    const replies = await socket.until('all replies', () => {
      const found = socket.packets.filter(([type]) => type === 3);
      return found.length === count && found;
    });
    expect(replies).toEqual(Array.from({ length: count }, (_none, i) => [3, i + 1, i]));
  });

  test('thousands of frames after one that ends the session are not looked at', async () => {
    const heard: unknown[] = [];
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('count', (value: unknown) => heard.push(value));
      });
    });
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const after = Array.from({ length: 1_000 }, () => wsFrame('[2,"/","count",[2]]'));
    socket.write(Buffer.concat([wsFrame('[2,"/","count",[1]]'), wsFrame('[15]'), ...after]));
    expect(await socket.close()).toMatchObject({ code: 4400 });
    expect(heard).toEqual([1]);
  });

  test('thousands of frames in one polling body are all handled, in order', async () => {
    const heard: unknown[] = [];
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('count', (value: unknown) => heard.push(value));
      });
    });
    const poller = await Poller.open(port);
    const frames = Array.from({ length: 5_000 }, (_none, i) => `[2,"/","count",[${i}]]`);
    expect(await poller.post(1, ['[0]', ...frames].join('\n'))).toMatchObject({ status: 200 });
    expect(heard).toEqual(Array.from({ length: 5_000 }, (_none, i) => i));
  });

  test('a message in thousands of parts, with pings in between, is one message', async () => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const letters = [...'[2,"/","echo",["', ...'x'.repeat(2_000), ...'"],1]'];
    const parts = letters.map((letter, i) =>
      wsFrame(letter, i === 0 ? Opcode.Text : Opcode.Continuation, i === letters.length - 1),
    );
    socket.write(
      Buffer.concat(parts.flatMap((part, i) => (i % 100 === 50 ? [wsFrame('hi', Opcode.Ping), part] : [part]))),
    );
    expect(await socket.packet(3)).toEqual([3, 1, 'x'.repeat(2_000)]);
  });

  test('requests that wait for no answer are answered if they are few, and end their connection if they are thousands', async () => {
    const { port } = await serve();
    for (const [count, isCut] of [
      [100, false],
      [5_000, true],
    ] as const) {
      const socket = await RawSocket.open(port);
      const answers = (): number => socket.bytes.toString().split('HTTP/1.1 404').length - 1;
      socket.write(request('GET /elsewhere').repeat(count));
      await socket.until('the answers', () => socket.ended || answers() === count);
      expect([socket.ended, answers() < count]).toEqual([isCut, isCut]);
      socket.cut();
    }
    // Many at once that are of many are all answered.
    const all = await Promise.all(Array.from({ length: 300 }, () => http(port, request('GET /elsewhere'))));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([404]));
  });

  test.each<[what: string, open: string, close: string]>([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
    ['notations', '{"$date":', '}'],
  ])('%s nested a hundred thousand deep are refused', async (_what, open, close) => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const depth = 100_000;
    socket.message(`[2,"/","echo",[${open.repeat(depth)}1${close.repeat(depth)}],1]`);
    expect(await socket.close()).toMatchObject({ code: 4400, reason: expect.stringMatching(/^ERR_FRAME_DECODE: /) });
  });

  test('a value may nest 64 deep, and no deeper', async () => {
    const { port } = await serve();
    const nested = (depth: number): string => `[2,"/","echo",[${'['.repeat(depth)}${']'.repeat(depth)}],1]`;
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.message(nested(64));
    expect(JSON.stringify(await socket.packet(3))).toBe(`[3,1,${'['.repeat(64)}${']'.repeat(64)}]`);
    socket.message(nested(65));
    expect(await socket.close()).toMatchObject({ code: 4400 });
  });

  test('a megabyte of brackets is plain data', async () => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const list = `[${'[],'.repeat(300_000)}[]]`;
    socket.message(`[2,"/","echo",[${list}],1]`);
    expect(JSON.stringify(await socket.packet(3))).toBe(`[3,1,${list}]`);
  });
});

describe.each(hosts)('ends in the middle on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('of a frame: the session waits, and goes on without the half', async () => {
    const heard: unknown[] = [];
    const { port, io } = await serve({}, (server) => {
      server.on('connection', (socket) => {
        socket.on('count', (value: unknown) => heard.push(value));
      });
    });
    for (const cut of [1, 3, 8, 20]) {
      const socket = await RawWebSocket.connect(port);
      const { session, secret, id } = await socket.hello();
      const away = new Promise((resolve) => io.sockets.get(id)?.on('away', resolve));
      socket.write(
        Buffer.concat([wsFrame(`[2,"/","count",[${cut}]]`), wsFrame('[2,"/","count",["half"]]').subarray(0, cut)]),
      );
      await expect.poll(() => heard).toContain(cut);
      socket.cut();
      await away;
      const back = await RawWebSocket.connect(port);
      back.send([0, [], '', [session, secret, 1, 0]], [2, '/', 'count', [cut]], [2, '/', 'count', ['whole']]);
      expect(await back.packet(1)).toMatchObject({ 4: 1, 5: true });
      back.send([8]);
      await back.packet(9);
      expect(heard.splice(0)).toEqual([cut, 'whole']);
    }
  });

  test.each([
    ['a handshake', handshake().slice(0, 60)],
    ['a body', `${request('POST /halyard', { 'Content-Length': '100' })}[0]`],
    ['a chunk', `${request('POST /halyard', { 'Transfer-Encoding': 'chunked' })}ff\r\n[0]`],
  ])('of %s: nothing is left of it', async (_what, text) => {
    const { port, io } = await serve();
    for (let i = 0; i < 20; i++) {
      const socket = await RawSocket.open(port);
      socket.write(text);
      socket.cut();
    }
    expect(io.sockets.size).toBe(1);
  });

  test('of the session: a client that leaves in its HELLO flight leaves nothing behind', async () => {
    const { port, io } = await serve({ recoveryWindowMs: 0 });
    for (let i = 0; i < 20; i++) {
      const socket = await RawSocket.open(port);
      socket.write(handshake());
      socket.write(Buffer.concat([wsFrame('[0]'), wsFrame('[2,"/","echo",[1],1]')]));
      socket.cut();
    }
    await expect.poll(() => io.sockets.size).toBe(1);
  });
});
