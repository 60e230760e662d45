// Logs as their entries come, and as nobody is in the room any more, in virtual time.
import { VirtualClock } from '@halyard/harness/clock';
import { describe, expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { TimerWheel } from '../base/wheel';
import { Retention } from '../log/retention';
import { Stamps } from '../log/stamp';
import { Detours } from './detours';
import { Feeds } from './feeds';
import type { Known } from './known';
import { Patience } from './patience';
import type { StoredEntry } from './store';

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
    read: async () => ({ epoch: 'then', first: 1, top: 0, missed: 0, entries: [] }),
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

describe('a message to several rooms', () => {
  /** @param partitionOf which master has a log */
  async function twoRooms(partitionOf: (log: string) => number) {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const patience = new Patience(platformOf(clock));
    patience.begin();
    const store = {
      follow: async (name: string) => [name, 0] as const,
      unfollow: () => {},
      read: () => new Promise(() => {}),
      ...{ partitions: 2, partitionOf },
    };
    const feeds = new Feeds(
      {
        ...{ store: store as never, patience, node: 'here', codecs: [], detours: new Detours() },
        retention: new Retention(limits, wheel, () => {}),
        stamps: new Stamps(() => clock.now()),
        isReleased: () => true,
        answered: async () => {},
        announce: async () => undefined,
        report: (error: unknown) => {
          throw error;
        },
      },
      wheel,
    );
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      const log = feeds.follow(name, { onEntry: (stamp) => void seen.push(`${name}${stamp}`) });
      feeds.start(log, undefined);
    }
    await turn();
    /** @param at where it is in a, if it is in both */
    const arrives = (log: string, offset: number, stamp: number, before: number, at?: number): void => {
      const places = at === undefined ? [] : [['a', at] as const];
      const entry = {
        ...{ offset, stamp, node: 'there', except: [], bodies: [] },
        after: [before, before ? 'there' : ''],
      };
      feeds.arrived(log, log, { ...entry, places, earlier: places.length } as unknown as StoredEntry);
    };
    return { clock, feeds, seen, arrives };
  }

  test('comes by the first of its logs before what is behind it in the second', async () => {
    const { seen, arrives } = await twoRooms(() => 0);
    // Of the first log the entry before it is late.
    arrives('a', 2, 20, 10);
    arrives('b', 1, 20, 0, 2);
    arrives('b', 2, 30, 20);
    expect(seen).toEqual([]);
    arrives('a', 1, 10, 0);
    expect(seen).toEqual(['a10', 'a20', 'b20', 'b30']);
  });

  test('waits for no log of another master, which may wait for its own', async () => {
    const { seen, arrives } = await twoRooms((log) => (log === 'a' ? 0 : 1));
    arrives('b', 1, 20, 0, 2);
    arrives('b', 2, 30, 20);
    expect(seen).toEqual(['b20', 'b30']);
  });

  test('waits for no other log where a message of this server waits for it, nor for longer than a second', async () => {
    const { clock, feeds, seen, arrives } = await twoRooms(() => 0);
    arrives('b', 1, 20, 0, 2);
    arrives('b', 2, 30, 20, 3);
    const feed = feeds.notAt('b', ['b', 1])!;
    feeds.waitFor([{ feed, offset: 1 }]);
    expect(seen).toEqual(['b20']);
    clock.advance(999);
    expect(seen).toEqual(['b20']);
    clock.advance(2);
    expect(seen).toEqual(['b20', 'b30']);
  });

  test('and who waits for a place in a log goes on before what is behind that', async () => {
    const { feeds, seen, arrives } = await twoRooms(() => 0);
    const log = feeds.follow('b', { onEntry: (stamp) => void seen.push(`b${stamp}`) });
    feeds.whenAt(log, 1, () => seen.push('goes on'));
    arrives('b', 2, 30, 20);
    arrives('b', 1, 20, 0);
    expect(seen).toEqual(['b20', 'goes on', 'b30']);
  });
});
