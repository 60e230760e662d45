// Requests and answers of the polling transport that are lost, repeated, overtaken, skipped, too big, or for a connection
// that is no more.
// Longer than other files: a case for each rule of docs/PROTOCOL.md §7.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import type { Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { type GuardedServer, guardedServers } from './guarded-server';
import { type Answer, numberOf, Poller, packetsOf } from './poller';
import { RawSocket, request } from './raw';

const unknown = { status: 404, code: 'ERR_CONNECTION_UNKNOWN' };

function reason({ status, body }: Answer): { status: number; code: unknown } {
  return { status, code: body === '' ? undefined : (JSON.parse(body) as { code: unknown }).code };
}

describe.each(hosts)('polls on %s', (_name, host) => {
  const serve = guardedServers(host);

  /** A connection that has said HELLO and has read the answer. */
  async function joined({ port, io }: Pick<GuardedServer, 'port' | 'io'>): Promise<{ poller: Poller; socket: Socket }> {
    const poller = await Poller.open(port);
    await poller.send([0]);
    const [, , id] = (await poller.packet(11)) as [number, string, string];
    const socket = io.sockets.get(id);
    if (socket?.transport !== 'polling') throw new Error(`${id} is not there`);
    return { poller, socket };
  }

  test('a second poll ends the first with 204, and goes on itself', async () => {
    const { poller, socket } = await joined(await serve());
    const first = poller.poll(1);
    const second = poller.poll(1);
    // Which of them came first is the network's choice.
    const ended = await Promise.race([first, second]);
    expect(ended).toMatchObject({ status: 204, body: '' });
    expect(ended.headers.get('halyard-seq')).toBeNull();
    socket.emit('for the second');
    const answers = await Promise.all([first, second]);
    expect(answers.map(({ body }) => body).sort()).toEqual(['', '[2,"/","for the second",[]]']);
  });

  test('a poll that nobody waits for any more takes nothing along', async () => {
    const { port, io } = await serve();
    const { poller, socket } = await joined({ port, io });
    const gone = await RawSocket.open(port);
    gone.write(request('GET /halyard', { 'Halyard-Connection': poller.connection, 'Halyard-Ack': '1' }));
    const pending = poller.poll(1);
    // This poll ends that one, or that one ends this: then it is asked again.
    await Promise.race([gone.response(), pending]);
    gone.cut();
    socket.emit('news', 1);
    const answer = await pending;
    expect(packetsOf((answer.status === 204 ? await poller.poll(1) : answer).body)).toEqual([[2, '/', 'news', [1]]]);
  });

  test('an answer that was lost is asked for again, and is the same', async () => {
    const { poller, socket } = await joined(await serve());
    socket.emit('once');
    const answers = [await poller.poll(1), await poller.poll(1), await poller.poll(1)];
    for (const answer of answers) {
      expect([answer.status, numberOf(answer), answer.body]).toEqual([200, 2, '[2,"/","once",[]]']);
    }
  });

  test('a poll that was overtaken is answered with 204, and disturbs no later one', async () => {
    const { poller, socket } = await joined(await serve());
    socket.emit('one');
    await poller.poll(1);
    const pending = poller.poll(2);
    for (const stale of [0, 1]) {
      // The pending one must be there first: only then is answer 2 known to have come.
      let answer = await poller.poll(stale);
      while (answer.status === 200) answer = await poller.poll(stale);
      expect(numberOf(answer)).toBe(0);
    }
    socket.emit('two');
    const answer = await pending;
    expect([answer.status, numberOf(answer), answer.body]).toEqual([200, 3, '[2,"/","two",[]]']);
  });

  test('a poll that says less than a body before it is not overtaken: it waits', async () => {
    const { poller, socket } = await joined(await serve());
    await poller.send([2, '/', 'echo', ['one'], 1]);
    await poller.send([2, '/', 'echo', ['two'], 2]);
    expect(poller.received).toBe(3);
    // It left before the answers to the bodies had come.
    const pending = poller.poll(1);
    expect(await Promise.race([pending, poller.send([8])])).toMatchObject({ status: 200, body: '[9,2]' });
    socket.emit('news');
    const answer = await pending;
    expect([numberOf(answer), answer.body]).toEqual([5, '[2,"/","news",[]]']);
  });

  test.each(['2', '-1', '1.5', 'x', '1, 1', '99999999999999999999'])(
    'a poll that says %s came: 400 ERR_SEQUENCE, and 4400',
    async (received) => {
      const { io, port } = await serve();
      const { poller } = await joined({ io, port });
      expect(reason(await poller.poll(received))).toEqual({ status: 400, code: 'ERR_SEQUENCE' });
      expect(await poller.close()).toBe('4400 ERR_SEQUENCE: expected halyard-ack 1');
      expect(io.sockets.size).toBe(1);
    },
  );
});

describe.each(hosts)('bodies on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('a repeated body is answered again and handled once', async () => {
    const heard: unknown[] = [];
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('count', (value: unknown) => heard.push(value));
      });
    });
    const poller = await Poller.open(port);
    const bodies = ['[0]\n[2,"/","count",[1]]', '[2,"/","count",[2]]', '[2,"/","count",[3]]'];
    for (const [number, body] of [
      [1, 0],
      [1, 0],
      [2, 1],
      [1, 0],
      [2, 1],
      [3, 2],
      [2, 1],
    ] as const) {
      await poller.post(number, bodies[body] ?? '');
    }
    expect(heard).toEqual([1, 2, 3]);
  });

  test('what waits comes in the answer to a body, and the poll goes on waiting', async () => {
    const { port, io } = await serve({}, (server) => {
      server.on('connection', (socket) => {
        socket.on('later', async (value: unknown) => value);
        socket.on('all', (value: unknown) => void server.emit('all', value));
      });
    });
    const poller = await Poller.open(port);
    await poller.send([0]);
    const pending = poller.poll();
    // Both are at the server before the body: only then may it choose.
    while ((await poller.send([8])).status !== 200);
    const { received } = poller;
    for (const [i, [event, reply]] of [
      ['echo', '[3,1,"it"]'],
      ['later', '[3,2,"it"]'],
      ['all', /^\[5,"\/",\["[\w-]+",1\],"all",\["it"\]\]\n\[3,3\]$/],
    ].entries()) {
      const answer = await poller.send([2, '/', event, ['it'], i + 1]);
      expect([answer.status, numberOf(answer), answer.headers.get('content-type')]).toEqual([
        200,
        received + i + 1,
        'text/plain; charset=utf-8',
      ]);
      if (typeof reply === 'string') expect(answer.body).toBe(reply);
      else expect(answer.body).toMatch(reply as RegExp);
    }
    for (const socket of io.sockets.values()) if (socket.transport === 'polling') socket.emit('news');
    expect(packetsOf((await pending).body)).toEqual([[2, '/', 'news', []]]);
  });

  test('more than one answer takes goes by the poll, whose client waits longer', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    await poller.packet(11);
    const socket = [...io.sockets.values()].find(({ transport }) => transport === 'polling')!;
    const page = 'x'.repeat(10_000);
    socket.emit('page', page);
    expect((await poller.send([8])).body).toContain('"page"');
    for (let i = 0; i < 4; i++) socket.emit('page', page);
    expect(await poller.send([8])).toMatchObject({ status: 204, body: '' });
    expect(packetsOf((await poller.poll()).body).map(([type]) => type)).toEqual([2, 2, 2]);
  });

  test('an answer to a body that was lost comes again with the body, until it is confirmed', async () => {
    const heard: unknown[] = [];
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('count', (value: unknown) => heard.push(value));
      });
    });
    const poller = await Poller.open(port);
    await poller.send([0]);
    const body = '[2,"/","count",["it"],1]';
    const answers = [await poller.post(2, body), await poller.post(2, body, 1), await poller.post(2, body, 0)];
    for (const answer of answers) expect([answer.status, numberOf(answer), answer.body]).toEqual([200, 2, '[3,1,1]']);
    expect(await poller.post(1, '[0]', 1)).toMatchObject({ status: 204, body: '' });
    expect(await poller.post(2, body, 2)).toMatchObject({ status: 204, body: '' });
    expect(await poller.post(2, body, 1)).toMatchObject({ status: 204, body: '' });
    expect(await poller.post(1, '[0]', 0)).toMatchObject({ status: 204, body: '' });
    expect(heard).toEqual(['it']);
  });

  test('a body that comes twice in one turn has the same answer twice', async () => {
    const { port } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const body = '[2,"/","echo",["it"],1]';
    const own = { 'Halyard-Connection': poller.connection, 'Halyard-Seq': '2', 'Halyard-Ack': '1' };
    const sockets = await Promise.all(Array.from({ length: 8 }, () => RawSocket.open(port)));
    for (const socket of sockets)
      socket.write(request('POST /halyard', { ...own, 'Content-Length': `${body.length}` }) + body);
    const answers = await Promise.all(sockets.map((socket) => socket.response()));
    expect(answers.map((answer) => answer.body)).toEqual(Array(8).fill('[3,1,"it"]'));
    for (const socket of sockets) socket.cut();
  });

  test('while an answer to a poll is not confirmed, what waits goes behind it', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const [, , id] = (await poller.packet(11)) as [number, string, string];
    io.sockets.get(id)?.emit('first');
    expect(numberOf(await poller.poll(1))).toBe(2);
    expect(await poller.post(2, '[2,"/","echo",["second"],1]', 1)).toMatchObject({ status: 204, body: '' });
    expect((await poller.poll(1)).body).toBe('[2,"/","first",[]]');
    const answer = await poller.poll(2);
    expect([numberOf(answer), answer.body]).toEqual([3, '[3,1,"second"]']);
    const last = await poller.post(3, '[2,"/","echo",["third"],2]', 3);
    expect([last.status, numberOf(last), last.body]).toEqual([200, 4, '[3,2,"third"]']);
  });

  test('an answer to a poll behind one to a body: each is repeated to its own', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const [, , id] = (await poller.packet(11)) as [number, string, string];
    expect(numberOf(await poller.post(2, '[2,"/","echo",["first"],1]', 1))).toBe(2);
    io.sockets.get(id)?.emit('second');
    for (let i = 0; i < 2; i++) {
      expect((await poller.poll(1)).body).toBe('[2,"/","second",[]]');
      expect((await poller.post(2, '[2,"/","echo",["first"],1]', 1)).body).toBe('[3,1,"first"]');
    }
    expect(numberOf(await poller.poll(2))).toBe(3);
  });

  test('a body that does not confirm the answer to the last one: 400 ERR_SEQUENCE, and 4400', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    expect(numberOf(await poller.post(1, '[0]'))).toBe(1);
    expect(reason(await poller.post(2, '[2,"/","echo",["lost"]]', 0))).toEqual({ status: 400, code: 'ERR_SEQUENCE' });
    expect(await poller.close()).toBe('4400 ERR_SEQUENCE: expected halyard-ack 1');
    expect(io.sockets.size).toBe(1);
  });

  test.each(['2', '-1', '1.5', 'x', '1, 1', '99999999999999999999'])(
    'a body that says %s came: 400 ERR_SEQUENCE, and 4400',
    async (received) => {
      const { io, port } = await serve();
      const poller = await Poller.open(port);
      await poller.send([0]);
      expect(reason(await poller.post(2, '[8]', received))).toEqual({ status: 400, code: 'ERR_SEQUENCE' });
      expect(await poller.close()).toBe('4400 ERR_SEQUENCE: expected halyard-ack 1');
      expect(io.sockets.size).toBe(1);
    },
  );

  test.each(['3', '0', '-1', '1.5', 'x', '2, 2', ''])(
    'a body with number "%s": 400 ERR_SEQUENCE, and 4400',
    async (number) => {
      const { port, io } = await serve();
      const poller = await Poller.open(port);
      await poller.post(1, '[0]');
      expect(reason(await poller.post(number, '[8]'))).toEqual({ status: 400, code: 'ERR_SEQUENCE' });
      expect(await poller.close()).toBe('4400 ERR_SEQUENCE: expected halyard-seq 2');
      expect(io.sockets.size).toBe(1);
    },
  );

  test('invalid UTF-8: 400 ERR_INVALID_UTF8, and 1007', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.post(1, '[0]');
    const body = Uint8Array.from([0x5b, 0xff, 0x5d]);
    expect(reason(await poller.post(2, body))).toEqual({ status: 400, code: 'ERR_INVALID_UTF8' });
    expect(await poller.close()).toBe('1007 ERR_INVALID_UTF8: the body is not UTF-8');
    expect(io.sockets.size).toBe(1);
  });

  test('a binary frame that is longer than its body: 400 ERR_BATCH, and 4400', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    for (const body of [
      [0, 0, 0, 2, 0x91],
      [0, 0, 0],
      [0xff, 0xff, 0xff, 0xff, 0x91],
    ]) {
      const poller = await Poller.open(port, 'halyard.v1+msgpack');
      expect(reason(await poller.post(1, Uint8Array.from(body)))).toEqual({ status: 400, code: 'ERR_BATCH' });
      expect(await poller.close()).toBe('4400 ERR_BATCH: a frame is longer than the body that holds it');
    }
  });

  test('text where the codec is binary is no packet', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    const poller = await Poller.open(port, 'halyard.v1+msgpack');
    expect(reason(await poller.post(1, '[0]'))).toEqual({ status: 400, code: 'ERR_BATCH' });
    expect(await poller.close()).toMatch(/^4400 /);
  });

  test('a body over httpBodyBytesMax: 413, and the connection goes on', async () => {
    const { port, io } = await serve({ httpBodyBytesMax: 1_024 });
    const poller = await Poller.open(port);
    await poller.post(1, '[0]');
    await poller.packet(11);
    const body = '[2,"/","echo",["big"],1]'.padEnd(1_025);
    const answer = await poller.post(2, body);
    expect(reason(answer)).toEqual({ status: 413, code: 'ERR_BODY_TOO_BIG' });
    expect(JSON.parse(answer.body)).toMatchObject({ message: 'A body may have 1024 bytes (httpBodyBytesMax).' });
    expect(await poller.post(2, body.slice(0, -1))).toMatchObject({ status: 200 });
    expect(await poller.packet(3)).toEqual([3, 1, 'big']);
    expect(io.sockets.size).toBe(2);
  });

  test('a body of unknown length over httpBodyBytesMax: 413, before its end', async () => {
    const { port } = await serve({ httpBodyBytesMax: 1_024 });
    const socket = await RawSocket.open(port);
    socket.write(request('POST /halyard', { 'Transfer-Encoding': 'chunked' }));
    for (let i = 0; i < 3; i++) socket.write(`200\r\n${'x'.repeat(0x200)}\r\n`);
    expect((await socket.response()).status).toBe(413);
    socket.cut();
  });
});

describe.each(hosts)('dead connections on %s', (_name, host) => {
  const serve = guardedServers(host);

  test('a connection nobody opened, or that was left: 404', async () => {
    const { port, io } = await serve();
    const left = await Poller.open(port);
    await left.send([0]);
    expect(await left.request('DELETE', { 'halyard-close': '1000' })).toMatchObject({ status: 204 });
    expect(io.sockets.size).toBe(1);
    const guessed = new Poller(port);
    for (const poller of [left, guessed]) {
      for (const id of poller === left ? [left.connection] : ['x', '__proto__', 'constructor', 'A'.repeat(22)]) {
        poller.connection = id;
        expect(reason(await poller.post(2, '[8]'))).toEqual(unknown);
        expect(reason(await poller.poll(0))).toEqual(unknown);
        expect(reason(await poller.request('DELETE'))).toEqual(unknown);
      }
    }
  });

  test('one that the server closed: POST gets 404, every poll how it was closed', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const [, , id] = (await poller.packet(11)) as [number, string, string];
    io.sockets.get(id)?.emit('last', 1);
    io.sockets.get(id)?.disconnect(true);
    expect(reason(await poller.post(2, '[8]'))).toEqual(unknown);
    for (let i = 0; i < 2; i++) {
      const { status, headers, body } = await poller.poll(1);
      expect([status, headers.get('halyard-close'), body]).toEqual([
        200,
        '1000 disconnected by the server',
        '[2,"/","last",[1]]',
      ]);
    }
  });

  test('one that the server closed: the last body still has its answer, should that have been lost', async () => {
    const { port, io } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const [, , id] = (await poller.packet(11)) as [number, string, string];
    const body = '[2,"/","echo",["lost"],1]';
    expect((await poller.post(2, body)).body).toBe('[3,1,"lost"]');
    io.sockets.get(id)?.disconnect(true);
    expect((await poller.poll(1)).headers.get('halyard-close')).toBe('1000 disconnected by the server');
    expect((await poller.post(2, body, 1)).body).toBe('[3,1,"lost"]');
    expect(reason(await poller.post(3, '[8]'))).toEqual(unknown);
  });

  test('a body that ends the connection: 204, and the poll tells why behind what came before', async () => {
    const { port } = await serve();
    const poller = await Poller.open(port);
    await poller.send([0]);
    const answer = await poller.send([2, '/', 'echo', ['before'], 1], [15]);
    expect([answer.status, answer.body]).toEqual([204, '']);
    const told = await poller.poll();
    expect([told.body, told.headers.get('halyard-close')?.slice(0, 4)]).toEqual(['[3,1,"before"]', '4400']);
  });

  test('one that another transport took the session from: 4409', async () => {
    const { port, io } = await serve();
    const first = await Poller.open(port);
    await first.send([0]);
    const [, session, secret] = (await first.packet(1)) as [number, string, string];
    const pending = first.poll();
    const second = await Poller.open(port);
    await second.send([0, [], '', [session, secret, 1, 0]]);
    expect((await pending).headers.get('halyard-close')).toBe('4409 another connection resumed the session');
    expect(await second.packet(1)).toMatchObject({ 5: true });
    expect(io.sockets.size).toBe(2);
  });

  test('leaving with a code that allows it keeps the session for a resume; leaving with 1000 does not', async () => {
    const { port } = await serve();
    for (const [code, recovered] of [
      ['4000', true],
      ['1000', false],
      ['1001', true],
      ['4999', true],
      ['1012', true],
      // Who gives up a connection that does not answer says what has become of it.
      ['1005', true],
      ['1006', true],
      ['2999', true],
      // No codes: they count as 1000.
      ['x', false],
      ['', false],
      ['-1', false],
      ['0', false],
      ['999', false],
      ['5000', false],
      ['4000.5', false],
      ['99999999999999999999', false],
    ] as const) {
      const first = await Poller.open(port);
      await first.send([0]);
      const [, session, secret] = (await first.packet(1)) as [number, string, string];
      await first.request('DELETE', { 'halyard-close': code });
      const second = await Poller.open(port);
      await second.send([0, [], '', [session, secret, 1, 0]]);
      expect((await second.packet(1))[5]).toBe(recovered);
    }
  });

  test('another method: 405', async () => {
    const { port } = await serve();
    const poller = await Poller.open(port);
    const answer = await poller.request('PUT', {}, '[0]');
    expect(reason(answer)).toEqual({ status: 405, code: 'ERR_METHOD' });
    expect(answer.headers.get('allow')).toBe('POST, GET, DELETE, OPTIONS');
  });

  test('more than connectionsMax: 503; more than sessionsMax: 1013', async () => {
    const { port } = await serve({ connectionsMax: 3, sessionsMax: 2 });
    const [first, second] = [await Poller.open(port), await Poller.open(port)];
    const third = await new Poller(port).request('POST');
    expect(reason(third)).toEqual({ status: 503, code: 'ERR_TOO_MANY_CONNECTIONS' });
    await first.send([0]);
    await second.send([0]);
    expect(await second.close()).toBe('1013 the server is full (sessionsMax); retry-after: 5');
    await first.send([2, '/', 'echo', ['in'], 1]);
    expect(await first.packet(3)).toEqual([3, 1, 'in']);
  });
});
