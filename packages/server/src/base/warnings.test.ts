import type { Close } from '@halyard/protocol';
import { describe, expect, it } from 'vitest';
import { type Warning, Warnings, warningOf } from './warnings';

describe('warnings', () => {
  it('say each kind once a minute, with how often it has happened', () => {
    let now = 0;
    const said: [number, string, number][] = [];
    const warnings = new Warnings(
      () => now,
      ({ code, count }: Warning) => said.push([now, code, count]),
    );
    for (const [at, code] of [
      [0, 'a'],
      [1, 'a'],
      [2, 'b'],
      [59_999, 'a'],
      [60_000, 'a'],
      [61_000, 'a'],
      [200_000, 'a'],
    ] as const) {
      now = at;
      warnings.add(code, 'words');
    }
    expect(said).toEqual([
      [0, 'a', 1],
      [2, 'b', 1],
      [60_000, 'a', 3],
      [200_000, 'a', 2],
    ]);
  });
});

it('say each of several things of a kind once a minute; those beyond so many are one', () => {
  let now = 0;
  const said: string[] = [];
  const warnings = new Warnings(
    () => now,
    ({ message, count }: Warning) => said.push(`${message} ${count}`),
  );
  for (let i = 0; i < 2; i++) for (let n = 0; n < 40; n++) warnings.add('a', `of ${n}`, String(n));
  expect(said).toHaveLength(33);
  expect(said.at(-1)).toBe('of 32 1');
  warnings.add('b', 'another kind', '39');
  expect(said.at(-1)).toBe('another kind 1');
  now = 60_000;
  warnings.add('a', 'of 39', '39');
  expect(said.at(-1)).toBe('of 39 1');
});

describe('a session that the server ends', () => {
  it.each([
    [4413, "ERR_OUTBOX_FULL: 16 packets wait for the client: see the server's outboxPacketsMax", 'outboxPacketsMax'],
    [4413, 'backpressureBytesMax', 'backpressureBytesMax'],
    [4413, 'ERR_OUTBOX_FULL: all sessions together have too much (outboxesBytesMax)', undefined],
    [4413, 'log-trimmed', 'logBytesMax'],
    [4410, 'log-trimmed', 'logBytesMax'],
    [4410, 'too-many-positions', 'helloPositionsMax'],
    [4410, 'unknown-session', undefined],
    [4429, 'ERR_WINDOW: more than 64 packets that are not confirmed (windowPacketsMax)', 'windowPacketsMax'],
    [4408, 'no HELLO', 'helloTimeoutMs'],
    [1009, 'frames may have 100 bytes (frameBytesMax)', 'frameBytesMax'],
    [1011, 'it failed', 'ERR_INTERNAL'],
    [1000, 'the app has closed it', undefined],
    [4400, 'a packet is an array', undefined],
  ])('%i %s: %s', (code, reason, option) => {
    const close: Close = { code, reason, by: 'server' };
    const [named, message] = warningOf(close) ?? [];
    expect(named).toBe(option);
    if (option && !option.startsWith('ERR_')) expect(message).toContain(option);
    expect(warningOf({ ...close, by: 'client' })).toBeUndefined();
  });
});
