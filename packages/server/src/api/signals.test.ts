import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { healthHandler } from './health';
import { handleSignals, type SignalOptions } from './signals';

const io = { close: async () => {} };
const listeners = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

describe('handleSignals', () => {
  test.each<[options: unknown, message: string]>([
    [{ drainMs: '5s' }, 'drainMs is "5s": it may be a number of milliseconds from 0 to 3600000.'],
    [{ url: 'eu.example' }, 'url is eu.example: it may be the origin of a server'],
    [{ signals: 'SIGTERM' }, 'signals is "SIGTERM": it may be a list of at least one name of a signal.'],
    [{ signals: ['SIGBREAK', 'TERM'] }, 'signals has "TERM": there may be names of signals that a process hears'],
    [{ signals: [] }, 'it may be a list of at least one name of a signal.'],
    [{ signals: ['SIGKILL'] }, 'signals has "SIGKILL": there may be names of signals that a process hears'],
    [{ afterwards: 1 }, 'afterwards is 1: it may be a function.'],
    [
      { drain: 5 },
      'The option "drain" of handleSignals is not an option: known ones are drainMs, url, signals, afterwards.',
    ],
    [5_000, 'handleSignals takes options behind the server, and not 5000.'],
  ])('says at once what is wrong with %j', (options, message) => {
    const before = listeners();
    const handle = (): unknown => handleSignals(io, options as SignalOptions);
    expect(handle).toThrow(message);
    expect(handle).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(listeners()).toBe(before);
  });

  test('and without a server', () => {
    const rule = 'handleSignals takes a server of Halyard first: handleSignals(io).';
    for (const none of [undefined, {}, createServer()]) expect(() => handleSignals(none as never)).toThrow(rule);
  });

  test('is taken back by what it returns', () => {
    const before = listeners();
    const takeBack = handleSignals(io, { drainMs: 0, signals: ['SIGTERM', 'SIGINT', 'SIGTERM'] });
    expect(listeners()).toBe(before + 2);
    takeBack();
    expect(listeners()).toBe(before);
  });
});

test('a handler of probes is made of a server', () => {
  expect(() => healthHandler(undefined as never)).toThrow('healthHandler takes a server: healthHandler(io).');
});
