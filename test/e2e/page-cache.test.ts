// Pages that the browser keeps as they are when a link is followed, and brings back (its back/forward cache): with `overReload` the
// session goes with whoever looks, forth and back.
import { readFile } from 'node:fs/promises';
import { Server } from '@halyard/server';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBrowser, launchBrowser } from './browser';
import { imports } from './import-map';

const packages = new URL('../../packages/', import.meta.url);

/** A page that loses its connection as it is left, and says something before it is. */
const html = `<!doctype html><title>One</title><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { connect } from '@halyard/client';
  import { overReload } from '@halyard/client/reload';
  const { pathname } = location;
  const transports = [new URLSearchParams(location.search).get('transport')];
  const socket = connect(location.origin, { transports, reload: overReload() });
  let isBack = '';
  addEventListener('pageshow', ({ persisted }) => (isBack = persisted ? ' back' : ''));
  socket.on('connect', ({ recovered, unconfirmed }) =>
    socket.emit('said', pathname + isBack + ' recovered ' + recovered + ' ' + unconfirmed));
  window.leave = (go) => {
    socket.emit('said', 'here on ' + pathname + isBack);
    dispatchEvent(new Event('offline'));
    socket.emit('said', 'unsent on ' + pathname + isBack);
    go();
  };
</script>`;

describeInBrowser('a page that is kept by the browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  });

  afterAll(() => browser.close());

  test.each(['websocket', 'sse', 'polling'])('over %s', async (transport) => {
    const said: string[] = [];
    const ids = new Set<string>();
    const io = new Server({
      fetch: async ({ url }) => {
        const { pathname } = new URL(url);
        const [body, type] = pathname.startsWith('/m/')
          ? [await readFile(new URL(pathname.slice(3), packages)), 'javascript']
          : [html, 'html'];
        return new Response(body, { headers: { 'content-type': `text/${type}` } });
      },
    });
    io.on('connection', (socket) => {
      ids.add(socket.id);
      socket.on('said', (text: string) => said.push(text));
    });
    await io.listen(0, '127.0.0.1');
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${io.port}/a?transport=${transport}`);
      await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(1);
      await page.evaluate(`leave(() => { location.href = '/b?transport=${transport}' })`);
      await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(4);
      await page.evaluate('leave(() => history.back())');
      await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(7);
      await page.evaluate('leave(() => history.forward())');
      await expect.poll(() => said, { timeout: 5_000 }).toHaveLength(10);
    } finally {
      await page.close();
      await io.close();
    }
    expect(said).toEqual([
      '/a recovered false 0',
      ...['here on /a', 'unsent on /a', '/b recovered true 0'],
      ...['here on /b', 'unsent on /b', '/a back recovered true 0'],
      ...['here on /a back', 'unsent on /a back', '/b back recovered true 0'],
    ]);
    expect(ids.size).toBe(1);
  });
});
