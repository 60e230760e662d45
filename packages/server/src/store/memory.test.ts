import { VirtualClock } from '@halyard/testkit/clock';
import { describe, expect, it } from 'vitest';
import { platformOf } from '../base/platform';
import { memory } from './memory';
import { storeSuite } from './suite/store-suite';

const limits = { entryAgeMsMax: 10_000, logPacketsMax: 100, logBytesMax: 10_000, journalBytesMax: 100_000 };

storeSuite('the memory store, shared', () => {
  const clock = new VirtualClock();
  const adapter = memory({ shared: true });
  return {
    node: () => adapter({ platform: platformOf(clock), limits }),
    elapse: async (ms) => clock.advance(ms),
  };
});

describe('the memory store', () => {
  it('is one for each server unless it is shared', () => {
    const adapter = memory();
    const platform = platformOf(new VirtualClock());
    const [one, other] = [adapter({ platform, limits }), adapter({ platform, limits })];
    expect([one?.isShared, one?.stamps === other?.stamps]).toEqual([false, false]);
  });

  it.each<[object, string]>([
    [{ share: true }, 'The option "share" of memory() is not an option: known ones are shared, codec.'],
    [{ shared: 1 }, 'The option "shared" of memory() is not valid: it may be true or false.'],
    [{ codec: {} }, 'The option "codec" of memory() is not valid: it may be a codec, such as msgpack().'],
  ])('refuses %j', (options, message) => {
    expect(() => memory(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });
});
