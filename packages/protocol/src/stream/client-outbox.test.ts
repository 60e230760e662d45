import { describe, expect, it } from 'vitest';
import { createClientOutbox } from './client-outbox';
import { FrameTag } from './outbox';

const roomy = { offlinePacketsMax: 10, offlineBytesMax: 100 };
const never = () => false;
const code = (value: string) => expect.objectContaining({ code: value });

/** The frames a, b, … and what is on its way. */
function flying(frames: string, windowPacketsMax = 1_000, windowBytesMax = 1_000, limits = roomy) {
  const window = { windowPacketsMax, windowBytesMax, frameBytesMax: 1_000 };
  const outbox = createClientOutbox<string>(window, limits);
  for (const frame of frames.split(' ')) outbox.push(frame, FrameTag.Event);
  /** Takes what the server takes, at most so many frames. */
  const fly = (max = 10): string => {
    let taken = '';
    for (let count = 0; count < max; count++) taken += outbox.take() ?? '';
    return taken;
  };
  return { outbox, fly };
}

describe('bounds', () => {
  const tight = (frames: string) => flying(frames, 10, 1_000, { offlinePacketsMax: 3, offlineBytesMax: 10 });

  it('takes outboxPacketsMax frames, and one to leave a namespace always', () => {
    const { outbox, fly } = tight('a b c');
    expect(() => outbox.push('d', FrameTag.Event)).toThrow(code('ERR_OUTBOX_FULL'));
    outbox.push('leave', FrameTag.Owed);
    expect(fly(2)).toBe('ab');
    outbox.confirm(2);
    outbox.push('e', FrameTag.Event);
    expect(fly()).toBe('cleavee');
  });

  it('takes offlineBytesMax bytes, and one frame of any size past that', () => {
    const { outbox, fly } = tight('12345678901234567890');
    expect(() => outbox.push('1', FrameTag.Event)).toThrow(/client's offlinePacketsMax, offlineBytesMax/);
    fly();
    outbox.confirm(1);
    outbox.push('12345678901234567890', FrameTag.Event);
    fly();
    outbox.confirm(2);
    for (const frame of ['12345', '12345', '12345678901234567890']) outbox.push(frame, FrameTag.Event);
    expect(() => outbox.push('1', FrameTag.Event)).toThrow(code('ERR_OUTBOX_FULL'));
    expect(() => outbox.push('1', FrameTag.Session)).toThrow(code('ERR_OUTBOX_FULL'));
    // A reply is owed.
    outbox.push('1', FrameTag.Owed);
  });
});

describe('restart', () => {
  it('keeps only events above a number, and counts the events it does not keep', () => {
    const { outbox, fly } = flying('confirmed left');
    outbox.push('left, asks', 5);
    outbox.push('left reply', FrameTag.Session);
    fly();
    outbox.push('asks', 6);
    outbox.push('reply', FrameTag.Session);
    outbox.push('event', FrameTag.Event);
    outbox.confirm(1);
    outbox.rewind();
    fly();
    expect(outbox.restart(() => true, never)).toEqual({ lost: 2, kept: new Set([6, FrameTag.Event]) });
    expect(outbox.confirmed).toBe(0);
    expect(fly()).toBe('asksevent');
    expect(() => outbox.confirm(3)).toThrow(code('ERR_SACK_AHEAD'));
  });

  it('counts nothing as lost that was answered', () => {
    const { outbox, fly } = flying('a');
    outbox.push('asks', 5);
    outbox.push('asks, and is answered', 6);
    fly();
    outbox.rewind();
    expect(
      outbox.restart(
        () => true,
        (mark) => mark === 6,
      ).lost,
    ).toBe(2);
  });

  it('gives up what has no place in the new session', () => {
    const { outbox, fly } = flying('a b c');
    expect(outbox.restart((frame) => frame !== 'b', never).lost).toBe(1);
    expect(fly()).toBe('ac');
  });

  it.each([
    ['less than had left', 1, 2, 'cd', 1],
    ['all that had left', 2, 2, 'cd', 0],
    ['more than had left', 3, 2, 'd', 0],
  ])('goes by what left before, also when %s was confirmed', (_name, confirmed, left, kept, lost) => {
    const { outbox, fly } = flying('a b c d');
    fly(left);
    outbox.rewind();
    fly();
    outbox.confirm(confirmed);
    expect(outbox.restart(() => true, never).lost).toBe(lost);
    expect(fly()).toBe(kept);
    outbox.rewind();
    expect(outbox.restart(() => true, never).lost).toBe(kept.length);
  });

  it('gives up what left on any connection, though the last one did not carry it', () => {
    const { outbox, fly } = flying('a');
    fly();
    outbox.rewind();
    outbox.rewind();
    expect(outbox.restart(() => true, never).lost).toBe(1);
  });

  it('forgets the bytes of what it does not keep', () => {
    const { outbox, fly } = flying('1234567890', 10, 100, { ...roomy, offlineBytesMax: 10 });
    fly();
    outbox.rewind();
    outbox.restart(() => true, never);
    outbox.push('12345', FrameTag.Event);
    outbox.push('12345', FrameTag.Event);
    expect(fly()).toBe('1234512345');
  });
});

describe('the window', () => {
  it('carries windowPacketsMax frames, and as many more as are confirmed', () => {
    const { outbox, fly } = flying('a b c d e', 2);
    expect(fly()).toBe('ab');
    outbox.confirm(1);
    expect(fly()).toBe('c');
    outbox.confirm(3);
    expect(fly()).toBe('de');
  });

  it('carries windowBytesMax bytes, or one frame of any size', () => {
    const { outbox, fly } = flying('123456789012 a 1234567 b', 10, 8);
    expect(fly()).toBe('123456789012');
    outbox.confirm(1);
    expect(fly()).toBe('a1234567');
    outbox.confirm(2);
    expect(fly()).toBe('b');
  });

  it('carries a frame of any size only once it is known how large one may be', () => {
    const { outbox, fly } = flying('123456789 a', 10, 8);
    outbox.window = { windowPacketsMax: 10, windowBytesMax: 8 };
    expect(fly()).toBe('');
    outbox.window = { ...outbox.window, frameBytesMax: 9 };
    expect(fly()).toBe('123456789');
    outbox.rewind();
    // What has left goes again.
    outbox.window = { windowPacketsMax: 10, windowBytesMax: 8 };
    expect(fly()).toBe('123456789');
  });

  it('lets what had left go again, whatever the window', () => {
    const { outbox, fly } = flying('a b c', 2);
    expect(fly()).toBe('ab');
    outbox.rewind();
    outbox.window = { windowPacketsMax: 1, windowBytesMax: 1 };
    expect(fly()).toBe('ab');
  });
});

describe('what is given up', () => {
  const big = ({ frame }: { frame: string }) => frame.length > 3;

  it('never leaves, and those behind it have its numbers', () => {
    const { outbox, fly } = flying('a b large c huge d');
    expect(fly(2)).toBe('ab');
    outbox.push('asks too', 7);
    expect(outbox.giveUp(big).map(({ mark }) => mark)).toEqual([FrameTag.Event, FrameTag.Event, 7]);
    expect(outbox.left).toBe(2);
    expect(fly()).toBe('cd');
    expect(() => outbox.confirm(5)).toThrow(code('ERR_SACK_AHEAD'));
    outbox.confirm(4);
    expect([outbox.confirmed, outbox.waiting]).toEqual([4, undefined]);
  });

  it('is sent again if it has left, and is a loss when there is a new session', () => {
    const { outbox, fly } = flying('a');
    outbox.push('asks', 5);
    fly();
    outbox.rewind();
    expect(outbox.giveUp(big)).toEqual([]);
    expect(fly()).toBe('aasks');
    outbox.rewind();
    // Nobody waits for the reply any more; that is no answer.
    expect(
      outbox.restart(
        () => true,
        (mark) => mark === 5,
      ).lost,
    ).toBe(2);
  });

  it('leaves room for others', () => {
    const { outbox, fly } = flying('12345', 10, 10, { offlinePacketsMax: 3, offlineBytesMax: 10 });
    outbox.push('6', FrameTag.Event);
    outbox.push('leave', FrameTag.Owed);
    outbox.giveUp(big);
    outbox.push('7890', FrameTag.Event);
    expect(fly()).toBe('6leave7890');
  });

  it('is nothing but events', () => {
    const { outbox, fly } = flying('a');
    outbox.push('reply', FrameTag.Session);
    outbox.push('leave', FrameTag.Owed);
    expect(outbox.giveUp(() => true).map(({ frame }) => frame)).toEqual(['a']);
    expect(fly()).toBe('replyleave');
  });
});

describe('what is settled before earlier frames', () => {
  it('is freed, and makes room for others', () => {
    const { outbox, fly } = flying('a b c d e f', 3);
    expect(fly()).toBe('abc');
    outbox.confirm(0, [2, 3]);
    expect(fly()).toBe('de');
    expect(outbox.settled).toEqual([2, 3]);
    outbox.confirm(0, [2, 3, 5, 5]);
    expect(outbox.settled).toEqual([2, 3, 5, 5]);
    expect(fly()).toBe('f');
    outbox.confirm(3, [5, 5]);
    expect([outbox.confirmed, outbox.settled]).toEqual([3, [5, 5]]);
    outbox.confirm(6);
    expect(outbox.settled).toBeUndefined();
    for (const frame of 'ghij') outbox.push(frame, FrameTag.Event);
    expect(fly()).toBe('ghi');
  });

  it('is not carried again', () => {
    const { outbox, fly } = flying('a b c d');
    fly();
    outbox.confirm(0, [1, 1, 3, 3]);
    outbox.rewind();
    expect([outbox.left, fly()]).toEqual([4, 'bd']);
    expect(outbox.settled).toEqual([1, 1, 3, 3]);
  });

  it('is not given up when there is a new session', () => {
    const { outbox, fly } = flying('a b c', 2);
    fly();
    outbox.confirm(0, [2, 2]);
    outbox.rewind();
    expect(outbox.restart(() => true, never).lost).toBe(1);
    expect(fly()).toBe('c');
  });

  it('is nothing that was never sent; what is confirmed may be among it', () => {
    const { outbox, fly } = flying('a b c');
    fly();
    expect(() => outbox.confirm(1, [3, 4])).toThrow(code('ERR_SACK_AHEAD'));
    expect(() => outbox.confirm(-1)).toThrow(code('ERR_SACK_BACK'));
    expect(outbox.confirmed).toBe(0);
    outbox.confirm(2, [1, 2]);
    expect([outbox.confirmed, outbox.settled]).toEqual([2, undefined]);
  });
});
