import { expect, test } from 'vitest';
import { Meters } from './meters';
import { systemPlatform } from './platform';

function metersOf(): { meters: Meters; timers: () => number } {
  let timers = 0;
  const after = (): (() => void) => {
    timers++;
    return () => timers--;
  };
  const platform = { ...systemPlatform, after };
  const meters = new Meters({ platform, codecs: [{ name: 'json' }], metricEventsMax: 1 });
  return { meters, timers: () => timers };
}

test('what costs something is counted while somebody watches, and no timer is left when the last one has gone', () => {
  const { meters, timers } = metersOf();
  const traffic = meters.traffic('websocket', 0);
  const first = meters.watch();
  const second = meters.watch();
  expect([meters.isOn, traffic.isCounted, timers()]).toEqual([true, true, 1]);
  first();
  first();
  expect([meters.isOn, traffic.isCounted, timers()]).toEqual([true, true, 1]);
  second();
  expect([meters.isOn, traffic.isCounted, timers(), meters.weight()]).toEqual([false, false, 0, 0]);
});

test('who has asked for metrics is counted for, whoever watches beside', () => {
  const { meters, timers } = metersOf();
  const end = meters.watch();
  meters.begin();
  end();
  expect([meters.isOn, timers()]).toEqual([true, 1]);
  meters.end();
  meters.watch();
  expect([meters.isOn, timers()]).toEqual([false, 0]);
});
