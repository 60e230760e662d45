import { describe, expect, test, vi } from 'vitest';
import { callHandlers, checkEventName, failureOf, isReservedEvent, reservedEvents, trimmedArgs } from './event-rules';
import { PublicError } from './wire/errors';

describe('names', () => {
  test('of lifecycle events, on either end, are reserved', () => {
    expect([...reservedEvents].sort()).toEqual([
      'away',
      'connect',
      'connect_error',
      'connection',
      'disconnect',
      'disconnecting',
      'error',
      'moved',
      'resume',
    ]);
    for (const name of reservedEvents) {
      expect(() => checkEventName(name)).toThrow(expect.objectContaining({ code: 'ERR_RESERVED_EVENT' }));
      expect(isReservedEvent(name)).toBe(true);
    }
    expect(['message', 'constructor', 'Connect', ''].map(isReservedEvent)).toEqual([false, false, false, false]);
  });

  test('are text of 1 to 256 characters', () => {
    for (const name of ['x', 'x'.repeat(256), '__proto__']) expect(() => checkEventName(name)).not.toThrow();
    for (const name of ['', 'x'.repeat(257), 5, undefined, ['x']]) {
      expect(() => checkEventName(name as string)).toThrow(expect.objectContaining({ code: 'ERR_EVENT_NAME' }));
    }
  });
});

test('arguments lose what is undefined at their end, and only there', () => {
  expect(trimmedArgs([undefined, 1, null, undefined, undefined])).toEqual([undefined, 1, null]);
  expect(trimmedArgs([undefined])).toEqual([]);
  const args = [1, null];
  expect(trimmedArgs(args)).toBe(args);
});

describe('the reply', () => {
  const nothing = () => {};
  const later = (turns: number, give: () => unknown) => async () => {
    for (let i = 0; i < turns; i++) await undefined;
    return give();
  };
  const fail = (name: string) => () => {
    throw new Error(name);
  };

  /** What handlers come to: a value, or an error's message, and then the messages of those aside. */
  async function outcome(...handlers: (() => unknown)[]): Promise<unknown[]> {
    const aside: string[] = [];
    const note = (error: unknown) => aside.push((error as Error).message);
    let result: unknown;
    try {
      result = await callHandlers(handlers, [], note);
    } catch (error) {
      result = `failed: ${(error as Error).message}`;
    }
    for (let i = 0; i < 30; i++) await undefined;
    return [result, ...aside];
  }

  test.each<[string, (() => unknown)[], unknown[]]>([
    ['nobody', [], [undefined]],
    ['nobody has one', [nothing, later(1, nothing), later(2, nothing)], [undefined]],
    ['the first returned', [nothing, () => 1, () => 2], [1]],
    ['null is one', [() => null, () => 2], [null]],
    ['a promise of nothing does not answer for others', [later(0, nothing), () => 1], [1]],
    ['what is returned is settled before a promise', [later(0, () => 1), () => 2], [2]],
    ['one promise', [nothing, later(3, () => 1)], [1]],
    ['the promise that is settled first', [later(9, () => 1), later(2, () => 2)], [2]],
    ['the first settled that is something', [later(1, nothing), later(5, () => 2)], [2]],
    ['the first failure', [nothing, fail('a'), () => 1, fail('b')], ['failed: a', 'b']],
    ['a failure after it', [() => 1, fail('a'), later(1, fail('b'))], [1, 'a', 'b']],
    ['a promise that fails first', [later(5, () => 1), later(1, fail('a'))], ['failed: a']],
    ['a promise that fails after it', [later(1, () => 1), later(5, fail('a'))], [1, 'a']],
    ['two that fail', [later(5, fail('a')), later(1, fail('b'))], ['failed: b', 'a']],
    ['a failure, and promises behind it', [fail('a'), later(1, fail('b')), later(1, () => 1)], ['failed: a', 'b']],
  ])('%s', async (_what, handlers, expected) => {
    expect(await outcome(...handlers)).toEqual(expected);
  });

  test('handlers are called at once and in order with the arguments, whoever fails', () => {
    const calls: unknown[][] = [];
    const handler =
      (name: string) =>
      (...args: unknown[]) =>
        void calls.push([name, ...args]);
    const aside = vi.fn();
    expect(callHandlers([handler('a'), () => 5, fail('x'), handler('b')], [1, 2], aside)).toBe(5);
    expect(calls).toEqual([
      ['a', 1, 2],
      ['b', 1, 2],
    ]);
    expect(aside).toHaveBeenCalledTimes(1);
  });

  test('no promise is made where none was returned, and none besides the only one', () => {
    const promise = Promise.resolve(1);
    expect(callHandlers([() => 1], [], nothing)).toBe(1);
    expect(callHandlers([nothing, () => promise], [], nothing)).toBe(promise);
  });

  test('what throws nothing fails too, and what has a `then` is waited for', async () => {
    const throwing = () => {
      throw undefined;
    };
    await expect(async () => callHandlers([throwing, () => 1], [], nothing)).rejects.toBe(undefined);
    // biome-ignore lint/suspicious/noThenProperty: what some libraries have in place of a promise.
    expect(await callHandlers([() => ({ then: (done: (n: number) => void) => done(7) })], [], nothing)).toBe(7);
  });
});

describe('a failure', () => {
  const of = (code: unknown, message: unknown, data?: string) =>
    failureOf(new PublicError(code as string, message as string, data), 'ERR_FALLBACK', 'It failed.');

  test('is all of a PublicError, and nothing of another error', () => {
    expect(of('ERR_MINE', 'mine', 'd')).toEqual({ code: 'ERR_MINE', message: 'mine', data: 'd' });
    for (const error of [new Error('secret'), 'secret', undefined, { code: 'ERR_SECRET' }]) {
      const hidden = { code: 'ERR_FALLBACK', message: 'It failed.', data: undefined };
      expect(failureOf(error, 'ERR_FALLBACK', 'It failed.')).toEqual(hidden);
    }
  });

  test('has the other code for an empty one, and text for what is none', () => {
    expect(of('', '')).toMatchObject({ code: 'ERR_FALLBACK', message: '' });
    expect(of(7, null)).toMatchObject({ code: '7', message: 'null' });
  });

  test('is cut to what a packet carries, between characters', () => {
    expect(of('x'.repeat(300), 'y'.repeat(2_000))).toMatchObject({ code: 'x'.repeat(256), message: 'y'.repeat(1_024) });
    expect(of(`${'x'.repeat(254)}😀😀`, '')).toMatchObject({ code: `${'x'.repeat(254)}😀` });
    expect(of(`${'x'.repeat(255)}😀`, '')).toMatchObject({ code: 'x'.repeat(255) });
    expect(of('x', `${'y'.repeat(1_023)}😀`)).toMatchObject({ message: 'y'.repeat(1_023) });
  });

  test('has no half of a surrogate pair', () => {
    expect(of('a\ud83d', '\ude00b😀')).toMatchObject({ code: 'a\ufffd', message: '\ufffdb😀' });
    expect(of(`${'x'.repeat(255)}\ud83d!`, '').code).toBe(`${'x'.repeat(255)}\ufffd`);
  });
});
