// What is emitted before somebody has come into a room, and is stored behind that, is for who is in it by then, but for those who are excepted by then.
import type { Adapter, CommitResult, Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  test('who enters the room and the excepted one between emit and store', async () => {
    const shared = newStore();
    let opened = Promise.resolve();
    let isFirst = true;
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      if (!isFirst) return store;
      isFirst = false;
      const commit = store.commit.bind(store);
      store.commit = async (...which) => {
        await opened;
        return (await commit(...which)) as CommitResult;
      };
      return store;
    };
    const here = await serve({ adapter });
    const there = await serve({ adapter }, (io) =>
      io.on('connection', (socket) => {
        socket.on('enter', async (...rooms: string[]) => {
          for (const room of rooms) socket.join(room);
          await socket.save();
        });
      }),
    );
    const clients = await Promise.all([0, 1, 2].map(() => open(there)));
    for (const [i, wire] of clients.entries()) {
      wire.send([0, [['/']], `by hand ${i}`, null]);
      await wire.packet(11);
    }
    const [before, excepted, neither] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
    const enter = async (wire: typeof before, ...rooms: string[]): Promise<void> => {
      wire.send([2, '/', 'enter', rooms, 1]);
      await wire.packet(3);
    };
    await enter(before, 'room');
    await untilHolds(async () => (await here.in('room').fetchSockets()).length === 1);
    let go = (): void => {};
    opened = new Promise((resolve) => (go = resolve));
    here.to('room').except('odd').emit('said', 'to the others');
    here.to('room').emit('said', 'to all');
    await enter(excepted, 'odd', 'room');
    await enter(neither, 'room');
    go();
    for (const wire of clients) await wire.packet(5, ([, , , , args]) => (args as unknown[])[0] === 'to all');
    const heard = clients.map(({ received }) =>
      received.filter(([type]) => type === 5).map(([, , , , args]) => (args as unknown[])[0]),
    );
    expect(heard).toEqual([['to the others', 'to all'], ['to all'], ['to the others', 'to all']]);
  });
});
