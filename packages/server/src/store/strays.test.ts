import { VirtualClock } from '@halyard/harness/clock';
import { expect, test } from 'vitest';
import { platformOf } from '../base/platform';
import { Patience } from './patience';
import type { Letter, Store } from './store';
import { Strays } from './strays';

function scene() {
  const clock = new VirtualClock();
  const patience = new Patience(platformOf(clock));
  patience.begin();
  const sessions = new Map<string, unknown>();
  const posted: string[] = [];
  let looks = 0;
  const store = {
    session: (id: string) => {
      looks++;
      return sessions.get(id);
    },
  } as unknown as Store;
  const reported: unknown[] = [];
  const post = ({ to, body }: Letter): unknown => posted.push(`${to} ${body}`);
  const strays = new Strays(store, patience, post, (error) => reported.push(error));
  /** As a letter is posted: to the store, if none wait before it. */
  const say = (to: string, body: string, stamp = clock.now()): void => {
    const letter: Letter = { to, body, stamp, key: undefined };
    if (strays.follow(letter)) return;
    if (sessions.has(to)) posted.push(`${to} ${body}`);
    else strays.add(letter);
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  return { sessions, posted, reported, strays, say, pass, looksUntil: () => looks };
}

test('what is said while a record is missing waits for it, and what is said then waits behind', async () => {
  const { sessions, posted, say, pass } = scene();
  say('s', 'a');
  await pass(100);
  say('s', 'b');
  await pass(500);
  sessions.set('s', {});
  say('s', 'c');
  say('t', 'nobody');
  // The store had it, and lost it: it is said again.
  say('s', 'before', -1);
  expect(posted).toEqual([]);
  await pass(250);
  expect(posted).toEqual(['s before', 's a', 's b', 's c']);
  say('s', 'd');
  expect(posted.at(-1)).toBe('s d');
});

test('what is for a session that is over, or does not come in 30 s, goes nowhere, and makes room', async () => {
  const { sessions, posted, reported, say, pass, strays, looksUntil } = scene();
  sessions.set('over', 'over');
  strays.add({ to: 'over', body: 'x', stamp: 0, key: undefined });
  for (let i = 0; i < 20_000; i++) say('s', `${i}`);
  await pass(31_000);
  expect([posted, looksUntil(), reported]).toEqual([
    [],
    11,
    [expect.objectContaining({ message: expect.stringContaining('16384 messages') })],
  ]);
  for (let i = 0; i < 20_000; i++) say('s', `${i}`);
  sessions.set('s', {});
  await pass(300);
  // No more than wait at one time.
  expect(posted).toEqual(Array.from({ length: 16_384 }, (_, i) => `s ${i}`));
});
