import { LocalUsageError, PublicError, type Value } from '@halyard/protocol';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Checks } from './checks';
import type { Schema } from './schema';

function argsOf(schemas: readonly Schema[], args: readonly Value[]): readonly Value[] | Promise<readonly Value[]> {
  return new Checks({ say: { args: schemas } }, 'handler').args('say', args);
}

/** @returns the message of what is thrown */
function refusal(schemas: readonly Schema[], ...args: readonly Value[]): string {
  try {
    argsOf(schemas, args);
  } catch (error) {
    expect(error).toBeInstanceOf(PublicError);
    return (error as Error).message;
  }
  return 'none';
}

describe('arguments', () => {
  test('that fit pass as they are, at once', () => {
    const args = ['lobby', 5];
    expect(argsOf([z.string(), v.number()], args)).toBe(args);
  });

  test('come out as their schemas make them', () => {
    const args = [' lobby ', { a: 1, b: 2 }];
    expect(argsOf([z.string().trim(), z.object({ a: z.number() })], args)).toEqual(['lobby', { a: 1 }]);
    expect(args).toEqual([' lobby ', { a: 1, b: 2 }]);
  });

  test('that are left out may have a default', () => {
    expect(argsOf([z.string(), z.number().default(7)], ['lobby'])).toEqual(['lobby', 7]);
    expect(argsOf([z.string(), z.number().optional()], ['lobby'])).toEqual(['lobby']);
    expect(refusal([z.string(), z.number()], 'lobby')).toBe('"say": argument 2: Invalid input: expected number');
  });

  test('that are too many are refused', () => {
    expect(refusal([z.string()], 'a', 'b')).toBe('"say": it takes 1 argument, and not 2');
    expect(refusal([], 'a')).toBe('"say": it takes no arguments, and not 1');
  });

  test('of an asynchronous schema come later, and the first that fails is told', async () => {
    const slow = z.string().refine(async (text) => text !== 'bad', 'is not good');
    await expect(argsOf([slow, z.string().trim()], ['good', ' b '])).resolves.toEqual(['good', 'b']);
    await expect(argsOf([z.string(), slow, z.number()], ['a', 'bad', 'x'])).rejects.toMatchObject({
      code: 'ERR_INVALID',
      message: '"say": argument 2: is not good',
    });
  });

  test('of an event that there is not', () => {
    const checks = new Checks({}, 'handler');
    for (const name of ['say', 'constructor', '__proto__']) {
      expect(() => checks.args(name, [])).toThrow(`The contract has no event "${name}" in this direction.`);
    }
  });

  test('that are refused are told with the path and the rule, for programs too', () => {
    const line = z.object({ text: z.string().max(3, 'too long (max 3)'), tags: z.array(z.string()) });
    expect(refusal([z.string(), line], 'a', { text: 'abcd', tags: [] })).toBe(
      '"say": argument 2: text: too long (max 3)',
    );
    const checks = new Checks({ say: { args: [line] } }, 'handler');
    expect(() => checks.args('say', [{ text: 'a', tags: ['b', 7] }])).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID',
        message: '"say": argument 1: tags: 1: Invalid input: expected string',
        data: { path: [0, 'tags', 1], rule: 'Invalid input: expected string' },
      }),
    );
  });
});

describe('a reply', () => {
  const checks = (side: 'handler' | 'caller') =>
    new Checks({ say: { reply: z.object({ id: z.string() }) }, leave: {} }, side);

  test('is what its schema makes of it, and nothing where there is none', () => {
    expect(checks('handler').reply('say', { id: 'a', password: 'secret' })).toEqual({ id: 'a' });
    expect(checks('handler').reply('leave', { password: 'secret' })).toBeUndefined();
  });

  test('that does not fit is the fault of who gave it', () => {
    const message = '"say": reply: id: Invalid input: expected string';
    const fault = (error: new (...args: never[]) => Error, code: string) => (thrown: unknown) => {
      expect(thrown).toBeInstanceOf(error);
      expect(thrown).toMatchObject({ code, message });
      return true;
    };
    expect(() => checks('handler').reply('say', { id: 7 })).toThrow(
      expect.toSatisfy(fault(LocalUsageError, 'ERR_REPLY_INVALID')),
    );
    expect(() => checks('caller').reply('say', { id: 7 })).toThrow(expect.toSatisfy(fault(PublicError, 'ERR_INVALID')));
  });
});

test('what this side says wrongly is its own fault', () => {
  const checks = new Checks({ say: { args: [z.string()] } }, 'caller');
  expect(() => checks.args('say', [5])).toThrow(LocalUsageError);
});

// Of each library what its messages show of what it was given.
const secret = 'planted-secret-hunter2';
const faults: Record<string, readonly (readonly [schema: Schema, value: Value])[]> = {
  zod: [
    [z.number(), secret],
    [z.string().max(3), secret],
    [z.enum(['a', 'b']), secret],
    [z.literal('a'), secret],
    [z.email(), secret],
    [z.strictObject({ a: z.string() }), { a: 'x', [secret]: 1 }],
    [z.record(z.email(), z.number()), { [secret]: 1 }],
    [z.union([z.number(), z.strictObject({ kind: z.literal('a') })]), { kind: secret }],
    [z.string().refine(() => false, { error: ({ input }) => `${input} is none of mine` }), secret],
    [
      z.string().refine(() => false, { error: ({ input }) => `${String(input).slice(0, 12)}… is none of mine` }),
      secret,
    ],
    [z.string().refine(() => false, { error: ({ input }) => `no: ${JSON.stringify(input)}` }), `"${secret}"\n`],
    [
      z.object({ a: z.string() }).refine(() => false, { error: ({ input }) => `no ${(input as { a: string }).a}` }),
      { a: secret },
    ],
  ],
  valibot: [
    [v.number(), secret],
    [v.pipe(v.string(), v.maxLength(3)), secret],
    [v.picklist(['a', 'b']), secret],
    [v.pipe(v.string(), v.email()), secret],
    [v.strictObject({ a: v.string() }), { a: 'x', [secret]: 1 }],
    [v.record(v.pipe(v.string(), v.email()), v.number()), { [secret]: 1 }],
    [v.union([v.number(), v.object({ kind: v.literal('a') })]), { kind: secret }],
    [v.object({ a: v.object({ b: v.number() }) }), { a: { b: secret } }],
  ],
  arktype: [
    [type('number'), secret],
    [type('string <= 3'), secret],
    [type("'a' | 'b'"), secret],
    [type('string.email'), secret],
    [type({ a: 'string', '+': 'reject' }), { a: 'x', [secret]: 1 }],
    [type('/^a/ & /b$/'), secret],
    [type({ kind: "'a'" }).or('number'), { kind: secret }],
    [type({ a: { b: 'number' } }), { a: { b: secret } }],
    [type('string[]'), ['a', { secret }]],
  ],
};

describe.each(Object.entries(faults))('what %s says of what is wrong', (_, cases) => {
  test.each(cases)('has nothing of the value (%#)', (schema, value) => {
    const message = refusal([z.string(), schema], 'lobby', value);
    expect(message).toMatch(/^"say": argument 2: \S.*/);
    expect(message).not.toMatch(/planted|hunter2|secret-/);
    try {
      argsOf([z.string(), schema], ['lobby', value]);
    } catch (error) {
      expect(JSON.stringify((error as PublicError).data)).not.toMatch(/planted|hunter2|secret-/);
    }
  });

  test('has the rule', () => {
    expect(
      cases.map(([schema, value]) => refusal([schema], value).replace('"say": argument 1: ', '')),
    ).toMatchSnapshot();
  });
});

test('numbers are values too, and bounds are not', () => {
  expect(refusal([type('number < 3')], 4711)).toBe('"say": argument 1: must be less than 3');
  expect(refusal([z.number().refine(() => false, { error: ({ input }) => `not ${input}, max 47` })], 4711)).toBe(
    '"say": argument 1: not …, max 47',
  );
});

test('of an input with more in it than is looked through no message is told', () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `text ${i}`);
  const schema = z.array(z.string()).refine(() => false, 'is refused');
  expect(refusal([schema], many)).toBe('"say": argument 1: is not valid');
});

test('a message as long as the value takes no time', () => {
  const long = ' '.repeat(1 << 20);
  const schema = z.string().refine(() => false, { error: ({ input }) => `${input}` });
  const startedAt = performance.now();
  expect(refusal([schema], long)).toBe('"say": argument 1: is not valid');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
