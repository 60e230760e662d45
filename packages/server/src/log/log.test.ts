// A log as other nodes append to it too: what is put before the entries that are there.
import { expect, test } from 'vitest';
import { Latest } from './except';
import { Log, type OlderEntry } from './log';

const limits = { logPacketsMax: 100, logBytesMax: 1 << 20, entryAgeMsMax: 60_000, journalBytesMax: 1 << 20 };
const frame = (text: string) => [Buffer.from(text)];
const older = (text: string, emitted: number): OlderEntry => ({ emitted, except: undefined, frames: frame(text) });

function logFrom(base: number): Log {
  const log = new Log('room', '', limits, true);
  log.restart('epoch', base);
  return log;
}

test('entries that are put before others come behind what was emitted before them', () => {
  const log = logFrom(2);
  log.prepend([older('a', 100), older('b', 90)]);
  expect([1, 2].map((offset) => [log.emittedAt(offset), log.stampAt(offset)])).toEqual([
    [100, 101],
    [90, 101],
  ]);
  expect([log.base, log.lastOffset]).toEqual([0, 2]);
});

test('they do not change the places of the others, whatever the clock says by which they were emitted', () => {
  const log = logFrom(1);
  log.append(50, undefined, frame('b'), 1, 40);
  log.append(60, undefined, frame('c'), 1, 45);
  log.prepend([older('a', 3_600_000)]);
  expect([1, 2, 3].map((offset) => log.stampAt(offset))).toEqual([50, 50, 60]);
  expect([1, 2, 3].map((offset) => String(log.frameAt(offset, 0)))).toEqual(['a', 'b', 'c']);
});

test('what has taken the place of an entry for who left stays so, whatever comes later', () => {
  const log = logFrom(0);
  const append = (key: string) => log.append(log.nextOffset, new Latest(key), frame(key), 1);
  for (const key of ['BTC', 'ETH', 'BTC']) append(key);
  const replacedFor = (to: number) => [1, 2, 3].filter((offset) => log.isReplaced(offset, to));
  expect([2, 3, Infinity].map(replacedFor)).toEqual([[], [1], [1]]);
  for (const key of ['BTC', 'ETH']) append(key);
  expect([2, 3, 4, Infinity].map(replacedFor)).toEqual([[], [1], [1, 3], [1, 2, 3]]);
  // So it is, too, when what was there before is read from the store.
  log.prepend([]);
  expect([2, 3, 4, Infinity].map(replacedFor)).toEqual([[], [1], [1, 3], [1, 2, 3]]);
});

test('of what is dropped who left before the newer one came has missed it', () => {
  const log = new Log('room', 'epoch', { ...limits, logPacketsMax: 4 });
  for (const key of ['BTC', 'ETH', 'ETH', 'BTC', 'SOL', 'SOL'])
    log.append(log.nextOffset, new Latest(key), frame(key), 1);
  const reader = { wasExcepted: () => false };
  expect(log.firstOffset).toBe(3);
  // The first one was for who left behind the third: its newer one came as the fourth.
  expect(log.misses(reader, 0, 0, 3)).toBe(true);
  expect(log.misses(reader, 0, 0, Infinity)).toBe(false);
  expect(log.misses(reader, 0, 2, 3)).toBe(false);
});

test('what is missing between a place and the first entry, or behind the last one, newer ones have taken the place of', () => {
  const reader = { wasExcepted: () => false };
  const log = logFrom(20);
  log.append(1, new Latest('BTC'), frame('BTC'), 1);
  expect(log.isWhole).toBe(true);
  log.extendTo(10, 24);
  expect([log.base, log.firstOffset, log.isWhole]).toEqual([10, 21, false]);
  expect(log.misses(reader, 0, 12, Infinity)).toBe(false);
  // Who left before the newer one came was to get one of them.
  expect([20, 23, 24].map((to) => log.misses(reader, 0, 12, to))).toEqual([true, true, false]);
  log.append(2, undefined, frame('a'), 1);
  log.append(3, new Latest('ETH'), frame('ETH'), 3);
  log.skipTo(30, 22, 34, 9);
  expect([log.firstOffset, log.lastOffset, log.bytes]).toEqual([31, 30, 0]);
  expect([20, 21, 22, 23].map((position) => log.misses(reader, 0, position, Infinity))).toEqual([
    ...[true, true, false, false],
  ]);
  expect([33, 34].map((to) => log.misses(reader, 0, 22, to))).toEqual([true, false]);
});

test('what makes room for a newer one of its key is not missed', () => {
  const log = new Log('room', 'epoch', { ...limits, logPacketsMax: 3 });
  const reader = { wasExcepted: () => false };
  for (const key of ['a', 'b', 'c', 'a', 'b']) log.append(log.nextOffset, new Latest(key), frame(key), 1);
  expect([log.firstOffset, log.misses(reader, 0, 0, Infinity)]).toEqual([3, false]);
  // Who left before those came was to get them.
  expect([3, 4, 5].map((to) => log.misses(reader, 0, 0, to))).toEqual([true, true, false]);
  log.append(6, new Latest('d'), frame('d'), 1);
  expect(log.misses(reader, 0, 0, Infinity)).toBe(true);
});
