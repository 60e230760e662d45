import { expect, test } from 'vitest';
import { Gathering } from './gathering';

test('what is asked for in one turn is asked for together, some at a time, and each has its own answer', async () => {
  const asked: (readonly string[])[] = [];
  const gathering = new Gathering(2, async (names) => {
    asked.push(names);
    if (names.includes('wrong')) throw new Error('it fails');
    return names.map((name) => `answer to ${name}`);
  });
  const answers = await Promise.allSettled(['a', 'b', 'c', 'wrong', 'd'].map((name) => gathering.of(name)));
  expect(asked).toEqual([['a', 'b'], ['c', 'wrong'], ['d']]);
  const outcomes = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message));
  expect(outcomes).toEqual(['answer to a', 'answer to b', 'it fails', 'it fails', 'answer to d']);
  expect(await gathering.of('e')).toBe('answer to e');
});
