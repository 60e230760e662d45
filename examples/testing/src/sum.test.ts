import { expect, test, vi } from 'vitest';

test('what the README of the package shows prints a sum', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./sum');
  expect(log.mock.calls).toEqual([[3]]);
  log.mockRestore();
});
