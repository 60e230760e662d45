// A session on a transport that is not the favourite goes over to it, once it is proven, and back: nobody is to notice. Longer than other files: what dies on
// the way is tried again at times that go by all that was before.
import { type Packet, PacketType } from '@halyard/protocol';
import { describe, expect, test } from 'vitest';
import { briefs, connected, event, FakeTransport, type Scene, scene, welcome } from '../../testing/fake';
import type { StateChange } from '../core';
import { race } from './race';

const ping: Packet = { type: PacketType.Ping, received: undefined };
const pong: Packet = { type: PacketType.Pong, received: undefined };

interface Two extends Scene {
  websocket: FakeTransport;
  polling: FakeTransport;
  changes: StateChange[];
  /** Waits until WebSocket is tried once more. @returns after how many milliseconds */
  untilTried(): Promise<number>;
}

/** A session that polling carries, with everything read. */
async function onPolling(options = {}): Promise<Two> {
  const websocket = new FakeTransport('websocket');
  const polling = new FakeTransport('polling');
  const all = scene({ transport: race([websocket, polling]), ackTimeoutMs: Infinity, ...options });
  const changes: StateChange[] = [];
  await websocket.link.drop();
  await polling.link.open();
  await polling.link.say(welcome(), connected());
  await polling.link.read();
  all.socket.connection.on('state', (change) => changes.push(change));
  all.log.length = 0;
  const untilTried = async () => {
    const before = websocket.links.length;
    let ms = 0;
    for (; websocket.links.length === before; ms += 100) {
      await all.advance(100);
      if (ms % 20_000 === 0) await polling.link.say(ping);
    }
    await polling.link.read();
    return ms;
  };
  return { ...all, websocket, polling, changes, untilTried };
}

/** The same, on its way: HELLO is said on WebSocket. */
async function moving(options = {}): Promise<Two> {
  const all = await onPolling(options);
  await all.untilTried();
  expect(briefs(await all.websocket.link.open())).toEqual(['PING']);
  await all.websocket.link.say(pong);
  return all;
}

async function moved(options = {}): Promise<Two> {
  const all = await moving(options);
  await all.websocket.link.read();
  await all.websocket.link.say(welcome({ recovered: true }));
  return all;
}

describe('to the favourite', () => {
  test('it resumes there once PING was answered, and leaves the other only then', async () => {
    const { socket, log, changes, websocket, polling } = await moving();
    expect(socket.connected).toBe(true);
    expect(polling.link.closed).toBeUndefined();
    expect(briefs(await websocket.link.read())).toEqual(['HELLO / resume s1 1 0']);
    await websocket.link.say(welcome({ recovered: true }));
    // Of which the server keeps the session.
    expect(polling.link.closed).toEqual({ code: 1006, reason: '' });
    expect(changes).toEqual([{ from: 'open', to: 'open', reason: 'moved', transport: 'websocket', attempt: 0 }]);
    expect(socket.connection.transport).toBe('websocket');
    expect(log).toEqual([]);
  });

  test('what is emitted on the way goes over, behind what was not confirmed; what the old link still brings is not heeded', async () => {
    const { socket, websocket, polling, untilTried } = await onPolling();
    const heard: unknown[] = [];
    socket.on('hi', (...args) => void heard.push(args));
    socket.emit('before');
    expect(briefs(await polling.link.read())).toEqual(['EVENT / before []']);
    await untilTried();
    await websocket.link.open();
    await websocket.link.say(pong);
    socket.emit('after');
    socket.volatile.emit('now');
    expect(await polling.link.read()).toEqual([]);
    expect(briefs(await websocket.link.read())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / before []',
      'EVENT / after []',
      'VOLATILE now',
    ]);
    await polling.link.say(event('hi', [1]));
    expect(heard).toEqual([]);
    await websocket.link.say(welcome({ recovered: true, received: 1 }), event('hi', [1]));
    expect(heard).toEqual([[1]]);
  });

  test('auth is asked for anew, in case the session is not known any more', async () => {
    let times = 0;
    const { websocket } = await moving({ auth: () => ({ times: ++times }) });
    expect(briefs(await websocket.link.read())).toEqual(['HELLO /{"times":2} resume s1 1 0']);
  });

  test('a session that is refused there is told to be lost, with disconnect and connect', async () => {
    const { socket, log, changes, websocket } = await moving();
    await websocket.link.say(welcome({ session: 's2', reason: 'unknown-session' }), connected('/', 'id2'));
    expect(log).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 0 }],
    ]);
    expect(changes).toMatchObject([{ from: 'open', to: 'open', reason: 'new', transport: 'websocket' }]);
    expect(socket.id).toBe('id2');
  });

  test('one that does not open, does not answer or answers something else is tried again, later and later', async () => {
    const { log, changes, websocket, polling, advance, untilTried } = await onPolling({ connectTimeoutMs: 5_000 });
    expect(await untilTried()).toBe(7_500);
    await websocket.link.drop();
    expect(await untilTried()).toBe(15_000);
    await websocket.link.open();
    await advance(5_000);
    expect(websocket.link.closed?.code).toBe(4000);
    await polling.link.say(ping);
    // What opens and says nothing is tried last.
    expect(await untilTried()).toBe(300_000);
    await websocket.link.open();
    await websocket.link.sayFrame('<html>');
    expect(websocket.link.closed?.code).toBe(1000);
    expect(await untilTried()).toBe(60_000);
    await websocket.link.open();
    await websocket.link.say(ping);
    for (const waitMs of [120_000, 225_000, 225_000]) {
      expect(await untilTried()).toBe(waitMs);
      await websocket.link.drop();
    }
    expect(polling.links).toHaveLength(1);
    expect([log, changes]).toEqual([[], []]);
  });

  test.each([
    [1_000, 1_500],
    [60_000, 90_000],
    [Infinity, undefined],
  ])('with a delay of %d it is tried after %j ms', async (switchDelayMs, waitMs) => {
    const [websocket, polling] = [new FakeTransport('websocket'), new FakeTransport('polling')];
    const { advance } = scene({ transport: race([websocket, polling], undefined, switchDelayMs) });
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome(), connected());
    let ms = 0;
    for (; websocket.links.length === 1 && ms < 1_000_000; ms += 500) {
      await advance(500);
      if (ms % 20_000 === 0) await polling.link.say(ping);
    }
    expect(websocket.links.length === 1 ? undefined : ms).toBe(waitMs);
  });

  test('a second answer does not move it twice', async () => {
    const { websocket, untilTried } = await onPolling({ auth: async () => ({}) });
    await untilTried();
    await websocket.link.open();
    const twice = [websocket.link.say(pong), websocket.link.say(pong)];
    await Promise.all(twice);
    expect(briefs(await websocket.link.read())).toEqual(['HELLO /{} resume s1 1 0']);
  });

  test('nothing is tried beside the favourite, or after the connection is gone', async () => {
    const { socket, websocket, polling, advance, untilTried } = await onPolling();
    await untilTried();
    socket.disconnect();
    expect([websocket.link.closed?.code, polling.link.closed?.code]).toEqual([1000, 1000]);
    await advance(600_000);
    expect(websocket.links).toHaveLength(2);
    socket.connect();
    await websocket.link.open();
    await websocket.link.say(welcome(), connected());
    await advance(30_000);
    expect(websocket.links).toHaveLength(3);
  });

  test('whoever disconnects on the way is gone from both', async () => {
    const { socket, log, websocket, polling } = await moving();
    socket.disconnect();
    expect(websocket.link.closed?.code).toBe(1000);
    expect(polling.link.closed).toEqual({ code: 1006, reason: '' });
    expect(log).toEqual([['disconnect', 1000, 'client', false]]);
  });
});

describe('and back', () => {
  test('when it dies another link is opened before anybody hears of it', async () => {
    const { socket, log, changes, websocket, polling, untilTried } = await moved();
    changes.length = 0;
    await websocket.link.drop();
    expect(socket.connected).toBe(true);
    socket.emit('meanwhile');
    socket.volatile.emit('lost');
    // The race begins with what carried the session before.
    expect([websocket.links.length, polling.links.length]).toEqual([2, 2]);
    expect(briefs(await polling.link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / meanwhile []']);
    await polling.link.say(welcome({ recovered: true }));
    expect([log, changes]).toEqual([
      [],
      [{ from: 'open', to: 'open', reason: 'moved', transport: 'polling', attempt: 0 }],
    ]);
    // And forth again once it is not tried last any more.
    expect(await untilTried()).toBe(300_000);
  });

  test.each([
    [59, 'last'],
    [60, 'first'],
  ])('one that dies after %i s is tried %s', async (lastsSeconds, place) => {
    const { websocket, polling, advance, untilTried } = await moved();
    for (let second = 0; second < lastsSeconds; second++) {
      await advance(1_000);
      await websocket.link.say(ping);
    }
    const before = [websocket.links.length, polling.links.length] as const;
    await websocket.link.drop();
    const tried = [websocket.links.length - before[0], polling.links.length - before[1]];
    expect(tried).toEqual(place === 'first' ? [1, 0] : [0, 1]);
    if (place === 'first') await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    expect(await untilTried()).toBe(place === 'first' ? 7_500 : 300_000);
  });

  test.each(['cut', 'closed by its server'])(
    'one that has lasted, and is %s, is held against nothing before',
    async (how) => {
      const { websocket, polling, advance, untilTried } = await moved();
      const back = async (): Promise<void> => {
        await polling.link.open();
        await polling.link.say(welcome({ recovered: true }));
      };
      const forth = async (): Promise<void> => {
        await websocket.link.open();
        await websocket.link.say(pong);
        await websocket.link.say(welcome({ recovered: true }));
      };
      for (const waitMs of [300_000, 600_000]) {
        await websocket.link.drop();
        await back();
        expect(await untilTried()).toBe(waitMs);
        await forth();
      }
      for (let ms = 0; ms < 60_000; ms += 20_000) {
        await advance(20_000);
        await websocket.link.say(ping);
      }
      await websocket.link.drop(how === 'cut' ? {} : { code: 1012, by: 'server' });
      await advance(1_000);
      // It may be that it does not open at once.
      await websocket.link.drop();
      await back();
      expect(await untilTried()).toBeLessThan(10_000);
      await forth();
      await websocket.link.drop();
      await back();
      expect(await untilTried()).toBe(300_000);
    },
  );

  test('also when it dies before WELCOME, or is silent', async () => {
    const first = await moving();
    await first.websocket.link.drop();
    expect(first.polling.links[0]!.closed).toEqual({ code: 1006, reason: '' });
    const second = await moving({ connectTimeoutMs: 5_000 });
    await second.advance(5_000);
    for (const { socket, log, changes, websocket, polling } of [first, second]) {
      await websocket.link.drop();
      await polling.link.open();
      await polling.link.say(welcome({ recovered: true }));
      expect(socket.connection.transport).toBe('polling');
      expect([log, changes]).toMatchObject([[], [{ reason: 'moved' }]]);
    }
  });

  test.each([
    ['to PING', moving, 5_000],
    ['to HELLO, too', moved, 55_000],
  ])(
    'one that has answered %s, and then nothing more, is left without a word, and tried last for longer and longer',
    async (_what, begin, silentMs) => {
      // It was opened again at once, and the app was told of a loss.
      const { socket, log, changes, websocket, polling, advance, untilTried } = await begin({
        connectTimeoutMs: 5_000,
      });
      const answers = websocket.links.length;
      for (const waitMs of [300_000, 600_000, 1_200_000]) {
        const links = websocket.links.length;
        const stalled = websocket.link;
        await advance(silentMs);
        expect(stalled.closed).toBeDefined();
        await polling.link.open();
        await polling.link.say(welcome({ recovered: true }));
        expect(websocket.links).toHaveLength(links);
        expect(socket.connection.transport).toBe('polling');
        expect(await untilTried()).toBe(waitMs);
        await websocket.link.open();
        await websocket.link.say(pong);
        if (begin === moved) await websocket.link.say(welcome({ recovered: true }));
      }
      expect(websocket.links).toHaveLength(answers + 3);
      expect(log).toEqual([]);
      expect(new Set(changes.map(({ reason }) => reason))).toEqual(new Set(['moved']));
    },
  );

  test('one that the server has left is no worse than before', async () => {
    const { websocket, polling } = await moved();
    await websocket.link.drop({ code: 1001, by: 'server' });
    expect([websocket.links.length, polling.links.length]).toEqual([3, 1]);
  });

  test('where nothing opens it is lost, and told', async () => {
    const { socket, log, changes, websocket, polling, advance } = await moved();
    changes.length = 0;
    await websocket.link.drop();
    await polling.link.drop();
    await websocket.link.drop();
    expect(log).toEqual([['disconnect', 1006, 'network', true]]);
    expect(changes).toMatchObject([{ from: 'open', to: 'waiting', reason: 'lost' }]);
    await advance(1_000);
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    expect(log.at(-1)).toEqual(['connect', { recovered: true, unconfirmed: 0 }]);
    expect(socket.connection.state).toBe('open');
  });

  test('a final close is final', async () => {
    const { socket, log, websocket } = await moved();
    await websocket.link.drop({ code: 4400, by: 'server' });
    expect(log[0]).toEqual(['disconnect', 4400, 'server', false]);
    expect(socket.connection.state).toBe('closed');
  });
});
