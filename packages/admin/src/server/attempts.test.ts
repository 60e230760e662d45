import { expect, test } from 'vitest';
import { Attempts } from './attempts';

test('ten wrong ones in a row, and the address waits until a minute after the first; others do not', () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  for (let i = 0; i < 10; i++) {
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
    attempts.failed('192.0.2.1');
    now += 1_000;
  }
  expect(attempts.waitMs('192.0.2.1')).toBe(50_000);
  expect(attempts.waitMs('192.0.2.2')).toBe(0);
  now = 60_000;
  expect(attempts.waitMs('192.0.2.1')).toBe(0);
});

test('who knows the password begins anew', () => {
  const attempts = new Attempts(() => 0);
  for (let i = 0; i < 9; i++) attempts.failed('192.0.2.1');
  attempts.succeeded('192.0.2.1');
  attempts.failed('192.0.2.1');
  expect(attempts.waitMs('192.0.2.1')).toBe(0);
});

test('of IPv6 a network counts as one, and of more addresses than are told apart those beyond do', () => {
  const attempts = new Attempts(() => 0);
  for (let i = 0; i < 10; i++) attempts.failed(`2001:db8::${i}`);
  expect(attempts.waitMs('2001:db8::ffff')).toBeGreaterThan(0);
  expect(attempts.waitMs('2001:db8:0:1::1')).toBe(0);
  for (let i = 0; i < 2_000; i++) attempts.failed(`10.0.${i >> 8}.${i & 255}`);
  expect(attempts.waitMs('10.9.9.9')).toBeGreaterThan(0);
  expect(attempts.waitMs('10.0.0.1')).toBe(0);
});
