import { HalyardError, PublicError } from '@halyard/protocol';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from './debug';

function lines(wanted: string | null | undefined, ...told: Parameters<NonNullable<ReturnType<typeof createLog>>>[]) {
  const written: string[] = [];
  const log = createLog(wanted, (name, line) => written.push(`${name} ${line}`));
  for (const line of told) log?.(...line);
  return log && written;
}

describe('the names that are wanted', () => {
  const told = ['connection', 'transport', 'socket'].map((topic) => [topic, 'x', 'is'] as never);
  const all = ['connection', 'transport', 'socket'];

  it.each([
    ['*', all],
    ['halyard:client:*', all],
    ['halyard:client:socket', ['socket']],
    ['express:* halyard:client:transport', ['transport']],
    ['express:*,halyard:*,-halyard:client:socket', ['connection', 'transport']],
    ['halyard:server:*', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%s: %s', (wanted, topics) => {
    expect(lines(wanted, ...told)).toEqual(topics?.map((topic) => `halyard:client:${topic} "x" is`));
  });
});

it('a line holds codes, reasons and counts, and nothing that was sent', () => {
  const close = { code: 4400, reason: 'ERR_FRAME_DECODE: Unexpected "secret"', by: 'server' };
  expect(
    lines(
      '*',
      ['connection', 'http://x', 'waiting', { to: 'waiting', reason: 'lost', close, retryInMs: 500 }],
      ['socket', '/', 'connect', { recovered: false, reason: 'unknown-session', unconfirmed: 2 }],
      ['socket', '/', 'disconnect', { ...close, willReconnect: false }],
      ['socket', '/', 'connect_error', new PublicError('ERR_TOKEN', 'secret', { secret: 1 })],
      ['socket', '/', 'error', new TypeError('secret')],
      ['socket', '/', 'error', new HalyardError('ERR_X', 'secret')],
      ['socket', '/', 'unhandled', 'an event\n\x1b[2J\x9b'],
      ['socket', '/', 'error', 'secret'],
      ['socket', '/', 'error', { token: 'secret' }],
      ['socket', '/', 'error', undefined],
    ),
  ).toEqual([
    'halyard:client:connection "http://x" waiting reason "lost" closed: 4400 by server, "ERR_FRAME_DECODE" retryInMs 500',
    'halyard:client:socket "/" connect recovered false reason "unknown-session" unconfirmed 2',
    'halyard:client:socket "/" disconnect code 4400 reason "ERR_FRAME_DECODE" by "server" willReconnect false',
    'halyard:client:socket "/" connect_error ERR_TOKEN',
    'halyard:client:socket "/" error TypeError',
    'halyard:client:socket "/" error ERR_X',
    'halyard:client:socket "/" unhandled "an event\\n\\u001b[2J?"',
    'halyard:client:socket "/" error string',
    'halyard:client:socket "/" error object',
    'halyard:client:socket "/" error undefined',
  ]);
});

describe('in Node', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    vi.resetModules();
  });

  it.each([
    ['halyard:*', 1],
    ['', 0],
  ])('DEBUG=%s alone writes %d lines', async (wanted, lines) => {
    vi.stubEnv('DEBUG', wanted);
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { debug } = await import('#debug');
    debug.log?.('socket', '/', 'connect', { recovered: true });
    const written = write.mock.calls.map(([line]) => line);
    write.mockRestore();
    expect(written).toEqual(
      Array(lines).fill(expect.stringMatching(/^\d{4}-\S+Z halyard:client:socket "\/" connect recovered true\n$/)),
    );
  });
});
