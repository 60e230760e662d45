import { VirtualClock } from '@halyard/harness/clock';
import { seededRandom, testSeed } from '@halyard/harness/random';
import { describe, expect, test } from 'vitest';
import { Timed, TimerWheel } from './wheel';

class Item extends Timed {
  readonly fired: number[] = [];
  again: number | undefined;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel) {
    super();
    this.#wheel = wheel;
  }

  override due(now: number): void {
    this.fired.push(now);
    if (this.again !== undefined) this.#wheel.schedule(this, now + this.again);
  }
}

describe('timer wheel', () => {
  test('fires once, at its time or within a tick, also beyond one turn of the wheel', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const start = clock.now();
    const items = [1, 99, 100, 5_000, 51_199, 51_200, 60_000, 300_000].map((delay) => {
      const item = new Item(wheel);
      wheel.schedule(item, start + delay);
      return { item, delay };
    });
    clock.advance(400_000);
    for (const { item, delay } of items) {
      expect(item.fired).toHaveLength(1);
      expect(item.fired[0]! - start).toBeGreaterThanOrEqual(delay);
      expect(item.fired[0]! - start).toBeLessThan(delay + 200);
    }
  });

  test('an earlier time replaces a later one, a later one does not replace an earlier', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const start = clock.now();
    const item = new Item(wheel);
    wheel.schedule(item, start + 5_000);
    wheel.schedule(item, start + 1_000);
    wheel.schedule(item, start + 9_000);
    clock.advance(20_000);
    expect(item.fired.map((at) => Math.floor((at - start) / 1_000))).toEqual([1]);
  });

  test('random schedules and cancels fire what they should, and nothing else', () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const expected = new Map<Item, number>();
    const items = Array.from({ length: 40 }, () => new Item(wheel));
    for (let step = 0; step < 2_000; step++) {
      const item = items[random.int(items.length)]!;
      if (random.chance(0.3)) {
        wheel.cancel(item);
        expected.delete(item);
      } else {
        const at = clock.now() + random.int(80_000);
        wheel.schedule(item, at);
        expected.set(item, Math.min(at, expected.get(item) ?? at));
      }
      if (random.chance(0.2)) clock.advance(random.int(3_000));
      const now = clock.now();
      for (const item of items) {
        const due = expected.get(item);
        const [fired, ...more] = item.fired.splice(0);
        const right = fired === undefined ? due === undefined || due > now - 300 : due !== undefined && fired >= due;
        if (!right || more.length > 0)
          throw new Error(`seed ${seed}, step ${step}: due ${due}, fired ${fired}, now ${now}`);
        if (fired !== undefined) expected.delete(item);
      }
    }
  });

  test('what schedules itself again while it fires goes on', () => {
    const clock = new VirtualClock();
    const wheel = new TimerWheel(clock);
    const item = new Item(wheel);
    item.again = 1_000;
    wheel.schedule(item, clock.now() + 1_000);
    clock.advance(10_500);
    expect(item.fired.length).toBeGreaterThanOrEqual(9);
    wheel.stop();
    const { length } = item.fired;
    clock.advance(10_000);
    expect(item.fired).toHaveLength(length);
  });
});
