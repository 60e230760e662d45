import { describe, expect, it } from 'vitest';
import { joinFrames, splitFrames } from './batch';
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
