import { expect, test } from 'vitest';
import { systemPlatform } from '../base/platform';
import type { Session } from '../session/session';
import { Drain } from './drain';

/** A clock that only steps, and so many sessions. */
function draining(count: number, isShared = true) {
  let now = 5_000;
  let steps: (() => void)[] = [];
  const told: [atMs: number, leaveAtMs: number, url: string][] = [];
  const gone: number[] = [];
  const running = { count: 0 };
  const made = () => ({
    isAtRest: true,
    isAway: false,
    sayDrain: (afterMs: number, url: string) => void told.push([now - 5_000, now - 5_000 + afterMs, url]),
    goElsewhere: () => void gone.push(now - 5_000),
  });
  const sessions = Array.from({ length: count }, made);
  const add = (): void => void sessions.push(made());
  const platform = { ...systemPlatform, now: () => now, after: (_ms: number, run: () => void) => steps.push(run) };
  const drain = new Drain({
    platform: platform as never,
    sessions: Object.assign(sessions as unknown as Session[], { underWay: 0 }),
    isShared,
    running,
  });
  let isDone = false;
  const run = (drainMs: number, url?: string): void => {
    void drain.run(drainMs, url).then(() => {
      isDone = true;
    });
  };
  const step = async (ms: number): Promise<boolean> => {
    now += ms;
    const due = steps;
    steps = [];
    for (const one of due) one();
    await new Promise((resolve) => setImmediate(resolve));
    return isDone;
  };
  return { drain, told, gone, running, sessions, add, run, step };
}

test('sessions are told when to leave, one after the other, over most of the time; who does not goes two seconds later', async () => {
  const { told, gone, run, step } = draining(10_000);
  run(10_000, 'https://eu.example');
  let ms = 0;
  while (!(await step(20))) ms += 20;
  expect([told.length, gone.length]).toEqual([10_000, 10_000]);
  expect(ms).toBeGreaterThanOrEqual(7_900);
  expect(ms).toBeLessThanOrEqual(8_020);
  const leaving = told.map(([, at]) => at);
  for (let at = 0; at < 6_000; at += 1_000) {
    expect(Math.abs(leaving.filter((its) => its >= at && its < at + 1_000).length - 1_667)).toBeLessThanOrEqual(50);
  }
  for (const [i, at] of gone.entries()) {
    expect(at - (leaving[i] as number)).toBeGreaterThanOrEqual(1_999);
    expect(at - (leaving[i] as number)).toBeLessThanOrEqual(2_040);
  }
  // All of them soon, and not all of them at once.
  expect(Math.max(...told.map(([at]) => at))).toBeLessThanOrEqual(400);
  expect(told.filter(([at]) => at === 0).length).toBe(500);
  expect(new Set(told.map(([, , url]) => url))).toEqual(new Set(['https://eu.example']));
});

test('who has left by itself is not sent off, and is not waited for', async () => {
  const { told, gone, sessions, run, step } = draining(1_000);
  run(10_000);
  let ms = 0;
  for (; ; ms += 20) {
    for (const [i, [, at]] of told.entries()) if (at <= ms) (sessions[i] as { isAway: boolean }).isAway = true;
    if (await step(20)) break;
  }
  // To be sent off means nothing to who is away.
  expect(gone.length).toBe(1_000);
  expect(ms).toBeGreaterThanOrEqual(5_900);
  expect(ms).toBeLessThanOrEqual(6_060);
});

test('who comes in meanwhile is told to leave, and goes', async () => {
  const { told, gone, sessions, add, run, step } = draining(10);
  run(10_000);
  for (let ms = 0; ms < 1_000; ms += 20) expect(await step(20)).toBe(false);
  add();
  let ms = 1_000;
  while (!(await step(20))) ms += 20;
  expect([sessions.length, told.length, gone.length]).toEqual([11, 11, 11]);
  expect(told.at(-1)?.[0]).toBeLessThanOrEqual(1_220);
  expect(ms).toBeLessThanOrEqual(4_000);
});

test('few of them take no longer than a hundred in a second', async () => {
  const { gone, run, step } = draining(50);
  run(10_000);
  let ms = 0;
  while (!(await step(20))) ms += 20;
  expect([gone.length, ms <= 2_500]).toEqual([50, true]);
});

test('a clock that stands still lets the rest go at once, and the time is over', async () => {
  const { gone, run, step, running } = draining(1_000);
  running.count = 1;
  run(10_000);
  expect(await step(20)).toBe(false);
  expect(await step(60_000)).toBe(true);
  expect(gone.length).toBe(1_000);
});

test('a server alone sends nobody away, and waits for handlers and for what is not confirmed', async () => {
  const { gone, running, sessions, run, step } = draining(3, false);
  running.count = 1;
  (sessions[1] as { isAtRest: boolean }).isAtRest = false;
  run(10_000);
  expect(await step(20)).toBe(false);
  running.count = 0;
  expect(await step(20)).toBe(false);
  (sessions[1] as { isAtRest: boolean }).isAtRest = true;
  expect([await step(20), gone]).toEqual([true, []]);
});

test('it is over at once when it is told so', async () => {
  const { drain, gone, running, run, step } = draining(1_000);
  running.count = 1;
  run(600_000);
  expect(await step(20)).toBe(false);
  drain.end();
  expect(await step(0)).toBe(true);
  expect(gone.length).toBe(0);
});
