import { expect, test } from 'vitest';
import { Before } from './known';

test.each([
  ['it has delivered that entry', [9, 5, 'a', true], true],
  ['it has delivered another one there', [9, 5, 'b', true], false],
  ['there is more than it has', [10, 5, 'a', false], false],
  ['it has no names so far back', [9, 3, 'z', false], true],
  ['an entry is lost that somebody has read elsewhere, or another one in its place', [9, 3, 'z', true], false],
  ['an entry is lost that was before anybody here had read anything', [9, 4, 'z', true], true],
] as const)('whether a node has had all that others have known of a log: %s', (_what, known, isWhole) => {
  const names = new Map([5, 6, 7, 8, 9].map((offset) => [offset, offset === 5 ? 'a' : `${offset}`]));
  const before = new Before('epoch', 9, 9, names, 3);
  expect(before.add(known)).toBe(!isWhole);
  expect(before.isWhole).toBe(isWhole);
});
