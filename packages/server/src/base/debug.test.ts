import { expect, it, vi } from 'vitest';
import { debugOf } from './debug';

const name = 'halyard:server:session';

it('who has not asked has nothing to call', () => {
  expect(debugOf(name, 'halyard:client:*')).toBeUndefined();
});

it('writes a line with time and name', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  debugOf(name, '*')?.('is away');
  const lines = write.mock.calls.map(([line]) => line);
  write.mockRestore();
  expect(lines).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z halyard:server:session is away\n$/)]);
});
