import { expect, test } from 'vitest';
import type { StoredEntry } from './store';
import { WaitingEntries } from './waiting-entries';

const entry = (offset: number, stamp = 0): StoredEntry => ({
  ...{ offset, stamp, node: 'a', after: [0, ''] as const, except: [], places: [], earlier: 0, bodies: [] },
});

test('one that is stored once more waits in its new place alone', () => {
  const waiting = new WaitingEntries();
  for (const one of [entry(3, 1), { ...entry(4, 1), node: 'b' }, entry(5, 2)]) waiting.set(one);
  const again = { ...entry(5, 1), node: '' };
  waiting.moved('a', again);
  expect([waiting.at(3), waiting.at(4)?.node, waiting.at(5)?.stamp]).toEqual([undefined, 'b', 2]);
});

test('entries are given in order, however they come, and each once', () => {
  const waiting = new WaitingEntries();
  for (const offset of [7, 3, 5, 4, 9]) waiting.set(entry(offset));
  const again = entry(5, 1);
  waiting.set(again);
  expect(waiting.count).toBe(5);
  expect(waiting.at(5)).toBe(again);
  expect(waiting.at(6)).toBeUndefined();
  expect(waiting.first(2)).toBeUndefined();
  for (const offset of [3, 4, 5]) {
    expect(waiting.first(offset)).toMatchObject({ offset });
    waiting.shift();
  }
  expect(waiting.first(6)).toBeUndefined();
  expect(waiting.count).toBe(2);
  // What comes before that is not wanted any more.
  expect(waiting.first(8)).toBeUndefined();
  expect(waiting.count).toBe(1);
  waiting.clear();
  expect(waiting.first(9)).toBeUndefined();
});
