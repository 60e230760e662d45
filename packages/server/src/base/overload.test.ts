import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { Overload, type OverloadLimits } from './overload';
import { platformOf } from './platform';

const defaults: OverloadLimits = {
  ...{
    loopDelayMs: 100,
    utilizationMax: Infinity,
    memoryBytes: 1_000,
    returnsPerSecondMax: 2,
    retryAfterMs: 5_000,
    endsNewest: false,
  },
};

/** A machine whose event loop is as late, and whose memory is as full, as the test says. */
function machine(limits: Partial<OverloadLimits> = {}) {
  const clock = new VirtualClock();
  const its = { lateMs: 0, memoryBytes: 10, isIdle: false, busy: 0 };
  const times = { active: 0, idle: 0, at: 0 };
  const said: string[] = [];
  const platform = platformOf({
    now: () => clock.now(),
    after: (ms, run) => clock.after(ms + its.lateMs, run),
    memoryBytes: () => its.memoryBytes,
    loopTimes: () => {
      const passed = clock.now() - times.at;
      times.at = clock.now();
      times.active += passed * its.busy;
      times.idle += passed * (1 - its.busy);
      return { ...times };
    },
  });
  const overload = new Overload(
    { ...defaults, ...limits },
    {
      platform,
      changed: ({ state, reasons, loopDelayMs }) => void said.push(`${clock.now()} ${state} ${reasons} ${loopDelayMs}`),
      insufficient: () => void said.push(`${clock.now()} insufficient`),
      isIdle: () => its.isIdle,
    },
  );
  overload.watch();
  return { clock, its, said, overload, take: () => said.splice(0) };
}

test('as many as may come back in a second do so from the first one on', () => {
  const { overload, clock } = machine();
  const three = (): boolean[] => [overload.letsIn(), overload.letsIn(), overload.letsIn()];
  expect(three()).toEqual([true, true, false]);
  clock.advance(1_000);
  expect(three()).toEqual([true, true, false]);
});

test('a loop that is late four times of seven sheds, and not one that is late once', () => {
  const { clock, its, take } = machine();
  clock.advance(1_000);
  its.lateMs = 5_000;
  clock.advance(100);
  its.lateMs = 0;
  clock.advance(10_000);
  expect(take()).toEqual([]);
  its.lateMs = 100;
  clock.advance(1_000);
  expect(take()).toEqual([expect.stringMatching(/ shedding loop-delay 100$/)]);
});

test('work is taken again once the loop has been well in time for two seconds, and not for a lull', () => {
  const { clock, its, take, overload } = machine();
  its.lateMs = 150;
  clock.advance(2_000);
  expect(overload.isShedding).toBe(true);
  take();
  its.lateMs = 60;
  clock.advance(10_000);
  expect(take()).toEqual([]);
  its.lateMs = 0;
  clock.advance(1_500);
  its.lateMs = 120;
  clock.advance(1_500);
  its.lateMs = 0;
  expect(take()).toEqual([]);
  clock.advance(1_900);
  expect(overload.isShedding).toBe(true);
  clock.advance(1_000);
  expect(take()).toEqual([expect.stringMatching(/ normal loop-delay 0$/)]);
  expect([overload.isShedding, overload.reasons]).toEqual([false, []]);
});

test('memory is a reason as well, beside the other', () => {
  const { clock, its, take, overload } = machine();
  its.memoryBytes = 1_000;
  clock.advance(2_000);
  expect(take()).toEqual([expect.stringMatching(/ shedding memory 0$/)]);
  its.memoryBytes = 960;
  its.lateMs = 200;
  clock.advance(2_000);
  expect(take()).toEqual([expect.stringMatching(/ shedding loop-delay,memory 200$/)]);
  its.lateMs = 0;
  clock.advance(10_000);
  expect([overload.isShedding, take()]).toEqual([true, [expect.stringMatching(/ shedding memory 0$/)]]);
  its.memoryBytes = 900;
  clock.advance(4_000);
  expect(take()).toEqual([expect.stringMatching(/ normal /)]);
});

test('a busy loop turns new clients away, and sheds nothing else, if it is to be looked at', () => {
  const { clock, its, take, overload } = machine({ utilizationMax: 0.8 });
  its.busy = 0.75;
  clock.advance(2_000);
  expect([overload.isFull, take()]).toEqual([false, []]);
  its.busy = 0.85;
  clock.advance(1_000);
  expect([overload.isFull, overload.isShedding, take()]).toEqual([
    ...[true, false],
    [expect.stringMatching(/ shedding utilization 0$/)],
  ]);
  its.lateMs = 100;
  clock.advance(2_000);
  expect([overload.isShedding, take()]).toEqual([true, [expect.stringMatching(/ shedding loop-delay,utilization /)]]);
  its.lateMs = 0;
  its.busy = 0.75;
  clock.advance(10_000);
  expect(overload.isFull).toBe(true);
  its.busy = 0.7;
  clock.advance(4_000);
  expect([overload.isFull, overload.isShedding]).toEqual([false, false]);
});

test('while work is shed so many are let in in a second, and the others counted', () => {
  const { clock, overload } = machine();
  const four = () => [overload.letsIn(), overload.letsIn(), overload.letsIn(), overload.letsIn()];
  clock.advance(5_000);
  expect(four()).toEqual([true, true, false, false]);
  clock.advance(1_000);
  expect([four(), overload.refusedConnections]).toEqual([[true, true, false, false], 4]);
});

test('if that is not enough more is shed, once a second, if it is wanted', () => {
  const { clock, its, take } = machine({ endsNewest: true });
  its.lateMs = 100;
  clock.advance(1_000);
  take();
  clock.advance(3_500);
  expect(take()).toEqual(Array(3).fill(expect.stringContaining('insufficient')));
  its.lateMs = 60;
  clock.advance(5_000);
  expect(take().length).toBeLessThanOrEqual(1);
  const other = machine();
  other.its.lateMs = 100;
  other.clock.advance(10_000);
  expect(other.take()).toHaveLength(1);
});

test('nothing is looked at where nobody is, but until work is taken again', () => {
  const { clock, its, overload } = machine();
  its.lateMs = 150;
  clock.advance(2_000);
  its.isIdle = true;
  its.lateMs = 0;
  clock.advance(10_000);
  expect(overload.isShedding).toBe(false);
  const before = clock.now();
  clock.advance(10_000);
  expect([before, clock.pending]).toEqual([before, 0]);
});
