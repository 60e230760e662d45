// What a resume brings, and when there is nothing to resume.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { clientsOf } from './clients';

describe.each(starts)('a resume, %s', (_name, start) => {
  const { listening, join, resume, away } = clientsOf(start);

  test('a resume brings everything missed, in the order it was emitted, without what was not for it', async () => {
    const io = await listening();
    const a = await join(io, 'one', 'two');
    const b = await join(io, 'two');
    io.emit('before', 0);
    a.socket.emit('before', 1);
    await a.wire.settle();
    await away(a);
    a.socket.emit('direct', 2);
    io.to('one').emit('one', 3);
    io.emit('all', 4);
    io.to(['one', 'two']).emit('both', 5);
    b.socket.to('two').emit('from-b', 6);
    io.except('one').emit('not-for-a', 7);
    a.socket.leave('one');
    io.to('one').emit('left', 8);
    io.except('one').emit('again-for-a', 9);
    a.socket.join('three');
    io.to('three').emit('three', 10);
    a.socket.emit('direct', 11);
    const back = await resume(io, a);
    io.emit('live', 12);
    await back.settle();
    expect((await back.packet(1)).slice(4)).toEqual([0, true, '']);
    expect(back.events).toEqual([
      'direct 2',
      'one 3',
      'all 4',
      'both 5',
      'from-b 6',
      'again-for-a 9',
      'three 10',
      'direct 11',
      'live 12',
    ]);
    expect(a.socket.recovered).toBe(true);
  });

  test('what was in flight when the connection broke is sent again from where the client says it is', async () => {
    const io = await listening();
    const a = await join(io, 'one');
    for (let i = 0; i < 10; i++) {
      io.to('one').emit('room', i);
      a.socket.emit('direct', i);
    }
    await a.wire.settle();
    await away(a);
    // The client says that it saw three of each.
    const log = a.wire.positions[0] as string;
    const back = await resume(io, a, 4, [log, 3]);
    await back.settle();
    expect(back.events[0]).toBe('room 3');
    expect(back.events).toHaveLength(14);
  });

  test('a room left before its last messages were read is still read to its end', async () => {
    const io = await listening();
    const a = await join(io, 'one');
    io.to('one').emit('seen', 0);
    await a.wire.settle();
    const { counted, positions } = a.wire;
    io.to('one').emit('missed', 1);
    a.socket.leave('one');
    io.to('one').emit('not mine', 2);
    await a.wire.settle();
    await away(a);
    const back = await resume(io, a, counted, positions);
    await back.settle();
    expect(back.events).toEqual(['missed 1']);
  });

  test('a log that no longer reaches back fails loudly', async () => {
    const io = await listening({ logPacketsMax: 10 });
    const a = await join(io, 'one');
    const bystander = await join(io, 'one');
    await away(a);
    const over = new Promise((resolve) => a.socket.once('disconnect', resolve));
    for (let i = 0; i < 11; i++) io.to('one').emit('room', i);
    const back = await resume(io, a);
    expect((await back.packet(1)).slice(5)).toEqual([false, 'log-trimmed']);
    await over;
    await bystander.wire.settle();
    expect(bystander.wire.events).toHaveLength(11);
  });

  test('ten messages of a log of ten are all there', async () => {
    const io = await listening({ logPacketsMax: 10 });
    const a = await join(io, 'one');
    await away(a);
    for (let i = 0; i < 10; i++) io.to('one').emit('room', i);
    const back = await resume(io, a);
    await back.settle();
    expect(back.events).toHaveLength(10);
  });

  test('what was published before the server disconnected a socket is still read', async () => {
    const io = await listening();
    const a = await join(io, 'room', 'other');
    await away(a);
    io.to('room').emit('room', 1);
    io.except('other').emit('not mine', 2);
    a.socket.emit('direct', 3);
    a.socket.disconnect();
    io.to('room').emit('late', 4);
    const back = await resume(io, a);
    await back.packet(13);
    await back.settle();
    expect(back.events).toEqual(['room 1', 'direct 3']);
  });

  test('a session away for longer than its window ends', async () => {
    const io = await listening({ recoveryWindowMs: 200 });
    const a = await join(io, 'one');
    const over = new Promise((resolve) => a.socket.once('disconnect', resolve));
    a.wire.cut();
    expect(await over).toMatchObject({ code: 4410 });
    expect(io.sockets.size).toBe(0);
    expect(io.of('/').rooms.size).toBe(0);
    const back = await resume(io, a);
    expect((await back.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });
});
