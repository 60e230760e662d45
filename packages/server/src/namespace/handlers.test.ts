import { LocalUsageError } from '@halyard/protocol';
import { describe, expect, it } from 'vitest';
import {
  anyEvent,
  callEvent,
  type EventKey,
  fireAnyHandlers,
  fireHandlers,
  type Handler,
  type Handlers,
  hasHandler,
  noHandlers,
  onceOnly,
  withHandler,
  withoutHandler,
} from './handlers';

const unexpected = (error: unknown): void => {
  throw error;
};

/** A list with these handlers, in this order. */
function listOf(...entries: [event: EventKey, handler: Handler][]): Handlers {
  return entries.reduce((list, [event, handler]) => withHandler(list, event, handler), noHandlers);
}

describe('calling handlers', () => {
  it('calls those of the event in the order they were added, and takes the first result', () => {
    const calls: string[] = [];
    const list = listOf(
      ['a', (x: string) => void calls.push(`first ${x}`)],
      ['b', () => calls.push('never')],
      ['a', (x: string) => calls.push(`second ${x}`)],
      ['a', () => calls.push('third') * 100],
    );
    expect(callEvent(list, 'a', ['x'], unexpected)).toBe(2);
    expect(calls).toEqual(['first x', 'second x', 'third']);
  });

  it('keeps those of any event apart, also from one without a name', () => {
    const calls: unknown[] = [];
    const list = listOf(
      ['a', () => calls.push('a')],
      ['', () => calls.push('no name')],
      [anyEvent, (...args: unknown[]) => calls.push(args)],
      [anyEvent, () => unexpected('any')],
    );
    const failures: unknown[] = [];
    fireAnyHandlers(list, 'unknown', [1], (error) => failures.push(error));
    expect([calls.splice(0), failures]).toEqual([[['unknown', 1]], ['any']]);
    callEvent(list, 'a', [], unexpected);
    callEvent(list, '', [], unexpected);
    expect(calls.splice(0)).toEqual(['a', 'no name']);
    fireAnyHandlers(withoutHandler(list, anyEvent, undefined), 'a', [], unexpected);
    expect(calls).toEqual([]);
  });

  it('throws what failed before there was a result, and tells of what failed after it', () => {
    const failures: unknown[] = [];
    const list = listOf(
      ['early', () => unexpected('early')],
      ['early', () => 1],
      ['late', () => 1],
      ['late', () => unexpected('late')],
      ['later', () => 1],
      ['later', async () => unexpected('later')],
    );
    const failed = (error: unknown): void => void failures.push(error);
    expect(() => callEvent(list, 'early', [], failed)).toThrow('early');
    expect(callEvent(list, 'late', [], failed)).toBe(1);
    expect(failures).toEqual(['late']);
    fireHandlers(list, 'late', [], failed);
    expect(failures).toEqual(['late', 'late']);
  });

  it('tells of a promise that nobody waits for and that fails', async () => {
    const list = listOf(['a', () => 1], ['a', async () => unexpected('lost')]);
    expect(await new Promise((resolve) => callEvent(list, 'a', [], resolve))).toBe('lost');
  });

  it('goes on with what there was when a handler adds and removes others', () => {
    const calls: string[] = [];
    let list = noHandlers;
    const second = (): void => void calls.push('second');
    list = withHandler(list, 'a', () => {
      calls.push('first');
      list = withoutHandler(list, 'a', second);
      list = withHandler(list, 'a', () => calls.push('third'));
    });
    list = withHandler(list, 'a', second);
    callEvent(list, 'a', [], unexpected);
    expect(calls).toEqual(['first', 'second']);
    callEvent(list, 'a', [], unexpected);
    expect(calls).toEqual(['first', 'second', 'first', 'third']);
  });
});

describe('adding and removing', () => {
  it('removes one, or all, and leaves other events', () => {
    const one = (): void => {};
    const list = listOf(['a', one], ['a', () => 2], ['b', () => 3]);
    expect(callEvent(withoutHandler(list, 'a', one), 'a', [], unexpected)).toBe(2);
    const without = withoutHandler(list, 'a', undefined);
    expect(hasHandler(without, 'a')).toBe(false);
    expect(callEvent(without, 'b', [], unexpected)).toBe(3);
    expect(withoutHandler(without, 'a', one)).toBe(without);
    expect(hasHandler(list, 'a')).toBe(true);
  });

  it('calls a handler for once only, also if it fires its own event, and removes it by its own name', () => {
    let list = noHandlers;
    let calls = 0;
    const handler = (): void => {
      calls++;
      callEvent(list, 'a', [], unexpected);
    };
    const add = (): void => {
      const remove = (wrapper: Handler): void => {
        list = withoutHandler(list, 'a', wrapper);
      };
      list = withHandler(list, 'a', onceOnly('a', handler, remove));
    };
    add();
    callEvent(list, 'a', [], unexpected);
    expect(calls).toBe(1);
    expect(list).toEqual([]);
    add();
    expect(withoutHandler(list, 'a', handler)).toEqual([]);
  });

  it.each([undefined, null, 'text', {}])('refuses %s as a handler', (handler) => {
    const refusal = expect.objectContaining({
      code: 'ERR_HANDLER_TYPE',
      message: 'the handler of "a" is not a function',
    });
    const bad = handler as unknown as Handler;
    expect(() => withHandler(noHandlers, 'a', bad)).toThrow(refusal);
    expect(() => onceOnly('a', bad, unexpected)).toThrow(refusal);
    expect(() => onceOnly('a', bad, unexpected)).toThrow(LocalUsageError);
  });
});
