// The page for tests of the sources: that of the last build.
import { readFileSync } from 'node:fs';

interface Built {
  readonly body: string;
  readonly script: string;
  readonly style: string;
}

const file = new URL('../dist/page.min.js', import.meta.url);
const text = readFileSync(file, 'utf8');
/** It is JSON between these. */
export const { body, script, style } = JSON.parse(text.slice(text.indexOf('{'), text.indexOf(';\n'))) as Built;
