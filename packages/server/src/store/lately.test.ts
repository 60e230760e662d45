import { describe, expect, it } from 'vitest';
import { Lately } from './lately';
import type { Commit, CommitResult } from './store';

describe('what was written to a log last', () => {
  const lately = new Lately();
  const write = (number: number, epoch: string, offset: number): void => {
    const step = { log: 'a', stamp: number * 10, except: [], bodies: [], places: [], earlier: 0, key: undefined };
    const commit: Commit = { number, branch: 0, steps: [step], records: [] };
    const result: CommitResult = {
      ...{ positions: [[epoch, offset]], repeated: [], fenced: [], missing: [], mailed: [] },
    };
    lately.add(commit, result);
  };

  it('is known in the epoch that the log has, and in the one before: others ask for that once it is over', () => {
    write(1, 'first', 7);
    write(2, 'first', 8);
    write(3, 'second', 1);
    write(4, 'second', 2);
    expect(lately.writtenTo('a', 'first')).toMatchObject({ position: ['first', 8], stamp: 20 });
    expect(lately.writtenTo('a', 'second')).toMatchObject({ position: ['second', 2], stamp: 40 });
  });

  it('is forgotten with the epoch before that one', () => {
    write(5, 'third', 1);
    expect(lately.writtenTo('a', 'first')).toBeUndefined();
    expect(lately.writtenTo('a', 'second')).toMatchObject({ position: ['second', 2] });
    expect(lately.writtenTo('a', 'third')?.before?.before).toBeUndefined();
    expect(lately.writtenTo('b', 'third')).toBeUndefined();
  });

  it('is told with what is lost of it, when the log has gone on behind that in the same epoch', () => {
    write(6, 'third', 2);
    expect(lately.loseAfter(5).logs.get('a')).toMatchObject({
      position: ['third', 2],
      lost: [{ offset: 2, stamp: 60 }],
    });
    write(7, 'third', 3);
    const lost = [{ offset: 2, stamp: 60 }];
    expect(lately.writtenTo('a', 'third')).toMatchObject({ position: ['third', 3], stamp: 70, lost });
    expect(lately.loseAfter(6).logs.get('a')?.lost).toEqual([...lost, { offset: 3, stamp: 70 }]);
    // It is asked about again before it has written anything else.
    expect(lately.loseAfter(6).logs.get('a')?.lost).toHaveLength(2);
    write(8, 'fourth', 1);
    expect(lately.writtenTo('a', 'third')?.lost).toHaveLength(2);
    expect(lately.writtenTo('a', 'fourth')?.lost).toEqual([]);
  });
});
