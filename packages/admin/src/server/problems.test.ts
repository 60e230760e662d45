import { expect, test } from 'vitest';
import { Problems } from './problems';

const error = { happening: 'error', level: 'error', message: 'Something has failed that nobody waits for.' } as const;

test('each kind is there once, the newest first, and without the error itself', () => {
  let now = 0;
  const problems = new Problems(() => ++now);
  const secret = new Error('secret');
  problems.hear({ ...error, facts: { code: 'TypeError', where: 'the handler of "a"', err: secret } });
  problems.hear({
    ...{ happening: 'warning', level: 'warn', message: 'The server is full.' },
    facts: { code: 'sessionsMax', count: 5 },
  });
  problems.hear({ ...error, facts: { code: 'TypeError', where: 'the handler of "a"', err: secret } });
  problems.hear({ happening: 'request refused', level: 'warn', message: '', facts: { code: 'ERR_ORIGIN' } });
  expect(problems.list).toEqual([
    { level: 'error', code: 'TypeError', message: 'the handler of "a" failed.', count: 2, at: 3 },
    { level: 'warn', code: 'sessionsMax', message: 'The server is full.', count: 5, at: 2 },
  ]);
  expect(problems.count).toBe(3);
});

test('of any number the last hundred are kept', () => {
  const problems = new Problems(() => 0);
  for (let i = 0; i < 1_000; i++) problems.hear({ ...error, facts: { code: `E${i}`, where: 'x'.repeat(10_000) } });
  expect([problems.list.length, problems.list[0]?.code, problems.list[0]?.message.length]).toEqual([100, 'E999', 500]);
});
