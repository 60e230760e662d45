import { expect, it } from 'vitest';
import { VirtualClock } from './clock';

/** A clock, and a timer that writes down when it ran. */
function timeline() {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const set = (name: string, delayMs: number) => clock.after(delayMs, () => ran.push(`${name} ${clock.now()}`));
  return { clock, ran, set };
}

it('runs timers at their moments, in order', () => {
  const { clock, ran, set } = timeline();
  set('c', 30);
  set('a', 10);
  set('b', 10);
  clock.advance(9);
  expect(ran).toEqual([]);
  clock.advance(1);
  expect(ran).toEqual(['a 10', 'b 10']);
  clock.advance(90);
  expect(ran).toEqual(['a 10', 'b 10', 'c 30']);
  expect(clock.now()).toBe(100);
});

it('runs timers that are set meanwhile', () => {
  const { clock, ran, set } = timeline();
  set('d', 20);
  clock.after(10, () => {
    set('a', 0);
    set('c', 10);
    set('b', 5);
    set('late', 11);
    set('past', -5);
  });
  clock.advance(20);
  expect(ran).toEqual(['a 10', 'past 10', 'b 15', 'd 20', 'c 20']);
});

it('does not run what was cancelled', () => {
  const { clock, ran, set } = timeline();
  const cancel = set('a', 10);
  const cancelB = set('b', 20);
  clock.after(10, cancelB);
  cancel();
  clock.advance(30);
  cancel();
  expect(ran).toEqual([]);
});

it('stops as soon as a condition holds', () => {
  const { clock, ran, set } = timeline();
  set('a', 10);
  set('b', 20);
  set('c', 30);
  clock.runUntil(() => ran.length === 2, 100);
  expect(clock.now()).toBe(20);
  clock.runUntil(() => true, 100);
  expect(clock.now()).toBe(20);
  expect(() => clock.runUntil(() => ran.length === 4, 100)).toThrow('still not so after 100 ms');
  expect(clock.now()).toBe(120);
  expect(ran).toHaveLength(3);
});

it('does not hang on a timer that sets itself for ever', () => {
  const clock = new VirtualClock();
  const again = () => {
    clock.after(0, again);
  };
  again();
  expect(() => clock.advance(1)).toThrow('for ever');
});
