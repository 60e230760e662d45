// What one server says to several rooms comes in that order at another one too, though that waits for an answer of its own meanwhile;
// and who is in several rooms of a message gets nothing of any of them out of the room's order.
import type { Adapter, CommitResult, Socket, Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve } = served(host);

  /** Two servers. The first is answered late once its gate is shut, and is told of a log late, and reads it late, if that is held back. */
  async function two(rooms = ['one', 'other']) {
    const shared = newStore();
    let opened = Promise.resolve();
    let isFirst = true;
    const told: string[] = [];
    let heldBack: string | undefined;
    const late: (() => void)[] = [];
    let reads = Promise.resolve();
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      if (!isFirst) return store;
      isFirst = false;
      const commit = store.commit.bind(store);
      const openStore = store.open.bind(store);
      store.commit = async (...which) => {
        const result = (await commit(...which)) as CommitResult;
        await opened;
        return result;
      };
      const read = store.read.bind(store);
      store.read = async (log, ...which) => {
        if (heldBack !== undefined && log.includes(heldBack)) await reads;
        return read(log, ...which);
      };
      store.open = (node, events) =>
        openStore(node, {
          ...events,
          onEntry(log, ...entry) {
            told.push(log);
            if (heldBack !== undefined && log.includes(heldBack)) late.push(() => events.onEntry(log, ...entry));
            else events.onEntry(log, ...entry);
          },
        });
      return store;
    };
    const onSocket = (socket: Socket): void => void socket.join(rooms);
    const here = await serve({ adapter }, (io) => io.on('connection', onSocket));
    const there = await serve({ adapter }, (io) => io.on('connection', onSocket));
    const wire = await open(here);
    wire.send([0, [['/']], 'by hand', null]);
    await wire.packet(11);
    for (const room of rooms) await untilHolds(async () => (await here.in(room).fetchSockets()).length === 1);
    const shut = (): (() => void) => {
      let open = (): void => {};
      opened = new Promise((resolve) => (open = resolve));
      return open;
    };
    const comes = (log: string, count: number) =>
      untilHolds(() => told.filter((one) => one.includes(log)).length === count);
    /** @returns has all of it told, and read */
    const holdBack = (log: string): (() => void) => {
      heldBack = log;
      let go = (): void => {};
      reads = new Promise((resolve) => (go = resolve));
      return () => {
        for (const tell of late.splice(0)) tell();
        go();
      };
    };
    return { here, there, wire, shut, comes, holdBack };
  }

  const textsOf = (packets: readonly (readonly unknown[])[]): unknown[] =>
    packets.filter(([type]) => type === 5).map(([, , , , args]) => (args as unknown[])[0]);

  test('an entry behind one of this server that has no answer yet holds what came after it', async () => {
    const { here, there, wire, shut, comes } = await two();
    const answer = shut();
    here.to('one').emit('said', 'mine');
    await comes('one', 1);
    there.to('one').emit('said', 1);
    await comes('one', 2);
    there.to('other').emit('said', 2);
    await comes('other', 1);
    there.to(['other', 'one']).emit('said', 3);
    await comes('other', 2);
    await wire.settle();
    expect(textsOf(wire.received)).toEqual([]);
    answer();
    await wire.packet(5, ([, , , , args]) => (args as unknown[])[0] === 3);
    expect(textsOf(wire.received)).toEqual(['mine', 1, 2, 3]);
  });

  const isSaid = (text: string) => (packet: readonly unknown[]) => (packet[4] as unknown[])[0] === text;

  test.each([
    [['one', 'other'], 'the second'],
    [['other', 'one'], 'the first'],
  ])('a message to %j waits for what precedes it in %s', async (rooms) => {
    const { here, there, wire, comes, holdBack } = await two();
    const tellLate = holdBack('other');
    await there.to('other').emitDurable('said', 'before');
    await comes('other', 1);
    here.to(rooms).emit('said', 'to both');
    await comes('one', 1);
    // Of the room that waits for nothing, too.
    await there.to('one').emitDurable('said', 'after');
    await comes('one', 2);
    await wire.settle();
    expect(textsOf(wire.received)).toEqual([]);
    tellLate();
    await wire.packet(5, isSaid('after'));
    expect(textsOf(wire.received)).toEqual(['before', 'to both', 'after']);
  });

  test('it waits too if it was said to the first of its rooms before', async () => {
    const { here, there, wire, comes, holdBack } = await two(['other', 'third']);
    await there.to('one').idempotencyKey('key').emitDurable('said', 'once');
    const tellLate = holdBack('third');
    await there.to('third').emitDurable('said', 'before');
    await comes('third', 1);
    here.to(['one', 'other', 'third']).idempotencyKey('key').emit('said', 'again');
    await comes('third', 2);
    await wire.settle();
    expect(textsOf(wire.received)).toEqual([]);
    tellLate();
    await wire.packet(5, isSaid('again'));
    expect(textsOf(wire.received)).toEqual(['before', 'again']);
  });
});
