import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox';

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

  it('takes outboxBytesMax bytes, and what goes past that', () => {
    const outbox = outboxOf('12345', '12345');
    outbox.push('1', 30, limits);
    expect(() => outbox.push('1', 40, limits)).toThrow(code('ERR_OUTBOX_FULL'));
    outbox.confirm(1);
    outbox.push('12345', 40, limits);
    expect(() => outbox.push('1', 50, limits)).toThrow(code('ERR_OUTBOX_FULL'));
  });

  it('takes one frame of any size behind what is within the limit', () => {
    const outbox = outboxOf('1');
    outbox.push('12345678901234567890', 20, limits);
    expect(outbox.unconfirmed).toBe(2);
    expect(() => outbox.push('1', 30, limits)).toThrow(code('ERR_OUTBOX_FULL'));
    outbox.confirm(2);
    outbox.push('1', 30, limits);
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
    expect(() => outbox.confirm(1, [3, 4])).toThrow(code('ERR_SACK_AHEAD'));
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
