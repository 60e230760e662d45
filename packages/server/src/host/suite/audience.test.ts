// Whom a message reaches, and whom it does not: rooms, ids, exceptions, volatile, and what is asked of many.
import { describe, expect, test } from 'vitest';
import { starts } from '../../../../../test/kit/hosts';
import { clientsOf } from './clients';

describe.each(starts)('whom a message reaches, %s', (_name, start) => {
  const { listening, join, resume, away } = clientsOf(start);

  test('whole rooms, several rooms, except and ids each reach whom they name, once', async () => {
    const io = await listening();
    const a = await join(io, 'one', 'two');
    const b = await join(io, 'two');
    const c = await join(io);
    io.emit('all', 1);
    io.to('one').emit('one', 2);
    io.to('one').to('two').emit('both', 3);
    a.socket.to('two').emit('not-a', 4);
    io.to(c.socket.id).to('one').emit('c-and-one', 5);
    io.except('two').emit('only-c', 6);
    b.socket.broadcast.emit('not-b', 7);
    io.to(['one', a.socket.id]).emit('a-once', 8);
    io.to('nobody').emit('never', 9);
    io.to([]).emit('never', 10);
    a.socket.to([]).emit('never', 11);
    await Promise.all([a, b, c].map(({ wire }) => wire.settle()));
    expect(a.wire.events).toEqual(['all 1', 'one 2', 'both 3', 'c-and-one 5', 'not-b 7', 'a-once 8']);
    expect(b.wire.events).toEqual(['all 1', 'both 3', 'not-a 4']);
    expect(c.wire.events).toEqual(['all 1', 'c-and-one 5', 'only-c 6', 'not-b 7']);
  });

  test('one that speaks to others hears nothing of it: as a member, not a member, away, or catching up', async () => {
    const io = await listening();
    const a = await join(io, 'room');
    const b = await join(io, 'room');
    const c = await join(io);
    a.socket.to('room').emit('member', 1);
    c.socket.to('room').emit('guest', 2);
    io.to('room').except(c.socket.id, a.socket.id).emit('two', 3);
    io.to('room').except('nobody').emit('nobody', 4);
    await a.wire.settle();
    await away(a);
    a.socket.to('room').emit('absent', 5);
    a.socket.broadcast.emit('absent', 6);
    io.to('room').emit('all', 7);
    const long = 'x'.repeat(100_000);
    for (let i = 0; i < 5; i++) a.socket.emit('direct', long);
    // It hears of its return when there is more than the first page to send.
    a.socket.once('resume', () => a.socket.to('room').emit('catching', 8));
    const catching = await resume(io, a);
    io.to('room').emit('all', 9);
    await catching.until(({ events }) => events.includes('all 9'));
    await Promise.all([catching, b.wire, c.wire].map((wire) => wire.settle()));
    expect(a.wire.events).toEqual(['guest 2', 'nobody 4']);
    expect(catching.events.filter((what) => !what.startsWith('direct'))).toEqual(['all 7', 'all 9']);
    expect(b.wire.events).toEqual([
      'member 1',
      'guest 2',
      'two 3',
      'nobody 4',
      'absent 5',
      'absent 6',
      'all 7',
      'catching 8',
      'all 9',
    ]);
    expect(c.wire.events).toEqual(['absent 6']);
  });

  test('volatile messages behind others of the same turn are sent', async () => {
    const io = await listening();
    const { wire, socket } = await join(io);
    socket.emit('first', 0);
    socket.volatile.emit('v', 1);
    io.volatile.emit('v', 2);
    await wire.settle();
    expect(wire.received.filter(([type]) => type === 6).map((tuple) => tuple[3])).toEqual([[1], [2]]);
  });

  test('volatile messages reach who is there and are never kept', async () => {
    const io = await listening();
    const a = await join(io, 'one');
    const b = await join(io, 'one');
    await away(b);
    io.to('one').volatile.emit('tick', 1);
    b.socket.volatile.emit('tick', 2);
    const back = await resume(io, b);
    await back.settle();
    await a.wire.settle();
    expect(a.wire.received.filter(([type]) => type === 6)).toEqual([[6, '/', 'tick', [1]]]);
    expect(back.received.filter(([type]) => type === 6)).toEqual([]);
  });

  test('socketsJoin, socketsLeave, fetchSockets and disconnectSockets act on whom a target means', async () => {
    const io = await listening();
    const a = await join(io, 'one');
    const b = await join(io);
    io.in('one').socketsJoin('two');
    expect([...a.socket.rooms]).toEqual([a.socket.id, 'one', 'two']);
    expect((await io.in('two').fetchSockets()).map(({ id }) => id)).toEqual([a.socket.id]);
    io.socketsLeave('one');
    expect(io.of('/').rooms.has('one')).toBe(false);
    io.except('two').disconnectSockets();
    expect(await b.wire.packet(13)).toEqual([13, '/', 'disconnected by the server']);
    io.disconnectSockets(true);
    expect(await a.wire.until((wire) => wire.closed)).toMatchObject({ code: 1000 });
  });

  test('replies of many, and the ids of those that do not answer', async () => {
    const io = await listening();
    const a = await join(io, 'one');
    const b = await join(io, 'one');
    const asked = io.to('one').timeout(300).emitWithAck('question', 1);
    const [, , , , ack] = await a.wire.packet(2);
    a.wire.send([3, ack, 'answer']);
    expect(await asked).toEqual({ replies: ['answer'], missing: [b.socket.id] });
    // The late answer of b is no error.
    b.wire.send([3, (await b.wire.packet(2))[4], 'late']);
    await b.wire.settle();
    expect(b.wire.closed).toBeUndefined();
  });

  test('one socket that owes too many replies is missing, and the others are asked', async () => {
    const io = await listening({ pendingAcksMax: 1 });
    const a = await join(io);
    const b = await join(io);
    const owed = a.socket
      .timeout(300)
      .emitWithAck('first')
      .catch(() => {});
    const asked = io.timeout(300).emitWithAck('second');
    b.wire.send([3, (await b.wire.packet(2))[4], 'yes']);
    expect(await asked).toEqual({ replies: ['yes'], missing: [a.socket.id] });
    await owed;
    for (const target of [io, io.to('one'), a.socket])
      for (const timeoutMs of [Number.NaN, 0, '5' as never])
        expect(() => target.timeout(timeoutMs)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  test('a reply that may take for ever settles with the session', async () => {
    const io = await listening();
    const { socket } = await join(io);
    const one = socket.timeout(Infinity).emitWithAck('question');
    const all = io.timeout(Infinity).emitWithAck('question');
    io.disconnectSockets(true);
    await expect(one).rejects.toThrow(expect.objectContaining({ code: 'ERR_SESSION_ENDED' }));
    expect(await all).toEqual({ replies: [], missing: [socket.id] });
  });
});
