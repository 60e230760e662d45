// The transports over HTTP (docs/PROTOCOL.md §7): bodies and polls that are out of turn, of others, too slow, too large, or abandoned.
import { gzipSync } from 'node:zlib';
import { request } from '../../conformance/raw';
import type { Attacker, Way } from '../attacker';
import { answers, type Case, told } from '../case';
import type { PollingLine, SseLine } from '../line';

const overHttp: readonly Way[] = ['polling', 'sse'];
const foreign = { Origin: 'http://foreign.test' };

/** A connection over HTTP that has said HELLO in its first body. */
export async function opened(attacker: Attacker): Promise<PollingLine | SseLine> {
  const line = (await attacker.line()) as PollingLine | SseLine;
  await line.hello();
  return line;
}

/** Sends another body behind HELLO, and tells the answer, and how the connection is closed if it is. */
function bodies(
  name: string,
  headers: Record<string, string | undefined>,
  body: string | Uint8Array,
  sees: Case['sees'],
  isClosed = true,
): Case {
  return {
    name,
    over: overHttp,
    sees,
    async play(attacker) {
      const line = await opened(attacker);
      const own = {
        'Halyard-Connection': line.id,
        'Halyard-Seq': '2',
        'Halyard-Ack': attacker.way === 'sse' ? '0' : '1',
      };
      const bytes = Buffer.from(body as string);
      const head = request('POST /halyard', { ...own, 'Content-Length': String(bytes.length), ...headers });
      const answer = told(await attacker.ask(Buffer.concat([Buffer.from(head), bytes])));
      return isClosed ? `${answer}, ${await line.close()}` : answer;
    },
  };
}

export const http: readonly Case[] = [
  answers(
    'a connection id that is guessed',
    request('GET /halyard', { 'Halyard-Connection': 'A'.repeat(22) }),
    '404 ERR_CONNECTION_UNKNOWN',
  ),
  answers(
    'a connection id of Object.prototype',
    request('GET /halyard', { 'Halyard-Connection': '__proto__' }),
    '404 ERR_CONNECTION_UNKNOWN',
  ),
  answers(
    'a connection id of 6 KB',
    request('GET /halyard', { 'Halyard-Connection': 'A'.repeat(6_000) }),
    '404 ERR_CONNECTION_UNKNOWN',
  ),
  answers(
    'two connection ids',
    request('GET /halyard', { 'Halyard-Connection': 'a', 'halyard-connection': 'b' }),
    '404 ERR_CONNECTION_UNKNOWN',
  ),
  answers('an empty connection id', request('DELETE /halyard', { 'Halyard-Connection': '' }), ['404', '400']),
  answers('DELETE of nothing', request('DELETE /halyard'), ['426', '400', '404']),
  answers('PUT', request('PUT /halyard', { 'Content-Length': '0' }), '405 ERR_METHOD'),
  answers(
    'PUT with a connection',
    request('PUT /halyard', { 'Content-Length': '0', 'Halyard-Connection': 'none' }),
    '405 ERR_METHOD',
  ),
  answers(
    'a protocol that there is not',
    request('POST /halyard', { 'Content-Length': '0', 'Halyard-Protocol': 'halyard.v9+json' }),
    '400 ERR_NO_COMMON_PROTOCOL',
  ),
  answers(
    'a foreign page that opens',
    request('POST /halyard', { 'Content-Length': '0', ...foreign }),
    '403 ERR_ORIGIN',
  ),
  answers(
    'a foreign page that opens a stream',
    request('GET /halyard', { Accept: 'text/event-stream', ...foreign }),
    '403 ERR_ORIGIN',
  ),
  answers(
    'a foreign page that asks with 4 KB of header names',
    request('OPTIONS /halyard', { ...foreign, 'Access-Control-Request-Headers': 'x,'.repeat(2_000) }),
    '204',
  ),
  answers('a first request with a body', request('POST /halyard', { 'Content-Length': '3' }, '[0]'), '200'),
  answers('a range of nothing', request('GET /halyard', { Range: 'bytes=0-0' }), '426'),
  answers(
    'a range of a stream that is not there',
    request('GET /halyard', { Range: 'bytes=5-', 'Halyard-Connection': 'x' }),
    '404',
  ),

  ...['1', '3', '0', '-1', '1.5', 'x', '2, 2', '99999999999999999999', ''].map((number) =>
    number === '1'
      ? bodies('a body that comes again is not handled again', { 'Halyard-Seq': '1' }, '[0]', '204', false)
      : bodies(
          `a body with the number "${number}"`,
          { 'Halyard-Seq': number },
          '[8]',
          '400 ERR_SEQUENCE, 4400 ERR_SEQUENCE',
        ),
  ),
  bodies('a body without a number', { 'Halyard-Seq': undefined }, '[8]', '400 ERR_SEQUENCE, 4400 ERR_SEQUENCE'),
  bodies(
    'a body that confirms what was never sent',
    { 'Halyard-Ack': '99' },
    '[8]',
    '400 ERR_SEQUENCE, 4400 ERR_SEQUENCE',
  ),
  bodies('a body that is gzip', { 'Content-Encoding': 'gzip' }, gzipSync('[8]'), '400 ERR_INVALID_UTF8, 1007'),
  bodies(
    'a body that is gzip of a bomb',
    { 'Content-Encoding': 'gzip' },
    gzipSync(Buffer.alloc(32 << 20)),
    '400 ERR_INVALID_UTF8, 1007',
  ),
  bodies('a body that is not UTF-8', {}, Uint8Array.of(0x5b, 0xff, 0x5d), '400 ERR_INVALID_UTF8, 1007'),
  bodies(
    'a body of msgpack where the codec is JSON',
    { 'Content-Type': 'application/octet-stream' },
    Uint8Array.of(0, 0, 0, 1, 8),
    '204, 4400 ERR_FRAME_DECODE',
  ),
  bodies(
    'a body that is a form',
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'type=8&x=%5B8%5D',
    '204, 4400 ERR_FRAME_DECODE',
  ),
  bodies('a body over the limit', {}, 'x'.repeat(524_289), '413 ERR_BODY_TOO_BIG', false),
  bodies('a body with a frame over the limit', {}, 'x'.repeat(131_073), '204, 1009'),
  bodies('a body of 400,000 empty lines', {}, '\n'.repeat(400_000), ['200', '204'], false),
  bodies('a body of 20,000 PINGs', {}, '[8]\n'.repeat(20_000), ['200', '204', '413'], false),
  bodies('a body that ends in the midst of a frame', {}, '[8]\n[2,"/","echo"', '204, 4400 ERR_FRAME_DECODE'),
  {
    name: 'two bodies at once',
    over: overHttp,
    sees: ['4400 ERR_SEQUENCE', '"both"'],
    async play(attacker) {
      const line = await opened(attacker);
      const post = (number: number, body: string): string =>
        request(
          'POST /halyard',
          {
            'Halyard-Connection': line.id,
            'Halyard-Seq': String(number),
            'Halyard-Ack': attacker.way === 'sse' ? '0' : '1',
            'Content-Length': String(body.length),
          },
          body,
        );
      const many = '[6,"/","nothing",[]]\n'.repeat(10_000);
      const [first, second] = [await attacker.tcp(), await attacker.tcp()];
      first.write(post(2, many));
      second.write(post(3, '[2,"/","echo",["both"],1]'));
      const reply = line.packet(([type]) => type === 3).then((packet) => JSON.stringify(packet[2]));
      return Promise.race([line.close(), reply]);
    },
  },
  {
    name: 'two polls at once: the first is let go',
    over: ['polling'],
    sees: '204',
    async play(attacker) {
      const { headers } = await attacker.at('POST');
      const own = { 'Halyard-Connection': headers['halyard-connection'], 'Halyard-Ack': '0' };
      const first = await attacker.tcp();
      first.write(request('GET /halyard', own));
      const second = await attacker.tcp();
      second.write(request('GET /halyard', own));
      return told(await first.response());
    },
  },
  {
    name: '100 polls at once: 99 of them are let go',
    over: ['polling'],
    sees: '99 of 204',
    async play(attacker) {
      const { headers } = await attacker.at('POST');
      const own = { 'Halyard-Connection': headers['halyard-connection'] };
      await attacker.at('POST', { ...own, 'Halyard-Seq': '1' }, '[0,[]]');
      let answered = 0;
      const seen = new Set<string>();
      for (let i = 0; i < 100; i++) {
        const socket = await attacker.tcp();
        socket.write(request('GET /halyard', { ...own, 'Halyard-Ack': '1' }));
        void socket.response().then(
          (answer) => {
            answered++;
            seen.add(told(answer));
          },
          () => {},
        );
      }
      while (answered < 99) await new Promise((resolve) => setTimeout(resolve, 5));
      return `${answered} of ${[...seen].join(' ')}`;
    },
  },
  {
    name: 'a poll of a stream',
    over: ['sse'],
    sees: '404 ERR_CONNECTION_UNKNOWN, "still here"',
    async play(attacker) {
      const line = await opened(attacker);
      const answer = told(await attacker.at('GET', { 'Halyard-Connection': line.id }));
      line.send('[2,"/","echo",["still here"],1]');
      return `${answer}, ${JSON.stringify((await line.packet(([type]) => type === 3))[2])}`;
    },
  },
  {
    name: 'DELETE twice, and a body behind it',
    over: overHttp,
    sees: '204, 404 ERR_CONNECTION_UNKNOWN, 404 ERR_CONNECTION_UNKNOWN',
    async play(attacker) {
      const line = await opened(attacker);
      const own = { 'Halyard-Connection': line.id };
      const first = await attacker.at('DELETE', own);
      const second = await attacker.at('DELETE', own);
      const third = await attacker.at('POST', { ...own, 'Halyard-Seq': '2' }, '[8]');
      return [first, second, third].map(told).join(', ');
    },
  },
  {
    name: 'DELETE with a code that is none',
    over: overHttp,
    sees: '204',
    async play(attacker) {
      const line = await opened(attacker);
      return told(
        await attacker.at('DELETE', { 'Halyard-Connection': line.id, 'Halyard-Close': '99999999999999999999' }),
      );
    },
  },
  {
    name: 'a foreign page that knows a connection',
    over: overHttp,
    sees: '403 ERR_ORIGIN, 403 ERR_ORIGIN, 403 ERR_ORIGIN, "still here"',
    async play(attacker) {
      const line = await opened(attacker);
      const own = { 'Halyard-Connection': line.id, ...foreign };
      const all = [
        await attacker.at('DELETE', own),
        await attacker.at('GET', own),
        await attacker.at('POST', { ...own, 'Halyard-Seq': '2' }, '[8]'),
      ].map(told);
      line.send('[2,"/","echo",["still here"],1]');
      return [...all, JSON.stringify((await line.packet(([type]) => type === 3))[2])].join(', ');
    },
  },
  {
    name: '200 connection ids that are guessed',
    sees: '200 of 404',
    async play(attacker) {
      const seen = new Set<number>();
      const socket = await attacker.tcp();
      for (let i = 0; i < 200; i++) {
        socket.write(request('GET /halyard', { 'Halyard-Connection': `${'A'.repeat(19)}${i + 100}` }));
        seen.add((await socket.response()).status);
      }
      return `200 of ${[...seen].join(' ')}`;
    },
  },
  {
    name: 'a poll by HEAD opens and takes nothing',
    sees: 'HTTP/1.1 404',
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(request('HEAD /halyard', { 'Halyard-Connection': 'none' }));
      return socket.until('a head', () => /^HTTP\/1\.1 \d{3}/.exec(socket.bytes.toString('latin1'))?.[0]);
    },
  },
];
