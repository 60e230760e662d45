import { describe, expect, it } from 'vitest';
import { FrameTag, Outbox } from './outbox';

const limits = { outboxPacketsMax: 3, outboxBytesMax: 10, pendingAcksMax: 1 };
const code = (value: string) => expect.objectContaining({ code: value });

/** An outbox with these frames, numbered from 1, whose marks are 10, 20, … */
function outboxOf(...frames: string[]): Outbox<string> {
  const outbox = new Outbox<string>();
  frames.forEach((frame, i) => {
    outbox.push(frame, (i + 1) * 10, limits);
  });
  return outbox;
}

/** Takes what waits, as a connection does. */
function carried(outbox: Outbox<string>): string[] {
  const frames: string[] = [];
  for (; outbox.waiting; outbox.carried++) frames.push(outbox.waiting);
  return frames;
}

describe('bounds', () => {
  it('takes outboxPacketsMax frames', () => {
    const outbox = outboxOf('a', 'b', 'c');
    expect(() => outbox.push('d', 40, limits)).toThrow(code('ERR_OUTBOX_FULL'));
    expect(outbox.unconfirmed).toBe(3);
    outbox.confirm(1);
    outbox.push('d', 40, limits);
    expect(carried(outbox)).toEqual(['b', 'c', 'd']);
  });

  it('takes outboxBytesMax bytes', () => {
    const outbox = outboxOf('12345', '12345');
    expect(() => outbox.push('1', 30, limits)).toThrow(code('ERR_OUTBOX_FULL'));
    outbox.confirm(1);
    outbox.push('12345', 30, limits);
    expect(() => outbox.push('1', 40, limits)).toThrow(code('ERR_OUTBOX_FULL'));
  });

  it('takes one frame of any size when it is empty', () => {
    const outbox = outboxOf('12345678901234567890');
    expect(() => outbox.push('1', 20, limits)).toThrow(code('ERR_OUTBOX_FULL'));
    outbox.confirm(1);
    outbox.push('12345678901234567890', 20, limits);
    expect(outbox.unconfirmed).toBe(1);
  });
});

describe('confirm', () => {
  it('releases up to a count and tells the last mark', () => {
    const outbox = outboxOf('a', 'b', 'c');
    expect(outbox.confirm(2)).toBe(20);
    expect(outbox.confirmed).toBe(2);
    expect(outbox.confirm(2)).toBeUndefined();
    expect(outbox.confirm(3)).toBe(30);
    outbox.push('d', 40, limits);
    expect(carried(outbox)).toEqual(['d']);
  });

  it('rejects a count of what was never sent, and one below an earlier one, and changes nothing', () => {
    const outbox = outboxOf('a', 'b');
    outbox.confirm(1);
    expect(() => outbox.confirm(3)).toThrow(code('ERR_SACK_AHEAD'));
    expect(() => outbox.confirm(0)).toThrow(code('ERR_SACK_BACK'));
    expect([outbox.confirmed, outbox.unconfirmed]).toEqual([1, 1]);
    expect(carried(outbox)).toEqual(['b']);
  });

  it('does not wait for what is confirmed', () => {
    const outbox = outboxOf('a', 'b', 'c');
    outbox.carried++;
    outbox.confirm(2);
    expect(outbox.waiting).toBe('c');
    outbox.confirm(3);
    expect(outbox.waiting).toBeUndefined();
  });
});

describe('connections', () => {
  it('carries everything unconfirmed again on the next one', () => {
    const outbox = outboxOf('a', 'b');
    expect(carried(outbox)).toEqual(['a', 'b']);
    outbox.push('c', 30, limits);
    expect(carried(outbox)).toEqual(['c']);
    outbox.confirm(1);
    outbox.rewind();
    expect(carried(outbox)).toEqual(['b', 'c']);
  });
});

describe('restart', () => {
  it('keeps only events above a number, and counts the events it does not keep', () => {
    const outbox = new Outbox<string>();
    const roomy = { ...limits, outboxPacketsMax: 10, outboxBytesMax: 100 };
    outbox.push('confirmed', FrameTag.Event, roomy);
    outbox.push('left', FrameTag.Event, roomy);
    outbox.push('left, asks', 5, roomy);
    outbox.push('left reply', FrameTag.Session, roomy);
    outbox.push('asks', 6, roomy);
    outbox.push('reply', FrameTag.Session, roomy);
    outbox.push('event', FrameTag.Event, roomy);
    outbox.confirm(1);
    outbox.carried = 4;
    outbox.rewind();
    carried(outbox);
    const { kept, lost } = outbox.restart(roomy, () => true);
    expect(lost).toBe(2);
    expect(kept.has(6)).toBe(true);
    expect(kept.has(5)).toBe(false);
    expect([outbox.unconfirmed, outbox.confirmed]).toEqual([2, 0]);
    expect(carried(outbox)).toEqual(['asks', 'event']);
    expect(outbox.confirm(2)).toBe(FrameTag.Event);
  });

  it.each([
    ['less than had left', 1, 2, ['c', 'd'], 1],
    ['all that had left', 2, 2, ['c', 'd'], 0],
    ['more than had left', 3, 2, ['d'], 0],
  ])('goes by what left before, also when %s was confirmed', (_name, confirmed, left, kept, lost) => {
    const outbox = new Outbox<string>();
    for (const frame of 'abcd') outbox.push(frame, FrameTag.Event, { ...limits, outboxPacketsMax: 4 });
    outbox.carried = left;
    outbox.rewind();
    outbox.carried = 4;
    outbox.confirm(confirmed);
    expect(outbox.restart(limits, () => true).lost).toBe(lost);
    expect(carried(outbox)).toEqual(kept);
    outbox.rewind();
    expect(outbox.restart(limits, () => true).lost).toBe(kept.length);
  });

  it('forgets the bytes of what it does not keep', () => {
    const outbox = outboxOf('1234567890');
    carried(outbox);
    outbox.rewind();
    outbox.restart(limits, () => true);
    outbox.push('12345', 20, limits);
    outbox.push('12345', 30, limits);
    expect(carried(outbox)).toEqual(['12345', '12345']);
  });
});

describe('of a client', () => {
  const roomy = { ...limits, outboxPacketsMax: 10, outboxBytesMax: 100 };
  /** The frames a, b, … and what is on its way. */
  function flying(frames: string, windowPacketsMax: number, windowBytesMax = 1_000) {
    const flight = { packets: 0, bytes: 0, settled: 0, window: { windowPacketsMax, windowBytesMax } };
    const outbox = new Outbox<string>(flight);
    for (const frame of frames.split(' ')) outbox.push(frame, FrameTag.Event, roomy);
    /** Takes what the server takes. */
    const fly = (): string => {
      let taken = '';
      for (let frame = outbox.take(); frame !== undefined; frame = outbox.take()) taken += frame;
      return taken;
    };
    return { outbox, flight, fly };
  }

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

  it('frees frames that are settled before earlier ones, and makes room for others', () => {
    const { outbox, fly, flight } = flying('a b c d e f', 3);
    expect(fly()).toBe('abc');
    outbox.confirm(0, [2, 3]);
    expect(outbox.unconfirmed).toBe(4);
    expect(fly()).toBe('de');
    expect(outbox.settled).toEqual([2, 3]);
    outbox.confirm(0, [2, 3, 5, 5]);
    expect(outbox.settled).toEqual([2, 3, 5, 5]);
    expect(fly()).toBe('f');
    outbox.confirm(3, [5, 5]);
    expect([outbox.confirmed, outbox.unconfirmed, outbox.settled]).toEqual([3, 2, [5, 5]]);
    outbox.confirm(6);
    expect([outbox.unconfirmed, outbox.settled, flight]).toMatchObject([
      0,
      undefined,
      { packets: 0, bytes: 0, settled: 0 },
    ]);
  });

  it('does not carry again what is settled', () => {
    const { outbox, fly, flight } = flying('a b c d', 10);
    fly();
    outbox.confirm(0, [1, 1, 3, 3]);
    outbox.rewind();
    expect(fly()).toBe('bd');
    expect(flight).toMatchObject({ packets: 2, bytes: 2, settled: 2 });
    expect([0, 2, 3, 9].map((after) => [...outbox.after(after)].map(([number]) => number))).toEqual([
      [2, 4],
      [4],
      [4],
      [],
    ]);
  });

  it('gives up of what had left only what is not settled', () => {
    const { outbox, fly } = flying('a b c', 2);
    fly();
    outbox.confirm(0, [2, 2]);
    outbox.rewind();
    expect(outbox.restart(roomy, () => true).lost).toBe(1);
    expect([outbox.unconfirmed, fly()]).toEqual([1, 'c']);
  });

  it('refuses ranges of what was never sent, and takes those of what is confirmed', () => {
    const { outbox, fly } = flying('a b c', 5);
    fly();
    expect(() => outbox.confirm(1, [3, 4])).toThrow(code('ERR_SACK_AHEAD'));
    expect(outbox.unconfirmed).toBe(3);
    outbox.confirm(2, [1, 2]);
    expect([outbox.unconfirmed, outbox.settled]).toEqual([1, undefined]);
  });
});
