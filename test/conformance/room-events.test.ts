// What a server tells of its rooms: as they are there, whoever else shares its store.
import { connect, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { type Namespace, node, Server, type ServerOptions, type Socket } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { sharedStores } from '../kit/stores';
import { untilHolds } from '../kit/until';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

const names = ['create-room', 'delete-room', 'join-room', 'leave-room'] as const;

/** Writes down what it hears. */
function watch(namespace: Pick<Namespace, 'on'>): string[] {
  const heard: string[] = [];
  for (const name of names) namespace.on(name, (...args: string[]) => void heard.push([name, ...args].join(' ')));
  return heard;
}

async function serve(options: ServerOptions = {}): Promise<Server> {
  const io = new Server({ host: node(), ...options });
  await io.listen(0, '127.0.0.1');
  cleanUp.push(() => io.close());
  return io;
}

/** A client, at one server at a time. */
async function join(to: Server, namespace = '/') {
  const route = { to };
  const socket = connect(`http://127.0.0.1${namespace}`, {
    codec: json(),
    reconnect: { delayMinMs: 1, delayMaxMs: 50 },
    transport: {
      open: (address, events) =>
        websocket().open({ ...address, url: `http://127.0.0.1:${route.to.port}/halyard` }, events),
    },
  });
  cleanUp.push(() => socket.connection.close());
  await untilHolds(() => expect(socket.connected).toBe(true));
  const id = socket.id as string;
  return { route, id, here: (io: Server) => io.of(namespace).sockets.get(id) as Socket };
}

describe('a server alone', () => {
  test('tells of rooms as they come and go, and not of those that are sockets', async () => {
    const io = await serve();
    const heard = watch(io.of('/'));
    const created: string[] = [];
    io.on('create-room', (room) => void created.push(room));
    const others = watch(io.of('/other'));
    const [ann, ben] = [await join(io), await join(io)];
    const take = () => heard.splice(0);
    ann.here(io).join('a', 'b', 'a');
    ben.here(io).join('a');
    // After what is under way.
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(take()).toEqual([
      ...['create-room a', `join-room a ${ann.id}`, 'create-room b', `join-room b ${ann.id}`],
      `join-room a ${ben.id}`,
    ]);
    ann.here(io).leave('a', 'nowhere');
    await Promise.resolve();
    expect(take()).toEqual([`leave-room a ${ann.id}`]);
    ann.here(io).disconnect();
    await Promise.resolve();
    expect(take()).toEqual([`leave-room b ${ann.id}`, 'delete-room b']);
    ben.here(io).leave('a');
    await Promise.resolve();
    expect(take()).toEqual([`leave-room a ${ben.id}`, 'delete-room a']);
    expect([created, others]).toEqual([['a', 'b'], []]);
  });

  test('tells of namespaces that are made on demand, and reports a handler that fails', async () => {
    const io = await serve();
    const errors: string[] = [];
    io.on('error', (error, { where }) => void errors.push(`${where}: ${error}`));
    const heard: string[] = [];
    io.of(/^\/room-\d$/).on('join-room', (room) => {
      heard.push(room);
      throw 'no';
    });
    const ann = await join(io, '/room-1');
    ann.here(io).join('a');
    await untilHolds(() => expect(errors).toEqual(['a handler of "join-room" in namespace /room-1: no']));
    expect(heard).toEqual(['a']);
  });

  test('has these names for itself', async () => {
    const io = await serve();
    for (const name of names) {
      expect(() => io.serverSideEmit(name)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
    }
    expect(() => io.of('/x').on('made-up' as 'join-room', () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_EVENT_NAME' }),
    );
  });
});

describe.each(sharedStores)('servers with a store %s', (_name, useStore) => {
  const newStore = useStore();

  test('each tells of its own: a socket that moves leaves here, and joins there', async () => {
    const adapter = newStore();
    const [a, b] = [await serve({ adapter }), await serve({ adapter })];
    const [atA, atB] = [watch(a.of('/')), watch(b.of('/'))];
    const ann = await join(a);
    ann.here(a).join('room');
    await untilHolds(() => expect(atA).toEqual(['create-room room', `join-room room ${ann.id}`]));
    await ann.here(a).save();
    atA.length = 0;
    ann.route.to = b;
    await a.close();
    await untilHolds(() => expect(atB).toEqual(['create-room room', `join-room room ${ann.id}`]));
    expect(atA).toEqual([`leave-room room ${ann.id}`, 'delete-room room']);
    await b.in('room').socketsLeave('room');
    await untilHolds(() => expect(atB.slice(2)).toEqual([`leave-room room ${ann.id}`, 'delete-room room']));
  });
});
