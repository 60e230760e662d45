import { describe, expect, test } from 'vitest';
import { Revocations, revokedNamesMax, type Withdrawal } from './revocations';
import { wholeNamespace } from './target-spec';

function kept(keptMs = 1_000) {
  const clock = { ms: 0 };
  const warnings: string[] = [];
  const revocations = new Revocations({ keptMs, now: () => clock.ms, warn: (code) => void warnings.push(code) });
  let count = 0;
  const take = (rooms: string[] | undefined, withdrawal: Withdrawal = ['disconnect', true], except: string[] = []) => {
    const spec = { ...wholeNamespace, rooms, except };
    revocations.add({ id: `${++count}`, namespace: '/', spec, withdrawal, stamp: 100 });
  };
  /** @param since stamp at which it came into each of its rooms */
  const comer = (since: Record<string, number>, namespace = '/') => ({
    namespace,
    rooms: new Set(Object.keys(since).filter((room) => room !== '')),
    isInSince: (room: string, stamp: number) => (since[room] ?? Number.POSITIVE_INFINITY) < stamp,
  });
  return { revocations, take, comer, clock, warnings };
}

const ends: Withdrawal = ['disconnect', true];

describe('what is taken', () => {
  test('is of who was in the room before, in that namespace, and is not left out', () => {
    const { revocations, take, comer } = kept();
    take(['a', 'b'], ends, ['staff']);
    expect(revocations.of(comer({ a: 99 }))).toEqual([ends]);
    expect(revocations.of(comer({ a: 99, b: 50 }))).toEqual([ends]);
    expect(revocations.of(comer({ a: 100 }))).toEqual([]);
    expect(revocations.of(comer({ c: 1 }))).toEqual([]);
    expect(revocations.of(comer({ a: 1 }, '/b'))).toEqual([]);
    expect(revocations.of(comer({ a: 1, staff: 1 }))).toEqual([]);
    expect(revocations.of(comer({ a: 1, staff: 100 }))).toEqual([ends]);
  });

  test('of the namespace as a whole is of who was in it before', () => {
    const { revocations, take, comer } = kept();
    take(undefined, ends, ['staff']);
    expect(revocations.of(comer({ '': 0, a: 1 }))).toEqual([ends]);
    expect(revocations.of(comer({ '': 200, a: 1 }))).toEqual([]);
    expect(revocations.of(comer({ '': 0, staff: 1 }))).toEqual([]);
  });

  test('rooms are those that it is in since before', () => {
    const { revocations, take, comer } = kept();
    take(['a'], ['leave', ['x', 'y', 'z']]);
    expect(revocations.of(comer({ a: 1, x: 1, y: 101 }))).toEqual([['leave', ['x']]]);
  });

  test('is known once, however often it is heard', () => {
    const { revocations, take, comer } = kept();
    take(['a']);
    const [one] = revocations.lately(Infinity);
    revocations.add(one!);
    expect(revocations.lately(Infinity)).toHaveLength(1);
    expect(revocations.of(comer({ a: 1 }))).toEqual([ends]);
  });

  test('is forgotten when no session can have been nowhere for so long', () => {
    const { revocations, take, comer, clock, warnings } = kept(1_000);
    take(['a']);
    clock.ms = 1_000;
    take(['b']);
    expect(revocations.of(comer({ a: 1 }))).toEqual([ends]);
    clock.ms = 1_001;
    take(['c']);
    expect(revocations.of(comer({ a: 1 }))).toEqual([]);
    expect(revocations.of(comer({ b: 1 }))).toEqual([ends]);
    expect(warnings).toEqual([]);
  });

  test('is bounded by the names in it: the oldest goes first, with a warning', () => {
    const { revocations, take, comer, warnings } = kept();
    take(['a']);
    take(Array.from({ length: revokedNamesMax - 1 }, (_, i) => `${i}`));
    expect(warnings).toEqual([]);
    take(['b']);
    expect(warnings).toEqual(['revokedNamesMax']);
    expect(revocations.of(comer({ a: 1 }))).toEqual([]);
    expect(revocations.of(comer({ 7: 1 }))).toEqual([ends]);
    expect(revocations.of(comer({ b: 1 }))).toEqual([ends]);
    take(['c', 'd']);
    expect(revocations.of(comer({ 7: 1 }))).toEqual([]);
    expect(revocations.lately(Infinity)).toHaveLength(2);
  });

  test('is told to others by how long it is known, and no longer than it is kept', () => {
    const { revocations, take, clock } = kept(1_000);
    take(['a']);
    clock.ms = 600;
    take(['b']);
    clock.ms = 1_100;
    const roomsOf = (ms: number) => revocations.lately(ms).map(({ spec }) => spec.rooms);
    expect(roomsOf(100)).toEqual([]);
    expect(roomsOf(500)).toEqual([['b']]);
    expect(roomsOf(Infinity)).toEqual([['b']]);
  });

  test('may be asked about some alone', () => {
    const { revocations, take, comer } = kept();
    take(['a']);
    take(['a'], ['leave', ['a']]);
    const [, second] = revocations.lately(Infinity);
    expect(revocations.of(comer({ a: 1 }), new Set([second!.id]))).toEqual([['leave', ['a']]]);
  });
});
