// What was sent to a socket by other servers while it moved comes before what its new server says to it.
import type { Server, Socket } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

let onBack = (_socket: Socket): void => {};

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  test('letters that wait are first, whatever a handler of "connection" emits at once', async () => {
    const adapter = newStore();
    const onSocket = (socket: Socket): void => {
      if (socket.recovered) socket.emit('said', 'by the new server');
    };
    const start = (): Promise<Server> => serve({ adapter }, (io) => io.on('connection', onSocket));
    const [here, there, third] = [await start(), await start(), await start()];
    const wire = await open(here);
    wire.send([0, [['/']], 'by hand', null]);
    const [, session, secret] = await wire.packet(1);
    const [, , socket] = await wire.packet(11);
    wire.cut();
    // Nobody has it from here on.
    await here.close();
    for (let i = 1; i <= 3; i++) await third.to(String(socket)).emitDurable('said', i);
    const next = await open(there);
    next.send([0, [], 'by hand', [session, secret, 1, 0], '', 2]);
    await next.packet(2, ([, , , args]) => (args as unknown[])[0] === 'by the new server');
    const texts = next.received.filter(([type]) => type === 2).map(([, , , args]) => (args as unknown[])[0]);
    expect(texts).toEqual([1, 2, 3, 'by the new server']);
  });

  test('which rooms a socket joins and leaves from elsewhere waits for it too, if its server has gone', async () => {
    const adapter = newStore();
    const rooms = new Promise<string[]>((resolve) => {
      onBack = (socket) => setImmediate(() => resolve([...socket.rooms]));
    });
    const start = (): Promise<Server> =>
      serve({ adapter }, (io) =>
        io.on('connection', (socket) => {
          if (socket.recovered) onBack(socket);
          else socket.join('left');
        }),
      );
    const [here, there] = [await start(), await start()];
    const wire = await open(here);
    wire.send([0, [['/']], 'by hand', null]);
    const [, session, secret] = await wire.packet(1);
    const [, , id] = await wire.packet(11);
    await untilHolds(async () => (await there.in('left').fetchSockets()).length === 1);
    const [socket] = await there.fetchSockets();
    wire.cut();
    await here.close();
    socket?.join('joined');
    socket?.leave('left');
    const next = await open(there);
    next.send([0, [], 'by hand', [session, secret, 1, 0], '', 2]);
    expect(await rooms).toEqual([id, 'joined']);
  });
});
