import { VirtualClock } from '@halyard/testkit/clock';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../wheel';
import { Journal, type JournalLimits } from './journal';
import { Log } from './log';

function setup(limits: Partial<JournalLimits> = {}): {
  clock: VirtualClock;
  journal: Journal;
  publish: (...logs: Log[]) => void;
} {
  const clock = new VirtualClock();
  const journal = new Journal(
    { entryAgeMsMax: 10_000, logPacketsMax: 5, logBytesMax: 100, journalBytesMax: 1_000, ...limits },
    new TimerWheel(clock),
  );
  const publish = (...logs: Log[]): void => {
    const frame = logs
      .map(({ id, nextOffset }) => `${id}${nextOffset}`)
      .join(' ')
      .padEnd(10, '.');
    journal.append(logs, [], [frame]);
  };
  return { clock, journal, publish };
}

describe('journal', () => {
  test('a log keeps its newest entries, within its count', () => {
    const { journal, publish } = setup();
    const log = new Log('a', journal);
    for (let i = 0; i < 8; i++) publish(log);
    expect([log.firstOffset, log.nextOffset]).toEqual([4, 9]);
    expect(log.at(3)).toBeUndefined();
    expect(log.at(4)?.frames).toEqual(['a4........']);
    expect(log.at(9)).toBeUndefined();
    expect(log.trimmedSerial).toBe(3);
    expect(journal.bytes).toBe(50);
  });

  test('a log keeps within its bytes, but always its newest entry', () => {
    const { journal, publish } = setup({ logBytesMax: 25 });
    const log = new Log('a', journal);
    for (let i = 0; i < 4; i++) publish(log);
    expect(log.firstOffset).toBe(3);
    const tiny = setup({ logBytesMax: 5 });
    const other = new Log('b', tiny.journal);
    tiny.publish(other);
    expect(other.at(1)).toBeDefined();
  });

  test('an entry in two logs is freed when both have dropped it', () => {
    const { journal, publish } = setup();
    const a = new Log('a', journal);
    const b = new Log('b', journal);
    publish(a, b);
    for (let i = 0; i < 5; i++) publish(a);
    expect(a.at(1)).toBeUndefined();
    expect(b.at(1)?.frames).toHaveLength(1);
    expect(journal.bytes).toBe(60);
    for (let i = 0; i < 5; i++) publish(b);
    expect(journal.bytes).toBe(100);
  });

  test('entries go when they are old, whichever log they are in', () => {
    const { clock, journal, publish } = setup();
    const a = new Log('a', journal);
    const b = new Log('b', journal);
    publish(a);
    clock.advance(6_000);
    publish(a, b);
    clock.advance(5_000);
    expect([a.firstOffset, b.firstOffset]).toEqual([2, 1]);
    clock.advance(6_000);
    expect([a.firstOffset, b.firstOffset, journal.bytes]).toEqual([3, 2, 0]);
  });

  test('the sum of all logs is bounded: the oldest entries go first', () => {
    const { journal, publish } = setup({ journalBytesMax: 35 });
    const logs = ['a', 'b', 'c', 'd', 'e'].map((id) => new Log(id, journal));
    for (const log of logs) publish(log);
    expect(logs.map((log) => log.at(1) !== undefined)).toEqual([false, false, true, true, true]);
    expect(journal.bytes).toBe(30);
  });

  test('entries that no log holds any more are let go, also behind one that is held', () => {
    const { journal, publish } = setup();
    const quiet = new Log('quiet', journal);
    const busy = new Log('busy', journal);
    publish(quiet);
    for (let i = 0; i < 10_000; i++) publish(busy);
    expect(journal.length).toBeLessThan(3_000);
    expect(quiet.at(1)).toBeDefined();
    expect(busy.nextOffset - busy.firstOffset).toBe(5);
  });
});
