import { once } from 'node:events';
import { connect, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { cert, key } from '@halyard/harness/certificate';
import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { endIdle } from './http2-idle';

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
