import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { UnderWay } from '../base/under-way';
import { Stamps } from '../log/stamp';
import { Patience } from './patience';
import { QueuedTurn } from './queued-turn';
import type { Commit, CommitResult, Store } from './store';
import type { Recorded } from './turn';

test('a session that was let go and has no record any more keeps nobody waiting', async () => {
  const clock = new VirtualClock();
  const platform = platformOf(clock);
  const patience = new Patience(platform);
  const commits: Commit[] = [];
  const store = {
    partitions: 1,
    partitionOf: () => 0,
    commit: async (_partition: number, commit: Commit): Promise<CommitResult> => {
      commits.push(commit);
      const missing = commit.records.map(({ session }) => session);
      return { positions: [], repeated: [], fenced: [], missing, mailed: [] };
    },
  } as unknown as Store;
  const turn = new QueuedTurn({
    store,
    patience,
    stamps: new Stamps(() => 0),
    underWay: new UnderWay(() => 0),
    storeQueueBytesMax: 1_000,
    storedMsMax: 1_000,
    soon: queueMicrotask,
    released: () => {},
    rolledBack: async () => {},
    report: (error) => {
      throw error;
    },
  });
  patience.begin();
  turn.begin();
  const session = {
    id: 's',
    write: () => ({ write: { session: 's' }, tops: new Map(), written: {}, snapshot: {} }),
    fenced: () => {},
    stored: () => {},
    mailed: () => {},
  } as unknown as Recorded;
  let isParted = false;
  void turn.part(session).then(() => {
    isParted = true;
  });
  turn.forget(session);
  for (let i = 0; i < 100; i++) await Promise.resolve();
  expect([isParted, commits.length]).toEqual([true, 1]);
});
