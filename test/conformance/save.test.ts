// `socket.save()`: what a server has told to be stored is there when it is gone, wherever the session goes on.
import { connect, websocket } from '@halyard/client/core';
import { json } from '@halyard/codec/json';
import { node, Server, type Socket, type Store } from '@halyard/server';
import { afterEach, describe, expect, test } from 'vitest';
import { type KillableServer, killable } from '../kit/killable';
import { sharedStores } from '../kit/stores';
import { untilHolds } from '../kit/until';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end();
});

/** A client, at one server at a time. */
async function join(to: { readonly io: Server }) {
  const route = { to };
  const socket = connect('http://127.0.0.1', {
    codec: json(),
    reconnect: { delayMinMs: 1, delayMaxMs: 50 },
    transport: {
      open: (address, events) =>
        websocket().open({ ...address, url: `http://127.0.0.1:${route.to.io.port}/halyard` }, events),
    },
  });
  cleanUp.push(() => socket.connection.close());
  await untilHolds(() => expect(socket.connected).toBe(true));
  return { socket, route, here: () => route.to.io.sockets.get(socket.id as string) as Socket };
}

describe.each(sharedStores)('with a store %s', (_name, useStore) => {
  const newStore = useStore();

  /** Two servers, of which the commits of the first can be made to wait. */
  async function serve() {
    const adapter = newStore();
    const gate = { wait: Promise.resolve() };
    const servers: KillableServer[] = [];
    for (let i = 0; i < 2; i++) {
      const gated: typeof adapter = (context) => {
        const store = adapter(context) as Store;
        const commit = store.commit.bind(store);
        store.commit = async (...what) => {
          if (i === 0) await gate.wait;
          return commit(...what);
        };
        return store;
      };
      const server = await killable(node(), { adapter: gated, codecs: [json()] });
      servers.push(server);
      cleanUp.push(() => server.close());
    }
    return { a: servers[0] as KillableServer, b: servers[1] as KillableServer, gate };
  }

  test('what was saved is there at another server when this one is killed', async () => {
    const { a, b } = await serve();
    const ann = await join(a);
    const here = ann.here();
    here.join('room');
    await here.save();
    // Nothing else happens that would store it.
    Object.assign(here.data, { cart: ['apple'], at: new Date(5) });
    await here.save();
    Object.assign(here.data, { cart: ['pear'] });
    ann.route.to = b;
    await a.kill();
    await untilHolds(() => expect(ann.here()?.recovered).toBe(true));
    expect(ann.here().data).toEqual({ cart: ['apple'], at: new Date(5) });
    expect(ann.here().rooms).toContain('room');
  });

  test('it resolves no sooner than it is stored, and rejects when that takes too long', async () => {
    const { a, gate } = await serve();
    const ann = await join(a);
    const here = ann.here();
    await here.save();
    let letGo = () => {};
    gate.wait = new Promise((resolve) => {
      letGo = resolve;
    });
    let isSaved = false;
    const saved = here.save().then(() => {
      isSaved = true;
    });
    await expect(here.timeout(100).save()).rejects.toMatchObject({
      code: 'ERR_STORE_AWAY',
      message: 'Not stored within 100 ms (timeout): it may be stored all the same. Save it again',
    });
    expect(isSaved).toBe(false);
    letGo();
    await saved;
  });

  test('it rejects for what no codec carries, and when the session is over or elsewhere', async () => {
    const { a, b } = await serve();
    const ann = await join(a);
    const here = ann.here();
    Object.assign(here.data, { run: () => {} });
    await expect(here.save()).rejects.toMatchObject({ code: 'ERR_NOT_ENCODABLE' });
    Object.assign(here.data, { run: undefined });
    await here.save();
    ann.route.to = b;
    const moved = new Promise<void>((resolve) => here.on('moved', resolve));
    // Nor is there a reply to what is asked here: it goes where the session is.
    const asked = here.emitWithAck('never answered').catch((error: Error) => error.message);
    await a.io.close();
    await moved;
    expect(await asked).toMatch('another server has the session now');
    await expect(here.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
    await untilHolds(() => expect(ann.here()?.recovered).toBe(true));
    const there = ann.here();
    there.disconnect();
    await expect(there.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' });
  });
});

test('with a store of its own it resolves at once', async () => {
  const io = new Server({ host: node() });
  await io.listen(0, '127.0.0.1');
  cleanUp.push(() => io.close());
  const ann = await join({ io });
  await ann.here().save();
});
