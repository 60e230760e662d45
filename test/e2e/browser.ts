// The browser of the browser tests, and what happens without one.
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';
import { describe, expect } from 'vitest';
import { chromiumFlags, findChromium, isStrict } from './chromium.mjs';

const executablePath = findChromium();

/** Skips where there is no Chromium; with `CI=true` it does not skip, and launching fails. */
export const describeInBrowser = describe.skipIf(executablePath === undefined && !isStrict());

export function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  if (executablePath === undefined) throw new Error('No Chromium: `node test/system.mjs` says how to get it.');
  return chromium.launch({ executablePath, args: chromiumFlags, ...options });
}

/** Asks again until the answer is the expected one. */
export function eventually<Answer>(ask: () => Promise<Answer>) {
  return expect.poll(ask);
}
