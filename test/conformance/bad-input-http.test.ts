// HTTP that says twice where a body ends, or in a way that two servers may read differently: refused, and the
// connection closed, so that nothing can be smuggled behind it.

import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { guardedServers } from './guarded-server';
import { handshake, http, RawSocket, request } from './raw';

describe.each(hosts)('HTTP framing on %s', (name, host) => {
  const serve = guardedServers(host);
  const smuggled = request('POST /halyard', { 'Content-Length': '0' });

  test.each<[what: string, head: string, body: string]>([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 3', 'hello'],
    ['a length twice', 'Content-Length: 5\r\nContent-Length: 5', 'hello'],
    ['a list of lengths', 'Content-Length: 5, 5', 'hello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'],
    ['two encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'],
    ['an encoding that is not chunked', 'Transfer-Encoding: gzip', 'hello'],
    ['an encoding that ends with chunked', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
    ['an encoding that begins with chunked', 'Transfer-Encoding: chunkedx', '0\r\n\r\n'],
    ['chunked with a parameter', 'Transfer-Encoding: chunked;x', '0\r\n\r\n'],
    ['chunked in quotes', 'Transfer-Encoding: "chunked"', '0\r\n\r\n'],
    ['chunked in two words', 'Transfer-Encoding: chu nked', '0\r\n\r\n'],
    ['chunks of chunks', 'Transfer-Encoding: chunked, chunked', '0\r\n\r\n'],
    ['chunks within another encoding', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n'],
    ['another encoding within chunks', 'Transfer-Encoding: gzip, chunked', '0\r\n\r\n'],
    ['identity', 'Transfer-Encoding: identity', '0\r\n\r\n'],
    ['identity within chunks', 'Transfer-Encoding: identity, chunked', '0\r\n\r\n'],
    ['a list that begins with nothing', 'Transfer-Encoding: ,chunked', '0\r\n\r\n'],
    ['a list that ends with nothing', 'Transfer-Encoding: chunked,', '0\r\n\r\n'],
    ['an empty encoding', 'Transfer-Encoding: ', ''],
    ['a negative length', 'Content-Length: -1', ''],
    ['a length with a sign', 'Content-Length: +5', 'hello'],
    ['a length and more', 'Content-Length: 5x', 'hello'],
    ['two lengths without a comma', 'Content-Length: 5 5', 'hello'],
    ['a hexadecimal length', 'Content-Length: 0x5', 'hello'],
    ['a length with a fraction', 'Content-Length: 5.0', 'hello'],
    ['a length with an exponent', 'Content-Length: 5e0', 'hello'],
    ['a length in quotes', 'Content-Length: "5"', 'hello'],
    ['a length beyond 64 bits', 'Content-Length: 18446744073709551621', 'hello'],
    ['an empty length', 'Content-Length: ', ''],
  ])('%s: 400, and nothing that follows is read', async (_what, head, body) => {
    const { port } = await serve();
    const text = `POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n${head}\r\n\r\n${body}`;
    const socket = await RawSocket.open(port);
    socket.write(text);
    expect((await socket.response()).status).toBe(400);
    socket.write(smuggled);
    await socket.until('the end', () => socket.ended);
    expect(socket.bytes.toString()).not.toContain('HTTP/1.1');
    // In one flight it may go unanswered, but what follows is not read either.
    const flight = await RawSocket.open(port);
    flight.write(text + smuggled);
    await flight.until('the end', () => flight.ended);
    expect(flight.bytes.toString()).not.toContain('HTTP/1.1 200');
  });

  test.each([
    ['chunks', 'Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['one that is not chunked', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
    ['a list', 'Transfer-Encoding: identity, chunked', '0\r\n\r\n'],
    ['none', 'Transfer-Encoding: ', ''],
    ['an empty length', 'Content-Length: ', ''],
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 0', ''],
  ])(
    'a handshake with an encoding or length that is %s: 400, and nothing that follows is read',
    async (_what, head, body) => {
      const { port } = await serve();
      for (const origin of ['http://halyard.test', 'http://foreign.test']) {
        const socket = await RawSocket.open(port);
        socket.write(`${handshake({ Origin: origin }).trimEnd()}\r\n${head}\r\n\r\n${body}`);
        expect((await socket.response()).status).toBe(400);
        socket.write(smuggled);
        await socket.until('the end', () => socket.ended);
        expect(socket.bytes.toString()).not.toContain('HTTP/1.1');
      }
    },
  );

  // Else a proxy that says so by itself keeps a connection on which Node refuses whatever follows with 400.
  test.runIf(name === 'node')('who asks to be let go is, also with an answer that names Upgrade', async () => {
    const { port } = await serve();
    const socket = await RawSocket.open(port, true);
    socket.write(request('GET /halyard', { Connection: 'close' }));
    const { status, headers } = await socket.response();
    expect([status, headers.connection]).toEqual([426, 'Upgrade, close']);
    await socket.until('the end', () => socket.ended);
  });

  test.each(['chunked', 'CHUNKED', ' chunked ', '\tchunked'])(
    'chunks are read where the encoding is "%s"',
    async (encoding) => {
      const { port } = await serve();
      const text = `POST /halyard HTTP/1.1\r\nHost: halyard.test\r\nTransfer-Encoding:${encoding}\r\n\r\n`;
      expect((await http(port, `${text}0\r\n\r\n`)).status).toBe(200);
      const { body } = await http(port, `${text.replace('/halyard', '/elsewhere')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
      expect(body).toContain('ERR_PATH');
    },
  );

  // What the hosts read of them differs; what follows may be read by neither.
  test.each([
    ['a line that ends with a line feed', '5\nhello\n0\n\n'],
    ['a blank behind the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['no end of the chunk', '5\r\nhelloXX0\r\n\r\n'],
    ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size of 68 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
    ['an empty line before the size', '\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('chunks with %s: nothing that follows is read', async (_what, body) => {
    const { port } = await serve();
    const text = `POST /elsewhere HTTP/1.1\r\nHost: halyard.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
    const socket = await RawSocket.open(port);
    socket.write(text);
    await socket.response();
    socket.write(smuggled);
    await socket.until('the end', () => socket.ended);
    expect(socket.bytes.toString()).not.toContain('HTTP/1.1');
    const flight = await RawSocket.open(port);
    flight.write(text + smuggled);
    await flight.until('the end', () => flight.ended);
    expect(flight.bytes.toString()).not.toContain('HTTP/1.1 200');
  });

  // Node says 400 at once, uWS says nothing and cuts after ten seconds.
  test('headers that go on in a second line, or whose names are none: nothing that follows is read', async () => {
    const { port } = await serve();
    const heads = [
      'Transfer-Encoding:\r\n chunked',
      'Transfer-Encoding: chunked\r\n x',
      'X: y\r\n Transfer-Encoding: chunked',
      ' Transfer-Encoding: chunked',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding: \x0bchunked',
      'Transfer\x00-Encoding: chunked',
      'X: y\r\n\tContent-Length: 5',
      'X: y\nContent-Length: 5',
      'X: y\rContent-Length: 5',
      'X: y\x00\r\nContent-Length: 5',
      'Content-Length:\r\n 5',
      'Content-Length: 5\r\n ',
      'Content-Length : 5',
      'Content-Length:',
      'Transfer-Encoding:',
    ];
    await Promise.all(
      heads.map(async (head) => {
        const socket = await RawSocket.open(port);
        socket.write(`POST /halyard HTTP/1.1\r\nHost: halyard.test\r\n${head}\r\n\r\nhello${smuggled}`);
        await socket.until(`the end after ${JSON.stringify(head)}`, () => socket.ended);
        expect(socket.bytes.toString()).toMatch(/^$|^HTTP\/1\.1 [45]/);
        expect(socket.bytes.toString()).not.toContain('HTTP/1.1 200');
      }),
    );
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a WebSocket frame', '\x81\x83abcd\r\n\r\n'],
    ['no Host', 'POST /halyard HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
  ])('%s: refused, and closed', async (_what, text) => {
    const { port } = await serve();
    const socket = await RawSocket.open(port);
    socket.write(text);
    expect((await socket.response()).status).toBeGreaterThanOrEqual(400);
    await socket.until('the end', () => socket.ended);
  });

  test('HEAD is answered without a body, and the connection goes on', async () => {
    const { port } = await serve();
    const socket = await RawSocket.open(port);
    for (const path of ['/halyard', '/elsewhere']) {
      socket.write(request(`HEAD ${path}`));
      const head = await socket.until('the head', () => {
        const end = socket.bytes.indexOf('\r\n\r\n');
        return end < 0 ? undefined : socket.bytes.subarray(0, end + 4).toString();
      });
      expect(head).toMatch(path === '/halyard' ? /^HTTP\/1\.1 426 / : /^HTTP\/1\.1 404 /);
      expect(head).toMatch(/content-length: \d\d/i);
      socket.bytes = socket.bytes.subarray(head.length);
    }
    socket.write(smuggled);
    expect((await socket.response()).status).toBe(200);
    socket.cut();
    // Where it is refused for its framing the connection ends.
    const odd = await RawSocket.open(port);
    odd.write(request('HEAD /halyard', { 'Transfer-Encoding': 'xchunked' }));
    await odd.until('the end', () => odd.ended);
    expect(odd.bytes.toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(odd.bytes.toString().split('\r\n\r\n')[1]).toBe('');
  });
});
