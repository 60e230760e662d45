import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { figures } from './figures';
import { measureSize } from './sizes';

// Bundles what was built, as an app does: `npm test` builds first.
const built = existsSync(new URL('../../packages/client/dist/index.js', import.meta.url));

// The ceilings are in figures.ts. Their reason: the client of Socket.IO 4.8 is 13.4 kB, and a page that pays for
// resuming sessions should still get them for half of that; with one transport and no fallback, for less again.
describe.skipIf(!built)('the browser client, once built', () => {
  for (const { name, of, atMost } of figures) {
    if (!('size' in of)) continue;
    it(`${name} is at most ${atMost} bytes, minified and gzipped`, async () => {
      const { gzipBytes, failure } = await measureSize(of.size);
      expect(failure).toBeUndefined();
      expect(gzipBytes).toBeLessThanOrEqual(atMost);
    });
  }
});
