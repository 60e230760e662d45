// Values of the data model (docs/PROTOCOL.md §3): arbitrary ones, and what it means that two are equal.
import type { Value } from '@halyard/protocol';
import fc from 'fast-check';

/** Keys and texts that codecs stumble over: what sets prototypes, what JSON escapes, what decoders strip. */
const trickyTexts = [
  ...['', '$', '$$', '$bin', '$$bin', '$date', '$big', '$num', '$$$num'],
  ...['__proto__', '__proto_', '$__proto__', 'constructor', 'prototype', 'toString', 'toJSON', 'hasOwnProperty'],
  ...['length', 'then', '0', '-0', '10', 'ä', '\u{1f600}', '\uffff', '\u0000', '\u2028', '"', '\\ud800', '\n'],
  ...['\ufeff', `\ufeff${'x'.repeat(300)}`, 'x'.repeat(31), 'x'.repeat(32), 'ü'.repeat(33), 'x'.repeat(256)],
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(...trickyTexts) },
);

const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, -1n, 1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, -(2n ** 32n)),
);

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 31, 32, 127, 128, 255, 256, 65_535, 65_536, -1, -32, -33, -128, -129, -32_768, -32_769),
  fc.constantFrom(
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
  ),
  fc.constantFrom(5e-324, 1.7976931348623157e308, 0.1, -1.5),
);

const date = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc
    .constantFrom(0, -1, 1, 999, 1000, -999, -1000, 8.64e15, -8.64e15, 2 ** 32 * 1000, 2 ** 34 * 1000 - 1)
    .map((ms) => new Date(ms)),
);

const binary = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes): Uint8Array => Buffer.from(bytes)),
  fc.constantFrom(255, 256, 65_535, 65_536).map((length) => new Uint8Array(length).fill(7)),
);

/** Any value of the data model, some levels deep. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(null, true, false),
    number,
    text,
    bigint,
    date,
    binary,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(text, fc.option(tie('value'), { nil: undefined, freq: 8 })), { maxLength: 5 }).map(plainObject),
  ),
})).value;

/** @returns a plain object with exactly these properties, `__proto__` too */
export function plainObject(entries: Iterable<readonly [string, Value | undefined]>): Value {
  return Object.fromEntries(entries) as Value;
}

/** @returns `inner` inside `levels` arrays and objects by turns */
export function nested(levels: number, inner: Value = 1): Value {
  let value = inner;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { x: value };
  return value;
}

/**
 * @returns where `actual` differs from `expected`, or undefined. A property whose value is undefined is absent; −0 is
 * not 0; binary and objects of `actual` are plain, whatever those of `expected` were
 */
export function difference(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected) ? undefined : path || '.';
  if (typeof actual !== 'object' || actual === null) return path || '.';
  const prototype: unknown = Object.getPrototypeOf(actual);
  if (expected instanceof Uint8Array) {
    const same = prototype === Uint8Array.prototype && Buffer.compare(actual as Uint8Array, expected) === 0;
    return same ? undefined : `${path} binary`;
  }
  if (expected instanceof Date) {
    const same = prototype === Date.prototype && (actual as Date).getTime() === expected.getTime();
    return same ? undefined : `${path} date`;
  }
  const list = Array.isArray(expected);
  if (prototype !== (list ? Array.prototype : Object.prototype)) return `${path} prototype`;
  if (list && (actual as unknown[]).length !== expected.length) return `${path} length`;
  const theirs = new Map(Object.entries(expected).filter(([, value]) => value !== undefined));
  const ours = new Map(Object.entries(actual).filter(([, value]) => value !== undefined));
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const found =
      ours.has(key) && theirs.has(key)
        ? difference(ours.get(key), theirs.get(key), `${path}.${key}`)
        : `${path}.${key}`;
    if (found !== undefined) return found;
  }
  return undefined;
}
