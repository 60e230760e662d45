import { describe, expect, it, test } from 'vitest';
import { closeWords, isDebugged, quoted } from './debug';

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
    expect(isDebugged(name, wanted)).toBe(isOn);
  });
});

it('a text of a peer is one line, and steers no terminal', () => {
  expect(quoted('a\nb\x1b[2J\x9b"\u2028')).toBe('"a\\nb\\u001b[2J?\\"?"');
  expect(quoted('a\u202eb\u2066c\u200fd')).toBe('"a?b?c?d"');
  expect(quoted('x'.repeat(1_000))).toHaveLength(258);
});

it('a close says the code of a broken rule, and not what the rule quotes', () => {
  expect(closeWords({ code: 4400, reason: 'ERR_FRAME_DECODE: Unexpected token in "secret"', by: 'server' })).toBe(
    '4400 by server, "ERR_FRAME_DECODE"',
  );
  expect(closeWords({ code: 1000, reason: 'secret', by: 'client' })).toBe('1000 by client');
});

test.each([
  ['Error: token=secret is wrong', '"Error"'],
  ['token=secret', '"token"'],
  ['BANNED: you, secret, are banned', '"BANNED"'],
  ['Error: connect ECONNREFUSED 127.0.0.1:1', '"connect ECONNREFUSED"'],
  ['the server is full (sessionsMax); retry-after: 5', '"the server is full (sessionsMax); retry-after"'],
  ['no Halyard server, but one that answers 502', '"no Halyard server, but one that answers 502"'],
])('of the reason "%s" a line has %s', (reason, told) => {
  expect(closeWords({ code: 1006, reason, by: 'network' })).toBe(`1006 by network, ${told}`);
});
