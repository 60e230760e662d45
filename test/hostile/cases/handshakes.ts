// Handshakes of WebSockets that are none, or none that the server may take (docs/PROTOCOL.md §2).
import { handshake, Opcode, request, wsFrame } from '../../conformance/raw';
import { answers, type Case, statuses, told } from '../case';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

export const handshakes: readonly Case[] = [
  answers('no key', handshake({ 'Sec-WebSocket-Key': undefined }), '400 ERR_WEBSOCKET_KEY'),
  answers('a key of 5 bytes', handshake({ 'Sec-WebSocket-Key': 'c2hvcnQ=' }), '400 ERR_WEBSOCKET_KEY'),
  answers('a key of 4 KB', handshake({ 'Sec-WebSocket-Key': 'A'.repeat(4_096) }), '400 ERR_WEBSOCKET_KEY'),
  answers('two keys', handshake({ 'sec-websocket-key': key }), '400 ERR_WEBSOCKET_KEY'),
  answers('an old version', handshake({ 'Sec-WebSocket-Version': '8' }), '426 ERR_WEBSOCKET_VERSION'),
  answers('another Upgrade', handshake({ Upgrade: 'h2c' }), '426 ERR_UPGRADE_REQUIRED'),
  answers('no Connection', handshake({ Connection: undefined }), '400 ERR_HANDSHAKE'),
  answers('a handshake by DELETE', handshake().replace('GET', 'DELETE'), '400 ERR_HANDSHAKE'),
  answers('a handshake elsewhere', handshake({}, '/elsewhere'), '404 ERR_PATH'),
  answers('a foreign page', handshake({ Origin: 'https://foreign.test' }), '403 ERR_ORIGIN'),
  answers('a page of nowhere', handshake({ Origin: 'null' }), '403 ERR_ORIGIN'),
  answers('an origin that contains ours', handshake({ Origin: 'http://halyard.test.foreign.test' }), '403 ERR_ORIGIN'),
  answers(
    'an origin that names us as a user',
    handshake({ Origin: 'http://halyard.test@foreign.test' }),
    '403 ERR_ORIGIN',
  ),
  answers('two origins', handshake({ Origin: 'http://halyard.test', origin: 'http://foreign.test' }), '403 ERR_ORIGIN'),
  answers(
    'a host that is forwarded by nobody',
    handshake({ Origin: 'http://foreign.test', 'X-Forwarded-Host': 'foreign.test' }),
    '403 ERR_ORIGIN',
  ),
  answers(
    'no protocol that there is',
    handshake({ 'Sec-WebSocket-Protocol': 'halyard.v9+json' }),
    '400 ERR_NO_COMMON_PROTOCOL',
  ),
  answers(
    '1,000 protocols',
    handshake({ 'Sec-WebSocket-Protocol': Array(1_000).fill('a').join(',') }),
    '400 ERR_NO_COMMON_PROTOCOL',
  ),
  answers(
    'a protocol of 4 KB',
    handshake({ 'Sec-WebSocket-Protocol': 'p'.repeat(4_096) }),
    '400 ERR_NO_COMMON_PROTOCOL',
  ),
  answers('2,000 words in Connection', handshake({ Connection: `${'a,'.repeat(2_000)}Upgrade` }), ['101', '400']),
  answers(
    'extensions by the hundred',
    handshake({ 'Sec-WebSocket-Extensions': Array(300).fill('permessage-deflate; x=1').join(', ') }),
    ['101', '400', '431', 'end'],
  ),
  answers(
    'an extension with parameters that cannot be',
    handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=99' }),
    ['101', '400'],
  ),
  {
    name: 'frames in one flight with a handshake that is refused',
    // uWebSockets.js looks at what follows before it hands on the answer.
    sees: ['403', '505'],
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(Buffer.concat([Buffer.from(handshake({ Origin: 'http://foreign.test' })), wsFrame('[0]')]));
      const { status } = await socket.response();
      await socket.until('the end', () => socket.ended);
      return [status, ...statuses(socket.bytes).filter((more) => more === '101')].join(' ');
    },
  },
  {
    name: 'HELLO in one flight with its handshake',
    // Nobody may speak before the answer (RFC 6455 §4.1): uWebSockets.js leaves out what was said, so that there was no HELLO.
    waits: true,
    sees: { uws: '101, and the end', node: '101, and a packet' },
    async play(attacker) {
      const socket = await attacker.tcp();
      socket.write(Buffer.concat([Buffer.from(handshake()), wsFrame('[0]')]));
      await socket.until('WELCOME', () => socket.ended || socket.bytes.includes('[1,"'));
      return `${statuses(socket.bytes)}, and ${socket.ended ? 'the end' : 'a packet'}`;
    },
  },
  {
    name: 'a second handshake over the first WebSocket',
    sees: ['1002', '1006'],
    async play(attacker) {
      const socket = await attacker.websocket();
      socket.write(handshake());
      const { code } = await socket.close();
      return String(code);
    },
  },
  {
    name: 'a request behind a handshake',
    sees: ['1002', '1006'],
    async play(attacker) {
      const socket = await attacker.websocket();
      socket.write(request('POST /halyard', { 'Content-Length': '0' }));
      const { code } = await socket.close();
      return String(code);
    },
  },
  {
    name: '100 WebSockets that say nothing',
    waits: true,
    sees: '100 of 4408',
    async play(attacker) {
      const sockets = [];
      for (let i = 0; i < 100; i++) sockets.push(await attacker.websocket());
      const closes = await Promise.all(sockets.map((socket) => socket.close()));
      return `${closes.length} of ${[...new Set(closes.map(({ code }) => code))].join(' ')}`;
    },
  },
  {
    name: '100 WebSockets that are opened and cut',
    sees: '200',
    async play(attacker) {
      for (let i = 0; i < 100; i++) (await attacker.websocket()).cut();
      return told(await attacker.at('POST'));
    },
  },
  {
    name: '100 WebSockets that close at once',
    sees: '100 of 1000',
    async play(attacker) {
      const sockets = [];
      for (let i = 0; i < 100; i++) {
        const socket = await attacker.websocket();
        socket.message(Uint8Array.of(3, 232), Opcode.Close);
        sockets.push(socket);
      }
      const closes = await Promise.all(sockets.map((socket) => socket.close()));
      return `${closes.length} of ${[...new Set(closes.map(({ code }) => code))].join(' ')}`;
    },
  },
];
