// Messages come in the order in which they were emitted, whatever a connection does meanwhile.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { clientsOf } from './clients';

describe.each(starts)('the order of messages, %s', (_name, start) => {
  const { listening, join, resume, away } = clientsOf(start);

  test('direct and published messages arrive in the order they were emitted', async () => {
    const io = await listening();
    const a = await join(io, 'room', 'other');
    const b = await join(io, 'room');
    const expected: string[] = [];
    for (let i = 0; i < 400; i += 4) {
      a.socket.emit('direct', i);
      io.to('room').emit('room', i + 1);
      io.to(['room', 'other']).emit('loop', i + 2);
      b.socket.to('room').emit('others', i + 3);
      expected.push(`direct ${i}`, `room ${i + 1}`, `loop ${i + 2}`, `others ${i + 3}`);
    }
    await a.wire.settle();
    expect(a.wire.events).toEqual(expected);
    await b.wire.settle();
    expect(b.wire.events).toEqual(expected.filter((what) => !/direct|others/.test(what)));
  });

  test('a large backlog is fed by pages while more is emitted, and stays in order', async () => {
    const io = await listening({ logPacketsMax: 10_000, logBytesMax: 64 << 20, outboxBytesMax: 64 << 20 });
    const a = await join(io, 'one');
    await away(a);
    const expected: string[] = [];
    const emit = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        if (i % 3 === 0) a.socket.emit('m', i, 'x'.repeat(2_000));
        else (i % 3 === 1 ? io.to('one') : io).emit('m', i, 'x'.repeat(2_000));
        expected.push(`m ${i}`);
      }
    };
    emit(0, 3_000);
    const back = await resume(io, a);
    emit(3_000, 3_300);
    await back.until(() => back.events.length >= 3_300);
    await back.settle();
    expect(back.events).toEqual(expected);
  });

  test('a connection that breaks in the midst of an emit does not change the order for others', async () => {
    const io = await listening({ backpressureBytesMax: 131_072 });
    const poller = async (): Promise<{ id: string; poll: (received: number) => Promise<string> }> => {
      const url = `http://127.0.0.1:${io.port}/halyard`;
      const opened = await fetch(url, { method: 'POST' });
      const connection = opened.headers.get('halyard-connection') ?? '';
      const welcomed = await fetch(url, {
        method: 'POST',
        body: '[0]',
        headers: { 'halyard-connection': connection, 'halyard-seq': '1', 'halyard-ack': '0' },
      });
      const poll = async (received: number): Promise<string> =>
        (await fetch(url, { headers: { 'halyard-connection': connection, 'halyard-ack': `${received}` } })).text();
      const [, id] = /\[11,"\/","([^"]+)"\]/.exec(await welcomed.text()) ?? [];
      return { id: id ?? '', poll };
    };
    const slow = await poller();
    const quick = await poller();
    const gone = new Promise((resolve) => io.sockets.get(slow.id)?.on('away', resolve));
    io.sockets.get(slow.id)?.on('away', () => io.emit('left', 'x'));
    let received = 1;
    let heard = '';
    for (let i = 0; i < 6; i++) {
      io.emit('n', i, 'x'.repeat(60_000));
      heard += `${await quick.poll(received++)}\n`;
    }
    await gone;
    // It may have come with one of those.
    if (!heard.includes('left')) heard += await quick.poll(received);
    const offsets = [...heard.matchAll(/^\[5,"\/",\["\w+",(\d+)\]/gm)].map(([, offset]) => Number(offset));
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('a consumer that does not read is cut and catches up from where it was', async () => {
    const io = await listening({ backpressureBytesMax: 131_072, logPacketsMax: 100_000, logBytesMax: 1 << 29 });
    const a = await join(io, 'one');
    await a.wire.settle();
    const gone = new Promise<void>((resolve) => a.socket.once('away', () => resolve()));
    a.wire.pause();
    let sent = 0;
    while (!a.socket.away) {
      for (let i = 0; i < 40; i++) io.to('one').emit('room', sent++, 'x'.repeat(10_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await gone;
    a.wire.unpause();
    await a.wire.until((wire) => wire.closed);
    const seen = a.wire.events.length;
    expect(a.wire.events).toEqual(Array.from({ length: seen }, (_, i) => `room ${i}`));
    const back = await resume(io, a);
    await back.until(() => back.events.length + seen >= sent);
    await back.settle();
    expect([...a.wire.events, ...back.events]).toEqual(Array.from({ length: sent }, (_, i) => `room ${i}`));
  });
});
