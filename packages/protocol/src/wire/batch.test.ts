import { describe, expect, it, vi } from 'vitest';
import { FrameSplitter, joinFrames, splitFrames } from './batch';
import { RemoteProtocolError } from './errors';

const bytes = (...values: number[]) => new Uint8Array(values);

describe('text', () => {
  it('separates frames by line feeds', () => {
    expect(joinFrames(['[7,1]', '[8]'], false)).toBe('[7,1]\n[8]');
    expect(splitFrames('[7,1]\n[8]')).toEqual(['[7,1]', '[8]']);
  });

  it('needs no line feed at the end and minds none', () => {
    expect(splitFrames('[8]\n')).toEqual(['[8]']);
    expect(splitFrames('\n\n[8]\n\n[9]\n')).toEqual(['[8]', '[9]']);
  });

  it('has no frames in an empty body', () => {
    expect(joinFrames([], false)).toBe('');
    expect(splitFrames('')).toEqual([]);
    expect(splitFrames('\n')).toEqual([]);
  });
});

describe('binary', () => {
  it('puts each frame behind its length, most significant byte first', () => {
    const body = joinFrames([bytes(1, 2), bytes(), new Uint8Array(258)], true) as Uint8Array;
    expect(body.subarray(0, 14)).toEqual(bytes(0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2));
    expect(splitFrames(body)).toEqual([bytes(1, 2), bytes(), new Uint8Array(258)]);
  });

  it('has no frames in an empty body', () => {
    expect(joinFrames([], true)).toEqual(bytes());
    expect(splitFrames(bytes())).toEqual([]);
  });

  it('reads a body that is part of a larger buffer', () => {
    const buffer = bytes(9, 9, 0, 0, 0, 1, 5, 9);
    expect(splitFrames(buffer.subarray(2, 7))).toEqual([bytes(5)]);
    expect(() => splitFrames(buffer.subarray(2, 6))).toThrow(RemoteProtocolError);
  });

  it.each([
    ['a length that is cut off', bytes(0, 0, 0)],
    ['a length past the end', bytes(0, 0, 0, 2, 1)],
    ['a length without a frame', bytes(0, 0, 0, 1)],
    ['the largest length', bytes(255, 255, 255, 255, 1)],
    ['a negative length, if it had a sign', bytes(128, 0, 0, 0, 1)],
    ['a second length past the end', bytes(0, 0, 0, 1, 7, 0, 0, 0, 9)],
    ['a byte too many', bytes(0, 0, 0, 1, 7, 0)],
  ])('throws ERR_BATCH for %s', (_name, body) => {
    expect(() => splitFrames(body)).toThrow(expect.objectContaining({ code: 'ERR_BATCH', closeCode: 4400 }));
  });
});

describe('one at a time', () => {
  /** What is called while `run` runs, on bodies and on the views made of them. */
  function viewsMade(run: () => void): number {
    const subarray = vi.spyOn(Uint8Array.prototype, 'subarray');
    try {
      run();
      return subarray.mock.calls.length;
    } finally {
      subarray.mockRestore();
    }
  }

  it('hands out text frames with the position behind them', () => {
    const splitter = new FrameSplitter('\n\n[8]\n\n[9]\n');
    expect(splitter.position).toBe(0);
    expect([splitter.next(), splitter.position]).toEqual(['[8]', 6]);
    expect([splitter.next(), splitter.position]).toEqual(['[9]', 11]);
    expect([splitter.next(), splitter.position]).toEqual([undefined, 11]);
    expect(splitter.next()).toBeUndefined();
  });

  it('hands out binary frames, empty ones too', () => {
    const body = joinFrames([bytes(1, 2), bytes(), bytes(3)], true) as Uint8Array;
    const splitter = new FrameSplitter(body);
    expect([splitter.next(), splitter.position]).toEqual([bytes(1, 2), 6]);
    expect([splitter.next(), splitter.position]).toEqual([bytes(), 10]);
    expect([splitter.next(), splitter.position]).toEqual([bytes(3), 15]);
    expect(splitter.next()).toBeUndefined();
    expect(splitter.next()).toBeUndefined();
  });

  it('is as far with each of two bodies as it was with that one', () => {
    const [a, b] = [new FrameSplitter('1\n22\n3'), new FrameSplitter('\n4\n5')];
    expect([a.next(), b.next(), a.next(), b.next(), b.next(), a.next()]).toEqual(['1', '4', '22', '5', undefined, '3']);
  });

  it('does not make the frames that nobody has asked for', () => {
    const body = new Uint8Array(4 << 16);
    expect(viewsMade(() => new FrameSplitter(body).next())).toBe(1);
    expect(viewsMade(() => splitFrames(body))).toBe(1 << 16);
  });

  it('throws ERR_BATCH for the last of a million frames before it has handed out the first, and makes none', () => {
    const body = new Uint8Array(4_000_001);
    const made = viewsMade(() => {
      expect(() => new FrameSplitter(body)).toThrow(expect.objectContaining({ code: 'ERR_BATCH' }));
    });
    expect(made).toBe(0);
  });

  it('passes over a million empty lines at once', () => {
    const splitter = new FrameSplitter(`${'\n'.repeat(1_000_000)}[8]`);
    expect([splitter.next(), splitter.position]).toEqual(['[8]', 1_000_003]);
    expect(new FrameSplitter('\n'.repeat(1_000_000)).next()).toBeUndefined();
  });
});
