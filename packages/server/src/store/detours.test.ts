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
