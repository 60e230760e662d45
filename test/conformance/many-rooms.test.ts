// A socket that joins and leaves many rooms within seconds, at servers that share a store, misses nothing by that: its session goes on.
import type { Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

const rooms = 1_500;

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  async function one() {
    const ended: unknown[] = [];
    const io = await serve({ adapter: newStore(), roomsPerSocketMax: rooms }, (io) =>
      io.on('connection', (socket) => void socket.on('disconnect', (reason) => void ended.push(reason))),
    );
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null]);
    await wire.packet(11);
    const [socket] = io.sockets.values() as Iterable<Socket>;
    return { io, socket: socket as Socket, wire, ended };
  }

  test.each([
    ['all at once, in one go', 0],
    ['one after the other', 50],
  ])('%s', async (_how, perTurn) => {
    const { io, socket, wire, ended } = await one();
    const names = Array.from({ length: rooms }, (_, i) => `room ${i}`);
    if (perTurn === 0) {
      socket.join(names);
      await socket.save();
      for (const name of names) socket.leave(name);
    }
    for (let i = 0; perTurn > 0 && i < rooms; i++) {
      socket.join(names[i] as string);
      socket.leave(names[i] as string);
      if (i % perTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await socket.save();
    socket.emit('after', 1);
    io.emit('after', 2);
    io.to(names).emit('after', 'who is in');
    const after = () => wire.received.filter(([type]) => type === 2 || type === 5).map((packet) => packet.slice(-1)[0]);
    await untilHolds(() => expect([after(), wire.closed, ended]).toEqual([[[1], [2]], undefined, []]));
  });
});
