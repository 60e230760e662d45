import { describe, expect, it, vi } from 'vitest';
import { closeWords, debugOf, quoted } from './debug';

describe('DEBUG', () => {
  const name = 'halyard:server:session';

  it.each([
    ['*', true],
    ['halyard:*', true],
    ['halyard:server:*', true],
    ['halyard:server:session', true],
    ['*:session', true],
    ['express:*,halyard:*', true],
    ['express:* halyard:*', true],
    [' , halyard:*', true],
    ['', false],
    ['halyard', false],
    ['halyard:', false],
    ['halyard:server', false],
    ['halyard:server:sessions', false],
    ['halyard:client:*', false],
    ['halyard.server.session', false],
    ['halyard:*,-halyard:server:session', false],
    ['-halyard:server:session,halyard:*', false],
    ['*,-halyard:*', false],
    ['*,-halyard:server:transport', true],
    ['-express:*', false],
    ['halyard:server:(session)', false],
    ['[', false],
  ])('"%s": %s', (wanted, isOn) => {
    expect(debugOf(name, wanted) !== undefined).toBe(isOn);
  });

  it('writes a line with time and name', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    debugOf(name, '*')?.('is away');
    const lines = write.mock.calls.map(([line]) => line);
    write.mockRestore();
    expect(lines).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z halyard:server:session is away\n$/)]);
  });
});

it('a text of a peer is one line, and steers no terminal', () => {
  expect(quoted('a\nb\x1b[2J\x9b"\u2028')).toBe('"a\\nb\\u001b[2J?\\"?"');
  expect(quoted('x'.repeat(1_000))).toHaveLength(258);
});

it('a close says the code of a broken rule, and not what the rule quotes', () => {
  expect(closeWords({ code: 4400, reason: 'ERR_FRAME_DECODE: Unexpected token in "secret"', by: 'server' })).toBe(
    '4400 by server, ERR_FRAME_DECODE',
  );
  expect(closeWords({ code: 1000, reason: 'secret', by: 'client' })).toBe('1000 by client');
});
