import { VirtualClock } from '@halyard/harness/clock';
import { describe, expect, it } from 'vitest';
import { platformOf } from '../base/platform';
import { TimerWheel } from '../base/wheel';
import { memory } from './memory';
import type { Store, StoreContext } from './store';
import { storeSuite } from './suite/store-suite';

const limits = { entryAgeMsMax: 10_000, logPacketsMax: 100, logBytesMax: 10_000, journalBytesMax: 100_000 };

function contextOf(clock: VirtualClock, isGuest = false): StoreContext {
  const platform = platformOf(clock);
  return { platform, wheel: new TimerWheel(platform), limits, codecs: [], isGuest };
}

storeSuite('the memory store, shared', () => {
  const clock = new VirtualClock();
  const adapter = memory({ shared: true });
  return {
    node: () => adapter(contextOf(clock)) as Store,
    guest: () => adapter(contextOf(clock, true)) as Store,
    elapse: async (ms) => clock.advance(ms),
  };
});

describe('the memory store', () => {
  it('is one for each server unless it is shared', () => {
    const adapter = memory();
    const context = contextOf(new VirtualClock());
    const [one, other] = [adapter(context), adapter(context)];
    expect([one.isShared, one === other]).toEqual([false, false]);
  });

  it.each<[object, string]>([
    [null as never, 'The options of memory() are null: they may be an object.'],
    [{ share: true }, 'The option "share" of memory() is not an option: known ones are shared, codec.'],
    [{ shared: 1 }, 'The option "shared" of memory() is not valid: it may be true or false.'],
    [{ codec: {} }, 'The option "codec" of memory() is not valid: it may be a codec, such as msgpack().'],
  ])('refuses %j', (options, message) => {
    expect(() => memory(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', message }));
  });
});
