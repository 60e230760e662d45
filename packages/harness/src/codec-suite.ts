// What every codec must do (packages/codec/src/codec.ts), for one that writes and one that reads. Longer than other files by its
// list of packets and values.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Frame,
  LocalUsageError,
  type Packet,
  PacketType,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { anyValue, difference, nested } from './values';

/** What is asked of a codec here. The contract has it, which this package does not import: the codecs' tests import this one. */
interface Codec {
  readonly binary: boolean;
  encode(packet: Packet): Frame;
  decode(frame: Frame): Packet;
  withPositions?(frame: Frame, positions: readonly (readonly [string, number])[]): Frame;
}

const settings = {
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 0,
  recoveryWindowMs: 120_000,
  frameBytesMax: 2 ** 31 - 1,
  windowPacketsMax: 64,
  windowBytesMax: 65_536,
  sackPacketsMax: 64,
  sackDelayMs: 1_000,
};
const namespaces = [
  { namespace: '/', auth: undefined },
  { namespace: '/chat', auth: { token: 'secret', generation: 0, since: new Date(5), key: new Uint8Array([1, 2]) } },
];
const resume = {
  session: 's',
  secret: '\u{1f511}',
  received: 0,
  confirmed: 2 ** 40,
  positions: [
    ['room:a', 0],
    ['b', 7],
  ],
} as const;
const { Hello, Welcome, Event, Ack, Error: Failure, Publish, Volatile, Sack, Ping, Pong } = PacketType;
const { Connect, Connected, Refused, Disconnect, Reset, Renew, Drain } = PacketType;

/** At least one packet of every type, with and without each field that may be absent. */
export const samplePackets: readonly Packet[] = [
  { type: Hello, namespaces, client: 'halyard-js/0.1.0', resume, token: '', generation: 0, left: 0 },
  { type: Hello, namespaces: [], client: '', resume: { ...resume, positions: [] }, token: '', generation: 0, left: 0 },
  {
    type: Hello,
    namespaces: [{ namespace: '/', auth: null }],
    client: '',
    resume: undefined,
    token: '',
    generation: 0,
    left: 0,
  },
  {
    type: Hello,
    namespaces: [],
    client: '',
    resume: undefined,
    token: 'sixteen letters.',
    generation: 2 ** 40,
    left: 0,
  },
  { type: Welcome, session: 's', secret: 'x', settings, received: 0, recovered: false, reason: 'log-trimmed' },
  {
    type: Welcome,
    ...{ session: 's', secret: 'x', settings, received: 9, recovered: true, reason: '', settled: [11, 11, 20, 300] },
  },
  { type: Event, namespace: '/', event: 'message', args: ['hi', 1, null, { a: [true] }], ack: undefined },
  { type: Event, namespace: '/ä', event: '\u{1f600}', args: [], ack: Number.MAX_SAFE_INTEGER },
  { type: Event, namespace: '/', event: 'constructor', args: [[], {}, ''], ack: 1 },
  { type: Ack, ack: 1, value: undefined },
  { type: Ack, ack: 2, value: null },
  { type: Ack, ack: 128, value: { id: 2n ** 64n - 1n } },
  { type: Failure, ack: 3, code: 'ERR_X', message: '', data: undefined },
  { type: Failure, ack: 3, code: 'ERR_X', message: 'went wrong', data: [false] },
  { type: Publish, namespace: '/', positions: [], event: 'm', args: [] },
  {
    type: Publish,
    namespace: '/',
    positions: [
      ['room', 1],
      ['r:b', 0],
    ],
    event: 'm',
    args: [0],
  },
  { type: Volatile, namespace: '/', event: 'cursor', args: [{ x: -0.5, y: 2 ** 31 }] },
  { type: Sack, received: 0 },
  { type: Sack, received: 300 },
  { type: Sack, received: 300, settled: [302, 302, 304, 2 ** 40] },
  { type: Pong, received: 0, settled: [2, 2] },
  { type: Ping, received: undefined, settled: [2, 2] },
  { type: Ping, received: undefined },
  { type: Ping, received: 0 },
  { type: Pong, received: 2 ** 33 },
  { type: Connect, namespace: '/a', auth: undefined },
  { type: Connect, namespace: '/a', auth: '' },
  { type: Connected, namespace: '/a', id: 'id' },
  { type: Connected, namespace: '/a', id: 'id', renewMs: 3_600_000 },
  { type: Refused, namespace: '/a', code: 'ERR_AUTH', message: 'no', data: undefined },
  { type: Refused, namespace: '/a', code: 'ERR_AUTH', message: 'no', data: 0 },
  { type: Disconnect, namespace: '/a', reason: '' },
  { type: Disconnect, namespace: '/a', reason: 'kicked' },
  { type: Reset },
  { type: Renew, namespace: '/a', auth: undefined, ack: 1 },
  { type: Renew, namespace: '/a', auth: { token: 'other' }, ack: 300 },
  { type: Drain, afterMs: 0, url: '' },
  { type: Drain, afterMs: 2 ** 31 - 1, url: 'https://other.example' },
];

/** Packets with a value wherever user code can put one. */
const places: Record<string, (value: Value) => Packet> = {
  'args[0]': (value) => ({ type: Event, namespace: '/', event: 'e', args: [value], ack: 1 }),
  'args[1]': (value) => ({ type: Volatile, namespace: '/', event: 'e', args: [0, value] }),
  'args[2]': (value) => ({ type: Publish, namespace: '/', positions: [['r', 1]], event: 'e', args: [0, '', value] }),
  value: (value) => ({ type: Ack, ack: 1, value }),
  data: (data) => ({ type: Refused, namespace: '/', code: 'c', message: 'm', data }),
  auth: (auth) => ({ type: Connect, namespace: '/', auth }),
  'namespaces[0].auth': (auth) => ({
    type: Hello,
    namespaces: [{ namespace: '/', auth }],
    client: '',
    resume: undefined,
    token: 'a token of the client',
    generation: 0,
    left: 0,
  }),
};

const anyPacket = fc.tuple(fc.constantFrom(...Object.values(places)), anyValue).map(([place, value]) => place(value));

class Point {
  x = 1;
}
function tagged(tag: string, value: object): object {
  return Object.assign(value, { [Symbol.toStringTag]: tag });
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

/** What no codec carries, and the path from the place where it stands. */
const refused: readonly (readonly [name: string, value: unknown, path: string])[] = [
  ['NaN', { a: [Number.NaN] }, '.a[0]'],
  ['Infinity', [1, Number.NEGATIVE_INFINITY], '[1]'],
  ['a function', { f: () => 1 }, '.f'],
  ['a symbol', Symbol('s'), ''],
  ['undefined in an array', { list: [1, undefined] }, '.list[1]'],
  ['a hole', Object.assign(new Array(3), { 0: 1, 2: 3 }), '[1]'],
  ['a Map', { deep: { map: new Map() } }, '.deep.map'],
  ['a Set', new Set(), ''],
  ['an error', new Error('e'), ''],
  ['a class instance', [[new Point()]], '[0][0]'],
  ['an object with an inherited property', Object.create({ a: 1 }), ''],
  ['a Blob', { file: new Blob() }, '.file'],
  ['undefined in an array, by a toJSON', [{ toJSON: () => undefined }], '[0]'],
  ['what a toJSON returns that is none', { a: { toJSON: () => [Number.NaN] } }, '.a[0]'],
  ...[new Map(), new Set(), Promise.resolve(1), new Error('e'), /e/, new Blob(), new Point(), () => 1].map(
    (value) => [`by a toJSON ${Object.prototype.toString.call(value)}`, { a: { toJSON: () => value } }, '.a'] as const,
  ),
  ['a class that calls itself a buffer', { a: tagged('ArrayBuffer', new Point()) }, '.a'],
  ['a class that calls itself a date', { a: tagged('Date', new Point()) }, '.a'],
  ['a boxed string', Object('text'), ''],
  ['an invalid date', { when: new Date(Number.NaN) }, '.when'],
  ['a bigint above 64 bits', 2n ** 64n, ''],
  ['a bigint below 64 bits', [-(2n ** 63n) - 1n], '[0]'],
  ['half a surrogate pair', { text: 'a\ud800' }, '.text'],
  ['the other half', ['\udc00b'], '[0]'],
  ['half a surrogate pair in a key', { a: { '\ud83d': 1 } }, '.a.\ud83d'],
  ['65 levels', nested(65), '[0].x'.repeat(32)],
  ['a cycle', cycle, '.self'.repeat(64)],
];

class Shown {
  readonly #x: number;
  constructor(x: number) {
    this.#x = x;
  }
  toJSON(): unknown {
    return { x: this.#x };
  }
}

class Itself {
  cents = 7;
  toJSON(): unknown {
    return this;
  }
}

class OwnError extends Error {
  toJSON(): unknown {
    return { message: this.message };
  }
}

/** A list that says itself what it stands for, among other things a list of its own kind. */
class Cart extends Array<unknown> {
  toJSON(): unknown {
    return this.length > 2 ? this : { total: this.length };
  }
}

const own = {
  a: 1,
  toJSON(): unknown {
    return this;
  },
};
const keyed = { toJSON: (key: string) => key };

/** What `JSON.stringify` shows of it is all that anybody is to see. */
function hiding(): object {
  const user = { name: 'Ann', password: 'secret' };
  Object.defineProperty(user, 'toJSON', { value: () => ({ name: user.name }) });
  return user;
}

const another = runInNewContext(`({
  object: { a: [1, { b: null }] }, date: new Date(5), bytes: new Uint8Array([1, 2]), buffer: new ArrayBuffer(2), list: [1n],
})`);

/** What stands for a value, and that value. */
const standing: readonly (readonly [name: string, value: unknown, becomes: unknown])[] = [
  ['an object of another realm', another.object, { a: [1, { b: null }] }],
  ['a date of another realm', [another.date], [new Date(5)]],
  ['bytes of another realm', { $a: another.bytes }, { $a: new Uint8Array([1, 2]) }],
  ['a buffer of another realm', another.buffer, new Uint8Array(2)],
  ['a list of another realm', another.list, [1n]],
  ['a clone', structuredClone({ a: new Map([[1, { b: -0 }]]).get(1) }), { a: { b: -0 } }],
  ['an object with toJSON', { price: new Shown(1) }, { price: { x: 1 } }],
  ['an error with toJSON', new OwnError('no'), { message: 'no' }],
  ['an own toJSON', { a: 1n, toJSON: () => 'text' }, 'text'],
  ['a toJSON in a toJSON', { toJSON: () => ({ inner: new Shown(2) }) }, { inner: { x: 2 } }],
  ['a toJSON that returns its like', new Itself(), { cents: 7 }],
  ['an own toJSON that is not enumerable', [hiding(), new Date(5)], [{ name: 'Ann' }, new Date(5)]],
  ['the same beside nothing else', hiding(), { name: 'Ann' }],
  ['a toJSON that returns what has one', { a: { toJSON: () => new Shown(3) } }, { a: {} }],
  ['a toJSON that returns what has an own one', { toJSON: () => ({ b: 1n, toJSON: () => 2 }) }, { b: 1n }],
  ['a toJSON that returns itself', own, { a: 1 }],
  [
    'a toJSON that is told its key',
    { a: [keyed, keyed], b: keyed, '': [{ c: keyed }] },
    { a: ['0', '1'], b: 'b', '': [{ c: 'c' }] },
  ],
  ['an object that calls itself a buffer', [tagged('ArrayBuffer', { a: 1 })], [{ a: 1 }]],
  ['an object that calls itself a date', [tagged('Date', { a: 1 })], [{ a: 1 }]],
  ['a toJSON of what calls itself a buffer', tagged('ArrayBuffer', new Shown(1)), { x: 1 }],
  ['a toJSON of what calls itself a date', tagged('Date', new Shown(1)), { x: 1 }],
  ['a list with toJSON', [new Cart('a', 'b')], [{ total: 2 }]],
  ['one that returns itself', Cart.from([1n, 2, 3]), [1n, 2, 3]],
  ['a toJSON that says undefined', { a: { toJSON: () => undefined }, b: 1 }, { b: 1 }],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer, new Uint8Array([1, 2, 3])],
  ['a part of other numbers', new Uint16Array([1, 2, 3]).subarray(1, 2), new Uint8Array(new Uint16Array([2]).buffer)],
  ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1), new Uint8Array([2, 3])],
];

/** Changes to a frame: at a place (modulo its length), this many units are replaced by these. */
const anyEdits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 3 })), {
  minLength: 1,
  maxLength: 3,
});

type Edits = readonly (readonly [at: number, count: number, units: Uint8Array])[];

function edited(frame: Frame, edits: Edits): Frame {
  const units = typeof frame === 'string' ? [...frame] : [...frame];
  for (const [at, count, bytes] of edits) {
    const inserted = typeof frame === 'string' ? [...bytes].map((byte) => String.fromCharCode(byte & 0x7f)) : bytes;
    (units as unknown[]).splice(at % (units.length + 1), count, ...inserted);
  }
  return typeof frame === 'string' ? units.join('') : Uint8Array.from(units as number[]);
}

/** Frames made of what the codec's own frames are made of, rather than of noise that fails at once. */
const anyNoise = {
  text: fc.oneof(
    fc.json(),
    fc.json().map((text) => `[2,"/","e",[${text}]]`),
    fc
      .array(fc.constantFrom(...'[]{}:,"$0-1e9 ', '"$', '"$bin":', '"__proto__":', '[2,"/","e",[', ']]', '\\ud800'), {
        maxLength: 24,
      })
      .map((parts) => parts.join('')),
  ),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ maxLength: 64 }).map((rest) => Uint8Array.from([0x94, 2, 0xa1, 0x2f, 0xa1, 0x65, 0x91, ...rest])),
    fc.uint8Array({ maxLength: 64 }).map((rest) => Uint8Array.from([0x1a, rest.length, ...rest])),
  ),
};

/** Whether V8 has a place for each index of an object, and not for all below it: as `JSON.parse` makes them. */
function hasIndexesApart(object: object): boolean {
  // Each time: it may be parsed again whenever it is called.
  setFlagsFromString('--allow-natives-syntax');
  try {
    return new Function('object', 'return %HasDictionaryElements(object)')(object);
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

/**
 * Runs the suite.
 * @param pair makes the codec that encodes and the one that decodes; one and the same if there is one
 */
export function codecSuite(name: string, pair: () => { writer: Codec; reader: Codec }): void {
  describe(`codec ${name}`, () => {
    const { writer, reader } = pair();
    const prototypes = [Object.prototype, Array.prototype, Uint8Array.prototype, Date.prototype];
    const ownKeys = () => prototypes.map((prototype) => Reflect.ownKeys(prototype).length);
    const ownKeysBefore = ownKeys();
    afterAll(() => expect(ownKeys()).toEqual(ownKeysBefore));

    function expectSame(packet: Packet): void {
      expect(difference(reader.decode(writer.encode(packet)), packet)).toBeUndefined();
    }

    /** Decodes what may be anything. What comes out must be good enough to be sent on. */
    function expectHarmless(frame: Frame): void {
      let packet: Packet;
      try {
        packet = reader.decode(frame);
      } catch (error) {
        expect(error).toBeInstanceOf(RemoteProtocolError);
        return;
      }
      // Which nobody sends.
      if (packet.type !== 'hint') expectSame(packet);
    }

    test.each(samplePackets.map((packet, i) => [i, packet] as const))('carries sample %i', (_, packet) => {
      expectSame(packet);
    });

    test('positions are put into what was published without them', () => {
      if (writer.withPositions === undefined) return;
      const lists = [
        [],
        [['a log', 1]],
        [
          ['é', 2 ** 40],
          ['"', 0],
          ['x'.repeat(256), 300],
        ],
      ] as const;
      for (const length of [1, 31, 32, 255, 256]) {
        for (const letter of ['a', '"', '\\', 'é', ',[],']) {
          const namespace = `/${letter.repeat(256)}`.slice(0, length);
          for (const positions of lists) {
            const packet: Packet = { type: Publish, namespace, positions, event: 'e', args: [[], 'x'] };
            const frame = writer.withPositions(writer.encode({ ...packet, positions: [] }), positions);
            expect(reader.decode(frame)).toEqual(packet);
          }
        }
      }
    });

    test('carries any value in any place', () => {
      fc.assert(fc.property(anyPacket, expectSame), { numRuns: 800 });
    });

    test('carries values as deep as may be, in every place', () => {
      for (const place of Object.values(places)) {
        for (const inner of [7, -0, new Date(1), new Uint8Array(2), 5n, { $bin: '' }]) {
          expectSame(place(nested(typeof inner === 'object' && '$bin' in inner ? 63 : 64, inner)));
        }
      }
    });

    test('carries objects without a prototype, and leaves out what is undefined', () => {
      const value = Object.assign(Object.create(null), { a: 1, b: undefined });
      const { args } = reader.decode(writer.encode(places['args[0]']!(value))) as { args: readonly unknown[] };
      expect(args).toEqual([{ a: 1 }]);
      expect(Object.keys(args[0] as object)).toEqual(['a']);
    });

    test('carries keys that name methods', () => {
      const methods = { constructor: 1, toJSON: 'x', hasOwnProperty: 3, toString: 4, valueOf: 5, length: 6 };
      for (const value of [methods, Object.assign(Object.create(null), methods)]) expectSame(places.value!([value]));
    });

    test('sends what objects own, whatever was done to Object.prototype', () => {
      Object.defineProperty(Object.prototype, 'extra', {
        value: () => 1,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      try {
        expectSame(places.value!({ a: 1 }));
      } finally {
        Reflect.deleteProperty(Object.prototype, 'extra');
      }
    });

    test('encodes the same packet to the same frame, and leaves the packet alone', () => {
      fc.assert(
        fc.property(anyPacket, (packet) => {
          const frame = writer.encode(Object.freeze(packet));
          expect(writer.encode({ ...packet })).toEqual(frame);
        }),
        { numRuns: 50 },
      );
      const frozen = Object.freeze({ $a: Object.freeze([1n, -0, Object.freeze({ b: undefined })]) });
      expectSame(places.data!(frozen));
    });

    test('writes frames that a transport can hand on', () => {
      const frame = writer.encode(places.value!(['a\nb\u2028', new Uint8Array(3)]));
      if (typeof frame === 'string') {
        expect(writer.binary).toBe(false);
        expect(frame).not.toContain('\n');
      } else {
        expect(writer.binary).toBe(true);
        expect(Object.getPrototypeOf(frame)).toBe(Uint8Array.prototype);
        expect(frame.length).toBe(frame.buffer.byteLength);
      }
    });

    test('carries keys that begin with the same signs, in any order', () => {
      const values = [
        { $$a: 1, $a: 2 },
        { $a: 1, $$a: 2 },
        { $$$a: 1, $$a: 2, $a: [-0], a: 3 },
        { $a: 5n, $$a: { x: [-0] } },
      ];
      for (const value of values) expectSame(places.value!(value as Value));
    });

    test('makes no room for indexes that are not there: a key that is a number costs what any key does', () => {
      const value = { 1023: 0, 2573: { 999: [] }, $a: { 512: 1 }, __proto__x: { b: { 77: 1, 1099: 2 } } };
      const read = reader.decode(writer.encode(places.value!(value as Value))) as unknown as { value: typeof value };
      expect(read.value).toEqual(value);
      for (const one of [read.value, read.value[2573], read.value.$a, read.value.__proto__x.b])
        expect(hasIndexesApart(one)).toBe(true);
    });

    test('keeps nothing of the bytes it was given', () => {
      const packet = places.value!({ bytes: new Uint8Array([1, 2, 3]), text: 'text', when: new Date(5) });
      const frame = writer.encode(packet);
      if (typeof frame === 'string') return;
      for (const native of [Buffer.concat([Buffer.alloc(5), frame]).subarray(5), Uint8Array.from(frame)]) {
        const decoded = reader.decode(native);
        expect(Object.keys(native)).toHaveLength(frame.length);
        native.fill(0);
        expect(difference(decoded, packet)).toBeUndefined();
      }
    });

    test.each(standing)('carries %s', (_, value, becomes) => {
      for (const place of Object.values(places)) {
        const frame = writer.encode(place(value as Value));
        expect(difference(reader.decode(frame), place(becomes as Value))).toBeUndefined();
      }
    });

    test.each(refused)('refuses %s and says where', (_, value, path) => {
      for (const [place, packet] of Object.entries(places)) {
        let error: unknown;
        try {
          writer.encode(packet(value as Value));
        } catch (thrown) {
          error = thrown;
        }
        expect(error).toBeInstanceOf(LocalUsageError);
        expect(error).toMatchObject({ code: 'ERR_NOT_ENCODABLE', details: { path: `${place}${path}` } });
      }
    });

    test('refuses names that are not well-formed', () => {
      const packet: Packet = { type: Event, namespace: '/', event: 'a\ud800', args: [], ack: undefined };
      expect(() => writer.encode(packet)).toThrow(expect.objectContaining({ details: { path: 'event' } }));
    });

    test('refuses frames of the other kind with 1003', () => {
      const frame = reader.binary ? '[14]' : new Uint8Array([0x91, 14]);
      expect(() => reader.decode(frame)).toThrow(expect.objectContaining({ closeCode: 1003 }));
    });

    test('refuses frames that were cut short or go on', () => {
      for (const packet of samplePackets) {
        const frame = writer.encode(packet);
        for (let end = 0; end < frame.length; end++) {
          expect(() => reader.decode(frame.slice(0, end))).toThrow(RemoteProtocolError);
        }
        const longer = typeof frame === 'string' ? `${frame}0` : Uint8Array.from([...frame, 0]);
        expect(() => reader.decode(longer)).toThrow(RemoteProtocolError);
      }
    });

    test('makes a packet or a RemoteProtocolError of anything', () => {
      const noise: fc.Arbitrary<Frame> = reader.binary ? anyNoise.bytes : anyNoise.text;
      fc.assert(fc.property(noise, expectHarmless), { numRuns: 2_500 });
    });

    test('makes a packet or a RemoteProtocolError of its own frames, changed', () => {
      const anyFrame = fc.oneof(fc.constantFrom(...samplePackets), anyPacket).map((packet) => writer.encode(packet));
      const small = anyFrame.filter((frame) => frame.length < 1_000);
      fc.assert(
        fc.property(small, anyEdits, (frame, edits) => expectHarmless(edited(frame, edits))),
        { numRuns: 2_000 },
      );
    });
  });
}
