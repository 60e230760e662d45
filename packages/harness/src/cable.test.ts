import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Cable } from './cable';

describe('a cable', () => {
  const cleanUp: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  /** Both ends of a connection through a cable that is open, and what has come to each. */
  async function plugged() {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
    const cable = await Cable.open((server.address() as AddressInfo).port);
    cleanUp.push(() => cable.close());
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect(cable.port, '127.0.0.1');
    client.write('hello');
    const [far] = await accepted;
    const ends = { client: watched(client), far: watched(far) };
    await expect.poll(() => ends.far.text).toBe('hello');
    return { cable, server, ...ends };
  }

  function watched(socket: Socket) {
    const end = { socket, text: '', bytes: 0, ended: false, closed: false };
    socket.on('data', (chunk) => {
      end.bytes += chunk.length;
      if (end.text.length < 100) end.text += chunk.toString('latin1');
    });
    socket.on('end', () => {
      end.ended = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      end.closed = true;
    });
    cleanUp.push(() => socket.destroy());
    return end;
  }

  test('carries both ways, and ends when an end does', async () => {
    const { client, far } = await plugged();
    far.socket.end('bye');
    await expect.poll(() => client.closed).toBe(true);
    expect(client.text).toBe('bye');
  });

  test('is cut behind the byte that was said, with a reset or a FIN', async () => {
    for (const ending of ['reset', 'fin'] as const) {
      const { cable, client, far } = await plugged();
      cable.cutAfter(7, ending);
      far.socket.write('1234567890');
      await expect.poll(() => client.closed && far.closed).toBe(true);
      expect([ending, client.text]).toEqual([ending, '1234567']);
      if (ending === 'fin') expect(client.ended && far.ended).toBe(true);
      expect(cable.cuts).toBe(1);
    }
  });

  test('stalled one way it holds the sender up and carries the other way, and loses nothing', async () => {
    const { cable, client, far } = await plugged();
    cable.stall('down');
    const total = 64 << 20;
    far.socket.write(Buffer.alloc(total));
    client.socket.write(', are you there?');
    await expect.poll(() => far.text).toBe('hello, are you there?');
    expect(far.socket.writableLength).toBeGreaterThan(0);
    expect(client.bytes).toBe(0);
    cable.flow();
    await expect.poll(() => client.bytes).toBe(total);
  });

  test('slow carries a few bytes at a time, in order', async () => {
    const { cable, client, far } = await plugged();
    cable.slow(3);
    far.socket.write('one two three four');
    await expect.poll(() => client.text).toBe('one two three four');
  });

  test('silent it takes everything and carries nothing, and what has lost bytes is cut when it flows', async () => {
    const { cable, client, far } = await plugged();
    cable.silence();
    client.socket.write('lost');
    await expect.poll(() => client.socket.bytesWritten).toBe(9);
    client.socket.end();
    await expect.poll(() => client.socket.writableFinished).toBe(true);
    expect([far.text, far.closed]).toEqual(['hello', false]);
    cable.flow();
    await expect.poll(() => client.closed && far.closed).toBe(true);
    expect(far.text).toBe('hello');
  });

  test('pulled it refuses, until it is mended', async () => {
    const { cable, client, server } = await plugged();
    cable.pull();
    await expect.poll(() => client.closed).toBe(true);
    const refused = watched(connect(cable.port, '127.0.0.1'));
    await expect.poll(() => refused.closed).toBe(true);
    expect(cable.refused).toBe(1);
    cable.mend();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const again = watched(connect(cable.port, '127.0.0.1'));
    again.socket.write('again');
    const far = watched((await accepted)[0]);
    await expect.poll(() => far.text).toBe('again');
  });
});
