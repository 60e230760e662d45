// What is said before a socket is sent away, or behind what has put it into a room, where servers share a store: what is said goes there
// first, and everything else waits for it.
import { json } from '@halyard/codec/json';
import type { Server, Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { places } from '../kit/stores';
import { WireClient } from '../kit/wire';

const rounds = 10;

describe.each(places)('on %s', (_name, host, useStore) => {
  const newEmpty = useStore();
  const { cleanUp, serve: serveAll } = clusterOf(host, () => newEmpty({ codec: json() }));

  async function two(app: (socket: Socket) => void = () => {}): Promise<[Server, Server]> {
    const [a, b] = await serveAll(2, (io) => {
      io.on('connection', app);
    });
    return [a!.io, b!.io];
  }

  /** @returns a client of `io`, and its socket's id */
  async function join(io: Server): Promise<{ readonly wire: WireClient; readonly id: string }> {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    wire.send([0, [['/']]]);
    return { wire, id: (await wire.packet(11))[2] as string };
  }

  /** @returns names of events, and how it ended, in order */
  async function heard(wire: WireClient): Promise<unknown[]> {
    const { code } = await wire.until(({ closed }) => closed);
    return [...wire.received.filter(([type]) => [2, 3, 5].includes(type as number)).map(nameOf), code];
  }

  test.each<[what: string, kick: (socket: Socket) => unknown, words: unknown[]]>([
    [
      'the socket itself',
      (socket) => {
        socket.emit('last');
        socket.disconnect(true);
      },
      ['last'],
    ],
    [
      'the reply, and then',
      (socket) => {
        setTimeout(() => socket.disconnect(true));
        return 'why';
      },
      ['why'],
    ],
  ])('%s, from a handler', async (_what, kick, words) => {
    const [a] = await two((socket) => socket.on('kick', () => kick(socket)));
    for (let i = 0; i < rounds; i++) {
      const { wire } = await join(a);
      wire.send([2, '/', 'kick', [], 1]);
      expect((await heard(wire)).filter((word) => word !== null)).toEqual([...words, 1000]);
    }
  });

  test('who is sent away as it comes in has come in, and is told why', async () => {
    const [a] = await two((socket) => {
      socket.emit('no');
      socket.disconnect(true);
    });
    for (let i = 0; i < rounds; i++) expect(await heard((await join(a)).wire)).toEqual(['no', 1000]);
  });

  test.each<[what: string, kick: (from: Server, id: string) => unknown]>([
    [
      'by its id',
      (from, id) => {
        from.to(id).emit('last');
        from.in(id).disconnectSockets(true);
      },
    ],
    [
      'by a room',
      (from) => {
        from.to('room').emit('last');
        from.in('room').disconnectSockets(true);
      },
    ],
    [
      'stored, and then',
      async (from, id) => {
        await from.to(id).emitDurable('last');
        from.in(id).disconnectSockets(true);
      },
    ],
    [
      'by what was found',
      async (from, id) => {
        const found = (await from.fetchSockets()).find((socket) => socket.id === id)!;
        found.emit('last');
        found.disconnect(true);
      },
    ],
  ])('%s, from its server and from another one', async (_what, kick) => {
    const [a, b] = await two((socket) => socket.join('room'));
    for (let i = 0; i < rounds; i++) {
      const { wire, id } = await join(b);
      await kick(i % 2 === 0 ? a : b, id);
      expect(await heard(wire)).toEqual(['last', 1000]);
    }
  });

  test('what is said to a room behind an awaited socketsJoin comes to all that it has put there', async () => {
    const [a, b] = await two();
    const { wire, id } = await join(b);
    for (let i = 0; i < 5 * rounds; i++) {
      const room = `room ${i}`;
      await (i % 2 === 0 ? a : a.in(id)).socketsJoin(room);
      a.to(room).emit(room);
    }
    await wire.until(({ received }) => received.filter(([type]) => type === 5).length === 5 * rounds);
  });
});

/** Of an event its name, of a reply its value; of what confirms one without a value null. */
function nameOf([type, , second, third]: readonly unknown[]): unknown {
  return type === 3 ? (second ?? null) : type === 5 ? third : second;
}
