// The corpus again, and some inputs made out of it, always the same: what was found stays mended. More by `npm run fuzz`.
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@halyard/harness/random';
import { afterAll, describe, expect, test } from 'vitest';
import { corpusOf } from './corpus';
import { Loop } from './loop';
import { targets } from './targets';

const corpus = fileURLToPath(new URL('corpus', import.meta.url));
/** Inputs that are made beside the corpus. */
const madeMax = 500;

describe.each(targets)('$name', (target) => {
  afterAll(() => target.close?.());

  test('keeps its rules, whatever comes', async () => {
    const loop = new Loop(target, seededRandom(7));
    const known = [...target.seeds(), ...corpusOf(corpus, target.name)];
    let outcome = await loop.replay(known);
    if (outcome.failure === undefined)
      outcome = await loop.go((executions) => executions >= known.length + madeMax, undefined);
    expect(outcome.failure?.what).toBeUndefined();
  });
});
