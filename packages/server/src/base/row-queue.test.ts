import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowQueue } from './row-queue';

test('rows are read and dropped as from a plain list of them', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 200 }).map((count) => ({ push: count })) },
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 200 }).map((count) => ({ shift: count })) },
    fc.integer({ min: 2, max: 5 }).map((divisor) => ({ keepEvery: divisor })),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 30 }), (width, steps) => {
      const rows = new RowQueue<number>(width);
      let model: number[] = [];
      let next = 0;
      for (const it of steps) {
        if ('push' in it) {
          for (let i = 0; i < it.push; i++) {
            model.push(next);
            const row = rows.push(next);
            for (let column = 0; column < width; column++) rows.set(row, column, next * 10 + column);
            next++;
          }
        } else if ('shift' in it) {
          for (let i = 0; i < it.shift && model.length > 0; i++) {
            model.shift();
            rows.shift();
          }
        } else {
          rows.retain((row) => row % it.keepEvery === 0);
          model = model.filter((_, row) => row % it.keepEvery === 0);
        }
        expect(rows.length).toBe(model.length);
        expect([rows.numberAt(model.length, width - 1), rows.itemAt(model.length)]).toEqual([undefined, undefined]);
        model.forEach((id, row) => {
          expect(rows.itemAt(row)).toBe(id);
          for (let column = 0; column < width; column++) expect(rows.numberAt(row, column)).toBe(id * 10 + column);
        });
      }
    }),
    { numRuns: 60 },
  );
});
