// The suite over json, and what is json's own: its text, its notation and what other texts do to it.
// Longer than other files: a case for each notation.

import { codecSuite } from '@halyard/harness/codec-suite';
import { difference, nested } from '@halyard/harness/values';
import { type Packet, PacketType, RemoteProtocolError, type Value } from '@halyard/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { json } from './json';
import { json as jsonBrowser } from './json-browser';

const node = json();
const browser = jsonBrowser();

codecSuite('json to json', () => ({ writer: node, reader: node }));
codecSuite('json to json-browser', () => ({ writer: node, reader: browser }));
codecSuite('json-browser to json', () => ({ writer: browser, reader: node }));
codecSuite('json-browser to json-browser', () => ({ writer: browser, reader: browser }));

const ack = (value: Value): Packet => ({ type: PacketType.Ack, ack: 1, value });
const undecodable = expect.objectContaining({ code: 'ERR_FRAME_DECODE', closeCode: 4400 });

describe.each([
  ['json', node],
  ['json-browser', browser],
])('%s', (_name, codec) => {
  describe('text', () => {
    test('is the tuple, for people to read and type', () => {
      const packet: Packet = { type: PacketType.Event, namespace: '/', event: 'say', args: ['hi', { a: 1 }], ack: 2 };
      expect(codec.encode(packet)).toBe('[2,"/","say",["hi",{"a":1}],2]');
      expect(codec.decode('[ 14 ]')).toEqual({ type: PacketType.Reset });
      expect(codec.decode('[2,"/","say",[]]')).toMatchObject({ event: 'say', args: [], ack: undefined });
    });

    const written: [value: Value, text: string][] = [
      [new Uint8Array([104, 105, 0]), '{"$bin":"aGkA"}'],
      [new Uint8Array(), '{"$bin":""}'],
      [new Date(-1), '{"$date":-1}'],
      [-5n, '{"$big":"-5"}'],
      [-0, '{"$num":"-0"}'],
      [{ $date: 1 }, '{"$$date":1}'],
      [{ $$date: 1, $: 2, a$: 3 }, '{"$$$date":1,"$$":2,"a$":3}'],
      [{ $a: { $bin: new Date(0) } }, '{"$$a":{"$$bin":{"$date":0}}}'],
      [['$bin', '$'], '["$bin","$"]'],
      [{ '\ud800': undefined, a: 1 }, '{"a":1}'],
    ];
    test.each(written)('writes %o as %s', (value, text) => {
      expect(codec.encode(ack(value))).toBe(`[3,1,${text}]`);
      expect(difference(codec.decode(`[3,1,${text}]`), ack(value))).toBeUndefined();
    });

    test('calls no toJSON, neither of data nor of a patched prototype', () => {
      const patch = { value: () => 'patched', configurable: true };
      Object.defineProperty(BigInt.prototype, 'toJSON', patch);
      try {
        const text = codec.encode(ack([1n, { toJSON: 'data', when: new Date(0) }, Buffer.from('hi')]));
        expect(text).toBe('[3,1,[{"$big":"1"},{"toJSON":"data","when":{"$date":0}},{"$bin":"aGk="}]]');
      } finally {
        Reflect.deleteProperty(BigInt.prototype, 'toJSON');
      }
    });

    test('calls nothing that a subclass has in place of what it is', () => {
      class Items extends Array<string> {
        override join = () => 'joined';
      }
      class Bytes extends Uint8Array {
        toBase64 = () => '"';
      }
      class Day extends Date {
        override getTime = () => '"' as unknown as number;
      }
      const text = codec.encode(ack([Items.of('a', 'b'), Bytes.of(1), new Day(7)] as Value));
      expect(text).toBe('[3,1,[["a","b"],{"$bin":"AQ=="},{"$date":7}]]');
    });

    test('takes a notation for one however JSON spells its key', () => {
      expect(codec.decode('[3,1,{"\\u0024date":7}]')).toEqual(ack(new Date(7)));
    });
  });

  describe('refuses', () => {
    const malformed = [
      ...['{"$bin":"a"}', '{"$bin":"aGk"}', '{"$bin":"aGk=\\n"}', '{"$bin":"_-_-"}', '{"$bin":"aGl="}', '{"$bin":5}'],
      ...['{"$bin":{"length":4000000000}}', '{"$bin":[1]}', '{"$bin":null}', '{"$bin":"","a":1}', '{"a":1,"$bin":""}'],
      ...[
        '{"$date":"1970-01-01"}',
        '{"$date":1.5}',
        '{"$date":8640000000000001}',
        '{"$date":null}',
        '{"$date":[5]}',
        '{"$date":-0}',
      ],
      ...['{"$big":"1.5"}', '{"$big":"0x10"}', '{"$big":""}', '{"$big":" 1"}', '{"$big":"01"}', '{"$big":"-0"}'],
      ...['{"$big":5}', '{"$big":"18446744073709551616"}', '{"$big":"-9223372036854775809"}', '{"$big":true}'],
      ...['{"$num":"0"}', '{"$num":-0}', '{"$num":"NaN"}', '{"$other":1}', '{"$":1}', '{"$date":1,"$bin":""}'],
      ...['{"$$a":1,"$b":2}', '1e999', '-1e999', '"\\ud800"', '{"\\udfff":1}', '{"a":"\\ud83d"}'],
    ];
    test.each(malformed)('%s', (text) => {
      for (const value of [text, `[${text}]`, `{"a":${text}}`, `[{"$date":0},${text}]`]) {
        expect(() => codec.decode(`[3,1,${value}]`)).toThrow(undecodable);
        expect(() => codec.decode(`[2,"/","e",[${value}]]`)).toThrow(undecodable);
      }
    });

    test('a bigint of a million digits, without reading it', ({ onTestFinished }) => {
      const text = `[3,1,{"$big":"${'9'.repeat(1_000_000)}"}]`;
      const parse = vi.spyOn(globalThis, 'BigInt');
      onTestFinished(() => parse.mockRestore());
      expect(() => codec.decode(text)).toThrow(undecodable);
      for (const [digits] of parse.mock.calls) expect(`${digits}`.length).toBeLessThan(22);
    });

    test.each([
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"$$a":', '}]'],
    ])('what nests too deep: %s', (open, close) => {
      const levels = open.length > 5 ? 2 : 1;
      const text = (depth: number) =>
        `${open.repeat(Math.ceil(depth / levels))}0${close.repeat(Math.ceil(depth / levels))}`;
      expect(codec.decode(`[3,1,${text(64)}]`)).toMatchObject({ type: PacketType.Ack });
      expect(() => codec.decode(`[3,1,${text(65)}]`)).toThrow(undecodable);
      expect(codec.decode(`[2,"/","e",[${text(64)}]]`)).toMatchObject({ type: PacketType.Event });
      expect(() => codec.decode(`[2,"/","e",[${text(65)}]]`)).toThrow(undecodable);
      expect(codec.decode(`[0,[["/",${text(64)}]]]`)).toMatchObject({ type: PacketType.Hello });
      expect(() => codec.decode(`[0,[["/",${text(65)}]]]`)).toThrow(undecodable);
      expect(() => codec.decode(`[3,1,${text(2e5)}]`)).toThrow(undecodable);
      for (const frame of [text(2e5), `[3,1,${text(2e5)}]`, `[${text(2e5)}]`, open.repeat(2e5)]) {
        expect(() => codec.decode(frame)).toThrow(RemoteProtocolError);
      }
    });

    test.each([
      '',
      ' ',
      'null',
      '1',
      '"x"',
      '{}',
      '[]',
      '[null]',
      '[{"toString":1,"valueOf":1}]',
      '[{"$big":"2"},"/"]',
      '[{"$num":"-0"}]',
    ])('the frame %s', (frame) => {
      expect(() => codec.decode(frame)).toThrow(RemoteProtocolError);
    });

    test('nothing for the sake of a key that sets prototypes', () => {
      const text = '{"__proto__":{"polluted":{"$date":0}},"constructor":{"prototype":{"polluted":1}}}';
      for (const value of [text, `{"$$a":1,${text.slice(1)}`]) {
        const packet = codec.decode(`[3,1,${value}]`) as { value: object };
        expect(Object.getPrototypeOf(packet.value)).toBe(Object.prototype);
        expect(Object.keys(packet.value)).toEqual(expect.arrayContaining(['__proto__', 'constructor']));
        expect(Object.getOwnPropertyDescriptor(packet.value, '__proto__')?.value).toEqual({ polluted: new Date(0) });
        expect(packet.value).not.toHaveProperty('polluted');
      }
    });
  });
});

describe('what a frame costs', () => {
  test('each value and each key is looked at once, whatever is escaped beside it', ({ onTestFinished }) => {
    const numbers = Array.from({ length: 100 }, (_, i) => i + 0.5);
    const texts = numbers.map((i) => `text ${i}`);
    const object = Object.fromEntries(texts.map((text) => [`key of ${text}`, text]));
    const frame = node.encode(ack([new Date(0), 5n, numbers, texts, object, { $a: [numbers, object] }]));
    const finite = vi.spyOn(Number, 'isFinite');
    const wellFormed = vi.spyOn(String.prototype as { isWellFormed(): boolean } & string, 'isWellFormed');
    onTestFinished(() => {
      finite.mockRestore();
      wellFormed.mockRestore();
    });
    node.decode(frame);
    // Of packets: the number of the ack. Of escapes: the key `$$a`.
    expect(finite).toHaveBeenCalledTimes(200 + 1);
    expect(wellFormed).toHaveBeenCalledTimes(500 + 1);
  });

  test('no object is made of a list of entries, and few bytes by no Buffer', ({ onTestFinished }) => {
    const frame = node.encode(ack([{ $a: 0, b: [{ $c: new Uint8Array(3) }] }, new Uint8Array(), new Uint8Array(64)]));
    const spies = [
      vi.spyOn(Object, 'entries'),
      vi.spyOn(Object, 'fromEntries'),
      vi.spyOn(Buffer, 'from'),
      vi.spyOn(Buffer, 'allocUnsafeSlow'),
    ];
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore();
    });
    node.decode(frame);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  test('brackets by the thousand are refused before JSON.parse takes its time for them', ({ onTestFinished }) => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    const long = `"${'x'.repeat(10_000)}\\\\"`;
    for (const open of ['[', '{"a":', '[[],', '[{"]\\"]":[],"a":']) {
      for (const text of [open.repeat(20_000), `[3,1,[${long},${open.repeat(200)}`]) {
        expect(() => node.decode(text)).toThrow(undecodable);
      }
    }
    expect(parse).not.toHaveBeenCalled();
    // As deep as a packet may be, with what looks like brackets and ends of texts in its texts.
    const text = `${'['.repeat(2_000)}\\"[[\\`;
    const deep = [text, { '[{"[': { $bin: new Uint8Array(9_000) } }, nested(63, new Date(0))];
    expect(difference(node.decode(node.encode(ack(deep))), ack(deep))).toBeUndefined();
    expect(parse).toHaveBeenCalledTimes(1);
  });

  test('keys with a $ are made names once for each name, not once for each object', ({ onTestFinished }) => {
    // The rest of the way is one walk; what it takes stands in docs/ARCHITECTURE.md.
    const frame = `[2,"/","e",[${Array(5_000).fill('{"$$a":0,"$$b":0,"$$c":0}')}]]`;
    const spies = [vi.spyOn(String.prototype, 'slice'), vi.spyOn(Object, 'defineProperty')];
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore();
    });
    node.decode(frame);
    const counts = spies.map(({ mock }) => mock.calls.length);
    expect(counts).toEqual([3, 0]);
  });
});

test('a function within a value is refused with what to send instead', () => {
  for (const codec of [node, browser]) {
    expect(() => codec.encode(ack({ a: [() => {}] } as never))).toThrow(
      'value.a[0]: cannot send function: send what it returns',
    );
  }
});

test('what only calls itself a date or a buffer is neither', () => {
  const named = (tag: string, more: object) => ({
    a: Object.assign(new (class Mine {})(), { [Symbol.toStringTag]: tag }, more),
  });
  for (const tag of ['Date', 'ArrayBuffer']) {
    expect(node.encode(ack(named(tag, { toJSON: () => ({ days: 7 }) }) as never))).toBe('[3,1,{"a":{"days":7}}]');
    expect(() => node.encode(ack(named(tag, {}) as never))).toThrow('value.a: cannot send an instance of Mine');
  }
});

test('base64 is taken exactly if an encoder writes it', () => {
  const chars = fc.constantFrom(...'ABQgwxYZ019+/=-_ \n\u0100');
  const bytes = fc.uint8Array({ maxLength: 250 }).map((array) => Buffer.from(array).toString('base64'));
  const changed = fc
    .tuple(bytes, fc.nat(), fc.array(chars, { maxLength: 2 }), fc.nat({ max: 2 }))
    .map(([text, at, put, count]) => {
      const place = text.length - (at % (text.length + 1));
      return text.slice(0, place) + put.join('') + text.slice(place + count);
    });
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        changed,
        fc.array(chars, { maxLength: 12 }).map((list) => list.join('')),
      ),
      (text) => {
        const expected = Buffer.from(text, 'base64');
        const frame = `[3,1,{"$bin":${JSON.stringify(text)}}]`;
        if (expected.toString('base64') !== text) expect(() => node.decode(frame)).toThrow(undecodable);
        else expect(difference(node.decode(frame), ack(new Uint8Array(expected)))).toBeUndefined();
      },
    ),
    { numRuns: 3_000 },
  );
});

test('bytes are in no buffer with others', () => {
  for (const length of [0, 1, 64, 65, 192, 193, 1_000]) {
    const { value } = node.decode(node.encode(ack(new Uint8Array(length)))) as { value: Uint8Array };
    expect(value.buffer.byteLength).toBe(length);
  }
});

test('a key that Object.prototype has is set beside one with a $, also where it is frozen', ({ onTestFinished }) => {
  Object.defineProperty(Object.prototype, 'toString', { writable: false });
  onTestFinished(() => void Object.defineProperty(Object.prototype, 'toString', { writable: true }));
  const { value } = node.decode('[3,1,{"$$a":1,"constructor":2,"__proto__":3,"toString":{"$date":0}}]') as {
    value: object;
  };
  expect(Object.entries(value)).toEqual([
    ['$a', 1],
    ['constructor', 2],
    ['__proto__', 3],
    ['toString', new Date(0)],
  ]);
});

describe('json in other engines', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  // Short ones are read by hand.
  const values = [0, 1, 2, 3, 4, 298, 299, 300].map((length) => Uint8Array.from({ length }, (_, i) => 255 - i));

  async function freshCodec() {
    vi.resetModules();
    return (await import('./json')).json();
  }

  test('without Buffer', async () => {
    vi.stubGlobal('Buffer', undefined);
    const other = await freshCodec();
    for (const value of values) {
      const text = other.encode(ack(value));
      expect((other.decode(text) as { value: Uint8Array }).value).toEqual(value);
      vi.unstubAllGlobals();
      expect(text).toBe(node.encode(ack(value)));
      vi.stubGlobal('Buffer', undefined);
    }
    for (const text of ['a', 'aGk', 'aGk=\\n', '_-_-', 'aGl=', '!']) {
      for (const before of ['', 'AAAA'.repeat(100)]) {
        expect(() => other.decode(`[3,1,{"$bin":"${before}${text}"}]`)).toThrow(undecodable);
      }
    }
  });

  test('with base64 of their own', async () => {
    const calls: string[] = [];
    const native = {
      to(this: Uint8Array) {
        calls.push('to');
        return Buffer.from(this).toString('base64');
      },
      from(text: string) {
        calls.push('from');
        return new Uint8Array(Buffer.from(text, 'base64'));
      },
    };
    const hadNative = 'fromBase64' in Uint8Array;
    if (!hadNative) {
      Object.defineProperty(Uint8Array.prototype, 'toBase64', { value: native.to, configurable: true });
      Object.defineProperty(Uint8Array, 'fromBase64', { value: native.from, configurable: true });
    }
    try {
      const other = await freshCodec();
      for (const value of values) {
        const packet = other.decode(other.encode(ack(value))) as { value: Uint8Array };
        expect(packet.value).toEqual(value);
      }
      if (!hadNative) expect(new Set(calls)).toEqual(new Set(['to', 'from']));
    } finally {
      if (!hadNative) {
        Reflect.deleteProperty(Uint8Array.prototype, 'toBase64');
        Reflect.deleteProperty(Uint8Array, 'fromBase64');
      }
    }
  });

  test('without isWellFormed', async () => {
    const own = Object.getOwnPropertyDescriptor(String.prototype, 'isWellFormed');
    Reflect.deleteProperty(String.prototype, 'isWellFormed');
    try {
      const other = await freshCodec();
      for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', '\ud800\ud800\udc00']) {
        expect(() => other.encode(ack(text))).toThrow('half a surrogate pair');
      }
      expect(other.decode(other.encode(ack('\u{1f600}\uffff')))).toEqual(ack('\u{1f600}\uffff'));
    } finally {
      if (own) Object.defineProperty(String.prototype, 'isWellFormed', own);
    }
  });
});
