import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteRing } from './byte-ring';

test('bytes are read and dropped as from a plain list of them, whatever it grows or shrinks to', () => {
  const step = fc.oneof(
    fc.integer({ min: 0, max: 3_000 }).map((length) => ({ push: length })),
    fc.record({ drop: fc.integer({ min: 0, max: 40 }), shrink: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const ring = new ByteRing();
      const model: { readonly position: number; readonly bytes: Uint8Array }[] = [];
      let next = 0;
      for (const it of steps) {
        if ('push' in it) {
          const bytes = Uint8Array.from({ length: it.push }, () => (next = (next * 31 + 7) % 251));
          model.push({ position: ring.end, bytes });
          ring.push(bytes);
        } else {
          for (const { bytes } of model.splice(0, it.drop)) ring.drop(bytes.length);
          if (it.shrink) ring.shrink();
        }
        expect(ring.length).toBe(model.reduce((sum, { bytes }) => sum + bytes.length, 0));
        for (const { position, bytes } of model) {
          expect(Buffer.compare(ring.read(position, bytes.length), bytes)).toBe(0);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('positions begin again, and what lies across that point is whole', () => {
  const ring = new ByteRing();
  const large = new Uint8Array(1 << 20);
  for (let i = 0; i < 1_023; i++) {
    ring.push(large);
    ring.drop(large.length);
  }
  ring.push(large.subarray(100));
  ring.drop(large.length - 100);
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
  const position = ring.end;
  expect(position).toBe((1 << 30) - 100);
  ring.push(bytes);
  expect(ring.end).toBe(100);
  ring.push(Uint8Array.of(7));
  expect([...ring.read(position, 200)]).toEqual([...bytes]);
  for (let i = 0; i < 2_000; i++) ring.push(Uint8Array.of(i % 256));
  expect([...ring.read(position, 200)]).toEqual([...bytes]);
  ring.drop(200);
  expect([...ring.read(100, 3)]).toEqual([7, 0, 1]);
});
