import { once } from 'node:events';
import { connect, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { cert, key } from '@halyard/harness/certificate';
import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { endIdle, endUnread } from './http2-idle';

test('a connection of HTTP/2 ends once it has had no stream for so long, and not before', async ({
  onTestFinished,
}) => {
  const clock = new VirtualClock();
  const server = createSecureServer({ key, cert });
  server.on('session', (session) => endIdle(session, 10_000, platformOf(clock)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  /** @returns what a request has come to */
  const asked = async (): Promise<ServerHttp2Stream> => {
    client.request().resume();
    const [stream] = await once(server, 'stream');
    return stream as ServerHttp2Stream;
  };
  const first = await asked();
  clock.advance(60_000);
  const second = await asked();
  for (const stream of [first, second]) {
    clock.advance(60_000);
    stream.respond({ ':status': 204 }, { endStream: true });
    await once(stream, 'close');
  }
  clock.advance(9_999);
  const third = await asked();
  clock.advance(60_000);
  third.respond({ ':status': 204 }, { endStream: true });
  await once(third, 'close');
  const goaway = once(client, 'goaway');
  clock.advance(10_000);
  // NO_ERROR
  expect((await goaway)[0]).toBe(0);
  if (!client.destroyed) await once(client, 'close');
});

test('a stream whose answer is not read ends, however much goes on beside it; one that is read slowly does not', async ({
  onTestFinished,
}) => {
  const clock = new VirtualClock();
  const server = createSecureServer({ key, cert });
  server.on('session', (session) => endUnread(session, 30_000, platformOf(clock)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    settings: { initialWindowSize: 0 },
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'remoteSettings');
  const ends: string[] = [];
  const asked = async (name: string): Promise<ServerHttp2Stream> => {
    const request = client.request();
    request.on('error', () => {});
    request.on('close', () => ends.push(`${name} ${request.rstCode}`));
    const [stream] = await once(server, 'stream');
    return stream as ServerHttp2Stream;
  };
  const [small, large, open] = [await asked('small'), await asked('large'), await asked('open')];
  for (const [stream, bytes] of [
    [small, 10],
    [large, 100_000],
  ] as const) {
    stream.respond();
    stream.end(Buffer.alloc(bytes));
  }
  open.respond();
  open.write('x');
  // Of 100,000 bytes, at a kilobyte in a second: 98 s.
  for (const expected of [[], ['small 8'], ['small 8'], ['small 8'], ['small 8', 'large 8']]) {
    clock.advance(30_000);
    await new Promise((resolve) => client.ping(resolve));
    expect(ends).toEqual(expected);
  }
  clock.advance(600_000);
  await new Promise((resolve) => client.ping(resolve));
  expect(ends).toHaveLength(2);
});
