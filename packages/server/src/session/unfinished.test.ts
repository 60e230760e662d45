import { expect, test } from 'vitest';
import { Unfinished } from './unfinished';

test('knows who finishes what until a server goes on with the session', () => {
  const unfinished = new Unfinished(1_000);
  unfinished.keep('s', [['a', [1, 2]]], 0);
  expect(unfinished.of('s')).toEqual([['a', [1, 2]]]);
  unfinished.keep('s', [['b', [2]]], 1);
  expect(unfinished.of('s')).toEqual([['b', [2]]]);
  unfinished.delete('s');
  expect([unfinished.of('s'), unfinished.size]).toEqual([[], 0]);
});

test('keeps nothing of sessions of which nothing is begun, nor for longer than they are kept', () => {
  const unfinished = new Unfinished(1_000);
  unfinished.keep('nothing', [['a', []]], 0);
  expect(unfinished.size).toBe(0);
  unfinished.keep('first', [['a', [1]]], 0);
  unfinished.keep('second', [['a', [1]]], 600);
  unfinished.keep('third', [['a', [1]]], 1_000);
  expect(unfinished.size).toBe(3);
  unfinished.keep('fourth', [], 1_001);
  expect([unfinished.of('first'), unfinished.size]).toEqual([[], 2]);
});
