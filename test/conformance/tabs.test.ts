// One session for several tabs: each has sockets as if it had a session of its own. The worker is a port away, as in a browser; what
// only browsers have, the locks that tell whether a tab is still there, is made here. Real tabs: test/e2e/tabs.test.ts.
// Longer than other files: all that one session for several tabs may meet, case by case.
import { PublicError, type Socket } from '@halyard/client';
import { connectTab, type TabOptions } from '@halyard/client/tabs';
import { serveTabs, type Tabs } from '@halyard/client/tabs-worker';
import { Cable } from '@halyard/harness/cable';
import type { Server, ServerOptions } from '@halyard/server';
import { describe, expect, test, vi } from 'vitest';
import { hosts } from '../kit/hosts';
import { stubLocks } from '../kit/locks';
import { served } from '../kit/served';

const [[, host]] = hosts as [(typeof hosts)[number]];
const { serve, cleanUp } = served(host);

const locks = stubLocks();

interface Scene {
  readonly io: Server;
  readonly cable: Cable;
  openWorker(): { readonly port: MessagePort };
  /** Opens a tab. */
  tab(options?: TabOptions): Socket;
  /** The worker is killed; the next tab, or the next try of one, makes another. */
  killWorker(): void;
}

async function scene(app: (io: Server) => void = () => {}, options: ServerOptions = {}): Promise<Scene> {
  const io = await serve(options, app);
  const cable = await Cable.open(io.port as number);
  cleanUp.push(() => cable.close());
  let worker: Tabs | undefined;
  let ports: MessagePort[] = [];
  const openWorker = () => {
    worker ??= serveTabs(cable.url, { transports: ['websocket'], reconnect: { delayMinMs: 1, delayMaxMs: 5 } });
    const { port1, port2 } = new MessageChannel();
    ports.push(port2);
    worker.accept(port2);
    cleanUp.push(() => port1.close());
    return { port: port1 };
  };
  return {
    io,
    cable,
    openWorker,
    tab(options) {
      const socket = connectTab(openWorker, options);
      cleanUp.push(() => socket.connection.close());
      return socket;
    },
    killWorker() {
      worker = undefined;
      for (const port of ports) port.close();
      ports = [];
      for (const name of locks.names()) if (name.startsWith('halyard worker')) locks.free(name);
    },
  };
}

const once = (socket: Socket, event: 'connect' | 'disconnect' | 'connect_error' | 'error') =>
  new Promise<unknown>((resolve) => socket.once(event, resolve as never));

describe('tabs that share a session', () => {
  test('what a tab emits before its connect() waits for that', async () => {
    const said: unknown[] = [];
    const { tab } = await scene((io) => {
      io.on('connection', (socket) => {
        socket.on('say', (text: string) => {
          said.push(text);
          return `${text}!`;
        });
      });
    });
    const [one, other] = [tab({ autoConnect: false }), tab()];
    await once(other, 'connect');
    one.emit('say', 'a');
    const reply = one.emitWithAck('say', 'b');
    const list = ['as it was'];
    const copy = one.emitWithAck('say', list);
    list.push('as it is');
    const late = await one
      .timeout(1)
      .emitWithAck('say', 'late')
      .catch((error) => [error.code, error.details.left]);
    expect(late).toEqual(['ERR_ACK_TIMEOUT', false]);
    expect(() => one.emit('say', () => {})).toThrow(/emitWithAck/);
    expect(() => one.emit('say', Symbol('none'))).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
    expect(await other.emitWithAck('say', 'c')).toBe('c!');
    one.connect();
    expect([await reply, await copy]).toEqual(['b!', 'as it was!']);
    expect(said).toEqual(['c', 'a', 'b', ['as it was']]);
  });

  test('are one client for the server, and each of them is told everything once and in order', async () => {
    const said: string[] = [];
    const { io, tab } = await scene((io) => {
      io.on('connection', (socket) => {
        socket.join('room');
        socket.on('say', (text: string) => {
          said.push(text);
          return `${text}!`;
        });
      });
    });
    const tabs = [tab(), tab(), tab()];
    const heard = tabs.map((socket) => {
      const list: unknown[] = [];
      socket.on('direct', (...args) => void list.push(args));
      socket.on('room', (...args) => void list.push(args));
      return list;
    });
    await Promise.all(tabs.map((socket) => once(socket, 'connect')));
    expect(io.sockets.size).toBe(1);
    const [server] = io.sockets.values();
    expect(tabs.map(({ id, connected }) => [id, connected])).toEqual(tabs.map(() => [server!.id, true]));

    const value = { when: new Date(5), big: 2n ** 60n, bytes: new Uint8Array([1, 2]), list: [1, null, 'ä'] };
    for (let i = 0; i < 20; i++) {
      if (i % 2) server!.emit('direct', i, value);
      else io.to('room').emit('room', i, value);
    }
    const all = Array.from({ length: 20 }, (_, i) => [i, value]);
    for (const list of heard) await expect.poll(() => list).toEqual(all);

    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, i) => tabs[i % 3]!.emitWithAck('say', `${i % 3} ${i}`)),
    );
    expect(replies).toEqual(Array.from({ length: 30 }, (_, i) => `${i % 3} ${i}!`));
    for (const one of ['0', '1', '2']) {
      const its = said.filter((text) => text.startsWith(one));
      expect(its).toEqual(its.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2))));
      expect(its).toHaveLength(10);
    }
  });

  test('answer with the first that has something to say', async () => {
    const { io, tab } = await scene();
    const tabs = [tab(), tab(), tab()];
    await Promise.all(tabs.map((socket) => once(socket, 'connect')));
    const [server] = [...io.sockets.values()];
    await expect(server!.emitWithAck('ask')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
    tabs[0]!.on('ask', () => {});
    expect(await server!.emitWithAck('ask')).toBeUndefined();
    tabs[2]!.on('ask', async () => 'of the third');
    expect(await server!.emitWithAck('ask')).toBe('of the third');
    tabs[1]!.on('refuse', () => {
      throw new PublicError('ERR_NO', 'No.', { why: 1 });
    });
    await expect(server!.emitWithAck('refuse')).rejects.toMatchObject({ code: 'ERR_NO', data: { why: 1 } });
    tabs[1]!.on('fail', () => {
      throw new Error('a secret');
    });
    const told = once(tabs[1]!, 'error');
    await expect(server!.emitWithAck('fail')).rejects.toMatchObject({
      code: 'ERR_HANDLER',
      message: 'The handler failed.',
    });
    expect(await told).toMatchObject({ message: 'a secret' });
  });

  test('are in a namespace as long as one of them wants it', async () => {
    const ended = vi.fn();
    const { io, tab } = await scene((io) => {
      io.of('/side').on('connection', (socket) => void socket.on('disconnect', ended));
    });
    const [one, other] = [tab(), tab()];
    const sides = [one.of('/side'), other.of('/side')] as const;
    await Promise.all(sides.map((side) => once(side, 'connect')));
    expect(io.of('/side').sockets.size).toBe(1);
    const left = once(sides[0], 'disconnect');
    sides[0].disconnect();
    expect(await left).toMatchObject({ code: 1000, by: 'client', willReconnect: false });
    const told = once(sides[0], 'error');
    sides[0].emit('say');
    expect(await told).toMatchObject({ code: 'ERR_NOT_CONNECTED' });
    await expect(sides[0].emitWithAck('say')).rejects.toMatchObject({ code: 'ERR_NOT_CONNECTED' });
    const heard = vi.fn();
    for (const side of sides) side.on('news', heard);
    io.of('/side').emit('news');
    await expect.poll(() => heard.mock.calls.length).toBe(1);
    // It comes back to where the others are still.
    sides[0].connect();
    await once(sides[0], 'connect');
    for (const side of sides) side.disconnect();
    await expect.poll(() => ended.mock.calls.length).toBe(1);
    expect(io.sockets.size).toBe(1);
  });

  test('of which one is closed: what it has said arrives, and the others go on', async () => {
    const said: unknown[] = [];
    const ended = vi.fn();
    const { io, tab } = await scene((io) => {
      io.on('connection', (socket) => {
        socket.on('say', (text) => void said.push(text));
        socket.on('disconnect', ended);
      });
    });
    const one = tab();
    await once(one, 'connect');
    const [itsLock] = locks.names().filter((name) => name.startsWith('halyard tab'));
    const other = tab();
    await once(other, 'connect');
    for (let i = 0; i < 100; i++) one.emit('say', i);
    locks.free(itsLock!);
    await expect.poll(() => said).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(
      await other
        .timeout(5_000)
        .emitWithAck('say', 'more')
        .catch((error) => error),
    ).toBeUndefined();
    // The closed one is waited for no longer.
    const asks = [...io.sockets.values()].map((socket) => socket.timeout(20_000).emitWithAck('ask'));
    await expect(Promise.all(asks)).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
    expect(ended).not.toHaveBeenCalled();
    const [last] = locks.names().filter((name) => name.startsWith('halyard tab') && name !== itsLock);
    locks.free(last!);
    await expect.poll(() => ended.mock.calls.length).toBe(1);
  });

  test('are told how the connection is, whenever they come', async () => {
    const { cable, tab } = await scene();
    const told = () => {
      const socket = tab();
      const states: string[] = [];
      socket.connection.on('state', ({ from, to, reason }) => void states.push(`${from} ${to} ${reason}`));
      return { socket, states };
    };
    const first = told();
    await once(first.socket, 'connect');
    expect(first.states).toEqual(['idle connecting wanted', 'connecting open new']);
    const second = told();
    await once(second.socket, 'connect');
    expect(second.states).toEqual(['idle open new']);
    cable.pull();
    await expect.poll(() => second.states.at(-1)).toMatch('waiting');
    const third = told();
    await expect.poll(() => third.states.length).toBeGreaterThan(0);
    expect(third.states[0]).toMatch(/^idle (waiting|connecting)/);
    expect(second.states[1]).toBe('open waiting lost');
  });

  test('are told of a lost connection, and that the session has gone on', async () => {
    const { io, cable, tab } = await scene();
    const tabs = [tab(), tab()];
    await Promise.all(tabs.map((socket) => once(socket, 'connect')));
    const states: string[] = [];
    tabs[1]!.connection.on('state', ({ to, reason }) => void states.push(`${to} ${reason}`));
    const lost = tabs.map((socket) => once(socket, 'disconnect'));
    const back = tabs.map((socket) => once(socket, 'connect'));
    const heard = tabs.map((socket) => {
      const list: unknown[] = [];
      socket.on('news', (number) => void list.push(number));
      return list;
    });
    cable.cut();
    io.emit('news', 1);
    for (const one of await Promise.all(lost)) expect(one).toMatchObject({ code: 1006, willReconnect: true });
    for (const one of await Promise.all(back)) expect(one).toMatchObject({ recovered: true });
    io.emit('news', 2);
    for (const list of heard) await expect.poll(() => list).toEqual([1, 2]);
    expect(states).toEqual(['waiting lost', 'connecting retry', 'open recovered']);
    expect([tabs[1]!.connection.state, tabs[1]!.connection.transport]).toEqual(['open', 'websocket']);
  });

  test('are asked who they are, and are refused together', async () => {
    let isOpen = false;
    const { io, tab } = await scene((io) => {
      io.use((handshake) => {
        if (!isOpen) throw new PublicError('ERR_WHO', `Who is ${(handshake.auth as { name: string }).name}?`, [1]);
      });
    });
    const auth = vi.fn(async () => ({ name: 'one' }));
    const tabs = [tab({ auth }), tab({ auth: { name: 'two' } })];
    const refusals = await Promise.all(tabs.map((socket) => once(socket, 'connect_error')));
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(PublicError);
      expect(refusal).toMatchObject({ code: 'ERR_WHO', message: 'Who is one?', data: [1] });
    }
    expect(tabs.map(({ active }) => active)).toEqual([false, false]);
    isOpen = true;
    tabs[1]!.connect();
    await once(tabs[1]!, 'connect');
    expect([...io.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual([{ name: 'two' }]);
    expect(auth).toHaveBeenCalledTimes(1);
    tabs[0]!.auth = async () => {
      throw new Error('no token');
    };
    tabs[1]!.disconnect();
    tabs[0]!.connect();
    expect(await once(tabs[0]!, 'connect_error')).toMatchObject({ message: expect.stringContaining('no token') });
  });

  test('say who they are as any client does: what has toJSON, proxies, and what cannot be sent', async () => {
    const { io, tab } = await scene();
    class Token {
      readonly #text = 'secret';
      toJSON() {
        return { text: this.#text };
      }
    }
    const auth = new Proxy({ token: new Token(), url: new URL('http://x.example/') }, {});
    const one = tab({ auth: auth as never });
    await once(one, 'connect');
    const [server] = io.sockets.values();
    expect(server!.handshake.auth).toEqual({ token: { text: 'secret' }, url: 'http://x.example/' });
    one.disconnect();
    one.auth = { fn() {} } as never;
    one.connect();
    expect(await once(one, 'connect_error')).toMatchObject({
      code: 'ERR_AUTH',
      message: expect.stringContaining('function'),
    });
  });

  test('wait for the one that takes long to say who it is, if nobody has said anything yet', async () => {
    const { io, tab } = await scene();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let say = (_auth: { name: string }) => {};
    const asked = vi.fn(() => new Promise<{ name: string }>((resolve) => (say = resolve)));
    const one = tab({ auth: asked });
    await expect.poll(() => asked.mock.calls.length).toBe(1);
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(one.connected).toBe(false);
    say({ name: 'late' });
    await once(one, 'connect');
    expect([...io.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual([{ name: 'late' }]);
  });

  test('ask one that comes later, if those who are asked say nothing', async () => {
    const { io, tab } = await scene();
    const asked = vi.fn(() => new Promise<never>(() => {}));
    tab({ auth: asked });
    await expect.poll(() => asked.mock.calls.length).toBe(1);
    const other = tab({ auth: { name: 'other' } });
    await once(other, 'connect');
    expect([...io.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual([{ name: 'other' }]);
  });

  test('are not all offline for ever because three of them say nothing', async () => {
    const { io, cable, tab } = await scene();
    const silent = Array.from({ length: 3 }, () => tab({ auth: { name: 'one' } }));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    for (const socket of silent) socket.auth = () => new Promise<never>(() => {});
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const back = once(silent[0]!, 'connect');
    cable.cut();
    let attempts = 0;
    silent[0]!.connection.on('state', ({ to }) => {
      if (to === 'connecting') attempts++;
    });
    // In steps, so that what comes over the network has its turns.
    for (let i = 0; i < 400 && !silent[0]!.connected; i++) {
      vi.advanceTimersByTime(100);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    vi.useRealTimers();
    expect(await back).toMatchObject({ recovered: true });
    expect([...io.sockets.values()].map(({ handshake }) => handshake.auth)).toEqual([{ name: 'one' }]);
    expect(attempts).toBeLessThanOrEqual(3);
  });

  test('say nothing in the next session that they have said to one that had ended', async () => {
    const handled: unknown[] = [];
    const { io, tab } = await scene((io) => {
      io.on('connection', (socket) => {
        const { name } = socket.handshake.auth as { name: string };
        socket.on('say', (what) => void handled.push(`${name} ${what}`));
      });
    });
    const socket = tab({ auth: { name: 'ann' } });
    await once(socket, 'connect');
    const failed: unknown[] = [];
    socket.on('error', ({ code }) => failed.push(code));
    const over = once(socket, 'disconnect');
    for (const one of io.sockets.values()) one.disconnect(true);
    // It goes on until it hears of that.
    const replies: unknown[] = [];
    const timer = setInterval(() => {
      socket.emit('say', 1);
      replies.push(socket.emitWithAck('say', 2).catch(({ code }) => code));
    }, 0);
    await over;
    clearInterval(timer);
    socket.emit('say', 3);
    await expect.poll(() => failed.at(-1)).toBe('ERR_NOT_CONNECTED');
    socket.auth = { name: 'ben' };
    socket.connect();
    await socket.emitWithAck('say', 'hello');
    expect(handled).toEqual(['ben hello']);
    for (const reply of await Promise.all(replies)) expect(reply).not.toBeUndefined();
  });

  test('have their last words said, also those behind pagehide', async () => {
    const said: unknown[] = [];
    const { tab } = await scene((io) =>
      io.on('connection', (socket) => void socket.on('say', (what) => void said.push(what))),
    );
    await once(tab(), 'connect');
    const heard: ((event: object) => void)[] = [];
    vi.stubGlobal('addEventListener', (_type: string, run: (event: object) => void) => heard.push(run));
    const socket = tab();
    await once(socket, 'connect');
    for (const run of heard) run({ type: 'pagehide', persisted: false });
    for (let i = 0; i < 3; i++) socket.emit('say', i);
    await expect.poll(() => said).toEqual([0, 1, 2]);
  });

  test('are told what cannot be sent, where it is emitted', async () => {
    const { tab } = await scene(() => {}, { frameBytesMax: 65_536 });
    const socket = tab();
    await once(socket, 'connect');
    const failure = (code: string) => expect.objectContaining({ code });
    expect(() => socket.emit('say', (() => {}) as never)).toThrow(failure('ERR_NOT_ENCODABLE'));
    expect(() => socket.emit('say', new Map() as never)).toThrow(failure('ERR_NOT_ENCODABLE'));
    expect(() => socket.emit('connect' as string)).toThrow(failure('ERR_RESERVED_EVENT'));
    expect(() => socket.volatile.emit('say', Number.NaN)).toThrow(failure('ERR_NOT_ENCODABLE'));
    const long = 'x'.repeat(100_000);
    await expect(socket.emitWithAck('say', long)).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_BIG' });
    const told = once(socket, 'error');
    socket.emit('say', long);
    expect(await told).toMatchObject({ code: 'ERR_FRAME_TOO_BIG', name: expect.any(String) });
    await expect(socket.timeout(20_000).emitWithAck('nobody')).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
  });

  test('that want more namespaces together than a session may have are told', async () => {
    const { io, tab } = await scene();
    const names = Array.from({ length: 65 }, (_, i) => `/n${i}`);
    for (const name of names) io.of(name);
    const tabs = [tab({ namespace: '/n64' }), tab({ namespace: '/n0' })];
    await Promise.all(tabs.map((socket) => once(socket, 'connect')));
    const others = names.slice(1, 63).map((name) => tabs[1]!.of(name));
    await Promise.all(others.map((socket) => once(socket, 'connect')));
    const refused = tabs[0]!.of('/n63');
    expect(await once(refused, 'connect_error')).toMatchObject({ code: 'ERR_NAMESPACES_FULL' });
    expect([refused.active, tabs[0]!.connected, tabs[1]!.connected]).toEqual([false, true, true]);
  });

  test('that leave the server without a reply for long are not waited for all the same', async () => {
    const { io, tab } = await scene();
    const socket = tab();
    await once(socket, 'connect');
    socket.on('ask', () => new Promise(() => {}));
    const [server] = io.sockets.values();
    const first = server!.timeout(60_000).emitWithAck('ask');
    for (let i = 0; i < 1_024; i++)
      server!
        .timeout(60_000)
        .emitWithAck('ask')
        .catch(() => {});
    await expect(first).rejects.toMatchObject({ code: 'ERR_NO_HANDLER' });
  });

  test('whose session is lost with its worker are told, and have a new one', async () => {
    let isSilent = true;
    const asked = vi.fn();
    const { io, tab, killWorker } = await scene(
      (io) => {
        io.on('connection', (socket) => {
          socket.on('ask', () => {
            asked();
            return isSilent ? new Promise(() => {}) : 'here';
          });
        });
      },
      { recoveryWindowMs: 0 },
    );
    const tabs = [tab(), tab()];
    await Promise.all(tabs.map((socket) => once(socket, 'connect')));
    const { id } = tabs[0]!;
    const reply = tabs[0]!.emitWithAck('ask').catch((error) => error);
    await expect.poll(() => asked.mock.calls.length).toBe(1);
    const lost = tabs.map((socket) => once(socket, 'disconnect'));
    const back = tabs.map((socket) => once(socket, 'connect'));
    killWorker();
    for (const one of await Promise.all(lost))
      expect(one).toMatchObject({ reason: 'the worker is gone', willReconnect: true });
    for (const one of await Promise.all(back)) expect(one).toMatchObject({ recovered: false });
    expect(await reply).toMatchObject({ code: 'ERR_SESSION_LOST' });
    expect(tabs[0]!.id).toBe(tabs[1]!.id);
    expect(tabs[0]!.id).not.toBe(id);
    isSilent = false;
    expect(await Promise.all(tabs.map((socket) => socket.emitWithAck('ask')))).toEqual(['here', 'here']);
    // The new one knows when they are gone, too.
    const [server] = [...io.sockets.values()].filter(({ id }) => id === tabs[0]!.id);
    const over = new Promise<void>((resolve) => server!.on('disconnect', () => resolve()));
    for (const name of locks.names()) if (name.startsWith('halyard tab')) locks.free(name);
    await over;
  });

  test('whose worker is killed after a session was lost say nothing twice of what waited for the next one', async () => {
    const said: unknown[] = [];
    const { io, cable, tab, killWorker } = await scene(
      (io) => io.on('connection', (socket) => void socket.on('say', (number) => void said.push(number))),
      { recoveryWindowMs: 0 },
    );
    const socket = tab();
    await once(socket, 'connect');
    cable.pull();
    await once(socket, 'disconnect');
    for (let i = 0; i < 5; i++) socket.emit('say', i);
    await expect.poll(() => io.sockets.size).toBe(0);
    const back = once(socket, 'connect');
    cable.mend();
    expect(await back).toMatchObject({ recovered: false });
    await expect.poll(() => said).toEqual([0, 1, 2, 3, 4]);
    const again = once(socket, 'connect');
    killWorker();
    await again;
    await socket.timeout(5_000).emitWithAck('say', 5);
    expect(said).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('have another worker if one is gone before it has said anything', async () => {
    const { openWorker } = await scene();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let workers = 0;
    const socket = connectTab(() => (workers++ ? openWorker() : { port: new MessageChannel().port1 }));
    cleanUp.push(() => socket.connection.close());
    vi.advanceTimersByTime(9_999);
    expect(workers).toBe(1);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await once(socket, 'connect');
    expect(workers).toBe(2);
  });

  test.each([
    ['no worker', () => connectTab({} as never), 'openWorker'],
    ['an option that is none', () => connectTab(() => ({}) as never, { url: 'x' } as never), 'url'],
    ['a time that is none', () => connectTab(() => ({}) as never, { ackTimeoutMs: 0 }), 'ackTimeoutMs'],
    ['a namespace that is none', () => connectTab(() => ({}) as never, { namespace: 'x' }), 'namespace'],
    ['an address that is none', () => serveTabs('ftp://example.com'), 'url'],
    ['an option of the worker that is none', () => serveTabs('http://localhost', { tabs: 1 } as never), 'tabs'],
  ])('%s is answered with what is wrong', (_what, call, word) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(word) }));
  });
});
