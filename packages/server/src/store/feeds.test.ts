// Logs that nobody is in the room of any more, in virtual time.
import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { TimerWheel } from '../base/wheel';
import { Retention } from '../log/retention';
import { Stamps } from '../log/stamp';
import { Detours } from './detours';
import { Feeds } from './feeds';
import type { Known } from './known';
import { Patience } from './patience';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const limits = { logPacketsMax: 10, logBytesMax: 1_000, entryAgeMsMax: 60_000, journalBytesMax: 1_000 };

test('a log is followed until it is known what becomes of its renewal, so that who has left the room is told', async () => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const patience = new Patience(platformOf(clock));
  patience.begin();
  const errors: unknown[] = [];
  let answer: (known: readonly Known[] | undefined) => void = () => {};
  let unfollowed = 0;
  const store = {
    follow: async () => ['before', 1] as const,
    read: async () => ({ epoch: 'then', first: 1, top: 0, entries: [] }),
    unfollow: () => unfollowed++,
  };
  const context = {
    ...{ store: { ...store, partitions: 1 } as never, patience, node: 'here', codecs: [], detours: new Detours() },
    retention: new Retention(limits, wheel, () => {}),
    stamps: new Stamps(() => clock.now()),
    isReleased: () => true,
    answered: async () => {},
    announce: () =>
      new Promise<readonly Known[] | undefined>((resolve) => {
        answer = resolve;
      }),
    report: (error: unknown) => errors.push(error),
  };
  const feeds = new Feeds(context, wheel);
  let lost = 0;
  const follower = { onEntry: () => {}, onLost: () => lost++ };
  const log = feeds.follow('log', follower);
  feeds.start(log, undefined);
  await turn();
  feeds.unfollow(log, follower);
  clock.advance(9_000);
  feeds.renewed('log', 'then');
  clock.advance(2_000);
  await turn();
  expect(unfollowed).toBe(0);
  // Another node has known more.
  answer([[2, 2, 'another', false]]);
  await turn();
  expect(lost).toBe(1);
  clock.advance(10_000);
  expect(unfollowed).toBe(1);
});
