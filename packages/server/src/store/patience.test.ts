import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { Patience } from './patience';

test('a store of which a part was away is back when it says so, though other calls were answered all the while', async () => {
  const clock = new VirtualClock();
  const patience = new Patience(platformOf(clock));
  const answered = (): Promise<string> => patience.once(() => 'answer');
  patience.told('degraded');
  await answered();
  clock.advance(4_000);
  patience.told('up');
  // Too short for anybody to have been missed.
  expect(patience.backAt).toBe(Number.NEGATIVE_INFINITY);
  patience.told('degraded');
  clock.advance(3_000);
  await answered();
  patience.told('recovering');
  clock.advance(3_000);
  await answered();
  expect(patience.backAt).toBe(Number.NEGATIVE_INFINITY);
  patience.told('up');
  expect(patience.backAt).toBe(clock.now());
});
