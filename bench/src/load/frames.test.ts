import { describe, expect, it } from 'vitest';
import { FrameReader, maskedFrame, Opcode, peekBytes } from './frames';

interface Seen {
  readonly opcode: number;
  readonly size: number;
  readonly head: string;
}

/** As a server writes it. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
        : Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]);
  return Buffer.concat([head, payload]);
}

function readIn(pieces: readonly Buffer[], whole: boolean): Seen[] {
  const seen: Seen[] = [];
  const reader = new FrameReader({
    frame(opcode, bytes, at, size) {
      seen.push({ opcode, size, head: bytes.toString('latin1', at, at + Math.min(size, peekBytes)) });
    },
  });
  reader.whole = whole;
  for (const piece of pieces) reader.read(piece, piece.length);
  return seen;
}

const sizes = [0, 1, 23, 24, 25, 125, 126, 300, 65_535, 65_536, 70_000];
const stream = Buffer.concat(sizes.map((size) => serverFrame(Opcode.Text, Buffer.alloc(size, 'abc'))));
const expected = sizes.map((size) => ({
  opcode: Opcode.Text,
  size,
  head: 'abc'.repeat(9).slice(0, Math.min(size, peekBytes)),
}));

describe('FrameReader', () => {
  for (const pieceBytes of [1, 2, 3, 7, 29, 1_000, 65_537, stream.length]) {
    for (const whole of [false, true]) {
      it(`finds every frame in pieces of ${pieceBytes} bytes, ${whole ? 'whole' : 'by its head'}`, () => {
        const pieces: Buffer[] = [];
        const step = whole && pieceBytes < 29 ? 29 : pieceBytes;
        for (let at = 0; at < stream.length; at += step) pieces.push(stream.subarray(at, at + step));
        expect(readIn(pieces, whole)).toEqual(expected);
      });
    }
  }

  it('refuses masked and fragmented frames', () => {
    expect(() => readIn([maskedFrame(Opcode.Text, 'a')], false)).toThrow('a frame starts with');
    expect(() => readIn([Buffer.from([0x01, 0x01, 0x61])], false)).toThrow('a frame starts with');
  });
});

describe('maskedFrame', () => {
  for (const size of sizes) {
    it(`writes the length of ${size} bytes and masks them`, () => {
      const payload = Buffer.alloc(size, 'xyz');
      const frame = maskedFrame(Opcode.Binary, payload);
      const headBytes = size < 126 ? 2 : size < 65_536 ? 4 : 10;
      const length =
        headBytes === 2 ? frame[1]! & 127 : headBytes === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
      expect(frame[0]).toBe(0x82);
      expect(frame[1]! & 0x80).toBe(0x80);
      expect(length).toBe(size);
      const key = frame.subarray(headBytes, headBytes + 4);
      const unmasked = frame.subarray(headBytes + 4).map((byte, i) => byte ^ key[i & 3]!);
      expect(Buffer.compare(unmasked, payload)).toBe(0);
    });
  }
});
