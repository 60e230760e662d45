import { expect, it } from 'vitest';
import { Recent } from './recent';

it('forgets what was set long ago, and has each name once, with what was set last', () => {
  const recent = new Recent<number>(4);
  for (const [i, name] of ['a', 'b', 'a', 'c', 'b'].entries()) recent.set(name, i);
  expect([...recent.entries()]).toEqual([
    ['a', 2],
    ['c', 3],
    ['b', 4],
  ]);
  recent.set('d', 5);
  expect([recent.get('a'), recent.get('b'), recent.get('c'), recent.get('d')]).toEqual([undefined, 4, 3, 5]);
  recent.delete('b');
  expect([...recent.entries()].map(([name]) => name)).toEqual(['c', 'd']);
});
