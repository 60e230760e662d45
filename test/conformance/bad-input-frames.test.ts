// Frames and packets that break a rule: the close code, the rule in the reason, the session over, nobody else disturbed.
// Longer than other files: it is a list.
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { afterClose } from '@halyard/protocol';
import type { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { type GuardedServer, guardedServers } from './guarded-server';
import { Poller } from './poller';
import { Opcode, RawWebSocket, wsFrame } from './raw';

const text = (chars: number): string => 'x'.repeat(chars);

describe.each(hosts)('packets on %s', (_name, host) => {
  const serve = guardedServers(host);

  /** Sends after HELLO, over both transports. @returns how the server closed, which must be the same */
  async function closes({ port, io }: GuardedServer, ...frames: string[]): Promise<string> {
    const socket = await RawWebSocket.connect(port);
    const { session, secret } = await socket.hello();
    for (const frame of frames) socket.message(frame);
    const poller = await Poller.open(port);
    await poller.post(1, ['[0]', ...frames].join('\n'));
    const { code, reason } = await socket.close();
    // A WebSocket's reason has 123 bytes at most.
    expect((await poller.close()).slice(0, `${code} ${reason}`.length)).toBe(`${code} ${reason}`);
    expect(io.sockets.size).toBe(1);
    const back = await RawWebSocket.connect(port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    expect((await back.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
    return `${code} ${reason}`;
  }

  test.each<[what: string, frame: string, reason: string]>([
    ['no JSON', 'hello', 'ERR_FRAME_DECODE: not a packet'],
    ['nothing but space', ' ', 'ERR_FRAME_DECODE: not a packet'],
    ['half a packet', '[2,"/","echo"', 'ERR_FRAME_DECODE: not a packet'],
    ['two packets', '[8][8]', 'ERR_FRAME_DECODE: not a packet'],
    ['a notation that is none', '[6,"/","x",[{"$when":1}]]', 'ERR_FRAME_DECODE: not a $when'],
    ['a date that is none', '[6,"/","x",[{"$date":"now"}]]', 'ERR_FRAME_DECODE: not a $date'],
    ['a bigint of 65 bits', '[6,"/","x",[{"$big":"18446744073709551616"}]]', 'ERR_FRAME_DECODE: a value outside the'],
    ['half a surrogate pair', '[6,"/","x",["\\ud800"]]', 'ERR_FRAME_DECODE: a value outside the data model'],
    ['a number beyond all', '[6,"/","x",[1e999]]', 'ERR_FRAME_DECODE: a value outside the data model'],
    ['no array', '{"type":2}', 'ERR_PACKET_SHAPE: packet: an array'],
    ['no type', '[]', 'ERR_PACKET_TYPE: unknown packet type undefined'],
    ['an unknown type', '[16]', 'ERR_PACKET_TYPE: unknown packet type 16'],
    ['a type above the hints', '[128]', 'ERR_PACKET_TYPE: unknown packet type 128'],
    ['SACK with half a range', '[7,0,[2]]', 'ERR_PACKET_SHAPE: settled: at most 8192 ranges, ascending'],
    ['SACK with a range that falls', '[7,0,[3,2]]', 'ERR_PACKET_SHAPE: settled: at most 8192 ranges, ascending'],
    ['SACK with a range of what was never sent', '[7,0,[2,99]]', 'ERR_SACK_AHEAD: 99 received, 1 sent'],
    ['a type that is no number', '["2","/","x",[]]', 'ERR_PACKET_TYPE: unknown packet type string'],
    ['a type in between', '[2.5,"/","x",[]]', 'ERR_PACKET_TYPE: unknown packet type 2.5'],
    ['a type from Array.prototype', '["constructor"]', 'ERR_PACKET_TYPE: unknown packet type string'],
    ['EVENT without arguments', '[2,"/","x"]', 'ERR_PACKET_SHAPE: args: an array'],
    ['EVENT without a name', '[2,"/","",[]]', 'ERR_PACKET_SHAPE: event: text of 1 to 256 characters'],
    ['EVENT with a long name', `[2,"/","${text(257)}",[]]`, 'ERR_PACKET_SHAPE: event: text of 1 to 256 characters'],
    ['EVENT with ack 0', '[2,"/","x",[],0]', 'ERR_PACKET_SHAPE: ack: a whole number from 1'],
    ['EVENT with half an ack', '[2,"/","x",[],1.5]', 'ERR_PACKET_SHAPE: ack: a whole number from 1'],
    ['EVENT with a namespace that is none', '[2,7,"x",[]]', 'ERR_PACKET_SHAPE: namespace: text of 1 to 256'],
    ['ERROR without a message', '[4,1,"E"]', 'ERR_PACKET_SHAPE: message: text of 0 to 1024 characters'],
    ['SACK of less than nothing', '[7,-1]', 'ERR_PACKET_SHAPE: received: a whole number from 0'],
    ['SACK of text', '[7,"1"]', 'ERR_PACKET_SHAPE: received: a whole number from 0'],
    ['CONNECT without its slash', '[10,"chat"]', 'ERR_PACKET_SHAPE: namespace: starts with "/"'],
    ['DISCONNECT with a long reason', `[13,"/","${text(1_025)}"]`, 'ERR_PACKET_SHAPE: reason: text of 0 to 1024'],
    ['a second HELLO', '[0]', 'ERR_PACKET_UNEXPECTED: packet type 0 has no place here'],
    ['a RESET that was not asked for', '[14]', 'ERR_PACKET_UNEXPECTED: packet type 14 has no place here'],
    ['WELCOME', '[1,"s","k",[1,1,1,1,1,1,1,1],0,false,""]', 'ERR_PACKET_UNEXPECTED: packet type 1 has no place here'],
    ['PUBLISH', '[5,"/",["1",1],"x",[]]', 'ERR_PACKET_UNEXPECTED: packet type 5 has no place here'],
    ['CONNECTED', '[11,"/","id"]', 'ERR_PACKET_UNEXPECTED: packet type 11 has no place here'],
    ['REFUSED', '[12,"/","E","no"]', 'ERR_PACKET_UNEXPECTED: packet type 12 has no place here'],
    ['CONNECT again', '[10,"/"]', 'ERR_CONNECT_REPEATED: / is connected already'],
    ['an ACK nobody asked for', '[3,1]', 'ERR_ACK_UNKNOWN: nothing asked for acknowledgement 1'],
    ['an ERROR nobody asked for', '[4,1,"E","no"]', 'ERR_ACK_UNKNOWN: nothing asked for acknowledgement 1'],
    ['SACK beyond what was sent', '[7,2]', 'ERR_SACK_AHEAD: 2 received, 1 sent'],
    ['PING beyond what was sent', '[8,2]', 'ERR_SACK_AHEAD: 2 received, 1 sent'],
    ['PONG beyond what was sent', '[9,2]', 'ERR_SACK_AHEAD: 2 received, 1 sent'],
  ])('%s is closed with 4400 and the rule', async (_what, frame, reason) => {
    const close = await closes(await serve(), frame);
    expect(close).toContain(`4400 ${reason}`);
  });

  test('SACK backwards is closed with 4400', async () => {
    expect(await closes(await serve(), '[7,1]', '[7,0]')).toBe('4400 ERR_SACK_BACK: 0 received, 1 before');
  });

  test.each([
    ['repeats', [1, 1], '1 after 1'],
    ['falls', [1, 7, 2], '2 after 7'],
  ])('the number of an acknowledgement that %s is closed with 4400', async (_what, acks, rule) => {
    const server = await serve();
    const frames = acks.map((ack) => JSON.stringify([2, '/', 'echo', [ack], ack]));
    expect(await closes(server, ...frames)).toBe(`4400 ERR_ACK_ORDER: acknowledgement ${rule}: they grow`);
  });

  test('numbers of acknowledgements may leave some out, and come again with their event after a resume', async () => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    const { session, secret } = await socket.hello();
    const events = [3, 10].map((ack) => [2, '/', 'echo', [ack], ack]);
    socket.send(...events);
    await socket.until('both answers', () => socket.packets.filter(([type]) => type === 3).length === 2);
    socket.cut();
    const back = await RawWebSocket.connect(port);
    back.send([0, [], '', [session, secret, 1, 0]], ...events, [2, '/', 'echo', ['last'], 11]);
    await back.until('the last answer', () => back.packets.find(([type, ack]) => type === 3 && ack === 11));
    expect(back.packets.filter(([type]) => type === 3).map(([, ack]) => ack)).toEqual([3, 10, 11]);
  });

  test('a second answer is ignored, and one to a number that was not given out is closed with 4400', async () => {
    const { port } = await serve({}, (io) => {
      io.on('connection', (socket) => {
        socket.on('ask', async () => socket.emitWithAck('question'));
      });
    });
    for (const answer of [
      [3, 2],
      [4, 2, 'E', 'no'],
    ]) {
      const socket = await RawWebSocket.connect(port);
      await socket.hello();
      socket.send([2, '/', 'ask', [], 1]);
      expect(await socket.packet(2)).toEqual([2, '/', 'question', [], 1]);
      socket.send([3, 1, 'first'], [3, 1, 'second'], answer);
      expect(await socket.close()).toEqual({
        code: 4400,
        reason: `ERR_ACK_UNKNOWN: nothing asked for acknowledgement 2`,
      });
    }
  });

  test.each([
    [
      'waitingPacketsMax',
      'a namespace that has not decided',
      (io: Server, later: () => Promise<void>) => io.of('/slow').use(later),
    ],
    [
      'waitingBytesMax',
      'a namespace that has not decided',
      (io: Server, later: () => Promise<void>) => io.of('/slow').use(later),
    ],
    [
      'waitingPacketsMax',
      'middleware of the socket',
      (io: Server, later: () => Promise<void>) => io.of('/slow').on('connection', (socket) => socket.use(later)),
    ],
    [
      'waitingPacketsMax',
      'a guard',
      (io: Server, later: () => Promise<void>) => io.of('/slow').guard('x', async () => later().then(() => true)),
    ],
  ])('packets past %s for %s wait, and are not confirmed meanwhile', async (limit, _where, slow) => {
    let allow = (): void => {};
    const allowed = new Promise<void>((resolve) => {
      allow = resolve;
    });
    const heard: number[] = [];
    const warned: string[] = [];
    const { port } = await serve(
      limit === 'waitingBytesMax' ? { waitingBytesMax: 1_024 } : { waitingPacketsMax: 2 },
      (io) => {
        io.on('warning', ({ code }) => warned.push(code));
        slow(io, () => allowed);
        io.of('/slow').on('connection', (socket) => socket.on('x', (i: number) => void heard.push(i)));
      },
    );
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    const text = limit === 'waitingBytesMax' ? 'x'.repeat(600) : '';
    socket.send([10, '/slow'], ...Array.from({ length: 50 }, (_, i) => [2, '/slow', 'x', [i, text]]), [8]);
    // CONNECT, and two events.
    expect(await socket.packet(9)).toEqual([9, 3]);
    expect([heard, warned]).toEqual([[], [limit]]);
    allow();
    await expect.poll(() => heard).toEqual(Array.from({ length: 50 }, (_, i) => i));
    socket.send([8]);
    await expect.poll(() => socket.packets.at(-1)).toEqual([9, 51]);
    socket.cut();
  });

  test.each(['é', 'xé', '語', '😀', 'x😀'])(
    'a reason that quotes %s… is cut to what a close frame holds',
    async (start) => {
      const { port } = await serve();
      const socket = await RawWebSocket.connect(port);
      await socket.hello();
      socket.send([6, '/', 'x', [{ [`$${start}${start.slice(start.startsWith('x') ? 1 : 0).repeat(200)}`]: 1 }]]);
      const { code, reason } = await socket.close();
      expect(code).toBe(4400);
      expect(reason).toMatch(/^ERR_FRAME_DECODE: not a \$x?(é+|語+|(😀)+)$/);
      expect(Buffer.byteLength(reason)).toBeGreaterThan(119);
      expect(Buffer.byteLength(reason)).toBeLessThan(124);
    },
  );
});

describe.each(hosts)('messages on %s', (name, host) => {
  const serve = guardedServers(host);

  test('binary where the codec is text is closed with 1003', async () => {
    const { port } = await serve();
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.message(Buffer.from('[8]'));
    expect(await socket.close()).toEqual({ code: 1003, reason: 'this codec is text' });
  });

  test('text where the codec is binary is closed with 1003', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    const socket = await RawWebSocket.connect(port, { 'Sec-WebSocket-Protocol': 'halyard.v1+msgpack' });
    socket.message('[0]');
    expect(await socket.close()).toEqual({ code: 1003, reason: 'this codec is binary' });
  });

  test('msgpack that is none is closed with 4400', async () => {
    const { port } = await serve({ codecs: [json(), msgpack()] });
    for (const [bytes, reason] of [
      [[0x92, 0x00], 'ERR_FRAME_DECODE: the frame ends too early'],
      [[0x00], 'ERR_FRAME_DECODE: a packet is an array'],
      [[0x91, 0xc1], 'ERR_FRAME_DECODE: unexpected byte 0xc1'],
      [[0xdd, 0xff, 0xff, 0xff, 0xff], 'ERR_FRAME_DECODE: the frame ends too early'],
    ] as const) {
      const socket = await RawWebSocket.connect(port, { 'Sec-WebSocket-Protocol': 'halyard.v1+msgpack' });
      socket.message(Uint8Array.from(bytes));
      expect(await socket.close()).toEqual({ code: 4400, reason });
    }
  });

  test('invalid UTF-8 ends the session: 1007, on uws without a close frame', async () => {
    const { port, io } = await serve();
    const socket = await RawWebSocket.connect(port);
    const { session, secret, id } = await socket.hello();
    const over = new Promise((resolve) => io.sockets.get(id)?.on('disconnect', resolve));
    socket.message(Buffer.from([0x5b, 0xff, 0xfe, 0x5d]), Opcode.Text);
    expect((await socket.close()).code).toBe(name === 'uws' ? 1006 : 1007);
    expect(await over).toMatchObject({ code: 1007 });
    const back = await RawWebSocket.connect(port);
    back.send([0, [], '', [session, secret, 1, 0]]);
    expect((await back.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });

  test('a frame over frameBytesMax is closed with 1009, and one of just that many bytes is not', async () => {
    const { port, io } = await serve({ frameBytesMax: 1_024 });
    const socket = await RawWebSocket.connect(port);
    const { id } = await socket.hello();
    const over = new Promise((resolve) => io.sockets.get(id)?.on('disconnect', resolve));
    const frame = (bytes: number): string => `[2,"/","echo",["${text(bytes - 21)}"],1]`;
    expect(frame(1_024)).toHaveLength(1_024);
    socket.message(frame(1_024));
    await socket.packet(3);
    socket.message(frame(1_025));
    expect(await socket.close()).toEqual({ code: 1009, reason: 'frames may have 1024 bytes (frameBytesMax)' });
    expect(await over).toMatchObject({ code: 1009, by: 'server' });
  });

  test('frameBytesMax counts bytes, not characters', async () => {
    const { port } = await serve({ frameBytesMax: 1_024 });
    const frame = JSON.stringify([2, '/', 'echo', ['é'.repeat(600)], 1]);
    const socket = await RawWebSocket.connect(port);
    await socket.hello();
    socket.message(frame);
    expect(await socket.close()).toMatchObject({ code: 1009 });
    const poller = await Poller.open(port);
    await poller.post(1, `[0]\n${frame}`);
    expect(await poller.close()).toBe('1009 frames may have 1024 bytes (frameBytesMax)');
  });

  test('a frame far over the limit ends the session: 1009, on uws without a close frame', async () => {
    const { port, io } = await serve({ frameBytesMax: 1_024 });
    const socket = await RawWebSocket.connect(port);
    const { id } = await socket.hello();
    const over = new Promise((resolve) => io.sockets.get(id)?.on('disconnect', resolve));
    socket.message(text(70_000));
    expect((await socket.close()).code).toBe(name === 'uws' ? 1006 : 1009);
    expect(await over).toMatchObject({ code: 1009 });
  });

  test.each<readonly [what: string, bytes: Buffer]>([
    ['a reserved opcode', wsFrame('[8]', 3)],
    ['a ping in parts', wsFrame('', Opcode.Ping, false)],
    ['a continuation of nothing', wsFrame('[8]', Opcode.Continuation)],
    // uWS does not look at the mask bit: it takes what follows for the mask.
    ...(name === 'uws' ? [] : [['an unmasked frame', Buffer.from([0x81, 3, ...Buffer.from('[8]')])] as const]),
  ])('what is no WebSocket frame ends the connection: %s', async (_what, bytes) => {
    const { port, io } = await serve();
    const socket = await RawWebSocket.connect(port);
    const { id } = await socket.hello();
    const away = new Promise((resolve) => {
      io.sockets.get(id)?.on('away', resolve);
      io.sockets.get(id)?.on('disconnect', resolve);
    });
    socket.write(bytes);
    expect([1002, 1006]).toContain((await socket.close()).code);
    await away;
  });

  // docs/PROTOCOL.md §13: what uWebSockets.js does not take for a code it answers as if there was none.
  const echoed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4321, 4400, 4999];
  const onNode = [1012, 1013, 1014, 3000, 3999];
  const never = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];

  test.each([...echoed, ...onNode, ...never])(
    'a close with %i is answered, and decides about the session',
    async (code) => {
      const { port, io } = await serve({}, (server) => {
        server.on('connection', (socket) => {
          for (const event of ['away', 'disconnect'] as const) socket.on(event, (why) => ends.push([event, why.code]));
        });
      });
      const ends: unknown[] = [];
      const socket = await RawWebSocket.connect(port);
      const { id } = await socket.hello();
      const end = new Promise<unknown>((resolve) => {
        io.sockets.get(id)?.on('away', () => resolve(undefined));
        io.sockets.get(id)?.on('disconnect', () => resolve(undefined));
      });
      socket.write(wsFrame(Buffer.from([code >> 8, code & 255, ...Buffer.from('why')]), Opcode.Close));
      const isCode = echoed.includes(code) || (name === 'node' && onNode.includes(code));
      const { code: answer } = await socket.close();
      expect(answer).toBe(isCode ? code : name === 'uws' ? 1005 : 1002);
      await end;
      const seen = isCode ? code : 1006;
      expect(ends).toEqual([[afterClose(seen) === 'resume' ? 'away' : 'disconnect', seen]]);
    },
  );
});
