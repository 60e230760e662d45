// What is taken from sockets that no server has just then, among servers that share a store: it is theirs when they come back, to
// whichever server that is.
import type { Adapter, Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { type KillableServer, killable } from '../kit/killable';
import { places } from '../kit/stores';
import { untilHolds } from '../kit/until';
import { WireClient } from '../kit/wire';

describe.each(places)('on %s', (_name, host, useStore) => {
  const newStore = useStore();
  let adapter: Adapter;
  const { cleanUp, serve } = clusterOf(host, () => {
    adapter = newStore();
    return adapter;
  });

  const open = async (io: Server) => {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    return wire;
  };

  /** A client that is in rooms of a server, and is in the store. */
  async function member(io: Server, ...rooms: string[]) {
    const wire = await open(io);
    wire.send([0, [['/', null]], 'by hand', null, '', 1]);
    const [, session, secret] = await wire.packet(1);
    const [, , id] = await wire.packet(11);
    io.sockets.get(id as string)!.join(...rooms);
    await io.sockets.get(id as string)!.save();
    return { wire, key: [session, secret] as const, id: id as string };
  }

  async function resumed(io: Server, key: readonly unknown[], generation = 2) {
    const wire = await open(io);
    wire.send([0, [], 'by hand', [...key, 1, 0], '', generation, 0]);
    const [, , , , , ...outcome] = await wire.packet(1);
    return { wire, outcome };
  }

  async function gone(server: KillableServer) {
    await server.kill();
    server.noticed();
  }

  const ended = [false, 'unknown-session'];
  const goesOn = [true, ''];

  /** Two servers, of which the first was killed with a client that was in these rooms. */
  async function orphan(...rooms: string[]) {
    const heard: string[] = [];
    const servers = await serve(2, (io, i) => {
      io.on('connection', (socket) => {
        socket.on('disconnect', ({ code }) => void heard.push(`${'AB'[i]} ${code}`));
      });
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const client = await member(a, ...rooms);
    await gone(servers[0]!);
    return { ...client, b, heard };
  }

  test('a session whose server was killed is over where it comes next, and that is heard there', async () => {
    const { b, key, heard } = await orphan('user:42');
    await b.in('user:42').disconnectSockets(true);
    expect((await resumed(b, key)).outcome).toEqual(ended);
    expect(heard).toEqual(['B 1000']);
    expect((await resumed(b, key, 3)).outcome).toEqual(ended);
    expect(heard).toEqual(['B 1000']);
  });

  test('a server that starts only then knows of it', async () => {
    const { b, key } = await orphan('user:42');
    await b.in('user:42').disconnectSockets(true);
    const late = await killable(host(), { adapter });
    cleanUp.push(() => late.close());
    expect((await resumed(late.io, key)).outcome).toEqual(ended);
  });

  test('so it is for the namespace as a whole, and for one socket by its id', async () => {
    const all = await orphan();
    await all.b.disconnectSockets(true);
    expect((await resumed(all.b, all.key)).outcome).toEqual(ended);
    const one = await orphan();
    await one.b.in(one.id).disconnectSockets(true);
    expect((await resumed(one.b, one.key)).outcome).toEqual(ended);
  });

  test('a socket that was found on a server that is gone since is ended by it', async () => {
    const servers = await serve(2);
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const { key, id } = await member(a);
    const [found] = await b.fetchSockets();
    expect(found?.id).toBe(id);
    await gone(servers[0]!);
    found?.disconnect(true);
    await untilHolds(() => expect(b.nodes()).toHaveLength(1));
    expect((await resumed(b, key)).outcome).toEqual(ended);
  });

  test('others go on: in no such room, left out, or in another namespace', async () => {
    for (const rooms of [['user:4'], ['user:42', 'staff'], ['USER:42']]) {
      const { b, key } = await orphan(...rooms);
      b.of('/other').in('user:4').disconnectSockets(true);
      await b.in('user:42').except('staff').disconnectSockets(true);
      expect((await resumed(b, key)).outcome, rooms.join()).toEqual(goesOn);
    }
  });

  test('who came into the room after it goes on', async () => {
    const servers = await serve(2);
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    await b.in('user:42').disconnectSockets(true);
    const { key, id } = await member(a, 'user:42');
    await gone(servers[0]!);
    expect((await resumed(b, key)).outcome).toEqual(goesOn);
    expect([...b.sockets.get(id)!.rooms]).toEqual([id, 'user:42']);
  });

  test('a namespace is left, and the session goes on', async () => {
    const { b, key, id, heard } = await orphan('user:42');
    await b.in('user:42').disconnectSockets();
    const { wire, outcome } = await resumed(b, key);
    expect(outcome).toEqual(goesOn);
    expect((await wire.packet(13)).slice(0, 2)).toEqual([13, '/']);
    expect(b.sockets.has(id)).toBe(false);
    expect(heard).toHaveLength(1);
  });

  test('rooms are left where it comes back, and what is said there from then on is not for it', async () => {
    const { b, key, id } = await orphan('secret', 'lobby');
    await b.in('lobby').socketsLeave('secret', 'other');
    const { wire, outcome } = await resumed(b, key);
    expect(outcome).toEqual(goesOn);
    expect([...b.sockets.get(id)!.rooms]).toEqual([id, 'lobby']);
    b.to('secret').emit('told', 'in secret');
    b.to('lobby').emit('told', 'to all');
    await untilHolds(() => expect(JSON.stringify(wire.received)).toContain('to all'));
    expect(JSON.stringify(wire.received)).not.toContain('in secret');
    b.in('lobby').socketsJoin('secret');
    b.to('secret').emit('told', 'to who is back');
    await untilHolds(() => expect(JSON.stringify(wire.received)).toContain('to who is back'));
  });

  test('what is on its way between servers just then is reached', async () => {
    let goOn: (() => void) | undefined;
    const servers = await serve(2, (io, i) => {
      if (i === 0) return;
      io.onResume(
        () =>
          new Promise<void>((resolve) => {
            goOn = resolve;
          }),
      );
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const { key } = await member(a, 'user:42');
    const wire = await open(b);
    wire.send([0, [], 'by hand', [...key, 1, 0], '', 2, 0]);
    await untilHolds(() => expect(goOn).toBeDefined());
    expect(a.sockets.size).toBe(0);
    await a.in('user:42').disconnectSockets(true);
    goOn?.();
    // It is to try again, and then the session is over.
    expect(await wire.until(({ closed }) => closed)).toMatchObject({ code: 1013 });
    expect((await resumed(b, key, 3)).outcome).toEqual(ended);
  });
});
