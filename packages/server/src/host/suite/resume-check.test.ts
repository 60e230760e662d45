// Who comes back is looked at again: on each host, on the raw wire.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import { PublicError } from '../../index';
import { clientsOf } from './clients';

describe.each(starts)('a session that comes back, %s', (_name, start) => {
  const { listening, join, resume, away } = clientsOf(start);

  test('is told nothing before the app has said yes', async () => {
    const io = await listening();
    let goOn = (): void => {};
    const asked: unknown[] = [];
    io.onResume((socket) => {
      asked.push(socket.id);
      return new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    const client = await join(io);
    expect(asked).toEqual([]);
    await away(client);
    client.socket.emit('missed', 1);
    const wire = await WireClient.open(io.port);
    wire.send([0, [], 'test', [client.session, client.secret, 1, 0]], [2, '/', 'early', [], 1]);
    await expect.poll(() => asked).toEqual([client.socket.id]);
    expect(client.socket.away).toBe(true);
    expect(wire.received).toEqual([]);
    goOn();
    await wire.packet(4);
    expect(wire.received.map(([type]) => type)).toEqual([1, 2, 4]);
    expect(wire.received[0]![5]).toBe(true);
  });

  test.each([
    [new PublicError('ERR_BANNED', 'You may not come back.'), 'ERR_BANNED: You may not come back.', 0],
    [new Error('a secret of the server'), 'ERR_REFUSED: The session may not come back.', 1],
  ])('is over if the app says no: %s', async (thrown, reason, reported) => {
    const io = await listening();
    const errors: unknown[] = [];
    io.on('error', (error) => errors.push(error));
    io.of('/b').onResume(() => {
      throw thrown;
    });
    const client = await join(io);
    client.wire.send([10, '/b']);
    await client.wire.packet(11, ([, namespace]) => namespace === '/b');
    const over = new Promise((resolve) => client.socket.on('disconnect', resolve));
    await away(client);
    const wire = await WireClient.open(io.port);
    wire.send([0, [], 'test', [client.session, client.secret, 2, 1]], [2, '/', 'early', [], 1]);
    expect(await wire.until(({ closed }) => closed)).toEqual({ code: 4401, reason });
    expect(wire.received).toEqual([]);
    expect(await over).toEqual({ code: 4401, reason, by: 'server' });
    expect(errors.length).toBe(reported);
    const next = await WireClient.open(io.port);
    next.send([0, [], 'test', [client.session, client.secret, 2, 1]]);
    expect((await next.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });

  test('may take as long as HELLO, and then its client is to try again', async () => {
    const io = await listening({ helloTimeoutMs: 100 });
    let isSlow = true;
    io.onResume(() => (isSlow ? new Promise(() => {}) : undefined));
    const client = await join(io);
    const wire = await WireClient.open(io.port);
    wire.send([0, [], 'test', [client.session, client.secret, 1, 0]]);
    const reason = 'a handler of onResume takes too long';
    expect(await wire.until(({ closed }) => closed)).toEqual({ code: 1013, reason });
    expect(client.socket.connected).toBe(true);
    isSlow = false;
    const again = await resume(io, client);
    expect(again.received[0]![5]).toBe(true);
    expect(await client.wire.until(({ closed }) => closed)).toMatchObject({ code: 4409 });
  });

  test('whose client leaves meanwhile is over, and one whose app ends it is told so', async () => {
    const io = await listening();
    let asked = 0;
    let answer: () => unknown = () => new Promise(() => {});
    io.onResume(() => {
      asked++;
      return answer() as Promise<void>;
    });
    const client = await join(io);
    const over = new Promise((resolve) => client.socket.on('disconnect', resolve));
    await away(client);
    const wire = await WireClient.open(io.port);
    wire.send([0, [], 'test', [client.session, client.secret, 1, 0]]);
    await expect.poll(() => asked).toBe(1);
    await wire.close();
    expect(await over).toMatchObject({ code: 1000, by: 'client' });
    const other = await join(io);
    answer = () => other.socket.disconnect(true);
    await away(other);
    const next = await resume(io, other);
    expect(next.received.slice(0, 2)).toEqual([
      [1, other.session, other.secret, expect.anything(), 0, true, ''],
      [13, '/', 'disconnected by the server'],
    ]);
  });
});
