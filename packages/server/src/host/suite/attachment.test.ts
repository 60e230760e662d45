// How a connection takes a session: HELLO by session or by token, RESET, and two connections that want the same one.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { WireClient } from '../../../../../test/kit/wire';
import { clientsOf } from './clients';

describe.each(starts)('an attachment, %s', (_name, start) => {
  const { listening, join, resume } = clientsOf(start);

  test('a second attachment evicts the first, and goes on', async () => {
    const io = await listening();
    const a = await join(io);
    const back = await resume(io, a);
    expect(await a.wire.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
    a.socket.emit('hi', 1);
    await back.settle();
    expect(back.events).toEqual(['hi 1']);
  });

  test('a HELLO that was overtaken by a later one takes the session from nobody', async () => {
    const io = await listening();
    const token = 'a token of its own';
    const [first, second, third, late] = await Promise.all([1, 2, 3, 4].map(() => WireClient.open(io.port)));
    if (first === undefined || second === undefined || third === undefined || late === undefined) throw new Error();
    second.send([0, [['/']], '', null, token, 2]);
    const [, session, secret] = (await second.packet(1)) as [number, string, string];
    first.send([0, [['/']], '', null, token, 1]);
    expect(await first.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
    third.send([0, [['/']], '', [session, secret, 0, 0, []], '', 4]);
    expect(await second.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
    late.send([0, [['/']], '', [session, secret, 0, 0, []], '', 3]);
    expect(await late.until((wire) => wire.closed)).toMatchObject({ code: 4409 });
    await third.settle();
    expect(io.sockets.size).toBe(1);
  });

  test('a resume over a connection whose RESET was lost is heard', async () => {
    const io = await listening();
    io.on('connection', (socket) => {
      socket.on('echo', (value) => value);
    });
    const wire = await WireClient.open(io.port);
    wire.send([0, [['/']], '', ['no-such', 'secret', 0, 0, []]]);
    const [, session, secret] = (await wire.packet(1)) as [number, string, string];
    wire.cut();
    const back = await resume(io, { wire, session, secret });
    back.send([2, '/', 'echo', ['heard'], 1]);
    expect(await back.packet(3)).toEqual([3, 1, 'heard']);
  });

  test('a token whose session has a hole in a log is a new session, and says so', async () => {
    const io = await listening({ logPacketsMax: 5 });
    const token = 'a token of its own';
    const first = await WireClient.open(io.port);
    first.send([0, [['/']], '', null, token, 1]);
    await first.packet(11);
    first.cut();
    await expect.poll(() => [...io.sockets.values()][0]?.away).toBe(true);
    for (let i = 0; i < 20; i++) io.emit('n', i);
    const again = await WireClient.open(io.port);
    again.send([0, [['/']], '', null, token, 2], [8], [14]);
    expect((await again.packet(1)).slice(5)).toEqual([false, 'log-trimmed']);
    await again.settle();
    expect(again.events).toEqual([]);
    expect(again.received.filter(([type]) => type === 9)).toHaveLength(1);
  });

  test('after a refused resume everything before RESET is ignored', async () => {
    const io = await listening();
    const heard: unknown[] = [];
    io.on('connection', (socket) => {
      socket.on('say', (text) => {
        heard.push(text);
      });
    });
    const wire = await WireClient.open(io.port);
    wire.send(
      [0, [['/']], '', ['no-such', 'secret', 0, 0, []]],
      [2, '/', 'say', ['of the other']],
      [14],
      [2, '/', 'say', ['mine']],
    );
    await wire.settle();
    expect(heard).toEqual(['mine']);
  });

  test('a client whose WELCOME was lost says HELLO again with its token, and is handled once', async () => {
    const io = await listening();
    const heard: unknown[] = [];
    io.on('connection', (socket) => {
      socket.on('say', (text) => {
        heard.push(text);
        return text;
      });
    });
    io.of('/late').on('connection', () => heard.push('late'));
    const token = 'a token of its own';
    const first = await WireClient.open(io.port);
    first.send([0, [['/']], '', null, token], [2, '/', 'say', [1], 1], [2, '/', 'say', [2], 2]);
    await first.packet(3, ([, ack]) => ack === 2);
    first.cut();
    const again = await WireClient.open(io.port);
    const flight = [1, 2, 3].map((n) => [2, '/', 'say', [n], n]);
    again.send([0, [['/'], ['/late']], '', null, token], ...flight);
    await again.packet(3, ([, ack]) => ack === 3);
    expect(heard).toEqual([1, 2, 'late', 3]);
    expect(io.sockets.size).toBe(1);
    expect((await again.packet(1))[1]).toBe((await first.packet(1))[1]);
    // Once the client has confirmed anything it knows its session, and the token is nobody's.
    again.send([7, again.counted]);
    await again.settle();
    const stranger = await WireClient.open(io.port);
    stranger.send([0, [['/']], '', null, token]);
    expect((await stranger.packet(1))[1]).not.toBe((await first.packet(1))[1]);
  });
});
