// Frames that RFC 6455 does not have, floods of those that it has, and what is compressed to do harm.
import { deflateRawSync } from 'node:zlib';
import { Opcode, type RawWebSocket, wsFrame } from '../../conformance/raw';
import type { Attacker } from '../attacker';
import { type Case, waits } from '../case';

const offer = {
  'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
};

async function greeted(attacker: Attacker, headers: Record<string, string> = {}): Promise<RawWebSocket> {
  const socket = await attacker.websocket(headers);
  await socket.hello();
  return socket;
}

async function closeOf(socket: RawWebSocket): Promise<string> {
  const { code, reason } = await socket.close();
  return `${code} ${reason}`.trimEnd();
}

/** Writes bytes behind HELLO, and tells how the server closes. */
function frames(name: string, sent: Uint8Array | readonly Uint8Array[], sees: Case['sees'], headers = {}): Case {
  return {
    name,
    sees,
    async play(attacker) {
      const socket = await greeted(attacker, headers);
      socket.write(Buffer.concat(sent instanceof Uint8Array ? [sent] : [...sent]));
      return closeOf(socket);
    },
  };
}

/** Writes bytes behind HELLO that harm nobody, and tells what answers an `echo` behind them, or how the server closes. */
function bears(name: string, sent: readonly Uint8Array[], sees: Case['sees'] = '"still here"', headers = {}): Case {
  return {
    name,
    sees,
    async play(attacker) {
      const socket = await greeted(attacker, headers);
      socket.write(Buffer.concat(sent));
      socket.send([2, '/', 'echo', ['still here'], 1]);
      const reply = socket.packet(3).then((packet) => JSON.stringify(packet[2]));
      return Promise.race([reply, closeOf(socket)]);
    },
  };
}

/** A frame with the first byte and the length as they are given, which need not be those of what follows. */
function oddFrame(first: number, length: readonly number[], payload: Uint8Array = new Uint8Array()): Buffer {
  const [size = 0, ...more] = length;
  return Buffer.concat([Buffer.from([first, size | 0x80, ...more, 0, 0, 0, 0]), payload]);
}

/** One frame of permessage-deflate. */
function deflated(data: Uint8Array | string): Buffer {
  const compressed = deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4);
  const frame = wsFrame(compressed, Opcode.Text);
  frame[0] = (frame[0] as number) | 0x40;
  return frame;
}

const broken = ['1002', '1006'];
const close = (...bytes: number[]): Buffer => wsFrame(Uint8Array.from(bytes), Opcode.Close);
const outOfRange = (code: number): Case =>
  frames(`a close with ${code}`, close(code >> 8, code & 255), { uws: '1005', node: '1002' });
const eights = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

export const framing: readonly Case[] = [
  frames('a reserved opcode', wsFrame('[8]', 3), broken),
  frames('a reserved control opcode', wsFrame('', 11), broken),
  frames('a reserved bit', oddFrame(0x91, [3], Buffer.from('[8]')), broken),
  frames('all reserved bits', oddFrame(0xf1, [3], Buffer.from('[8]')), broken),
  frames('the bit of compression where nobody offered it', oddFrame(0xc1, [3], Buffer.from('[8]')), broken),
  frames('a ping in parts', wsFrame('', Opcode.Ping, false), broken),
  frames('a close in parts', wsFrame('', Opcode.Close, false), broken),
  frames('a ping of 126 bytes', wsFrame('x'.repeat(126), Opcode.Ping), broken),
  frames('a continuation of nothing', wsFrame('[8]', Opcode.Continuation), broken),
  frames('a message in the midst of another one', [wsFrame('[2,', Opcode.Text, false), wsFrame('[8]')], broken),
  frames('a frame of 2⁶³ bytes', oddFrame(0x81, [127, 0x80, 0, 0, 0, 0, 0, 0, 0]), ['1002', '1006', '1009']),
  frames('a frame of 2⁶⁴ − 1 bytes', oddFrame(0x81, [127, ...eights]), ['1002', '1006', '1009']),
  frames('a frame of 4 GiB', oddFrame(0x81, [127, 0, 0, 0, 1, 0, 0, 0, 0]), ['1006', '1009']),
  frames('a frame just over the limit', wsFrame('x'.repeat(131_073)), '1009 frames may have 131072 bytes'),
  frames('text that is not UTF-8', oddFrame(0x81, [3], Uint8Array.of(0x5b, 0xff, 0x5d)), { uws: '1006', node: '1007' }),
  frames(
    'text that is not UTF-8 in its second part',
    [wsFrame('[', Opcode.Text, false), oddFrame(0x80, [2], Uint8Array.of(0xc0, 0x80))],
    { uws: '1006', node: '1007' },
  ),
  frames('half a surrogate pair as UTF-8', oddFrame(0x81, [3], Uint8Array.of(0xed, 0xa0, 0x80)), {
    uws: '1006',
    node: '1007',
  }),
  frames('bytes where the codec is text', wsFrame('[8]', Opcode.Binary), '1003'),
  frames('a close of one byte', close(3), { uws: '1005', node: '1002' }),
  frames('a close whose reason is not UTF-8', close(3, 232, 0xff), ['1005', '1007']),
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map(outOfRange),
  frames('a message behind a close', [close(3, 232), wsFrame('[2,"/","echo",[1],1]')], '1000'),
  frames(
    'a message in parts that has no end',
    Array.from({ length: 400 }, (_none, i) =>
      wsFrame('x'.repeat(1_024), i === 0 ? Opcode.Text : Opcode.Continuation, false),
    ),
    ['1006', '1009'],
  ),
  bears(
    '20,000 empty parts of one message',
    [
      wsFrame('[8]', Opcode.Text, false),
      ...Array<Buffer>(20_000).fill(wsFrame('', Opcode.Continuation, false)),
      wsFrame('', Opcode.Continuation),
      // ws takes 16,384 parts of a message.
    ],
    { uws: '"still here"', node: '1008' },
  ),
  bears('lengths that are written longer than they are', [
    oddFrame(0x81, [126, 0, 3], Buffer.from('[8]')),
    oddFrame(0x81, [127, 0, 0, 0, 0, 0, 0, 0, 3], Buffer.from('[8]')),
  ]),
  // ws ends who lets too many answers wait.
  bears('5,000 pings', Array<Buffer>(5_000).fill(wsFrame('x'.repeat(100), Opcode.Ping)), ['"still here"', '1006']),
  bears('5,000 pongs that answer nothing', Array<Buffer>(5_000).fill(wsFrame('x'.repeat(100), Opcode.Pong))),
  bears(
    'a message byte by byte',
    [...wsFrame('[2,"/","echo",["slow"]]')].map((byte) => Uint8Array.of(byte)),
  ),
  bears('a compressed message', [deflated('[64]')], '"still here"', offer),
  {
    name: 'pings by the thousand, of which nobody reads the answers',
    sees: '200',
    async play(attacker) {
      const socket = await greeted(attacker);
      socket.pause();
      const flight = Buffer.concat(Array<Buffer>(1_000).fill(wsFrame('x'.repeat(125), Opcode.Ping)));
      for (let i = 0; i < 60 && !socket.ended; i++) {
        socket.write(flight);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return String((await attacker.at('POST')).status);
    },
  },
  // uWebSockets.js does not look at the mask bit, and waits for the mask that it takes to be there.
  waits(frames('an unmasked frame', Buffer.from([0x81, 3, ...Buffer.from('[8]')]), { uws: '4000', node: '1002' })),
  {
    name: 'half a frame, and then nothing',
    waits: true,
    sees: '4000',
    async play(attacker) {
      const socket = await greeted(attacker);
      socket.write(wsFrame('[2,"/","echo",["half"],1]').subarray(0, 9));
      return closeOf(socket);
    },
  },
  frames('64 MB in 64 KB of compression', deflated(Buffer.alloc(64 << 20)), ['1006', '1009'], offer),
  frames('20 bombs in one flight', Array<Buffer>(20).fill(deflated(Buffer.alloc(8 << 20))), ['1006', '1009'], offer),
  frames(
    'what is compressed and no deflate',
    oddFrame(0xc1, [4], Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
    ['1002', '1006', '1007'],
    offer,
  ),
  frames(
    'compressed text that is not UTF-8',
    deflated(Uint8Array.of(0x5b, 0xff, 0x5d)),
    { uws: '1006', node: '1007' },
    offer,
  ),
];
