// Every example of docs/TESTING.md, and of the package's README, is in the files of this one, to the letter, and they are run.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('./src/', import.meta.url);
const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
const pages = ['../../docs/TESTING.md', '../../packages/testkit/README.md'];
const examples = pages.flatMap((page) => {
  const found = readFileSync(new URL(page, import.meta.url), 'utf8').matchAll(/```ts\n(.*?)```/gs);
  return [...found].map(([, text = '']) => text);
});

/** Without what stands left of it all. */
function flat(text: string): string {
  return text.replace(/^ +/gm, '');
}

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(3);
});

test.each(examples.map((text) => [text.split('\n', 1)[0], text]))('%s', (_first, text) => {
  expect(sources.some((source) => flat(source).includes(flat(text as string)))).toBe(true);
});
