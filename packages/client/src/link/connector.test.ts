// Longer than other files: a connection is made, lost and made again in one place, and so are its cases.

import { VirtualClock } from '@halyard/harness/clock';
import { type Clock, type Packet, PacketType } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { briefs, connected, event, open, scene, settle, watch, welcome } from '../../testing/fake';
import type { StateChange } from '../core';
import { backoffMs } from './backoff';

describe('backoff', () => {
  test('is random up to a bound that doubles until the longest wait, and never quite nothing', () => {
    const wait = (failures: number, chance: number) =>
      backoffMs(failures, { delayMinMs: 500, delayMaxMs: 10_000, random: () => chance });
    const bounds = [0, 1, 2, 3, 4, 5, 60].map((failures) => wait(failures, 1));
    expect(bounds).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    expect(wait(3, 0.25)).toBe(1_000);
    expect(wait(3, 0)).toBe(50);
  });

  test('comes behind what the server asks for, and up to half of that again, which has a bound', () => {
    const wait = (reason: string, chance: number) =>
      backoffMs(0, { delayMinMs: 500, delayMaxMs: 10_000, random: () => chance }, reason);
    expect(wait('ERR_OVERLOADED: too much; retry-after: 5', 0)).toBe(5_000);
    expect(wait('ERR_OVERLOADED: too much; retry-after: 5', 1)).toBe(8_000);
    expect(wait('retry-after: 86400', 1)).toBe(60_500);
    expect(wait('retry-after: soon', 1)).toBe(500);
    expect(wait('retry-after: 5, or never', 1)).toBe(500);
  });
});

describe('reconnecting', () => {
  test('every state has its reason, attempt, wait and close value', async () => {
    const { socket, transport, advance } = scene({ autoConnect: false });
    const changes: StateChange[] = [];
    socket.connection.on('state', (change) => changes.push(change));
    expect(socket.connection.state).toBe('idle');
    socket.connect();
    await transport.link.drop({ reason: 'refused' });
    await advance(250);
    await transport.link.open();
    await transport.link.say(welcome(), connected());
    expect([socket.connection.state, socket.connection.transport]).toEqual(['open', 'fake']);
    await transport.link.drop({ code: 1001, reason: 'drain', by: 'server' });
    expect([socket.connection.state, socket.connection.transport]).toEqual(['waiting', undefined]);
    await advance(500);
    await transport.link.open();
    await transport.link.say(welcome({ recovered: true }));
    socket.connection.close();
    const refused = { code: 1006, reason: 'refused', by: 'network' };
    expect(changes).toEqual([
      { from: 'idle', to: 'connecting', reason: 'wanted', attempt: 0 },
      { from: 'connecting', to: 'waiting', reason: 'failed', attempt: 0, close: refused, retryInMs: 250 },
      { from: 'waiting', to: 'connecting', reason: 'retry', attempt: 1 },
      { from: 'connecting', to: 'open', reason: 'new', transport: 'fake', attempt: 1 },
      {
        from: 'open',
        to: 'waiting',
        reason: 'lost',
        attempt: 0,
        close: { code: 1001, reason: 'drain', by: 'server' },
        // It did not last, so the wait is not the first one again.
        retryInMs: 500,
      },
      { from: 'waiting', to: 'connecting', reason: 'retry', attempt: 1 },
      { from: 'connecting', to: 'open', reason: 'recovered', transport: 'fake', attempt: 1 },
      { from: 'open', to: 'closed', reason: 'local', attempt: 0, close: { code: 1000, reason: '', by: 'client' } },
    ]);
  });

  test('a server that says when is not asked before', async () => {
    const { socket, transport, advance } = scene();
    const waits: unknown[] = [];
    socket.connection.on('state', (change) => change.to === 'waiting' && waits.push(change.retryInMs));
    await transport.link.drop({ code: 1013, reason: 'ERR_OVERLOADED: too much; retry-after: 4', by: 'server' });
    expect([waits, socket.connection.state]).toEqual([[4_000 * 1.25 + 250], 'waiting']);
    await advance(5_000);
    expect(socket.connection.state).toBe('waiting');
    await advance(250);
    expect(socket.connection.state).toBe('connecting');
  });

  test('a connection that lasted starts the waits anew', async () => {
    const waits: number[] = [];
    const { socket, transport, advance } = scene();
    socket.connection.on('state', (change) => change.to === 'waiting' && waits.push(change.retryInMs));
    for (let i = 0; i < 3; i++) {
      await transport.link.drop();
      await advance(waits[i]!);
    }
    await transport.link.open();
    await transport.link.say(welcome());
    await advance(11_000);
    await transport.link.drop();
    expect(waits).toEqual([250, 500, 1_000, 250]);
  });

  test('attemptsMax attempts lead nowhere: closed, and connect_error', async () => {
    const { socket, transport, advance, log } = scene({
      reconnect: { attemptsMax: 2 },
      ackTimeoutMs: Number.POSITIVE_INFINITY,
    });
    const reply = socket.emitWithAck('x').catch((error) => error.code);
    for (let i = 0; i < 3; i++) {
      await transport.link.drop();
      await advance(10_000);
    }
    expect(transport.links).toHaveLength(3);
    expect(socket.connection.state).toBe('closed');
    expect(log).toEqual(Array(3).fill(['connect_error', 'ERR_CONNECT']));
    expect(await reply).toBe('ERR_DISCONNECTED');
    socket.connect();
    expect(transport.links).toHaveLength(4);
    await transport.link.drop();
    expect(socket.connection.state).toBe('waiting');
    await advance(10_000);
    await transport.link.open();
    await transport.link.say(welcome(), connected());
    expect(log.at(-1)).toEqual(['connect', { recovered: false, unconfirmed: 0 }]);
  });

  test('attemptsMax 0 means never again', async () => {
    const { socket, link, log } = await open({ reconnect: { attemptsMax: 0 } });
    await link.drop();
    expect(socket.connection.state).toBe('closed');
    expect(log.at(-1)).toEqual(['disconnect', 1006, 'network', false]);
  });

  test('an attempt that does not reach WELCOME in time has failed', async () => {
    const { socket, transport, advance, log } = scene({ connectTimeoutMs: 5_000 });
    const error = vi.fn();
    socket.on('connect_error', error);
    await transport.link.open();
    await advance(5_000);
    expect(transport.link.closed?.code).toBe(4000);
    expect(log).toEqual([['connect_error', 'ERR_CONNECT']]);
    expect(error.mock.lastCall?.[0].message).toBe('not connected within 5000 ms (connectTimeoutMs), auth included');
    expect(socket.connection.state).toBe('waiting');
  });

  test('connect_error says what is wrong and when it goes on', async () => {
    const { socket, transport } = scene();
    const error = vi.fn();
    socket.on('connect_error', error);
    await transport.link.drop({ reason: 'no route' });
    expect(socket.active).toBe(true);
    const close = { code: 1006, reason: 'no route', by: 'network' };
    expect(error.mock.lastCall).toMatchObject([
      { message: 'no route', code: 'ERR_CONNECT', details: { close, attempt: 0, retryInMs: 250, final: false } },
    ]);
  });

  test('connect_error has the code and the words of a server that refuses, and says that it is final', async () => {
    const { socket, transport } = scene();
    const error = vi.fn();
    socket.on('connect_error', error);
    await transport.link.drop({ code: 4403, reason: 'ERR_ORIGIN: Pages of x:\ny may not', by: 'server' });
    expect(error.mock.lastCall).toMatchObject([
      { code: 'ERR_ORIGIN', message: 'Pages of x:\ny may not', details: { final: true, retryInMs: undefined } },
    ]);
    socket.connect();
    await transport.link.drop({ code: 1013, reason: '', by: 'server' });
    expect(error.mock.lastCall).toMatchObject([{ code: 'ERR_CONNECT', message: 'closed with 1013' }]);
  });

  test.each([
    ['BANNED: You are banned.', 'server', 'BANNED', 'You are banned.'],
    ['ERR_BAN-1: no: never', 'server', 'ERR_BAN-1', 'no: never'],
    ['ERR_OVERLOADED: too much; retry-after: 5', 'server', 'ERR_OVERLOADED', 'too much'],
    ['the server is full (sessionsMax); retry-after: 5', 'server', 'ERR_CONNECT', 'the server is full (sessionsMax)'],
    ['retry-after: 5', 'server', 'ERR_CONNECT', 'closed with 1013'],
    ['come back later: at five', 'server', 'ERR_CONNECT', 'come back later: at five'],
    ['bad/worse:1', 'server', 'ERR_CONNECT', 'bad/worse:1'],
    ['Error: connect ECONNREFUSED', 'network', 'ERR_CONNECT', 'Error: connect ECONNREFUSED'],
    ['no Halyard server; retry-after: 5', 'network', 'ERR_CONNECT', 'no Halyard server'],
  ] as const)('connect_error of the reason "%s" by %s is %s: "%s"', async (reason, by, code, message) => {
    const { socket, transport } = scene();
    const error = vi.fn();
    socket.on('connect_error', error);
    await transport.link.drop({ code: 1013, reason, by });
    expect(error.mock.lastCall).toMatchObject([{ code, message, details: { close: { reason } } }]);
    if (reason.endsWith('5')) expect(error.mock.lastCall?.[0].details.retryInMs).toBeGreaterThan(5_000);
  });

  test('a lost connection is no connect_error of a namespace that was not let in yet', async () => {
    const { socket, link, log } = await open();
    watch(socket.of('/other'), log, 'other ');
    await settle();
    await link.drop();
    expect(log.slice(1)).toEqual([['disconnect', 1006, 'network', true]]);
  });

  test('closed, nothing is left that would keep a program running', async () => {
    const clock = new VirtualClock();
    const timers = new Set<object>();
    const counted: Clock = {
      now: () => clock.now(),
      after(delayMs, run) {
        const timer = {};
        timers.add(timer);
        const cancel = clock.after(delayMs, () => {
          timers.delete(timer);
          run();
        });
        return () => {
          timers.delete(timer);
          cancel();
        };
      },
    };
    const { socket, link } = await open({ clock: counted });
    await link.say(event('x'));
    socket.emitWithAck('y').catch(() => {});
    expect(timers.size).toBeGreaterThan(0);
    socket.disconnect();
    expect(timers.size).toBe(0);
  });

  test('a final close stays closed', async () => {
    const { socket, link, log, advance, transport } = await open();
    const reply = socket.emitWithAck('x').catch(({ code, message }) => [code, message]);
    await link.drop({ code: 4409, reason: 'evicted', by: 'server' });
    expect(await reply).toEqual([
      'ERR_DISCONNECTED',
      'not sent, or not answered: the socket was disconnected (evicted)',
    ]);
    await advance(60_000);
    expect(transport.links).toHaveLength(1);
    expect(log.at(-1)).toEqual(['disconnect', 4409, 'server', false]);
  });

  test('disconnect() while waiting stops the attempts, and connect() starts a new session', async () => {
    const { socket, link, log, advance, transport } = await open();
    await link.drop();
    socket.disconnect();
    await advance(60_000);
    expect(transport.links).toHaveLength(1);
    expect(socket.connection.state).toBe('closed');
    expect(log.at(-1)).toEqual(['disconnect', 1006, 'network', true]);
    socket.connect();
    expect(briefs(await transport.link.open())).toEqual(['HELLO /']);
  });

  test('disconnect() from a handler of a packet in the middle of a batch', async () => {
    const { socket, link } = await open();
    const heard: string[] = [];
    socket.onAny((name) => {
      heard.push(name);
      socket.disconnect();
    });
    await link.say(event('one'), event('two'));
    expect(heard).toEqual(['one']);
    expect(link.closed?.code).toBe(1000);
  });

  test('listeners of states may throw and be taken off', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { socket, transport } = scene({ autoConnect: false });
    const off = vi.fn();
    socket.connection.on('state', () => {
      throw new Error('mine');
    });
    socket.connection.on('state', off);
    socket.connection.off('state', off);
    socket.connect();
    expect(transport.links).toHaveLength(1);
    expect(print).toHaveBeenCalledTimes(1);
    expect(off).not.toHaveBeenCalled();
    print.mockRestore();
  });
});

describe('a server that breaks the protocol', () => {
  const cases: [string, Packet][] = [
    ['a second WELCOME', welcome()],
    ['an answer nobody asked for', { type: PacketType.Ack, ack: 9, value: 1 }],
    ['a confirmation of what was never sent', { type: PacketType.Sack, received: 1_000 }],
    ['CONNECT', { type: PacketType.Connect, namespace: '/', auth: undefined }],
    ['RESET', { type: PacketType.Reset }],
  ];

  test.each(cases)('%s: closed for good with 4400, an error and a disconnect', async (_, packet) => {
    const { socket, link, log } = await open();
    await link.say(packet);
    expect(link.closed).toEqual({ code: 4400, reason: expect.stringMatching(/^ERR_/) });
    expect(log.slice(1)).toEqual([
      ['error', expect.stringMatching(/^ERR_/)],
      ['disconnect', 4400, 'client', false],
    ]);
    expect(socket.connection.state).toBe('closed');
  });

  test('anything but WELCOME first: connect_error', async () => {
    const { socket, transport } = scene();
    const error = vi.fn();
    socket.on('connect_error', error);
    await transport.link.open();
    await transport.link.say(connected());
    expect(error).toHaveBeenCalledTimes(1);
    expect(error.mock.lastCall).toMatchObject([
      { code: 'ERR_PACKET_UNEXPECTED', details: { close: { code: 4400 }, cause: { code: 'ERR_PACKET_UNEXPECTED' } } },
    ]);
    expect(transport.link.closed?.code).toBe(4400);
  });

  test('what is no packet', async () => {
    const { link } = await open();
    await link.sayFrame('{');
    expect(link.closed?.reason).toMatch(/^ERR_/);
  });
});

describe('what a browser tells', () => {
  afterEach(() => vi.unstubAllGlobals());

  function page(): { tell(type: string, fields?: object): void; listeners(): number } {
    const handlers = new Map<string, Set<(event: object) => void>>();
    vi.stubGlobal('addEventListener', (type: string, run: (event: object) => void) => {
      handlers.set(type, (handlers.get(type) ?? new Set()).add(run));
    });
    vi.stubGlobal('removeEventListener', (type: string, run: (event: object) => void) => {
      handlers.get(type)?.delete(run);
    });
    return {
      tell: (type, fields) => {
        for (const run of handlers.get(type) ?? []) run({ type, ...fields });
      },
      listeners: () => [...handlers.values()].reduce((sum, set) => sum + set.size, 0),
    };
  }

  test('offline drops the connection; online tries at once, and resumes', async () => {
    const { tell } = page();
    const { socket, link, transport, log } = await open();
    tell('offline');
    await settle();
    expect([link.closed?.code, socket.connection.state]).toEqual([1006, 'waiting']);
    expect(log.at(-1)).toEqual(['disconnect', 1006, 'network', true]);
    tell('online');
    expect(transport.links).toHaveLength(2);
    expect(briefs(await transport.link.open())).toEqual(['HELLO / resume s1 1 0']);
  });

  test('online while open asks the server for a sign of life', async () => {
    const { tell } = page();
    const { link } = await open();
    tell('online');
    expect(briefs(await link.read())).toEqual(['PING']);
  });

  test.each(['visibilitychange', 'pageshow', 'resume', 'online'])(
    '%s finds out within five seconds that a connection is silent',
    async (type) => {
      const { tell } = page();
      const { socket, link, advance, transport } = await open();
      vi.stubGlobal('document', { hidden: type === 'visibilitychange' });
      tell(type);
      if (type === 'visibilitychange') {
        // The page is not looked at any more.
        expect(await link.read()).toEqual([]);
        vi.stubGlobal('document', { hidden: false });
        tell(type);
      }
      expect(briefs(await link.read())).toEqual(['PING']);
      await advance(4_000);
      await link.say({ type: PacketType.Pong, received: 0 });
      await advance(1_000);
      expect(socket.connection.state).toBe('open');
      tell(type);
      await advance(5_000);
      expect([link.closed?.code, socket.connection.state]).toEqual([1006, 'waiting']);
      tell(type);
      expect([transport.links.length, socket.connection.state]).toEqual([2, 'connecting']);
    },
  );

  test.each(['visibilitychange', 'pageshow', 'resume', 'online'])(
    '%s asks nothing of a connection that is under way',
    async (type) => {
      const { tell } = page();
      vi.stubGlobal('document', { hidden: false });
      const { socket, transport, log, advance } = scene();
      tell(type);
      expect(briefs(await transport.link.open())).toEqual(['HELLO /']);
      tell(type);
      await advance(6_000);
      expect(await transport.link.read()).toEqual([]);
      expect([socket.connection.state, transport.links.length]).toEqual(['connecting', 1]);
      await transport.link.say(welcome(), connected());
      expect(log).toEqual([['connect', { recovered: false, unconfirmed: 0 }]]);
    },
  );

  test('a page that is looked at again ends no connection that is a later one', async () => {
    const { tell } = page();
    const { socket, transport, link, advance } = await open();
    tell('resume');
    await link.drop();
    await advance(1_000);
    await transport.link.open();
    await transport.link.say(welcome({ recovered: true }));
    await advance(4_500);
    expect([socket.connection.state, transport.links.length]).toEqual(['open', 2]);
  });

  test('a page that goes away ends the session; one that is kept does not', async () => {
    const { tell, listeners } = page();
    const { socket, transport } = await open();
    tell('pagehide', { persisted: true });
    expect([transport.link.closed?.code, socket.connection.state]).toEqual([1006, 'waiting']);
    tell('pageshow', { persisted: true });
    expect(briefs(await transport.link.open())).toEqual(['HELLO / resume s1 1 0']);
    tell('pagehide', { persisted: false });
    expect([transport.link.closed?.code, socket.connection.state]).toEqual([1001, 'closed']);
    expect(listeners()).toBe(0);
    socket.connect();
    expect(listeners()).toBe(6);
  });

  test('a page that comes back from where the browser had put it resumes at once', async () => {
    const { tell } = page();
    const { socket, transport, log } = await open();
    tell('pageshow', { persisted: false });
    expect([transport.links.length, socket.connection.state]).toEqual([1, 'open']);
    // Nobody has said that the connection is gone.
    tell('pagehide', { persisted: true });
    tell('pageshow', { persisted: true });
    expect([transport.links.length, socket.connection.state]).toEqual([2, 'connecting']);
    expect(transport.links[0]!.closed?.code).toBe(1006);
    expect(briefs(await transport.link.open())).toEqual(['HELLO / resume s1 1 0']);
    await transport.link.say(welcome({ recovered: true }));
    // It was said before the page is told that it is back.
    tell('pagehide', { persisted: true });
    await transport.link.drop();
    tell('pageshow', { persisted: true });
    expect(transport.links).toHaveLength(3);
    expect(log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: true, unconfirmed: 0 }],
      ['disconnect', 1006, 'network', true],
    ]);
  });

  test('a page that comes back tries once, though it is told twice that it does', async () => {
    const { tell } = page();
    const { socket, transport, log } = await open({ reconnect: { attemptsMax: 1 } });
    await transport.link.drop();
    tell('pagehide', { persisted: true });
    tell('visibilitychange');
    tell('pageshow', { persisted: true });
    expect([transport.links.length, socket.connection.state]).toEqual([2, 'connecting']);
    await transport.link.open();
    await transport.link.say(welcome({ recovered: true }));
    expect(log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
  });

  test('a page that comes back does not wake what was closed', async () => {
    const { tell } = page();
    const { socket, transport } = await open();
    socket.disconnect();
    tell('pageshow', { persisted: true });
    tell('online');
    expect([transport.links.length, socket.connection.state]).toEqual([1, 'closed']);
  });
});
