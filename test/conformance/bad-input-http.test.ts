// HTTP that says twice where a body ends, or in a way that two servers may read differently: refused, and the
// connection closed, so that nothing can be smuggled behind it.
import { hosts } from '@halyard/testkit/hosts';
import { describe, expect, test } from 'vitest';
import { RawSocket, request } from './raw';
import { stage } from './stage';

describe.each(hosts)('HTTP framing on %s', (_name, host) => {
  const scene = stage(host);
  const smuggled = request('POST /halyard', { 'Content-Length': '0' });

  test.each<[what: string, head: string, body: string]>([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 3', 'hello'],
    ['a length twice', 'Content-Length: 5\r\nContent-Length: 5', 'hello'],
    ['a list of lengths', 'Content-Length: 5, 5', 'hello'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'],
    ['two encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'],
    ['an encoding that is not chunked', 'Transfer-Encoding: gzip', 'hello'],
    ['a negative length', 'Content-Length: -1', ''],
    ['a length with a sign', 'Content-Length: +5', 'hello'],
    ['a length and more', 'Content-Length: 5x', 'hello'],
  ])('%s: 400, and nothing that follows is read', async (_what, head, body) => {
    const { port } = await scene();
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
    ['no HTTP', 'hello\r\n\r\n'],
    ['a WebSocket frame', '\x81\x83abcd\r\n\r\n'],
    ['no Host', 'POST /halyard HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
  ])('%s: refused, and closed', async (_what, text) => {
    const { port } = await scene();
    const socket = await RawSocket.open(port);
    socket.write(text);
    expect((await socket.response()).status).toBeGreaterThanOrEqual(400);
    await socket.until('the end', () => socket.ended);
  });

  test('HEAD is answered without a body, and the connection goes on', async () => {
    const { port } = await scene();
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
  });
});
