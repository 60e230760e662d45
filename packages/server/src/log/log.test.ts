// A log as other nodes append to it too: what is put before the entries that are there.
import { expect, test } from 'vitest';
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
  expect(log.prepend([older('a', 100), older('b', 90)])).toBe(true);
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
  expect(log.prepend([older('a', 3_600_000)])).toBe(true);
  expect([1, 2, 3].map((offset) => log.stampAt(offset))).toEqual([50, 50, 60]);
  expect([1, 2, 3].map((offset) => String(log.frameAt(offset, 0)))).toEqual(['a', 'b', 'c']);
});
