// What loses the race to another transport leaves nothing on the server, though the answer that opens it comes late.
import { createServer, connect as tcp } from 'node:net';
import { connect, type TransportName } from '@halyard/client';
import type { Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

/** The answers of the first connection, and its end, are so late. */
const lateMs = 300;

function connections(io: Server): Record<string, number> {
  const { samples = [] } = io.metrics().find(({ name }) => name === 'halyard_connections') ?? {};
  const values = samples.map((sample): [string, number] => [
    sample.labels.transport ?? '',
    'value' in sample ? sample.value : 0,
  ]);
  return Object.fromEntries(values.filter(([, value]) => value > 0));
}

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host, { helloTimeoutMs: 600_000 });

  test.each<[TransportName, TransportName]>([
    ['websocket', 'sse'],
    ['sse', 'websocket'],
    ['polling', 'websocket'],
    ['polling', 'sse'],
  ])('%s that opens behind %s', async (loser, winner) => {
    const io = await serve({}, (server) => {
      server.on('connection', (socket) => socket.on('echo', (value: unknown) => value));
    });
    let answered = (): void => {};
    const late = new Promise<void>((resolve) => {
      answered = resolve;
    });
    let count = 0;
    const path = createServer({ noDelay: true }, (client) => {
      const delayMs = count++ === 0 ? lateMs : 0;
      const server = tcp({ port: io.port, host: '127.0.0.1', noDelay: true });
      for (const socket of [client, server]) socket.on('error', () => {});
      client.pipe(server);
      server.on('data', (data) => {
        setTimeout(() => {
          if (client.writable) client.write(data);
          if (delayMs > 0) answered();
        }, delayMs);
      });
      client.on('close', () => setTimeout(() => server.destroy(), delayMs));
      server.on('close', () => setTimeout(() => client.destroy(), delayMs));
    });
    await new Promise<void>((resolve) => path.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => path.close());
    const socket = connect(`http://127.0.0.1:${(path.address() as { port: number }).port}`, {
      transports: [loser, winner],
      fallbackDelayMs: 50,
      // It is not moved to while the test looks.
      random: () => 0.99,
    });
    cleanUp.push(() => socket.connection.close());
    expect(await socket.emitWithAck('echo', 1)).toBe(1);
    expect(socket.connection.transport).toBe(winner);
    await late;
    await expect.poll(() => connections(io), { timeout: 3_000 }).toEqual({ [winner]: 1 });
  });
});
