import { expect, test } from 'vitest';
import { jsonOf, plain } from './plain';

test('a text of others steers no terminal', () => {
  expect(plain('a\u001b[31mb\u009bc\nd')).toBe('a\\u001b[31mb\\u009bc\nd');
});

test('nor does it in JSON, and stays what it is', () => {
  const value = { text: 'a\u001b[31mb\u009b31mc\u007f', n: 1 };
  expect(jsonOf(value)).toMatch(/^[ -~]*$/);
  expect(JSON.parse(jsonOf(value, 2))).toEqual(value);
});
