// What was presented, among servers that share a store: whichever has the session enforces its end, renews it, and asks whether the
// session may come back.
import { connect, websocket } from '@halyard/client';
import { type Handshake, PublicError, type Server } from '@halyard/server';
import { describe, expect, test } from 'vitest';
import { clusterOf } from '../kit/cluster';
import { places } from '../kit/stores';
import { WireClient } from '../kit/wire';

describe.each(places)('on %s', (_name, host, useStore) => {
  const { cleanUp, serve } = clusterOf(host, useStore());

  const lasting = (handshake: Handshake): void => {
    handshake.data.user = handshake.auth.user;
    handshake.expiresAt = Date.now() + Number(handshake.auth.ms);
  };

  const open = async (io: Server) => {
    const wire = await WireClient.open(io.port);
    cleanUp.push(() => wire.cut());
    return wire;
  };

  async function greeted(io: Server, auth: object) {
    const wire = await open(io);
    wire.send([0, [['/', auth]], 'by hand', null, '', 1]);
    const [, session, secret] = await wire.packet(1);
    const [, , id, renewMs] = await wire.packet(11);
    return { wire, key: [session, secret] as const, id: id as string, renewMs: renewMs as number };
  }

  /** The client comes to a server, and says again what was not settled. */
  async function resumed(io: Server, key: readonly unknown[], generation: number, flight: unknown[][] = []) {
    const wire = await open(io);
    wire.send([0, [], 'by hand', [...key, 1, 0], '', generation, flight.length]);
    if (flight.length > 0) wire.send(...flight);
    return wire;
  }

  test('the end goes along with the session, and so does what renews it', async () => {
    const ends: string[] = [];
    const servers = await serve(2, (io, i) => {
      io.use(lasting);
      io.renew(lasting);
      io.on('connection', (socket) => {
        socket.on('disconnect', ({ code }) => void ends.push(`${'AB'[i]} ${code}`));
      });
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const first = await greeted(a, { user: 'ada', ms: 2_000 });
    const until = [...a.sockets.values()][0]!.handshake.expiresAt!;
    const wire = await resumed(b, first.key, 2);
    expect((await wire.packet(1))[5]).toBe(true);
    const socket = b.sockets.get(first.id)!;
    expect(socket.handshake.expiresAt).toEqual(until);
    const [found] = await a.fetchSockets();
    expect(found?.handshake.expiresAt).toEqual(until);
    wire.send([15, '/', { user: 'ada', ms: 2_500 }, 1]);
    expect((await wire.packet(3))[2]).toBeGreaterThan(2_000);
    const renewed = socket.handshake.expiresAt!;
    expect(renewed.getTime()).toBeGreaterThan(until.getTime());
    const back = await resumed(a, first.key, 3);
    expect((await back.packet(1))[5]).toBe(true);
    expect(a.sockets.get(first.id)!.handshake.expiresAt).toEqual(renewed);
    expect(a.sockets.get(first.id)!.handshake.auth).toEqual({ user: 'ada', ms: 2_500 });
    expect(await back.until(({ closed }) => closed)).toMatchObject({ code: 4401 });
    expect(Date.now()).toBeGreaterThanOrEqual(renewed.getTime());
    await expect.poll(() => ends).toEqual(['A 4401']);
    const late = await resumed(b, first.key, 4);
    expect((await late.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });

  test('what ended while its server was gone is over, and not gone on with', async () => {
    const servers = await serve(2, (io) => io.use(lasting));
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const { key, wire, id } = await greeted(a, { user: 'ada', ms: 300 });
    const until = a.sockets.get(id)!.handshake.expiresAt!.getTime();
    await wire.settle();
    await servers[0]!.kill();
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(until);
    const next = await resumed(b, key, 2);
    expect((await next.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });

  test('a renewal that was not decided when the session moved is decided where it goes on', async () => {
    const asked: string[] = [];
    let hold = (): void => {};
    const servers = await serve(2, (io, i) => {
      io.use(lasting);
      io.renew(async (handshake) => {
        asked.push('AB'[i]!);
        if (i === 0) {
          await new Promise<void>((resolve) => {
            hold = resolve;
          });
        }
        lasting(handshake);
      });
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const { wire, key, id } = await greeted(a, { user: 'ada', ms: 20_000 });
    const renewal = [15, '/', { user: 'ada', ms: 60_000 }, 1];
    wire.send(renewal);
    await expect.poll(() => asked).toEqual(['A']);
    const next = await resumed(b, key, 2, [renewal]);
    expect((await next.packet(3))[2]).toBeGreaterThan(50_000);
    expect(asked).toEqual(['A', 'B']);
    hold();
    await next.settle();
    expect(next.received.filter(([type]) => type === 3 || type === 4).length).toBe(1);
    expect(b.sockets.get(id)!.handshake.auth).toEqual({ user: 'ada', ms: 60_000 });
  });

  test('who may not come back is asked for at the server that the session comes to', async () => {
    const banned = new Set<unknown>();
    const asked: string[] = [];
    const servers = await serve(2, (io, i) => {
      io.use(lasting);
      io.onResume(({ data }) => {
        asked.push(`${'AB'[i]} ${data.user}`);
        if (banned.has(data.user)) throw new PublicError('ERR_BANNED', 'You may not come back.');
      });
    });
    const [a, b] = servers.map(({ io }) => io) as [Server, Server];
    const { key } = await greeted(a, { user: 'eve', ms: 60_000 });
    const there = await resumed(b, key, 2);
    expect((await there.packet(1))[5]).toBe(true);
    banned.add('eve');
    const back = await resumed(a, key, 3);
    const reason = 'ERR_BANNED: You may not come back.';
    expect(await back.until(({ closed }) => closed)).toEqual({ code: 4401, reason });
    expect(back.received).toEqual([]);
    expect(asked).toEqual(['B eve', 'A eve']);
    const again = await resumed(b, key, 4);
    expect((await again.packet(1)).slice(5)).toEqual([false, 'unknown-session']);
  });

  test('a room of a user ends all of their sessions, and the client says why', async () => {
    const servers = await serve(2, (io) => {
      io.on('connection', (socket) => void socket.join(`user:${socket.handshake.auth.user}`));
    });
    const clients = servers.map(({ io }) => {
      const socket = connect(`http://127.0.0.1:${io.port}`, { transports: [websocket()], auth: { user: 42 } });
      cleanUp.push(() => socket.connection.close());
      return socket;
    });
    await expect.poll(() => clients.every(({ connected }) => connected)).toBe(true);
    const ended = Promise.all(clients.map((socket) => new Promise((resolve) => socket.once('disconnect', resolve))));
    servers[0]!.io.in('user:42').disconnectSockets(true);
    const close = { code: 1000, by: 'server', willReconnect: false };
    expect(await ended).toMatchObject([close, close]);
  });
});
