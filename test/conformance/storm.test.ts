// All clients of a server lose their connections in the same moment, and come back: all are back in their sessions, and miss nothing.
import { connect, type Socket, type TransportName } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';

const count = 1_000;
const transports: readonly TransportName[] = ['websocket', 'sse', 'polling'];

describe.each(hosts)('on %s', (_name, host) => {
  const { serve, cleanUp } = served(host, { backpressureBytesMax: 131_072 });

  test(`${count} clients that are cut at once, three times, are back at once, and miss nothing`, async () => {
    const said = Array.from({ length: count }, (): number[] => []);
    const ended: unknown[] = [];
    const io = await serve({}, (server) => {
      server.on('connection', (socket) => {
        const { index } = socket.handshake.auth as { index: number };
        socket.join(`room ${index % 10}`);
        socket.on('say', (number: number) => {
          said[index]!.push(number);
        });
        socket.on('disconnect', (why) => void ended.push(why));
      });
    });
    const cable = await Cable.open(io.port as number);
    cleanUp.push(() => cable.close());
    const heard = Array.from({ length: count }, (): string[] => []);
    const connects = Array.from({ length: count }, (): boolean[] => []);
    const clients: Socket[] = heard.map((list, index) => {
      const client = connect(cable.url, {
        auth: { index },
        // One in ten by each of those that are seldom needed.
        transports: [transports[index % 10] ?? 'websocket'],
        reconnect: { delayMinMs: 10, delayMaxMs: 500 },
      });
      client.on('connect', ({ recovered }) => void connects[index]!.push(recovered));
      for (const event of ['all', 'room', 'direct'])
        client.on(event, (number: number) => void list.push(`${event} ${number}`));
      return client;
    });
    cleanUp.push(() => {
      for (const client of clients) client.disconnect();
    });
    // A connection of polling outlives its requests: nobody is told.
    const rounds = (index: number, all: number): number => (transports[index % 10] === 'polling' ? 1 : all);
    const areAll = (all: number): boolean => connects.every(({ length }, index) => length === rounds(index, all));
    await expect.poll(() => areAll(1)).toBe(true);

    const due: string[][] = heard.map(() => []);
    for (let round = 1; round <= 3; round++) {
      for (const step of ['before', 'after']) {
        const number = round * 2 + (step === 'after' ? 1 : 0);
        io.emit('all', number);
        io.to('room 3').to('room 7').emit('room', number);
        for (const socket of io.sockets.values()) socket.emit('direct', number);
        for (const [index, client] of clients.entries()) {
          client.emit('say', number);
          const isInRoom = [3, 7].includes(index % 10);
          due[index]!.push(`all ${number}`, ...(isInRoom ? [`room ${number}`] : []), `direct ${number}`);
        }
        if (step === 'before') cable.cut();
      }
      await expect.poll(() => areAll(round + 1)).toBe(true);
    }
    await expect.poll(() => heard.every((list, i) => list.length >= due[i]!.length)).toBe(true);
    await expect.poll(() => said.every(({ length }) => length >= 6)).toBe(true);
    expect(heard).toEqual(due);
    expect(said).toEqual(said.map(() => [2, 3, 4, 5, 6, 7]));
    expect(connects).toEqual(connects.map((_, index) => [false, true, true, true].slice(0, rounds(index, 4))));
    expect(ended).toEqual([]);
  });
});
