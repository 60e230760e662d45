// Many rooms at servers that share a store: a socket that joins and leaves them within seconds misses nothing by that, its session goes
// on; and a message to all of them comes once to who is in some.
import { connect } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import type { Adapter, Server, ServerOptions, Socket, Store } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { routed } from '../kit/routed';
import { served } from '../kit/served';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';

const rooms = 1_500;

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  const { open, serve, cleanUp } = served(host);

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

  // Of so many places an entry says only the name.
  test.each([40, 1_000])(
    'a message to %d of them comes once, and in order, to who is in some and goes from server to server',
    async (count) => {
      const names = Array.from({ length: count }, (_, i) => `room ${i}`);
      const adapter = newStore();
      const app = (io: Server): void => {
        io.on('connection', (socket) => void socket.join([names[5], names[25], names[35]] as string[]));
      };
      const [a, b] = [await serve({ adapter }, app), await serve({ adapter }, app)];
      const route = routed(a);
      const client = connect('http://127.0.0.1', {
        reconnect: { delayMinMs: 1, delayMaxMs: 1 },
        codec: json(),
        transport: route.transport,
      });
      cleanUp.push(() => client.connection.close());
      const heard: number[] = [];
      client.on('event', (i: number) => void heard.push(i));
      await untilHolds(() => client.connected);
      const rounds = 6;
      for (let i = 0; i < rounds; i++) {
        for (const [j, io] of [a, b, a].entries()) {
          io.to(names).emit('event', i * 4 + j);
          await untilHolds(() => heard.length > i * 4 + j);
        }
        route.to = route.to === a ? b : a;
        route.cut();
        // While it is nowhere.
        b.to(names).emit('event', i * 4 + 3);
        await untilHolds(() => heard.length > i * 4 + 3);
      }
      expect(heard).toEqual(Array.from({ length: rounds * 4 }, (_, i) => i));
      expect(client.recovered).toBe(true);
    },
  );

  test('who goes from room to room all the time is sent what is said meanwhile, and in its order', async () => {
    const shared = newStore();
    const held: (() => void)[] = [];
    let isHeld = false;
    const io = await serve({
      adapter(context) {
        const store = shared(context) as Store;
        const commit = store.commit.bind(store);
        store.commit = async (...args) => {
          if (isHeld) await new Promise<void>((go) => void held.push(go));
          return commit(...args);
        };
        return store;
      },
    });
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null]);
    await wire.packet(11);
    const [socket] = io.sockets.values() as Iterable<Socket>;
    await socket?.save();
    isHeld = true;
    const heard = () =>
      wire.received.filter(([type]) => type === 2 || type === 5).map((packet) => (packet.at(-1) as number[])[0]);
    const rounds = 12;
    for (let i = 0; i < rounds; i++) {
      socket?.leave(`room ${i - 1}`);
      socket?.join(`room ${i}`);
      socket?.emit('said', i * 2);
      io.to(`room ${i}`).emit('said', i * 2 + 1);
      // Each is stored while the next changes wait for that already.
      if (i > 0) held.shift()?.();
      await untilHolds(() => held.length === 1);
    }
    await untilHolds(() => heard().length >= rounds);
    expect(held).toHaveLength(1);
    isHeld = false;
    held.shift()?.();
    await untilHolds(() => expect(heard()).toEqual(Array.from({ length: rounds * 2 }, (_, i) => i)));
  });

  /** A server whose calls of one kind wait until they are let go, another one, and a client by hand at the first. */
  async function waiting(kind: 'follow' | 'commit', options: ServerOptions = {}) {
    const shared = newStore();
    const held: (() => void)[] = [];
    const hold = { isOn: false, isBefore: false };
    const adapter: Adapter = (context) => {
      const store = shared(context) as Store;
      const call = store[kind].bind(store) as (...args: unknown[]) => unknown;
      const wait = async (isIts: boolean) => {
        if (hold.isOn && isIts) await new Promise<void>((go) => void held.push(go));
      };
      const waits = async (...args: unknown[]) => {
        await wait(hold.isBefore);
        const answer = await call(...args);
        await wait(!hold.isBefore);
        return answer;
      };
      return Object.assign(store, { [kind]: waits });
    };
    const [io, other] = [await serve({ ...options, adapter }), await serve({ ...options, adapter: shared })];
    const wire = await open(io);
    wire.send([0, [['/']], 'by hand', null]);
    await wire.packet(11);
    const [socket] = io.sockets.values() as Iterable<Socket>;
    const heard = () => wire.received.filter(([type]) => type === 2 || type === 5).map((packet) => packet.at(-1));
    const go = (): void => {
      hold.isOn = false;
      for (const one of held.splice(0)) one();
    };
    return { io, other, wire, socket: socket as Socket, hold, held, go, heard };
  }

  test('what is said between a join and a leave comes, though the log is followed only later', async () => {
    const { io, other, socket, hold, held, go, heard } = await waiting('follow');
    hold.isOn = true;
    socket.join('room');
    await socket.save();
    await untilHolds(() => held.length > 0);
    await other.to('room').emitDurable('said', 'between');
    socket.leave('room');
    await socket.save();
    go();
    io.emit('said', 'after');
    await untilHolds(() => expect(heard()).toEqual([['between'], ['after']]));
  });

  test('what a log drops is told, where it is not known yet whether it came by a room that was left', async () => {
    const { other, wire, socket, hold, held, go, heard } = await waiting('commit', { logPacketsMax: 3 });
    socket.join(['a', 'b']);
    await socket.save();
    await other.to(['a', 'b']).emitDurable('said', 'first');
    await untilHolds(() => heard().length === 1);
    hold.isOn = true;
    socket.leave('a');
    await untilHolds(() => held.length === 1);
    for (let i = 0; i < 6; i++) await other.to(['a', 'b']).emitDurable('said', i);
    // It looks what there is to be sent.
    socket.emit('said', 'own');
    go();
    await untilHolds(() => expect([heard(), wire.closed?.code]).toEqual([[['first']], 4413]));
  });

  test('of a room that was left and entered again all comes at another server, in the order of its log, whenever it was said', async () => {
    const { io, other, wire, socket, hold, held, go } = await waiting('commit');
    const [, session, secret] = wire.received.find(([type]) => type === 1) as unknown[];
    socket.join('room');
    await socket.save();
    hold.isBefore = hold.isOn = true;
    socket.leave('room');
    socket.join('room');
    // Said first, and stored last.
    io.to('room').emit('said', 2);
    await untilHolds(() => held.length === 1);
    await other.to('room').emitDurable('said', 1);
    wire.cut();
    go();
    await socket.save();
    const back = await open(other);
    back.send([0, [], 'by hand', [session, secret, 1, 0], '', 1, 0]);
    const heard = () => back.received.filter(([type]) => type === 5).map((packet) => packet.at(-1));
    await untilHolds(() => heard().length === 2);
    expect(heard()).toEqual([[1], [2]]);
  });
});
