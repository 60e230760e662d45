// A fake clock of the test runner beside a world: neither holds up the other.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { simulate } from './world';

afterEach(() => {
  vi.useRealTimers();
});

/** All that vitest can replace; `nextTick` it refuses in a process of its own. */
const everything = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
  ...(['Date', 'performance', 'queueMicrotask'] as const),
];

async function lifeOfASession(): Promise<void> {
  const world = simulate({ seed: 3 });
  const io = world.server({ heartbeatMs: 5_000, heartbeatTimeoutMs: 5_000 });
  const life: string[] = [];
  io.on('connection', (socket) => {
    life.push('connection');
    socket.on('echo', (value: unknown) => value);
    for (const event of ['away', 'resume', 'disconnect'] as const) socket.on(event, () => void life.push(event));
  });
  const clients = [world.connect({ transports: ['websocket'] }), world.connect({ transports: ['polling'] })];
  for (const client of clients) {
    await world.until(() => client.connected);
    const when = new Date(86_400_000);
    expect(await world.until(client.emitWithAck('echo', { when }))).toEqual({ when });
  }
  world.offline();
  await world.until(() => clients.every(({ connected }) => !connected));
  world.online();
  await world.until(() => clients.every(({ connected }) => connected));
  await world.advance(60_000);
  for (const { connection } of clients) connection.close();
  await world.advance(100);
  await io.close();
  expect(await world.close()).toEqual({ clients: [], servers: [], connections: [], timers: [] });
  // A poll that breaks off is no sign of anything: the server missed the other one alone.
  const twice = ['connection', 'disconnect', 'resume'].flatMap((event) => [event, event]);
  expect(life.sort()).toEqual(['away', ...twice]);
}

describe('a session lives and ends', () => {
  test('without a fake clock', lifeOfASession);

  test('beside that of vitest', async () => {
    vi.useFakeTimers();
    await lifeOfASession();
  });

  test('beside one of everything', async () => {
    vi.useFakeTimers({ toFake: [...everything] });
    await lifeOfASession();
  });

  test('beside one of nextTick, which jest replaces as well', async () => {
    const { nextTick } = process;
    const waiting: (() => void)[] = [];
    process.nextTick = (run: (...args: unknown[]) => void, ...args: unknown[]) => void waiting.push(() => run(...args));
    try {
      await lifeOfASession();
    } finally {
      process.nextTick = nextTick;
      for (const run of waiting) run();
    }
  });

  test('beside one that was there before the testkit was loaded', async () => {
    vi.useFakeTimers({ toFake: [...everything] });
    vi.resetModules();
    const fresh = await import('./world');
    expect(fresh.simulate).not.toBe(simulate);
    const world = fresh.simulate();
    world.server().on('connection', (socket) => socket.on('echo', (value: unknown) => value));
    const client = world.connect();
    await world.until(() => client.connected);
    expect(await world.until(client.emitWithAck('echo', 1))).toBe(1);
    await world.close();
  });

  test('beside one that comes and goes in its midst', async () => {
    const world = simulate();
    const io = world.server();
    const client = world.connect();
    await world.until(() => client.connected);
    vi.useFakeTimers({ toFake: [...everything] });
    world.cut();
    await world.until(() => !client.connected);
    vi.useRealTimers();
    await world.until(() => client.connected);
    vi.useFakeTimers({ toFake: [...everything] });
    await io.close();
    await world.close();
  });
});

test('the fake clock does not move with the world, nor the world with it', async () => {
  vi.useFakeTimers({ now: 0 });
  const world = simulate();
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 1_000);
  await world.advance(5_000);
  expect([fired, Date.now(), world.now]).toEqual([false, 0, 5_000]);
  vi.advanceTimersByTime(1_000);
  expect([fired, Date.now(), world.now]).toEqual([true, 1_000, 5_000]);
  await world.close();
});

test('told to go along, it does so to the millisecond', async () => {
  vi.useFakeTimers({ now: 0 });
  const world = simulate({ alongside: (ms) => vi.advanceTimersByTime(ms) });
  world.server().on('connection', (socket) => {
    // An app's own timer.
    socket.on('later', () => new Promise((resolve) => setTimeout(resolve, 2_000, 'now')));
  });
  const client = world.connect();
  await world.until(() => client.connected);
  const at: number[] = [];
  for (const ms of [250, 500, 750]) setTimeout(() => at.push(Math.round(world.now)), ms);
  const start = Math.round(world.now);
  await world.advance(1_000);
  expect(at).toEqual([start + 250, start + 500, start + 750]);
  expect(await world.until(client.emitWithAck('later'))).toBe('now');
  expect(Date.now()).toBe(Math.floor(world.now));
  await world.close();
});
