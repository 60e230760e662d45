import { expect, it } from 'vitest';
import { Bag } from './bag';

it('has what was added and not deleted, in no order', () => {
  const bag = new Bag<{ place: number; name: string }>();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ place: -1, name })) as [never, never, never];
  for (const item of [a, b, c]) bag.add(item);
  bag.delete(a);
  bag.delete(a);
  expect(bag.size).toBe(2);
  bag.add(a);
  bag.delete(b);
  expect(new Set(bag.empty())).toEqual(new Set([a, c]));
  expect(bag.size).toBe(0);
  bag.delete(c);
  expect(bag.empty()).toEqual([]);
});
