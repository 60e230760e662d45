import { PacketType } from '@halyard/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { briefs, connected, FakeTransport, scene, welcome } from '../../testing/fake';
import { race } from './race';

function two(options = {}, delay: readonly [number?] = [2_000]) {
  const websocket = new FakeTransport('websocket');
  const polling = new FakeTransport('polling');
  return { ...scene({ transport: race([websocket, polling], ...delay), ...options }), websocket, polling };
}

type Two = ReturnType<typeof two>;

describe('two transports', () => {
  test('the second starts only after the delay; the loser is dropped and HELLO is said on the winner alone', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(1_999);
    expect(polling.links).toHaveLength(0);
    await advance(1);
    expect(briefs(await polling.link.open())).toEqual(['HELLO /']);
    expect(websocket.link.closed).toBeDefined();
    expect(websocket.link.inbox).toEqual([]);
    await polling.link.say(welcome(), connected());
    expect(socket.connection.transport).toBe('polling');
  });

  test('the delay is 400 ms unless another one is given', async () => {
    const { polling, advance } = two({}, []);
    await advance(399);
    expect(polling.links).toHaveLength(0);
    await advance(1);
    expect(polling.links).toHaveLength(1);
  });

  test('the first may still win', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(2_500);
    expect(briefs(await websocket.link.open())).toEqual(['HELLO /']);
    expect(polling.link.closed).toBeDefined();
    await websocket.link.say(welcome());
    expect(socket.connection.transport).toBe('websocket');
  });

  test('opened in time, the first has no rival', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.open();
    await advance(10_000);
    expect(polling.links).toHaveLength(0);
  });

  test('a first that fails gives way at once', async () => {
    const { websocket, polling, log } = two();
    await websocket.link.drop();
    expect(polling.links).toHaveLength(1);
    expect(log).toEqual([]);
    await polling.link.open();
    expect(websocket.links).toHaveLength(1);
  });

  test('both fail: one failed attempt, then both again', async () => {
    const { websocket, polling, advance, log } = two();
    await websocket.link.drop();
    await polling.link.drop();
    expect(log).toEqual([['connect_error', 'ERR_CONNECT']]);
    await advance(250);
    expect([websocket.links.length, polling.links.length]).toEqual([2, 1]);
  });

  test('of two failures the final one decides', async () => {
    const refused = { code: 4403, reason: 'HTTP 403', by: 'server' } as const;
    for (const [first, second] of [
      [refused, {}],
      [{}, refused],
    ]) {
      const { socket, websocket, polling } = two();
      await websocket.link.drop(first);
      await polling.link.drop(second);
      expect(socket.connection.state).toBe('closed');
    }
  });

  test('what worked is tried first for five minutes, then WebSocket is again', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome(), connected());
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 2]);
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    for (let passedMs = 0; passedMs < 300_000; passedMs += 20_000) {
      await advance(20_000);
      await polling.link.say({ type: PacketType.Ping, received: 0 });
    }
    const tried = websocket.links.length;
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length - tried, polling.links.length]).toEqual([1, 2]);
  });

  test('a WebSocket that worked is tried first again, though polling was quicker once', async () => {
    const { websocket, polling, advance } = two();
    await websocket.link.open();
    await websocket.link.say(welcome(), connected());
    await websocket.link.drop();
    await advance(1_000);
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome({ recovered: true }));
    await polling.link.drop();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([3, 1]);
  });

  test('a transport that opens and then carries nothing is tried last', async () => {
    const { websocket, polling, advance } = two({ connectTimeoutMs: 5_000 });
    await websocket.link.open();
    await advance(5_000);
    expect(websocket.link.closed).toBeDefined();
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 1]);
  });

  test('a transport that was given up before anything was said on it keeps its place', async () => {
    const auth = () => Promise.reject(new Error('no token'));
    const { websocket, polling, advance, log } = two({ auth });
    await websocket.link.open();
    expect(log).toContainEqual(['connect_error', 'ERR_AUTH']);
    await advance(1_000);
    expect([websocket.links.length, polling.links.length]).toEqual([2, 0]);
  });

  test('a transport that is cut at the same age again is tried last', async () => {
    const { websocket, polling, advance } = two();
    const lives = async (ms: number) => {
      await websocket.link.open();
      await websocket.link.say(welcome({ recovered: websocket.links.length > 1 }));
      await advance(ms);
      await websocket.link.drop();
      await advance(1_000);
    };
    await lives(10_000);
    await lives(13_000);
    expect([websocket.links.length, polling.links.length]).toEqual([3, 0]);
    await lives(14_500);
    expect([websocket.links.length, polling.links.length]).toEqual([3, 1]);
  });

  test.each([
    [[1, 1], 'last'],
    [[1, 60, 1], 'first'],
  ])('a transport that falls silent after %j s of traffic is tried %s', async (lives, place) => {
    const { websocket, polling, advance } = two();
    for (const [i, seconds] of lives.entries()) {
      await websocket.link.open();
      await websocket.link.say(welcome({ recovered: i > 0 }));
      for (let second = 0; second < seconds; second++) {
        // At another age each time, by a little more than what is alike.
        await advance(1_000 + i * 2_500);
        await websocket.link.say({ type: PacketType.Ping, received: undefined });
      }
      const stalled = websocket.link;
      while (!stalled.closed) await advance(1_000);
      expect(stalled.closed.code).toBe(4000);
      await advance(1_000);
    }
    expect(polling.links.length).toBe(place === 'last' ? 1 : 0);
  });

  test.each([
    ['left', 0, ({ socket }: Two) => socket.disconnect().connect()],
    ['left', 3_000, ({ socket }: Two) => socket.disconnect().connect()],
    ['refused by the server', 0, ({ websocket }: Two) => websocket.link.drop({ code: 1013, by: 'server' })],
    ['refused by the server', 3_000, ({ websocket }: Two) => websocket.link.drop({ code: 1013, by: 'server' })],
  ])(
    'a transport that is %s %i ms after it has opened, before it could answer, keeps its place',
    async (_what, ms, end) => {
      const all = two();
      const { websocket, polling, advance } = all;
      expect(briefs(await websocket.link.open())).toEqual(['HELLO /']);
      await advance(ms);
      await end(all);
      await advance(1_000);
      expect([websocket.links.length, polling.links.length]).toEqual([2, 0]);
    },
  );

  test('a transport that a page finds silent as it is looked at again keeps its place', async () => {
    const handlers = new Map<string, (event: { type: string }) => void>();
    vi.stubGlobal('addEventListener', (name: string, handler: never) => void handlers.set(name, handler));
    vi.stubGlobal('removeEventListener', (name: string) => void handlers.delete(name));
    vi.stubGlobal('document', { hidden: false });
    const { websocket, polling, advance } = two();
    for (let i = 0; i < 3; i++) {
      await websocket.link.open();
      await websocket.link.say(welcome({ recovered: i > 0 }));
      await advance(1_000 + i * 2_500);
      await websocket.link.say({ type: PacketType.Ping, received: undefined });
      handlers.get('visibilitychange')?.({ type: 'visibilitychange' });
      await advance(5_000);
      expect(websocket.link.closed).toBeDefined();
      await advance(1_000);
    }
    expect(polling.links).toHaveLength(0);
  });

  test('disconnect() during the race drops both', async () => {
    const { socket, websocket, polling, advance } = two();
    await advance(2_000);
    socket.disconnect();
    expect([websocket.link.closed?.code, polling.link.closed?.code]).toEqual([1000, 1000]);
    await advance(60_000);
    expect([websocket.links.length, polling.links.length]).toEqual([1, 1]);
  });
});

test('what worked for one connect() is tried first by the next one to the same server, for as long', async () => {
  // The second waited for the WebSocket as the first had.
  const { clock, websocket, polling } = two();
  await websocket.link.drop();
  await polling.link.open();
  await polling.link.say(welcome(), connected());
  const links = (options = {}) => {
    const next = two({ clock, ...options });
    return [next.websocket.links.length, next.polling.links.length];
  };
  expect([links(), links()]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect(links({ url: 'http://other.example' })).toEqual([1, 0]);
  vi.spyOn(Date, 'now').mockReturnValueOnce(Date.now() + 300_001);
  expect(links()).toEqual([1, 0]);
  vi.restoreAllMocks();
});

describe('a tab whose page is loaded anew', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };

  afterEach(() => {
    kept.clear();
    vi.unstubAllGlobals();
  });

  async function fallBack() {
    const { websocket, polling } = two();
    await websocket.link.drop();
    await polling.link.open();
    await polling.link.say(welcome(), connected());
  }

  test('begins with what has worked, for as long as that is remembered', async () => {
    vi.stubGlobal('sessionStorage', storage);
    await fallBack();
    const after = two();
    expect([after.websocket.links.length, after.polling.links.length]).toEqual([0, 1]);
    const [[key, text]] = [...kept] as [[string, string]];
    const [until, ...places] = JSON.parse(text);
    expect(places).toEqual([1, 0]);
    kept.set(key, JSON.stringify([until - 300_001, ...places]));
    const later = two();
    expect([later.websocket.links.length, later.polling.links.length]).toEqual([1, 0]);
  });

  test.each([
    ['[2,0,1]', 7_500],
    ['[1,2,0]', 300_000],
  ])('of three in the order %s, the first is tried beside another after %i ms', async (places, ms) => {
    const list = [Date.now() + 300_000, ...JSON.parse(places)];
    vi.stubGlobal('sessionStorage', { ...storage, getItem: () => JSON.stringify(list) });
    const all = ['websocket', 'sse', 'polling'].map((name) => new FakeTransport(name));
    const { advance } = scene({ transport: race(all) });
    const carrier = all[JSON.parse(places)[0]] as FakeTransport;
    await carrier.link.open();
    await carrier.link.say(welcome(), connected());
    const [websocket] = all as [FakeTransport];
    let passedMs = 0;
    for (; websocket.links.length === 0; passedMs += 500) {
      await advance(500);
      if (passedMs % 20_000 === 0) await carrier.link.say({ type: PacketType.Ping, received: undefined });
    }
    expect(passedMs).toBeGreaterThan(ms - 1_000);
    expect(passedMs).toBeLessThanOrEqual(ms);
  });

  test('begins by its own order if that was found out of another list', async () => {
    vi.stubGlobal('sessionStorage', storage);
    await fallBack();
    const [websocket, polling] = [new FakeTransport('websocket'), new FakeTransport('polling')];
    scene({ transport: race([polling, websocket]) });
    expect([websocket.links.length, polling.links.length]).toEqual([0, 1]);
  });

  test.each(['no JSON', '7', '{}', '[]', '["x",1,0]', '[9e15,1]', '[9e15,1,1]', '[9e15,2,1,0]'])(
    'goes by its own order if %s was kept',
    async (text) => {
      vi.stubGlobal('sessionStorage', { ...storage, getItem: () => text });
      const { websocket, polling } = two();
      expect([websocket.links.length, polling.links.length]).toEqual([1, 0]);
    },
  );

  test('goes by its own order where nothing may be kept', async () => {
    const refuse = () => {
      throw new Error('SecurityError');
    };
    vi.stubGlobal('sessionStorage', { getItem: refuse, setItem: refuse });
    await fallBack();
    expect(two().websocket.links).toHaveLength(1);
  });
});
