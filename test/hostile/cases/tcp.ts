// Below HTTP, and HTTP that is none: what comes over a TCP connection before anybody knows what it is to be.
import { handshake, type RawSocket, request } from '../../conformance/raw';
import { hasAddresses, nextAddress } from '../attacker';
import { answers, type Case, ends, statuses, told, untilEnd } from '../case';

const open = request('POST /halyard', { 'Content-Length': '0' });
/** HTTP that is broken below the protocol (docs/PROTOCOL.md §11): the host refuses it by itself, or says nothing, and ends it. */
const broken = ['400 end', '505 end', 'end'];
const elsewhere = request('GET /elsewhere');
const post = (head: string, body = ''): string =>
  `POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n${head}\r\n\r\n${body}`;

/** Writes a piece again and again, until the connection is gone, and no more than so many bytes. */
async function keepsWriting(socket: RawSocket, piece: string, bytesMax: number): Promise<void> {
  for (let sent = 0; sent < bytesMax && !socket.ended; sent += piece.length) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Begins with something, and goes on with more of it for as long as it may. */
function floods(name: string, begin: string, piece: string, sees: Case['sees']): Case {
  return {
    name,
    sees,
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(begin);
      await keepsWriting(socket, piece, 4 << 20);
      return untilEnd(socket);
    },
  };
}

/** One byte after the other, for ever. */
function drips(name: string, begin: string, byte: string, sees: Case['sees']): Case {
  return {
    name,
    sees,
    waits: true,
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(begin);
      const timer = setInterval(() => socket.write(byte), 500);
      try {
        return await untilEnd(socket);
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** Many connections of which each does the same, and then nothing; or is gone. */
function many(name: string, count: number, sent: string, leaves: 'reset' | 'cut' | 'stays'): Case {
  return {
    name,
    sees: '200',
    async play(attacker) {
      const sockets: RawSocket[] = [];
      for (let i = 0; i < count; i++) {
        const socket = await attacker.tcp();
        if (sent !== '') socket.write(sent);
        sockets.push(socket);
      }
      for (const socket of sockets) if (leaves !== 'stays') socket[leaves]();
      return told(await attacker.at('POST'));
    },
  };
}

const perAddress: readonly Case[] = [
  {
    name: 'more connections in a second than an address may open',
    sees: '429 ERR_ADDRESS_RATE',
    async play(attacker) {
      const address = nextAddress();
      for (;;) {
        const answer = await attacker.ask(handshake(), address);
        if (answer.status !== 101) return told(answer);
      }
    },
  },
  {
    name: 'more connections than an address may have',
    sees: '429 ERR_ADDRESS_FULL',
    async play(attacker) {
      const address = nextAddress();
      for (;;) {
        const answer = await attacker.ask(open, address);
        if (answer.status !== 200) return told(answer);
      }
    },
  },
];

export const tcp: readonly Case[] = [
  ends('nothing is sent', '', { uws: 'end', node: '408 end' }, true),
  ends('half a request line', 'POST /hal', { uws: '505 end', node: '408 end' }, true),
  ends(
    'a head without its end',
    'POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n',
    { uws: 'end', node: '408 end' },
    true,
  ),
  ends('a body that does not come', post('Content-Length: 10'), ['408 end', 'end'], true),
  ends('half a chunk', post('Transfer-Encoding: chunked', '10\r\nhel'), ['408 end', 'end'], true),
  ends(
    'a body that is waited for with 100-continue',
    post('Content-Length: 10\r\nExpect: 100-continue'),
    { uws: '100 end', node: '100 408 end' },
    true,
  ),
  drips('a head that drips', 'GET /halyard HTTP/1.1\r\nX: ', 'x', { uws: 'end', node: '408 end' }),
  floods('a request line without an end', 'GET /', 'x'.repeat(8_192), ['431 end', '505 end', 'end']),
  floods('a header field without an end', 'GET /halyard HTTP/1.1\r\nX: ', 'x'.repeat(8_192), ['431 end', 'end']),
  floods('header fields without an end', 'GET /halyard HTTP/1.1\r\n', 'X: y\r\n'.repeat(1_000), ['431 end', 'end']),
  floods('a name of a header field without an end', 'GET /halyard HTTP/1.1\r\n', 'x'.repeat(8_192), ['431 end', 'end']),
  floods('a chunk extension without an end', post('Transfer-Encoding: chunked', '5;'), 'x'.repeat(8_192), [
    '413 end',
    '400 end',
    'end',
  ]),
  floods('trailers without an end', post('Transfer-Encoding: chunked', '0\r\n'), 'X: y\r\n'.repeat(1_000), [
    ...broken,
    '431 end',
    '200 end',
  ]),
  floods('a body without an end', post('Transfer-Encoding: chunked'), `1000\r\n${'x'.repeat(0x1000)}\r\n`, [
    '413 end',
    'end',
  ]),
  ends('a length beyond all', post('Content-Length: 999999999999', 'x'), ['408 end', 'end'], true),
  answers('a URL of 6 KB', request(`GET /${'x'.repeat(6_000)}`), '404 ERR_PATH'),
  answers('a path that climbs', request('GET /halyard/../../../etc/passwd'), '404 ERR_PATH'),
  answers('a path in other letters', request('GET /HALYARD'), '404 ERR_PATH'),
  answers('a path with an encoded NUL', request('GET /halyard%00'), '404 ERR_PATH'),
  answers('a path with two slashes', request('GET //halyard'), '404 ERR_PATH'),
  answers('an absolute URL', request('GET http://halyard.test/halyard'), { uws: '505', node: '404' }),
  answers('a request for everything', request('OPTIONS *'), { uws: '505', node: '404' }),
  ends('CONNECT to somewhere else', request('CONNECT elsewhere.test:443'), broken),
  answers('TRACE', request('TRACE /halyard'), ['405 ERR_METHOD', '400']),
  ends('a method that is none', request('GE T /halyard'), broken),
  ends('HTTP of 1991', 'GET /halyard\r\n\r\n', { uws: '505 end', node: '426 end' }),
  ends('HTTP of the future', `${elsewhere.replace('1.1', '9.9')}`, broken),
  ends('HTTP/2 out of the blue', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', broken),
  ends('TLS where there is none', Buffer.from('16030100c6010000c20303', 'hex'), broken, true),
  ends('a WebSocket frame without a handshake', Buffer.from('8183616263640d0a0d0a', 'hex'), broken),
  ends('lines that end with a line feed alone', 'GET /halyard HTTP/1.1\nHost: halyard.test\n\n', broken, true),
  ends('NUL in a header field', request('GET /halyard', { X: 'a\0b' }), broken, true),
  ends('a blank before the colon', 'GET /halyard HTTP/1.1\r\nHost : halyard.test\r\n\r\n', broken, true),
  ends(
    'a header field that goes on in a second line',
    'GET /halyard HTTP/1.1\r\nHost: halyard.test\r\nX: y\r\n z\r\n\r\n',
    broken,
    true,
  ),
  ends('no Host', 'GET /halyard HTTP/1.1\r\n\r\n', broken, true),
  answers('a Host that is none', request('GET /halyard', { Host: '][' }), ['426', '400']),
  answers('a Host of 4 KB', request('GET /halyard', { Host: 'h'.repeat(4_096) }), ['426', '400']),
  ends('two lengths', post('Content-Length: 5\r\nContent-Length: 3', `hello${open}`), ['400 end', 'end']),
  ends('a length and chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${open}`), [
    '400 end',
    'end',
  ]),
  ends('an encoding that is almost chunked', post('Transfer-Encoding: xchunked', `0\r\n\r\n${open}`), [
    '400 end',
    'end',
  ]),
  ends('a length below nothing', post('Content-Length: -1'), '400 end'),
  ends('a length in hexadecimal', post('Content-Length: 0x5', 'hello'), '400 end'),
  ends('a chunk of 2⁶⁴ bytes', post('Transfer-Encoding: chunked', '10000000000000000\r\nhello\r\n'), [
    '400 end',
    '413 end',
    'end',
  ]),
  ends('a chunk below nothing', post('Transfer-Encoding: chunked', '-5\r\nhello\r\n0\r\n\r\n'), ['400 end', 'end']),
  ends('a handshake with a body', handshake({ 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }), '400 end'),
  {
    name: '100 requests in one flight are answered',
    sees: '100 of 404',
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(elsewhere.repeat(100));
      await socket.until('all answers', () => socket.ended || statuses(socket.bytes).length === 100);
      const all = statuses(socket.bytes);
      return `${all.length} of ${[...new Set(all)].join(' ')}`;
    },
  },
  {
    name: '10,000 requests in one flight',
    sees: ['404 end', 'end'],
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(elsewhere.repeat(10_000));
      const seen = await untilEnd(socket);
      return [...new Set(seen.split(' '))].join(' ');
    },
  },
  {
    name: 'requests by the thousand, of which nobody reads the answers',
    sees: '200',
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.pause();
      await keepsWriting(socket, elsewhere.repeat(200), 4 << 20);
      return told(await attacker.at('POST'));
    },
  },
  {
    name: 'a peer that says it is done is answered all the same',
    sees: ['426 end', 'end'],
    async play(attacker) {
      const socket = await attacker.tcp(true);
      socket.write(request('GET /halyard'));
      socket.finish();
      return untilEnd(socket);
    },
  },
  ...(hasAddresses ? perAddress : []),
  many('100 connections that say nothing', 100, '', 'stays'),
  many('100 connections that are reset at once', 100, '', 'reset'),
  many('100 connections that are reset in the midst of a body', 100, post('Content-Length: 10', 'hello'), 'reset'),
  many('100 connections that leave in the midst of a handshake', 100, handshake().slice(0, 60), 'cut'),
];
