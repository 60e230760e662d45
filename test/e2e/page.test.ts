// A page that the browser puts away into its back/forward cache keeps its session; one that goes for good ends it at once.
import { readFile } from 'node:fs/promises';
import { Server } from '@halyard/server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { isLong } from '../kit/long';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const script = await readFile(new URL('../../packages/client/dist/halyard.min.js', import.meta.url), 'utf8').catch(
  () => '',
);

/** A page whose client would wait ten minutes before it tries again by itself. */
const htmlOf = (transport: string) => `<!doctype html><title>One</title><script src="/halyard.min.js"></script><script>
  const log = [];
  const reconnect = { delayMinMs: 600_000, delayMaxMs: 600_000 };
  const socket = Halyard.connect(location.origin, { transports: [Halyard.${transport}()], reconnect, random: () => 1 });
  socket.on('connect', ({ recovered }) => log.push(recovered ? 'recovered' : 'connected'));
  socket.on('news', (news) => log.push(news));
  addEventListener('pageshow', ({ persisted }) => persisted && log.push('brought back'));
</script>`;

describeInBrowser('a page', () => {
  let caching: Browser;
  let plain: Browser;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    // Playwright starts Chromium without the cache.
    const ignoreDefaultArgs = ['--disable-back-forward-cache'];
    [caching, plain] = await Promise.all([launchBrowser({ ignoreDefaultArgs }), launchBrowser()]);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => Promise.all([caching?.close(), plain?.close()]));

  describe.each(hosts)('of a server on %s', (name, host) => {
    /** @returns a page that is connected, and the ends of sessions as the server sees them */
    async function open(browser: Browser, transport: string): Promise<{ io: Server; page: Page; ends: unknown[] }> {
      const io = new Server({
        host: host(),
        fetch: ({ url }) => {
          const { pathname } = new URL(url);
          const [type, body] =
            pathname === '/halyard.min.js'
              ? ['javascript', script]
              : ['html', pathname === '/one' ? htmlOf(transport) : '<!doctype html><title>Two</title>'];
          return new Response(body, { headers: { 'content-type': `text/${type}` } });
        },
      });
      await io.listen(0, '127.0.0.1');
      cleanups.push(() => io.close());
      const ends: unknown[] = [];
      io.on('connection', (socket) => socket.on('disconnect', (close) => ends.push(close)));
      const context = await browser.newContext();
      cleanups.push(() => context.close());
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${io.port}/one`);
      await eventually(() => page.evaluate('log')).toEqual(['connected']);
      expect([...io.sockets.values()].map((socket) => socket.transport)).toEqual([transport]);
      return { io, page, ends };
    }

    const elsewhere = (page: Page) => page.goto(new URL('/two', page.url()).href);

    const transports = isLong ? ['websocket', 'sse', 'polling'] : name === 'uws' ? ['websocket'] : ['sse'];
    describe.each(transports)('over %s', (transport) => {
      test('that is put away and brought back resumes at once, and has missed nothing', async () => {
        const { io, page, ends } = await open(caching, transport);
        const [id] = io.sockets.keys();
        for (const round of [1, 2]) {
          await elsewhere(page);
          io.emit('news', `missed ${round}`);
          await page.evaluate('void setTimeout(() => history.back())');
          const rounds = [1, 2].slice(0, round);
          const back = ['brought back', 'recovered'];
          // Polling may hear of it before the page is told that it is back.
          await eventually(() => page.evaluate('[...log].sort()')).toEqual(
            ['connected', ...rounds.flatMap((n) => [...back, `missed ${n}`])].sort(),
          );
        }
        expect([[...io.sockets.keys()], ends]).toEqual([[id], []]);
      });

      // A headless Chromium hides and freezes no page, so the event is made: to the document, where it does not bubble.
      test.each(['visibilitychange', 'resume'])('that hears %s asks for a sign of life at once', async (event) => {
        const { page } = await open(plain, transport);
        const browser = await page.context().newCDPSession(page);
        const sent: string[] = [];
        browser.on('Network.webSocketFrameSent', ({ response }) => sent.push(response.payloadData));
        browser.on('Network.requestWillBeSent', ({ request }) => sent.push(request.postData ?? ''));
        await browser.send('Network.enable');
        await page.evaluate(`void document.dispatchEvent(new Event('${event}'))`);
        await eventually(async () => sent.filter((frame) => frame.startsWith('[8,'))).toHaveLength(1);
      });

      const left = { code: 1000, reason: '', by: 'client' };

      test('whose tab is closed ends its session', async () => {
        const { io, page, ends } = await open(caching, transport);
        await page.close();
        await eventually(async () => ends).toEqual([left]);
        expect(io.sockets.size).toBe(0);
      });

      test('that is left and not kept ends its session', async () => {
        const { io, page, ends } = await open(plain, transport);
        await elsewhere(page);
        await eventually(async () => ends).toEqual([left]);
        expect(io.sockets.size).toBe(0);
      });
    });
  });
});
