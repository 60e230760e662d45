// The suite over protobuf, and what is protobuf's own: that its bytes are halyard.proto's, and message types of the app.
// Longer than other files: a case for each field and each limit of two formats.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { codecSuite, samplePackets } from '@halyard/harness/codec-suite';
import { anyValue, difference, nested } from '@halyard/harness/values';
import {
  type EventPacket,
  type Packet,
  PacketType,
  packetLimits,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
import fc from 'fast-check';
import reflection from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { type MessageType, protobuf } from './protobuf';

// protobufjs looks for `long` with `require`, which finds another form of it under the conditions that tests run with.
const found = createRequire(createRequire(import.meta.url).resolve('protobufjs'))('long');
const long = found.default ?? found;
reflection.util.Long = long;
reflection.configure();

const codec = protobuf();
codecSuite('protobuf', () => ({ writer: codec, reader: codec }));

const root = reflection.loadSync(fileURLToPath(new URL('../halyard.proto', import.meta.url)));
const PacketMessage = root.lookupType('halyard.v1.Packet');

const chat = reflection.parse(`
  syntax = "proto3";
  message Line { string from = 1; repeated string tags = 2; int64 at = 3; fixed64 id = 4; bytes key = 5; Line reply = 6;
    map<string, uint64> seen = 7; Kind kind = 8; optional int32 edits = 9; }
  message Nothing {}
  message Numbers { int32 i = 1; uint32 u = 2; sint32 s = 3; int64 long = 4; uint64 ulong = 5; float f = 6; double d = 7;
    repeated uint32 list = 8; map<string, sint32> map = 9; Numbers inner = 10; map<uint64, int32> byId = 11; }
  enum Kind { PLAIN = 0; LOUD = 1; }
`).root;
const types = {
  line: chat.lookupType('Line'),
  nothing: chat.lookupType('Nothing'),
  numbers: chat.lookupType('Numbers'),
};
const typed = protobuf({ types });

const event = (name: string, ...args: Value[]): Packet => ({
  type: PacketType.Event,
  namespace: '/',
  event: name,
  args,
  ack: undefined,
});
const ack = (value: Value): Packet => ({ type: PacketType.Ack, ack: 1, value });
const unknownType = expect.objectContaining({ code: 'ERR_PACKET_TYPE', closeCode: 4400 });
const undecodable = expect.objectContaining({ code: 'ERR_FRAME_DECODE', closeCode: 4400 });

/** The packet as generated code would see it. */
function reflected(packet: Packet): object {
  const message = PacketMessage.decode(codec.encode(packet) as Uint8Array);
  return PacketMessage.toObject(message, { longs: Number, defaults: true });
}

describe('protobuf bytes are what halyard.proto says', () => {
  const shown: [packet: Packet, message: object][] = [
    [
      {
        type: PacketType.Hello,
        namespaces: [
          { namespace: '/', auth: undefined },
          { namespace: '/a', auth: 'x' },
        ],
        client: 'test/1',
        resume: { session: 's', secret: 't', received: 2 ** 40, confirmed: 3, positions: [['room', 9]] },
        token: '',
        generation: 0,
        left: 0,
      },
      {
        hello: {
          namespaces: [
            { namespace: '/', auth: null },
            { namespace: '/a', auth: { text: 'x' } },
          ],
          client: 'test/1',
          token: '',
          generation: 0,
          left: 0,
          resume: {
            session: 's',
            secret: 't',
            received: 2 ** 40,
            confirmed: 3,
            positions: [{ log: 'room', offset: 9 }],
            settled: [],
          },
        },
      },
    ],
    [
      {
        type: PacketType.Welcome,
        session: 's',
        secret: 't',
        settings: {
          heartbeatMs: 1,
          heartbeatTimeoutMs: 2,
          recoveryWindowMs: 3,
          frameBytesMax: 4,
          sackPacketsMax: 5,
          sackDelayMs: 6,
          windowPacketsMax: 7,
          windowBytesMax: 8,
          sentFrameBytesMax: 9,
        },
        received: 7,
        recovered: true,
        reason: 'why',
        settled: [9, 9, 11, 20],
      },
      {
        welcome: {
          session: 's',
          secret: 't',
          settings: {
            heartbeatMs: 1,
            heartbeatTimeoutMs: 2,
            recoveryWindowMs: 3,
            frameBytesMax: 4,
            sackPacketsMax: 5,
            sackDelayMs: 6,
            windowPacketsMax: 7,
            windowBytesMax: 8,
            sentFrameBytesMax: 9,
          },
          received: 7,
          recovered: true,
          reason: 'why',
          settled: [
            { first: 9, last: 9 },
            { first: 11, last: 20 },
          ],
        },
      },
    ],
    [
      { type: PacketType.Event, namespace: '/', event: 'e', args: [null], ack: 300 },
      { event: { namespace: '/', event: 'e', args: [{ null: 0 }], ack: 300 } },
    ],
    [
      {
        type: PacketType.Publish,
        namespace: '/',
        positions: [
          ['r', 1],
          ['q', 2],
        ],
        event: 'e',
        args: [],
      },
      {
        publish: {
          namespace: '/',
          positions: [
            { log: 'r', offset: 1 },
            { log: 'q', offset: 2 },
          ],
          event: 'e',
          args: [],
        },
      },
    ],
    [
      { type: PacketType.Error, ack: 1, code: 'c', message: 'm', data: true },
      { error: { ack: 1, code: 'c', message: 'm', data: { boolean: true } } },
    ],
    [{ type: PacketType.Ping, received: 0 }, { ping: { received: 0, settled: [] } }],
    [{ type: PacketType.Ping, received: undefined }, { ping: { settled: [] } }],
    [{ type: PacketType.Reset }, { reset: {} }],
    [
      { type: PacketType.Connected, namespace: '/', id: 'i', renewMs: 300 },
      { connected: { namespace: '/', id: 'i', renewMs: 300 } },
    ],
    [
      { type: PacketType.Renew, namespace: '/', auth: 'a', ack: 3 },
      { renew: { namespace: '/', auth: { text: 'a' }, ack: 3 } },
    ],
    [
      { type: PacketType.Drain, afterMs: 5, url: 'https://a.example' },
      { drain: { afterMs: 5, url: 'https://a.example' } },
    ],
  ];
  test.each(shown)('in packet %#', (packet, message) => {
    expect(reflected(packet)).toEqual(message);
  });

  const kinds: [value: Value, message: object][] = [
    [-7, { integer: -7 }],
    [2 ** 31 - 1, { integer: 2 ** 31 - 1 }],
    [2 ** 31, { number: 2 ** 31 }],
    [-0, { number: -0 }],
    [0.5, { number: 0.5 }],
    [-2n, { int64: -2 }],
    [2n ** 53n - 1n, { int64: 2 ** 53 - 1 }],
    [2n ** 63n, { uint64: 2 ** 63 }],
    ['', { text: '' }],
    [new Date(-2), { date: -2 }],
    [new Date(8.64e15), { date: 8.64e15 }],
    [Uint8Array.of(1, 2), { binary: Uint8Array.of(1, 2) }],
    [[1, []], { list: { items: [{ integer: 1 }, { list: { items: [] } }] } }],
    [{ a: 1, '': false }, { map: { properties: { a: { integer: 1 }, '': { boolean: false } } } }],
  ];
  test.each(kinds)('in value %o', (value, message) => {
    expect(reflected(ack(value))).toEqual({ ack: { ack: 1, value: message } });
  });

  test('and what generated code writes is read', () => {
    const unsafe = (value: unknown): boolean =>
      typeof value === 'object' &&
      value !== null &&
      !(value instanceof Uint8Array) &&
      Object.entries(value).some(
        ([key, item]) => ['__proto__', 'constructor', 'prototype'].includes(key) || unsafe(item),
      );
    const rewritten = (packet: Packet) => {
      const message = PacketMessage.decode(codec.encode(packet) as Uint8Array);
      expect(PacketMessage.verify(message)).toBeNull();
      const bytes = PacketMessage.encode(message).finish();
      expect(difference(codec.decode(bytes), packet)).toBeUndefined();
    };
    for (const packet of samplePackets) rewritten(packet);
    fc.assert(
      fc.property(
        anyValue.filter((value) => !unsafe(value)),
        (value) => rewritten(ack(value)),
      ),
      { numRuns: 500 },
    );
  });

  test('with 64-bit integers exact', () => {
    for (const value of [2n ** 64n - 1n, 2n ** 53n + 1n, -(2n ** 63n), -(2n ** 53n) - 1n]) {
      const message = PacketMessage.decode(codec.encode(ack(value)) as Uint8Array);
      const kind = value < 2n ** 63n ? 'int64' : 'uint64';
      const shown = PacketMessage.toObject(message, { longs: BigInt });
      expect(shown).toEqual({ ack: { ack: 1n, value: { [kind]: value } } });
    }
  });
});

describe('protobuf reads', () => {
  const read: [name: string, hex: string, packet: Packet][] = [
    ['absent fields as their defaults', '4200', { type: PacketType.Sack, received: 0 }],
    ['fields in another order', '22 06 12 02 10 01 08 05', { type: PacketType.Ack, ack: 5, value: true }],
    ['a field twice as the last', '42 04 08 01 08 02', { type: PacketType.Sack, received: 2 }],
    ['past fields it does not know', '42 0c 10 01 1a 01 00 25 00000000 08 02', { type: PacketType.Sack, received: 2 }],
    ['past a field of another type', '42 05 0a 01 00 08 02', { type: PacketType.Sack, received: 2 }],
    ['a hint', '8a 04 03 01 02 03', { type: 'hint' }],
    ['a hint whose text is none', '8a 04 03 12 01 ff', { type: 'hint' }],
    ['a hint that says too much', '8a 04 06 08 ff ff ff ff 0f', { type: 'hint' }],
    ['a padded varint', '42 04 08 82 80 00', { type: PacketType.Sack, received: 2 }],
  ];
  test.each(read)('%s', (_, hex, packet) => {
    expect(codec.decode(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))).toEqual(packet);
  });

  test('a key that sets prototypes', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":1}');
    const packet = codec.decode(codec.encode(ack(value))) as { value: object };
    expect(difference(packet.value, value)).toBeUndefined();
    expect(Object.getPrototypeOf(packet.value)).toBe(Object.prototype);
  });
});

describe('protobuf refuses', () => {
  const malformed: [name: string, hex: string][] = [
    ['nothing', ''],
    ['two packets', '42 00 42 00'],
    ['a packet that is a number', '40 00'],
    ['a length past the end', '42 05 08'],
    ['a huge length', '42 ff ff ff ff 07'],
    ['a field across the end of its message', '42 02 08 82 01'],
    ['a varint without end', '42 0d 08 ff ff ff ff ff ff ff ff ff ff ff 00'],
    ['a value without a kind', '22 04 08 01 12 00'],
    ['another null', '22 06 08 01 12 02 08 01'],
    ['NaN', '22 0d 08 01 12 09 21 00 00 00 00 00 00 f8 7f'],
    ['Infinity', '22 0d 08 01 12 09 21 00 00 00 00 00 00 f0 7f'],
    ['a date past the last', '22 0d 08 01 12 09 49 01 00 dc c2 08 b2 1e 00'],
    ['text that is not UTF-8', '22 07 08 01 12 03 3a 01 ff'],
    ['half a surrogate pair', '22 09 08 01 12 05 3a 03 ed a0 80'],
    ['a name that is not UTF-8', '5a 03 0a 01 ff'],
    ['a key that is not UTF-8', '22 0f 08 01 12 0b 5a 09 0a 07 0a 01 ff 12 02 18 02'],
    ['a property without a value', '22 0b 08 01 12 07 5a 05 0a 03 0a 01 61'],
    ['a group without end', '42 03 13 08 01'],
  ];
  test.each([-1, 16, 17, 63, 128])('type %i is none', (type) => {
    const bytes = reflection.Writer.create()
      .uint32(((type + 1) << 3) | 2)
      .bytes(new Uint8Array())
      .finish();
    expect(() => codec.decode(bytes)).toThrow(unknownType);
  });

  test.each(malformed)('%s', (_, hex) => {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect(() => codec.decode(bytes)).toThrow(undecodable);
  });

  test('a message past the end, as such', () => {
    expect(() => codec.decode(Uint8Array.of(0x42, 5, 8))).toThrow('a message ends after the one it is in');
  });

  test('a count that numbers cannot hold', () => {
    const bytes = Uint8Array.from([0x42, 9, 8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ code: 'ERR_PACKET_SHAPE' }));
  });

  test('what nests too deep', () => {
    const wrap = (tag: number, inner: Uint8Array) => reflection.Writer.create().uint32(tag).bytes(inner).finish();
    const join = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
    // A Value in a ValueList (10), or as a property (1) in a ValueMap (11), by turns.
    const value = (levels: number, parity: number) => {
      let bytes: Uint8Array = Uint8Array.of(24, 2);
      for (let i = 0; i < levels; i++)
        bytes = i % 2 === parity ? wrap(82, wrap(10, bytes)) : wrap(90, wrap(10, wrap(18, bytes)));
      return bytes;
    };
    const slash = Uint8Array.of(10, 1, 47);
    const places = [
      (levels: number, parity: number) => wrap(34, join(Uint8Array.of(8, 1), wrap(18, value(levels, parity)))),
      (levels: number, parity: number) =>
        wrap(26, join(slash, Uint8Array.of(18, 1, 101), wrap(26, value(levels, parity)))),
      (levels: number, parity: number) => wrap(10, wrap(10, join(slash, wrap(18, value(levels, parity))))),
    ];
    for (const frame of places) {
      for (const parity of [0, 1]) {
        expect(codec.decode(frame(64, parity))).toHaveProperty('type');
        expect(() => codec.decode(frame(65, parity))).toThrow('nested too deep');
        expect(() => codec.decode(frame(5_000, parity))).toThrow('nested too deep');
      }
    }
    expect(() => codec.encode(ack(nested(65)))).toThrow();
  });
});

describe('protobuf with message types', () => {
  const line = {
    from: 'ann',
    tags: ['a', ''],
    at: -5n,
    id: 2n ** 64n - 1n,
    key: Uint8Array.of(0, 255),
    reply: { from: 'bob', at: 2n ** 53n + 1n },
    seen: { bob: 3n },
    kind: 1,
  };
  const full = {
    ...line,
    reply: { from: 'bob', tags: [], at: 2n ** 53n + 1n, id: 0n, key: new Uint8Array(), reply: null, seen: {}, kind: 0 },
  };

  test('carries an event of a type as that message, bytes alone', () => {
    const frame = typed.encode(event('line', line)) as Uint8Array;
    const { event: message } = PacketMessage.toObject(PacketMessage.decode(frame), { arrays: true }) as {
      event: { typed: Uint8Array; args: unknown[] };
    };
    expect(message.args).toEqual([]);
    expect(types.line.toObject(types.line.decode(message.typed), { longs: String })).toMatchObject({
      from: 'ann',
      at: '-5',
    });
    const native = Buffer.from(frame);
    const decoded = typed.decode(native) as EventPacket;
    expect(difference(decoded.args, [full])).toBeUndefined();
    native.fill(0);
    expect(difference(decoded.args, [full])).toBeUndefined();
    expect(
      difference(typed.decode(typed.encode(event('line', decoded.args[0]!))), event('line', full)),
    ).toBeUndefined();
    // What comes out keeps to the data model, so that it can go on to peers with any codec.
    expect(difference(codec.decode(codec.encode(event('any', ...decoded.args))), event('any', full))).toBeUndefined();
  });

  test('carries PUBLISH and VOLATILE, empty messages, and every other event as before', () => {
    const packets: Packet[] = [
      { type: PacketType.Publish, namespace: '/', positions: [['r', 1]], event: 'nothing', args: [{}] },
      { type: PacketType.Volatile, namespace: '/', event: 'nothing', args: [{}] },
      { type: PacketType.Event, namespace: '/', event: 'nothing', args: [{}], ack: 4 },
      event('constructor', {}, 1),
      event('toString'),
      ack({ a: 1 }),
    ];
    for (const packet of packets) expect(difference(typed.decode(typed.encode(packet)), packet)).toBeUndefined();
  });

  test('takes an event without its type from a peer that has none', () => {
    expect(typed.decode(codec.encode(event('line', 1, 2)))).toEqual(event('line', 1, 2));
  });

  test('refuses an event of a type it does not have, by name', () => {
    expect(() => codec.decode(typed.encode(event('line', line)))).toThrow(
      expect.objectContaining({ code: 'ERR_TYPE_UNKNOWN', message: 'no message type for "line"' }),
    );
  });

  const wrongArgs: [path: string, args: Value[]][] = [
    ['args', []],
    ['args', [1]],
    ['args', ['x']],
    ['args', [null]],
    ['args', [[{}]]],
    ['args', [{}, {}]],
    ['args', [new Date(0)]],
    ['args', [new Uint8Array()]],
    ['args[0]', [{ from: 5 }]],
    ['args[0]', [{ tags: 'a' }]],
    ['args[0].at', [{ at: 2n ** 64n }]],
    ['args[0]', [{ reply: { kind: 'LOUD' } }]],
  ];
  test.each(wrongArgs)('refuses %s of %o', (path, args) => {
    expect(() => typed.encode(event('line', ...args))).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_ENCODABLE', details: { path } }),
    );
  });

  /** What `typed` makes of it on its way. */
  const arrived = (name: string, value: unknown): object =>
    (typed.decode(typed.encode(event(name, value as Value))) as EventPacket).args[0] as object;

  const noData: [what: string, value: unknown, path: string, why: string][] = [
    ['half a surrogate pair', { from: '\ud800' }, '.from', 'half a surrogate pair'],
    ['NaN', { d: Number.NaN }, '.d', 'NaN'],
    ['Infinity in a list', { list: [1, Number.POSITIVE_INFINITY] }, '.list[1]', 'Infinity'],
    ['a Map', { seen: new Map([['a', 1n]]) }, '.seen', 'an instance of Map'],
    ['a Map that no field takes', { m: new Map() }, '.m', 'an instance of Map'],
    ['a Set', new Set([1]), '', 'an instance of Set'],
    ['an error', new Error('e'), '', 'an instance of Error'],
    ['a promise', { reply: Promise.resolve() }, '.reply', 'an instance of Promise'],
    ['a function', { reply: () => 1 }, '.reply', 'function: send what it returns'],
    [
      'accessors of a class',
      new (class Place {
        get x() {
          return 1;
        }
      })(),
      '',
      'an instance of Place',
    ],
    ['a date', { reply: new Date(0) }, '.reply', 'a date in a message'],
    ['a date beside a bigint', { at: 1n, reply: { reply: new Date(0) } }, '.reply.reply', 'a date in a message'],
  ];
  test.each(noData)('refuses %s with the path', (_, value, path, why) => {
    for (const name of ['line', 'numbers']) {
      expect(() => arrived(name, value)).toThrow(
        expect.objectContaining({
          code: 'ERR_NOT_ENCODABLE',
          details: { path: `args[0]${path}` },
          message: expect.stringContaining(`args[0]${path}: cannot send ${why}`),
        }),
      );
    }
  });

  test('sends what toJSON says, and the fields of a message that protobufjs has made', () => {
    class Spoken {
      toJSON = (key: string) => ({ from: key, at: 5n });
    }
    expect(arrived('line', new Spoken())).toMatchObject({ from: '0', at: 5n });
    expect(arrived('line', { reply: new Spoken() })).toMatchObject({ reply: { from: 'reply', at: 5n } });
    const made = types.line.create({ ...line, at: long.fromNumber(-5), reply: types.line.create(line.reply) });
    expect(difference([arrived('line', made)], [full])).toBeUndefined();
    expect(arrived('line', { reply: made })).toMatchObject({ reply: { kind: 1, at: -5n } });
    expect(() => arrived('line', { toJSON: () => 'text' })).toThrow('takes one object');
  });

  test('takes every kind of bytes in a field of bytes, and nothing else', () => {
    const bytes = Uint8Array.of(1, 0, 2, 0);
    for (const key of [
      bytes,
      Buffer.from(bytes),
      bytes.buffer,
      new Uint16Array(bytes.buffer),
      new DataView(bytes.buffer),
    ])
      expect(arrived('line', { key })).toMatchObject({ key: bytes });
    for (const key of ['AQ==', [300], { length: 2 }])
      expect(() => arrived('line', { key })).toThrow(expect.objectContaining({ code: 'ERR_NOT_ENCODABLE' }));
  });

  const out: [path: string, value: object, range: string][] = [
    ['.s', { s: 2 ** 40 }, 'sint32 takes -2147483648 to 2147483647'],
    ['.u', { u: -1 }, 'uint32 takes 0 to 4294967295'],
    ['.u', { d: 0.1, f: 0.1, long: -5, u: 2 ** 32 }, 'uint32 takes'],
    ['.i', { i: -(2 ** 31) - 1 }, 'int32 takes'],
    ['.long', { long: 2 ** 63 }, 'int64 takes -9223372036854775808 to 9223372036854775807'],
    ['.long', { long: 2n ** 63n }, 'int64 takes'],
    ['.ulong', { ulong: -1n }, 'uint64 takes 0 to 18446744073709551615'],
    ['.ulong', { ulong: -1 }, 'uint64 takes'],
    ['.f', { f: 1e39 }, 'float takes'],
    ['.list[1]', { list: [1, -1] }, 'uint32 takes'],
    ['.map.b', { map: { a: 1, b: 2 ** 31 } }, 'sint32 takes'],
    ['.inner.inner.s', { inner: { s: 1, inner: { s: 2 ** 31 } } }, 'sint32 takes'],
    ['', { byId: { '18446744073709551616': 1 } }, 'uint64 takes'],
    ['', { i: 1.5 }, 'i: integer expected'],
  ];
  test.each(out)('refuses at args[0]%s what %o is to its field', (path, value, range) => {
    expect(() => arrived('numbers', value)).toThrow(
      expect.objectContaining({
        code: 'ERR_NOT_ENCODABLE',
        details: { path: `args[0]${path}` },
        message: expect.stringContaining(range),
      }),
    );
  });

  test.each([
    ['generated', () => types.numbers.ctor as unknown as MessageType],
    [
      'with a required field',
      () => reflection.parse('message M { required sint32 s = 1; required bytes b = 2; }').root.lookupType('M'),
    ],
  ])('the same of a type that is %s', (_, type) => {
    const other = protobuf({ types: { numbers: type() } });
    expect(() => other.encode(event('numbers', { s: 2 ** 31, b: new Uint8Array() }))).toThrow('args[0].s: ');
  });

  test('carries the least and the most of each field', () => {
    const least = { i: -(2 ** 31), u: 0, s: -(2 ** 31), long: -(2n ** 63n), ulong: 0n, f: -1.5, d: -Number.MAX_VALUE };
    const most = {
      ...{ i: 2 ** 31 - 1, u: 2 ** 32 - 1, s: 2 ** 31 - 1, long: 2n ** 63n - 1n, ulong: 2n ** 64n - 1n },
      ...{ f: Math.fround(3.4028234663852886e38), d: -0, list: [2 ** 32 - 1], map: { a: -(2 ** 31) } },
    };
    for (const value of [least, most]) expect(arrived('numbers', value)).toMatchObject(value);
    expect(arrived('numbers', { f: 0.1, long: -5, byId: { '18446744073709551615': 1 } })).toMatchObject({
      f: Math.fround(0.1),
      long: -5n,
    });
  });

  test('sends no bytes that an object brings along as unknown fields', () => {
    expect(arrived('nothing', { $unknowns: [Uint8Array.of(0xff)] })).toEqual({});
  });

  test('refuses a number that is not finite where it arrives', () => {
    for (const d of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const frame = PacketMessage.encode({
        event: { namespace: '/', event: 'numbers', typed: types.numbers.encode({ inner: { d } }).finish() },
      }).finish();
      expect(() => typed.decode(frame)).toThrow(undecodable);
    }
  });

  test('still checks what stands beside the message', () => {
    expect(() => typed.encode({ ...event('nothing', {}), namespace: '/\ud800' } as Packet)).toThrow(
      expect.objectContaining({ details: { path: 'namespace' } }),
    );
  });

  test('refuses a message that its type cannot read, or that comes with arguments', () => {
    const frame = (message: object) =>
      PacketMessage.encode({ event: { namespace: '/', event: 'line', ...message } }).finish();
    expect(() => typed.decode(frame({ typed: Uint8Array.of(0xff) }))).toThrow(undecodable);
    expect(() => typed.decode(frame({ typed: new Uint8Array(), args: [{ integer: 1 }] }))).toThrow(undecodable);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          typed.decode(frame({ typed: bytes }));
        } catch (error) {
          expect(error).toBeInstanceOf(RemoteProtocolError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('takes types of generators other than protobufjs', () => {
    const text: MessageType = {
      encode: (value) => ({ finish: () => new TextEncoder().encode(JSON.stringify(value)) }),
      decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
    };
    const other = protobuf({ types: { text } });
    expect(other.decode(other.encode(event('text', { a: 1 })))).toEqual(event('text', { a: 1 }));
  });
});

describe('protobuf lists of a packet', () => {
  const hello = (namespaces: number, positions: number): Packet => ({
    type: PacketType.Hello,
    namespaces: Array.from({ length: namespaces }, (_, i) => ({ namespace: `/${i}`, auth: undefined })),
    client: '',
    resume: {
      session: 's',
      secret: 'k',
      received: 0,
      confirmed: 0,
      positions: Array.from({ length: positions }, (_, i) => [`${i}`, i] as const),
    },
    token: '',
    generation: 0,
    left: 0,
  });

  test('are as long as a packet may have them', () => {
    const packet = hello(packetLimits.helloNamespacesMax, packetLimits.helloPositionsMax);
    expect(codec.decode(codec.encode(packet))).toEqual(packet);
  });

  test('are refused for one more, and what is behind it is not read', () => {
    const { helloNamespacesMax, helloPositionsMax } = packetLimits;
    const tooLong = expect.objectContaining({ code: 'ERR_PACKET_SHAPE' });
    // Of positions there may be more, for which the server refuses the resume: it needs to see one of them.
    expect(codec.decode(codec.encode(hello(1, helloPositionsMax + 9)))).toEqual(hello(1, helloPositionsMax + 1));
    // A namespace that ends too early.
    const broken = [0x0a, 2, 0x0a, 5];
    for (const [count, error] of [
      [helloNamespacesMax, expect.objectContaining({ code: 'ERR_FRAME_DECODE' })],
      [helloNamespacesMax + 1, tooLong],
    ] as const) {
      const fields = [...Array.from({ length: count }, () => [0x0a, 3, 0x0a, 1, 0x2f]).flat(), ...broken];
      const frame = Uint8Array.from([0x0a, (fields.length & 0x7f) | 0x80, fields.length >> 7, ...fields]);
      expect(() => codec.decode(frame)).toThrow(error);
    }
  });
});
