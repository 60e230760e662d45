import { VirtualClock } from '@halyard/harness/clock';
import { describe, expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { UnderWay } from '../base/under-way';
import { Stamps } from '../log/stamp';
import { Patience } from './patience';
import { QueuedTurn } from './queued-turn';
import type { Commit, CommitResult, Store } from './store';
import type { Recorded } from './turn';

/** @param store what else it does than to store everything @param rolledBack told that it has lost something */
function scene(store: Partial<Store>, rolledBack = async (): Promise<void> => {}) {
  const clock = new VirtualClock();
  const patience = new Patience(platformOf(clock));
  const turn = new QueuedTurn({
    store: { partitions: 1, partitionOf: () => 0, ...store } as Store,
    patience,
    stamps: new Stamps(() => 0),
    underWay: new UnderWay(() => 0),
    storeQueueBytesMax: 1_000,
    storedMsMax: 1_000,
    soon: queueMicrotask,
    released: () => {},
    rolledBack,
    report: (error) => {
      throw error;
    },
  });
  patience.begin();
  turn.begin();
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
  };
  return { clock, turn, settle };
}

const done = ({ steps }: Commit): CommitResult => ({
  ...{ positions: steps.map(() => ['', 1]), repeated: [], fenced: [], missing: [], mailed: [] },
});

test('a session that was let go and has no record any more keeps nobody waiting', async () => {
  const commits: Commit[] = [];
  const { turn, settle } = scene({
    commit: async (_partition, commit) => {
      commits.push(commit);
      return { ...done(commit), missing: commit.records.map(({ session }) => session) };
    },
  });
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
  await settle();
  expect([isParted, commits.length]).toEqual([true, 1]);
});

describe('partitions in which nothing is stored', () => {
  test('are asked whether they have what was, and nothing else waits for one that is away', async () => {
    const commits: number[] = [];
    const looks: number[] = [];
    let isAway = false;
    const { turn, settle } = scene({
      partitions: 3,
      partitionOf: (name) => Number(name),
      lastCommit: (partition) => {
        looks.push(partition);
        return isAway ? new Promise(() => {}) : Promise.resolve(commits.filter((one) => one === partition).length);
      },
      commit: (partition, commit) => {
        commits.push(partition);
        return isAway && partition === 1 ? new Promise(() => {}) : Promise.resolve(done(commit));
      },
    });
    for (const session of ['0', '1']) turn.post(session, 'a');
    await settle();
    // Once to see that something was stored, and once more: nothing since.
    turn.lookAtQuiet();
    expect(looks).toEqual([]);
    turn.lookAtQuiet();
    await settle();
    expect([looks, commits]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    isAway = true;
    turn.lookAtQuiet();
    await settle();
    turn.lookAtQuiet();
    let isStored = false;
    turn.post('2', 'b');
    void turn.stored().then(() => {
      isStored = true;
    });
    await settle();
    // One look at a time.
    expect([isStored, looks]).toEqual([true, [0, 1, 0, 1]]);
  });

  test('that have lost it are told so by a commit', async () => {
    const commits: Commit[] = [];
    const { turn, settle } = scene({
      lastCommit: async () => 0,
      commit: async (_partition, commit) => {
        commits.push(commit);
        return commits.length === 2 ? { last: 0 } : done(commit);
      },
    });
    turn.post('s', 'a');
    await settle();
    turn.lookAtQuiet();
    turn.lookAtQuiet();
    await settle();
    // The empty one, what was lost, and the empty one again.
    expect(commits.map(({ number, branch, steps }) => [number, branch, steps.length])).toEqual([
      [1, 0, 1],
      [2, 0, 0],
      [1, 1, 1],
      [2, 1, 0],
    ]);
  });
});

describe('letters whose session the store has lost', () => {
  /** @returns a turn, and which letters its store has got */
  function lossy() {
    const got: string[] = [];
    let isThere = false;
    let last = 0;
    let held: Promise<void> | undefined;
    const it = scene({
      session: async () => (isThere ? ({} as never) : undefined),
      commit: async (_partition, commit) => {
        await held;
        const isNext = commit.number === last + 1;
        if (!isNext) return { last };
        last = commit.number;
        const positions = commit.steps.map((step) => {
          if (!isThere || !('to' in step) || step.to !== 's') return ['', 0] as const;
          got.push(String(step.body));
          return ['', got.length] as const;
        });
        return { ...done(commit), positions };
      },
    });
    return {
      ...it,
      got,
      isThere: (is: boolean) => {
        isThere = is;
      },
      /** Commits of before are lost. */
      lose: () => {
        last = 0;
      },
      /** @returns a function that lets calls have their answers that are made from now on */
      hold: () => {
        let go = (): void => {};
        held = new Promise((resolve) => {
          go = () => {
            held = undefined;
            resolve();
          };
        });
        return go;
      },
      pass: async (ms: number) => {
        for (let left = ms; left > 0; left -= 50) {
          it.clock.advance(50);
          await it.settle();
        }
      },
    };
  }

  test('come in their order, though it is there again as the next ones leave', async () => {
    const { turn, got, isThere, hold, pass, settle } = lossy();
    const go = hold();
    turn.post('s', '1');
    await settle();
    turn.post('s', '2');
    turn.post('s', '3');
    go();
    await Promise.resolve();
    await Promise.resolve();
    isThere(true);
    await settle();
    turn.post('s', '4');
    await pass(1_000);
    turn.post('s', '5');
    await pass(1_000);
    expect(got).toEqual(['1', '2', '3', '4', '5']);
  });

  test('come before what finds out that they are lost', async () => {
    const { turn, got, isThere, lose, hold, pass, settle } = lossy();
    isThere(true);
    turn.post('s', '1');
    await settle();
    lose();
    isThere(false);
    const go = hold();
    turn.post('s', '2');
    await settle();
    go();
    // What is lost is said again, and finds nobody; then the session is there.
    for (let i = 0; i < 20; i++) {
      await Promise.resolve();
      if (turn.overhear('s').letters.length > 1) isThere(true);
    }
    isThere(true);
    await pass(1_000);
    expect(got).toEqual(['1', '1', '2']);
  });
});

test.each([
  ['what is said', 1, 1_100],
  ['the first of many records', 200, 0],
])(
  'what has changed in a record is not stored where what it was before is lost, as %s finds out',
  async (_what, count, letters) => {
    const written: boolean[] = [];
    let isLost = false;
    const { turn, settle } = scene(
      {
        commit: async (_partition, commit) => {
          const wasLost = isLost;
          isLost = false;
          if (wasLost) return { last: 0 };
          written.push(...commit.records.map(({ isWhole }) => isWhole));
          return done(commit);
        },
      },
      async () => {
        for (const session of sessions) turn.rewrite(session);
      },
    );
    const sessions = Array.from({ length: count }, (_, i) => {
      const write = (_changed: unknown, before: unknown) => ({
        write: { session: `${i}`, isWhole: before === undefined, parts: new Map() },
        ...{ tops: new Map(), written: {}, snapshot: {} },
      });
      return { id: `${i}`, write, stored: () => {} } as unknown as Recorded;
    });
    for (const session of sessions) turn.touch(session);
    await settle();
    isLost = true;
    for (const session of sessions) turn.touch(session);
    // More than goes in one call: records follow what is said.
    for (let i = 0; i < letters; i++) turn.post('another', 'x');
    await settle();
    expect(written).toEqual(Array.from({ length: count * 2 }, () => true));
  },
);
