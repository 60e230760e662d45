// What axe finds on a page.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @returns each rule that is broken, with what breaks it, by either colour scheme */
export async function faults(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    // Not a script of the page: its policy allows none but its own.
    await page.evaluate(axe);
    const { violations, passes } = (await page.evaluate('axe.run()')) as AxeResults;
    expect(passes.map(({ id }) => id)).toContain('color-contrast');
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) found.push(`${colorScheme}: ${id}: ${html}: ${failureSummary}`);
    }
  }
  return found;
}
