// The hooks of examples/react in a real browser, where StrictMode runs each effect twice.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { notesServer } from '../../examples/react/src/notes';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const folder = new URL('../../examples/react/dist/page/', import.meta.url);

describeInBrowser('components of React', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test('hear each event once, are connected while they are there, and lose nothing while they are offline', async () => {
    const io = notesServer(folder);
    let sockets = 0;
    io.on('connection', () => sockets++);
    await io.listen(0, '127.0.0.1');
    const context = await browser.newContext();
    try {
      const pages = await Promise.all([context.newPage(), context.newPage()]);
      const [ana, ben] = pages;
      const errors: string[] = [];
      for (const page of pages) {
        page.on('pageerror', ({ message }) => errors.push(message));
        page.on('console', (line) => line.type() === 'error' && errors.push(line.text()));
        await page.goto(`http://127.0.0.1:${io.port}/`);
      }
      const status = (page: typeof ana) => page.getByRole('status').textContent();
      const notes = (page: typeof ana) => page.getByRole('listitem').allTextContents();
      const add = async (page: typeof ana, text: string) => {
        await page.getByLabel('A note').fill(text);
        await page.getByRole('button', { name: 'Add' }).click();
      };
      for (const page of pages) await eventually(() => status(page)).toBe('Connected');
      expect([io.sockets.size, sockets]).toEqual([2, 2]);

      await add(ana, 'one');
      for (const page of pages) await eventually(() => notes(page)).toEqual(['one']);

      await ben.getByText('Hide').click();
      await expect.poll(() => io.sockets.size).toBe(1);
      await add(ana, 'two');
      await ben.getByText('Show').click();
      await eventually(() => notes(ben)).toEqual(['one', 'two']);

      await context.setOffline(true);
      await eventually(() => status(ben)).toContain('Offline');
      await add(ben, 'three');
      await context.setOffline(false);
      for (const page of pages) await eventually(() => notes(page)).toEqual(['one', 'two', 'three']);
      expect(errors.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([]);
    } finally {
      await context.close();
      await io.close();
    }
  });
});
