// What is shown of several servers that share a store, by any of them.
import { admin } from '@halyard/admin';
import { connect } from '@halyard/client';
import { Cable } from '@halyard/harness/cable';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import type { KillableServer } from '../kit/killable';
import { places } from '../kit/stores';
import { type AdminSocket, ask, entered, password, reports, visit } from './admin';

describe.each(places)('of several servers, on %s', (_name, host, useStore) => {
  const { serve, cleanUp: ends } = clusterOf(host, useStore());

  function lookAt(port: number): AdminSocket {
    const socket = visit(port);
    ends.push(() => socket.connection.close());
    return socket;
  }

  test('one shows all, and ends what is on another', async () => {
    const [a, b] = (await serve(2, (io) => {
      admin(io, { password });
      io.on('connection', (socket) => socket.join('lobby'));
    })) as [KillableServer, KillableServer];
    const guests = [a, b].map(({ io }) => connect(`http://127.0.0.1:${io.port}`));
    for (const guest of guests) {
      ends.push(() => guest.connection.close());
      await expect.poll(() => guest.connected).toBe(true);
    }
    const socket = lookAt(a.io.port);
    expect(await entered(socket)).toBe('connected');
    await socket.emitWithAck('look');
    const both = await reports(socket, 2);
    expect([...both.keys()].sort()).toEqual([a.io.node, b.io.node].sort());
    expect(both.get(b.io.node)).toMatchObject({ store: 'up', sessions: { live: 1 }, isReady: true });
    const rooms = await ask(socket, { what: 'rooms', search: 'lob' }, 2);
    expect(rooms.flatMap(({ rows }) => rows)).toEqual([
      { namespace: '/', room: 'lobby', members: 1 },
      { namespace: '/', room: 'lobby', members: 1 },
    ]);
    const [{ id } = { id: '' }] = b.io.inspect().sessions();
    const found = await ask(socket, { what: 'session', id }, 2);
    expect(found.filter((one) => one !== null)).toMatchObject([{ id, state: 'live' }]);
    expect((await ask(socket, { what: 'end', id }, 2)).sort()).toEqual([false, true]);
    await expect.poll(() => guests[1]?.active).toBe(false);
    expect(guests[0]?.connected).toBe(true);
  });

  test('who looks goes on looking when their session goes on at another one', async () => {
    const [a, b] = (await serve(2, (io) => admin(io, { password }))) as [KillableServer, KillableServer];
    const cable = await Cable.open(a.io.port);
    ends.push(() => cable.close());
    const socket = lookAt(cable.port);
    expect(await entered(socket)).toBe('connected');
    await socket.emitWithAck('look');
    await reports(socket, 2);
    cable.targetPort = b.io.port;
    cable.cut();
    await expect.poll(() => b.io.inspect().sessionCount).toBe(1);
    await reports(socket, 2);
    expect(socket.recovered).toBe(true);
    expect(a.io.inspect().sessionCount).toBe(0);
  });

  test('what happens on one is told by another', async () => {
    const [a, b] = (await serve(2, (io) => admin(io, { password }))) as [KillableServer, KillableServer];
    const socket = lookAt(a.io.port);
    expect(await entered(socket)).toBe('connected');
    const heard: (readonly [node: string, happening: string])[] = [];
    socket.on('happened', (node, _number, items) => {
      for (const { happening } of items) heard.push([node, happening]);
    });
    await socket.emitWithAck('tail');
    const guest = connect(`http://127.0.0.1:${b.io.port}`);
    ends.push(() => guest.connection.close());
    await expect.poll(() => heard).toContainEqual([b.io.node, 'session begun']);
  });

  test('one that does not answer is known by that', async () => {
    const [a, b] = (await serve(2, (io) => admin(io, { password }))) as [KillableServer, KillableServer];
    const socket = lookAt(a.io.port);
    expect(await entered(socket)).toBe('connected');
    await b.kill();
    const told = new Promise<readonly string[]>((resolve) => socket.once('report', (_report, nodes) => resolve(nodes)));
    await socket.emitWithAck('look');
    expect([...(await told)].sort()).toEqual([a.io.node, b.io.node].sort());
    const nodes = await socket.emitWithAck('ask', 1, { what: 'problems' });
    expect([...nodes].sort()).toEqual([a.io.node, b.io.node].sort());
  });
});
