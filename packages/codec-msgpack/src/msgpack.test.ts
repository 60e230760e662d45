import { codecSuite } from '@halyard/harness/codec-suite';
import { anyValue, difference, nested } from '@halyard/harness/values';
import { type Packet, PacketType, RemoteProtocolError, type Value } from '@halyard/protocol';
// The suite over both msgpack codecs, each way, and what is msgpack's own: its bytes, and what other bytes do to it.
import { Decoder, Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { msgpack } from './msgpack';
import { msgpack as msgpackBrowser } from './msgpack-browser';

const node = msgpack();
const browser = msgpackBrowser();

codecSuite('msgpack to msgpack', () => ({ writer: node, reader: node }));
codecSuite('msgpack to msgpack-browser', () => ({ writer: node, reader: browser }));
codecSuite('msgpack-browser to msgpack', () => ({ writer: browser, reader: node }));
codecSuite('msgpack-browser to msgpack-browser', () => ({ writer: browser, reader: browser }));

const ack = (value: Value): Packet => ({ type: PacketType.Ack, ack: 1, value });
/** The frame of an ACK with this value. */
const frame = (hex: string) => Uint8Array.from(Buffer.from(`930301${hex.replaceAll(' ', '')}`, 'hex'));
const valueIn = (hex: string) => (node.decode(frame(hex)) as { value: Value }).value;
const undecodable = expect.objectContaining({ code: 'ERR_FRAME_DECODE', closeCode: 4400 });

function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('msgpack bytes', () => {
  const written: [value: Value, hex: string][] = [
    [127, '7f'],
    [128, 'cc80'],
    [2 ** 32 - 1, 'ceffffffff'],
    [2 ** 32, 'cb41f0000000000000'],
    [Number.MAX_SAFE_INTEGER, 'cb433fffffffffffff'],
    [-32, 'e0'],
    [-(2 ** 31), 'd280000000'],
    [-(2 ** 31) - 1, 'cbc1e0000000200000'],
    [0.5, 'cb3fe0000000000000'],
    [-0, 'cb8000000000000000'],
    [5n, 'cf0000000000000005'],
    [-5n, 'd3fffffffffffffffb'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [new Date(0), 'd6ff00000000'],
    [new Date(1_500), 'd7ff7735940000000001'],
    [new Date(-1), 'c70cff3b8b87c0ffffffffffffffff'],
    [new Uint8Array([1]), 'c40101'],
    [{ a: undefined, b: 1 }, '81a16201'],
    ['\ufeff', 'a3efbbbf'],
  ];
  test.each(written)('of %o are %s, from both', (value, hex) => {
    // Numbers beside a negative zero are written as floats, those of the packet too.
    const expected = Object.is(value, -0) ? `93cb4008000000000000cb3ff0000000000000${hex}` : `930301${hex}`;
    expect(Buffer.from(node.encode(ack(value)) as Uint8Array).toString('hex')).toBe(expected);
    expect(Buffer.from(browser.encode(ack(value)) as Uint8Array).toString('hex')).toBe(expected);
  });

  test('are the same from both writers, but for dates after 2106', () => {
    const dates = fc.date({ noInvalidDate: true, max: new Date((2 ** 32 - 1) * 1000) });
    const hasLateDate = (value: unknown): boolean =>
      value instanceof Date
        ? value.getTime() >= 2 ** 32 * 1000
        : typeof value === 'object' &&
          value !== null &&
          !(value instanceof Uint8Array) &&
          Object.values(value).some(hasLateDate);
    fc.assert(
      fc.property(
        anyValue.filter((value) => !hasLateDate(value)),
        dates,
        (value, date) => {
          for (const packet of [ack(value), ack(date)]) expect(node.encode(packet)).toEqual(browser.encode(packet));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('are msgpack that other readers understand', () => {
    const value = {
      text: 'ä'.repeat(90),
      list: [1, -1, 2 ** 40, 0.1, null, true],
      big: 2n ** 63n,
      when: new Date(1_500),
    };
    for (const codec of [node, browser]) {
      const bytes = codec.encode(ack(value)) as Uint8Array;
      expect(difference(new Decoder({ useBigInt64: true }).decode(bytes), [3, 1, value])).toBeUndefined();
      expect(difference(new Unpackr({ useRecords: false }).unpack(bytes), [3, 1, value])).toBeUndefined();
    }
  });

  test('are copied out of what the writers reuse', () => {
    const first = node.encode(ack('first'));
    const copy = Uint8Array.from(first as Uint8Array);
    node.encode(ack('second, and longer than the first'));
    expect(first).toEqual(copy);
  });
});

describe('msgpack reads what other writers may write', () => {
  const read: [name: string, hex: string, value: Value][] = [
    ['an int wider than needed', 'd200000001', 1],
    ['int 16', 'd1ff00', -256],
    ['int 8', 'd080', -128],
    ['a float 32', 'ca3fc00000', 1.5],
    ['int 64', 'd30000000000000001', 1n],
    ['str 8, 16 and 32', '93 d90161 da000161 db0000000161', ['a', 'a', 'a']],
    ['bin 16 and 32', '92 c5000101 c60000000102', [Uint8Array.of(1), Uint8Array.of(2)]],
    ['array 16 and 32', '92 dc0000 dd00000000', [[], []]],
    ['map 16 and 32', '92 de0000 df00000000', [{}, {}]],
    ['a timestamp 96 that could be shorter', 'c70cff000000000000000000000001', new Date(1_000)],
    ['a timestamp before 1970', 'c70cff3b8b87c0ffffffffffffffff', new Date(-1)],
    ['a 34-bit timestamp', 'd7ff00000003ffffffff', new Date((2 ** 34 - 1) * 1000)],
    ['a key twice', '82a16101a16102', { a: 2 }],
    ['a long text that begins with U+FEFF', `d950efbbbf${'61'.repeat(77)}`, `\ufeff${'a'.repeat(77)}`],
  ];
  test.each(read)('%s', (_, hex, value) => {
    expect(difference(valueIn(hex), value)).toBeUndefined();
  });

  test('a packet whose numbers are floats', () => {
    const bytes = new Encoder({ forceIntegerToFloat: true }).encode([PacketType.Sack, 7]);
    expect(node.decode(bytes)).toEqual({ type: PacketType.Sack, received: 7 });
  });

  test('a key that sets prototypes', () => {
    const value = valueIn(
      `82 a9${Buffer.from('__proto__').toString('hex')} 81a17801 d909${Buffer.from('__proto__').toString('hex')}02`,
    );
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.entries(value as object)).toEqual([['__proto__', 2]]);
  });
});

describe('msgpack refuses', () => {
  const malformed: [name: string, hex: string][] = [
    ['undefined as msgpackr writes it', 'd40000'],
    ['a byte that is never used', 'c1'],
    ['NaN', 'cb7ff8000000000000'],
    ['Infinity', 'cb7ff0000000000000'],
    ['−Infinity as float 32', 'caff800000'],
    ['a regular expression', 'd478 00 92a161a0'],
    ['an error', 'd465 00 93a161a0c0'],
    ['a set', 'd473 00 90'],
    ['a typed array', 'c70374 05 0100'],
    ['a record', 'd47240 91a161 01'],
    ['a reference', 'd67000000001'],
    ['bundled strings', 'd66200000000'],
    ['a long bigint', 'd84200000000000000000000000000000001'],
    ['another extension', 'd501 0000'],
    ['a timestamp of 5 bytes', 'c705ff0000000000'],
    ['a timestamp of 1 byte', 'd4ff00'],
    ['a timestamp with a nanosecond', 'd7ff0000000400000001'],
    ['a timestamp with nanoseconds before 1970', 'c70cff3b9ac9ffffffffffffffffff'],
    ['a timestamp with a billion nanoseconds', 'd7ffee6b280000000000'],
    ['a date past the last', 'c70cff 00000000 000007dba8218001'],
    ['a number as key', '810101'],
    ['nothing as key', '81c001'],
    ['bytes as key', '81c4016101'],
    ['an array as key', '819001'],
    ['short text that is not UTF-8', 'a1ff'],
    ['an overlong encoding', 'a2c080'],
    ['half a surrogate pair', 'a3eda080'],
    ['half a surrogate pair as key', '81a3eda08001'],
    ['long text that is not UTF-8', `d950${'61'.repeat(79)}ff`],
    ['text past the end', 'a561'],
    ['bytes past the end', 'c6ffffffff00'],
    ['an extension past the end', 'c7ffff'],
    ['4294967295 elements', 'ddffffffff'],
    ['4294967295 properties', 'dfffffffff'],
    ['nested announcements', 'ddffffffff'.repeat(20)],
    ['nested announcements that memory would hold', 'dd00ffffff'.repeat(20)],
  ];
  test.each(malformed)('%s', (_, hex) => {
    for (const bytes of [frame(hex), frame(`91${hex}`), frame(`81a161${hex}`)]) {
      const before = memoryBytes();
      for (const codec of [node, browser]) expect(() => codec.decode(bytes)).toThrow(undecodable);
      expect(memoryBytes() - before).toBeLessThan(64 << 20);
    }
  });

  test.each([
    ['91', 1],
    ['81a161', 1],
    ['9181a161', 2],
  ])('what nests too deep: %s', (open, levels) => {
    const deep = (depth: number) => `${open.repeat(Math.ceil(depth / levels))}00`;
    expect(valueIn(deep(64))).toEqual(expect.anything());
    expect(() => valueIn(deep(65))).toThrow(undecodable);
    expect(() => valueIn(deep(300_000))).toThrow(undecodable);
    const event = (hex: string) => node.decode(Uint8Array.from(Buffer.from(`9402a12fa16591${hex}`, 'hex')));
    expect(event(deep(64))).toMatchObject({ type: PacketType.Event });
    expect(() => event(deep(65))).toThrow(undecodable);
    expect(() => node.decode(Uint8Array.from(Buffer.from(deep(300_000), 'hex')))).toThrow(RemoteProtocolError);
  });

  test('text and bytes past the end, as such', () => {
    for (const hex of ['a561', 'd96061', 'c40500', 'c6ffffffff00', 'cb00', 'd6ff00']) {
      expect(() => valueIn(hex)).toThrow('the frame ends too early');
    }
  });

  test('frames that are no packets', () => {
    for (const hex of ['', '00', '80', 'c0', 'a161', '90', '91c0', '9191', 'dc0000', '910e00']) {
      expect(() => node.decode(Uint8Array.from(Buffer.from(hex, 'hex')))).toThrow(RemoteProtocolError);
    }
  });
});

test('msgpack is ready for the next frame after one that failed', () => {
  const good = node.encode(ack(nested(64)));
  for (const bad of [frame('ddffffffff'), new Uint8Array(), frame('a1ff')]) {
    expect(() => node.decode(bad)).toThrow(RemoteProtocolError);
    expect(() => node.encode(ack(Number.NaN))).toThrow();
    expect(node.decode(good)).toEqual(ack(nested(64)));
    expect(node.encode(ack(nested(64)))).toEqual(good);
  }
});
