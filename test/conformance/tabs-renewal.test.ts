// What a session that several tabs share has presented is renewed by them: the first that answers gives the `auth` of all. The worker
// and the server are in virtual time, the sockets between them are real.
import { PublicError, type Socket } from '@halyard/client';
import { type AuthData, connectTab } from '@halyard/client/tabs';
import { serveTabs } from '@halyard/client/tabs-worker';
import { VirtualClock } from '@halyard/harness/clock';
import type { Handshake } from '@halyard/server';
import { afterEach, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { served } from '../kit/served';
import { ServerClock } from '../kit/server-clock';

const [[, host]] = hosts as [(typeof hosts)[number]];
const { serve, cleanUp } = served(host);

/** How long each `auth` is good; it is asked again after four fifths of that. */
const lastsMs = 60_000;
const renewMs = 48_000;
/** So long the worker waits for what a tab has to say. */
const frozenMs = 5_000;

async function scene() {
  const clock = new VirtualClock();
  const presented: unknown[] = [];
  const io = await serve({ clock: new ServerClock(clock), heartbeatMs: 3_600_000 }, (io) => {
    const lasts = (handshake: Handshake) => {
      const { who } = handshake.auth;
      presented.push(who);
      if (who === 'stranger') throw new PublicError('ERR_TOKEN', 'That is no token.');
      handshake.expiresAt = handshake.time.getTime() + lastsMs;
    };
    io.use(lasts).renew(lasts);
  });
  const worker = serveTabs(`http://127.0.0.1:${io.port}`, { clock, transports: ['websocket'] });
  const tab = async (auth: () => AuthData | Promise<AuthData>): Promise<Socket> => {
    const { port1, port2 } = new MessageChannel();
    worker.accept(port2);
    const socket = connectTab(() => ({ port: port1 }), { auth });
    cleanUp.push(() => {
      socket.connection.close();
      port1.close();
    });
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    return socket;
  };
  /** Until so many were presented, and the client knows of it. */
  const until = async (socket: Socket, count: number) => {
    await expect.poll(() => presented.length).toBe(count);
    await socket.emitWithAck('nobody').catch(() => {});
  };
  return { clock, io, presented, tab, until };
}

const never = () => new Promise<never>(() => {});

afterEach(() => void vi.restoreAllMocks());

test('by the tab that came first, and once that has left by the next', async () => {
  const { clock, io, presented, tab, until } = await scene();
  let times = 0;
  const first = await tab(() => ({ who: `first ${++times}` }));
  const other = await tab(() => ({ who: 'other' }));
  clock.advance(renewMs);
  await until(other, 2);
  first.disconnect();
  await other.emitWithAck('nobody').catch(() => {});
  clock.advance(renewMs);
  await until(other, 3);
  expect(presented).toEqual(['first 1', 'first 2', 'other']);
  expect([other.connected, io.sockets.size]).toEqual([true, 1]);
});

test('by the next, if the first one is frozen', async () => {
  const { clock, presented, tab, until } = await scene();
  const first = vi.fn<() => Promise<AuthData>>(async () => ({ who: 'first' }));
  await tab(first);
  const other = await tab(() => ({ who: 'other' }));
  first.mockImplementation(never);
  clock.advance(renewMs);
  await expect.poll(() => first.mock.calls.length).toBe(2);
  clock.advance(frozenMs);
  await until(other, 2);
  expect(presented).toEqual(['first', 'other']);
});

test('with what was presented last, if all of them are frozen: nobody becomes somebody else by that', async () => {
  const { clock, presented, tab, until } = await scene();
  const auth = vi.fn<() => Promise<AuthData>>(async () => ({ who: 'ada' }));
  const socket = await tab(auth);
  auth.mockImplementation(never);
  clock.advance(renewMs);
  await expect.poll(() => auth.mock.calls.length).toBe(2);
  clock.advance(frozenMs);
  await until(socket, 2);
  expect(presented).toEqual(['ada', 'ada']);
});

test('a refusal is told to all of them, and they go on', async () => {
  const { clock, presented, tab, until } = await scene();
  const auth = vi.fn(() => ({ who: 'ada' }));
  const tabs = [await tab(auth), await tab(auth)];
  const errors = tabs.map((socket) => new Promise((resolve) => socket.once('error', resolve)));
  auth.mockReturnValue({ who: 'stranger' });
  clock.advance(renewMs);
  await until(tabs[0]!, 2);
  for (const error of await Promise.all(errors)) expect(error).toMatchObject({ code: 'ERR_TOKEN' });
  auth.mockReturnValue({ who: 'ada' });
  clock.advance((lastsMs - renewMs) * 0.8);
  await until(tabs[0]!, 3);
  expect(presented).toEqual(['ada', 'stranger', 'ada']);
  expect(tabs.map(({ connected }) => connected)).toEqual([true, true]);
});
