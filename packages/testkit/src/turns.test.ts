import { expect, test } from 'vitest';
import { microtask, settled, soon } from './turns';

test('turns come in order, with promises settled in between, and all of them before it goes on', async () => {
  const seen: string[] = [];
  soon(() => {
    seen.push('first');
    Promise.resolve().then(() => seen.push('a promise of the first'));
    microtask(() => seen.push('a microtask of the first'));
    soon(() => {
      seen.push('third');
      soon(() => seen.push('fourth'));
    });
  });
  soon(() => seen.push('second'));
  await settled();
  const firsts = ['first', 'a promise of the first', 'a microtask of the first'];
  expect(seen).toEqual([...firsts, 'second', 'third', 'fourth']);
});

test('turns that never end are an error', async () => {
  let goesOn = true;
  const again = () => goesOn && soon(again);
  soon(again);
  await expect(settled()).rejects.toThrow('does one ask for the next');
  goesOn = false;
});
