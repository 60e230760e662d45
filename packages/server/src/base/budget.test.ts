import { expect, test } from 'vitest';
import { Budget } from './budget';
import { Traffic } from './traffic';

function sumOf(budget: Budget, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += budget.weight();
  return sum;
}

test('a thousand are measured one by one, and of those beyond one in 17, which stands for all of these', () => {
  const budget = new Budget();
  expect(sumOf(budget, 1_000)).toBe(1_000);
  // Two kinds that take turns have the same part of it.
  const weights = Array.from({ length: 34 }, () => budget.weight());
  const ofKind = (kind: number): number[] => weights.filter((weight, i) => weight > 0 && i % 2 === kind);
  expect([ofKind(0), ofKind(1)]).toEqual([[17], [17]]);
  expect(sumOf(budget, 17_000)).toBe(17_000);
  budget.renew();
  expect(Array.from({ length: 1_000 }, () => budget.weight()).every((weight) => weight === 1)).toBe(true);
});

test('bytes of texts beyond it are reckoned by those before', () => {
  const traffic = new Traffic('websocket', 'json', new Budget());
  for (let i = 0; i < 5_000; i++) traffic.sent(i % 2 ? 'é'.repeat(10) : 'e'.repeat(10));
  const { packetsOut, bytesOut } = traffic;
  expect(packetsOut).toBe(5_000);
  expect(Math.abs(bytesOut / (5_000 * 15) - 1)).toBeLessThan(0.05);
});
