import { VirtualClock } from '@halyard/harness/clock';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../base/wheel';
import { Log } from './log';
import { Retention, type RetentionLimits } from './retention';

function setup(limits: Partial<RetentionLimits> = {}): {
  clock: VirtualClock;
  retention: Retention;
  publish: (...logs: Log[]) => void;
} {
  const clock = new VirtualClock();
  const retention = new Retention(
    { entryAgeMsMax: 10_000, logPacketsMax: 5, logBytesMax: 100, journalBytesMax: 1_000, ...limits },
    new TimerWheel(clock),
    () => {},
  );
  let stamp = 0;
  const publish = (...logs: Log[]): void => {
    const frame = logs
      .map(({ id, nextOffset }) => `${id}${nextOffset}`)
      .join(' ')
      .padEnd(10, '.');
    stamp++;
    for (const log of logs) retention.append(log, stamp, undefined, [Buffer.from(frame), undefined]);
  };
  return { clock, retention, publish };
}

function text(log: Log, offset: number): string | undefined {
  const frame = log.frameAt(offset, 0);
  return frame && new TextDecoder().decode(frame);
}

describe('retention', () => {
  test('a log keeps its newest entries, within its count', () => {
    const { retention, publish } = setup();
    const log = new Log('a', 'a', retention.limits);
    for (let i = 0; i < 8; i++) publish(log);
    expect([log.firstOffset, log.nextOffset]).toEqual([4, 9]);
    expect([log.stampAt(3), text(log, 3)]).toEqual([undefined, undefined]);
    expect([log.stampAt(4), text(log, 4), log.frameAt(4, 1)]).toEqual([4, 'a4........', undefined]);
    expect(log.stampAt(9)).toBeUndefined();
    const reader = { wasExcepted: () => false };
    expect([2, 3].map((floor) => log.trimmed.misses(reader, floor, 0))).toEqual([true, false]);
    expect([2, 3].map((position) => log.trimmed.misses(reader, 0, position))).toEqual([true, false]);
    expect(log.newestStamp).toBe(8);
    expect(retention.bytes).toBe(50);
  });

  test('a log keeps within its bytes, but always its newest entry', () => {
    const { retention, publish } = setup({ logBytesMax: 25 });
    const log = new Log('a', 'a', retention.limits);
    for (let i = 0; i < 4; i++) publish(log);
    expect(log.firstOffset).toBe(3);
    const tiny = setup({ logBytesMax: 5 });
    const other = new Log('b', 'b', tiny.retention.limits);
    tiny.publish(other);
    expect(other.stampAt(1)).toBe(1);
  });

  test('an entry in two logs counts in each, until that has dropped it', () => {
    const { retention, publish } = setup();
    const a = new Log('a', 'a', retention.limits);
    const b = new Log('b', 'b', retention.limits);
    publish(a, b);
    for (let i = 0; i < 5; i++) publish(a);
    expect(text(a, 1)).toBeUndefined();
    expect([text(b, 1), b.stampAt(1)]).toEqual(['a1 b1.....', 1]);
    expect(retention.bytes).toBe(60);
    for (let i = 0; i < 5; i++) publish(b);
    expect(retention.bytes).toBe(100);
  });

  test('each codec has its own frame of an entry, if it was in use then', () => {
    const { retention } = setup();
    const log = new Log('a', 'a', retention.limits);
    const [one, two] = [Buffer.from('one'), Buffer.from('number two')];
    retention.append(log, 1, undefined, [one, two]);
    retention.append(log, 2, 'x', [undefined, one]);
    retention.append(log, 3, ['x', 'y'], [two, undefined]);
    for (const [offset, frames] of [
      [1, [one, two]],
      [2, [undefined, one]],
      [3, [two, undefined]],
    ] as const) {
      for (const [i, frame] of frames.entries()) expect(log.frameAt(offset, i)).toEqual(frame);
    }
    expect([1, 2, 3].map((offset) => log.exceptAt(offset))).toEqual([undefined, 'x', ['x', 'y']]);
    expect(retention.bytes).toBe(26);
  });

  test('entries go when they are old, whichever log they are in', () => {
    const { clock, retention, publish } = setup();
    const a = new Log('a', 'a', retention.limits);
    const b = new Log('b', 'b', retention.limits);
    publish(a);
    clock.advance(6_000);
    publish(a, b);
    clock.advance(5_000);
    expect([a.firstOffset, b.firstOffset]).toEqual([2, 1]);
    clock.advance(6_000);
    expect([a.firstOffset, b.firstOffset, retention.bytes]).toEqual([3, 2, 0]);
    expect([a.stampAt(2), text(a, 2), a.newestStamp]).toEqual([undefined, undefined, 2]);
    publish(a);
    expect([a.firstOffset, a.nextOffset, a.stampAt(3), text(a, 3)]).toEqual([3, 4, 3, 'a3........']);
  });

  test('the sum of all logs is bounded: the oldest entries go first', () => {
    const { retention, publish } = setup({ journalBytesMax: 35 });
    const logs = ['a', 'b', 'c', 'd', 'e'].map((id) => new Log(id, id, retention.limits));
    for (const log of logs) publish(log);
    expect(logs.map((log) => log.stampAt(1) !== undefined)).toEqual([false, false, true, true, true]);
    expect(retention.bytes).toBe(30);
  });

  test('entries that no log holds any more are let go, also behind one that is held', () => {
    const { retention, publish } = setup();
    const quiet = new Log('quiet', 'quiet', retention.limits);
    const busy = new Log('busy', 'busy', retention.limits);
    publish(quiet);
    for (let i = 0; i < 10_000; i++) publish(busy);
    expect(retention.length).toBeLessThan(3_000);
    expect(quiet.stampAt(1)).toBe(1);
    expect(busy.nextOffset - busy.firstOffset).toBe(5);
  });
});
