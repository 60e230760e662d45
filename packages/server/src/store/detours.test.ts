import type { Position } from '@halyard/protocol';
import { expect, test } from 'vitest';
import { Detours } from './detours';
import type { StoredEntry } from './store';

const entry = (places: readonly Position[], earlier: number) => ({ places, earlier }) as StoredEntry;

test.each([3, 40])('of a message to %d rooms, the logs that come behind one are around it', (count) => {
  const detours = new Detours();
  const places = Array.from({ length: count }, (_, i): Position => [`epoch ${i}`, 1]);
  for (let i = 0; i <= count; i++) detours.add(`log ${i}`, entry(places, i));
  const logs = (from: number) => new Set(Array.from({ length: count + 1 - from }, (_, i) => `log ${from + i}`));
  expect(detours.around('epoch 1')).toEqual(logs(2));
  expect(detours.around(`epoch ${count - 1}`)).toEqual(logs(count));
  expect(detours.around('another')).toEqual(new Set());
});

test('messages to many rooms of long ago are forgotten', () => {
  const detours = new Detours();
  const listOf = (message: number) => Array.from({ length: 1_024 }, (_, i): Position => [`${message} ${i}`, 1]);
  for (let message = 0; message < 300; message++) detours.add('log', entry(listOf(message), 1_024));
  const isKnown = [0, 43, 44, 299].map((message) => detours.around(`${message} 0`).size > 0);
  expect(isKnown).toEqual([false, false, true, true]);
});

test('messages to rooms that begin alike and go on in others are told apart', () => {
  const detours = new Detours();
  const places = (name: string) => Array.from({ length: 40 }, (_, i): Position => [`${i < 30 ? '' : name}${i}`, 1]);
  for (const name of ['a', 'b', 'a']) {
    const its = places(name);
    for (let i = 0; i <= 40; i++) detours.add(`${i < 30 ? '' : name} log ${i}`, entry(its, i));
  }
  const ofBoth = (from: number) =>
    ['a', 'b'].flatMap((name) => Array.from({ length: 41 - from }, (_, i) => `${name} log ${from + i}`));
  expect(detours.around('29')).toEqual(new Set(ofBoth(30)));
  expect(detours.around('a38')).toEqual(new Set(['a log 39', 'a log 40']));
  expect(detours.around('b38')).toEqual(new Set(['b log 39', 'b log 40']));
});
