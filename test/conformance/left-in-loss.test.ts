// Who leaves a room whose log the store has just lost some of, and goes on at another server: what it has not got is told.
import type { Adapter, CommitResult, Socket, Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  test('where it has left is said by another epoch: it is not recovered as if nothing were missing', async () => {
    const shared = newStore();
    const stores: Store[] = [];
    let answered = Promise.resolve();
    let answer = (): void => {};
    const asked: string[] = [];
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      if (stores.push(store) > 1) return store;
      const [commit, openStore] = [store.commit.bind(store), store.open.bind(store)];
      store.commit = async (...which) => {
        const result = (await commit(...which)) as CommitResult;
        for (const step of which[1].steps) if ('topOf' in step) asked.push(step.topOf);
        await answered;
        return result;
      };
      // Nor does it hear that the store has lost something.
      store.open = (node, events) => openStore(node, { ...events, onRenewed: () => {} });
      return store;
    };
    const sockets: Socket[] = [];
    const here = await serve({ adapter }, (io) =>
      io.on('connection', (socket) => {
        sockets.push(socket);
        socket.join('room');
      }),
    );
    const there = await serve({ adapter }, (io) => io.on('connection', (socket) => void socket.join('room')));
    // Who follows the log there, and has had all of it.
    const other = await open(there);
    other.send([0, [['/']], 'by hand', null]);
    await other.packet(11);
    const wire = await open(here);
    wire.send([0, [['/']], 'by hand', null]);
    const [, session, secret] = await wire.packet(1);
    await wire.packet(11);
    here.to('room').emit('event', 1);
    const [, , positions] = await wire.packet(5);
    wire.cut();
    await here.to('room').emitDurable('event', 2);
    await other.packet(5, ([, , , , args]) => (args as number[])[0] === 2);
    const [store] = stores as [Store];
    const name = '4:room/';
    const [top] = await store.tops([name]);
    await store.renew(name, top?.epoch ?? '');
    there.to('room').emit('event', 3);
    await other.packet(5, ([, , , , args]) => (args as number[])[0] === 3);
    // Its server does not hear of it, as one that is killed just then.
    answered = new Promise((resolve) => (answer = resolve));
    sockets[0]?.leave('room');
    await untilHolds(() => asked.filter((log) => log === name).length === 2);
    const next = await open(there);
    next.send([0, [], 'by hand', [session, secret, 1, 0, positions], '', 2]);
    const [, , , , , isRecovered, reason] = await next.packet(1);
    expect([isRecovered, reason]).toEqual([false, 'log-trimmed']);
    answer();
  });
});
