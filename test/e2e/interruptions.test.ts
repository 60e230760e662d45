// What a real browser does to a page's connection: the network is gone for a while, the page is frozen and thawed, WebSockets are
// swallowed on the way. Numbers go both ways all the time: none is missed, and none comes twice. `npm run test:long` waits as long as people do.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Cable } from '@halyard/harness/cable';
import { Server } from '@halyard/server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildOf } from '../kit/built';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const library = new URL('../../packages/client/dist/halyard.min.js', import.meta.url);
const tabs = new URL('tabs/dist/', import.meta.url);

const offlineMs = 30_000;
const frozenMs = 30_000;
/** Of a page that is alone with its connection: until another transport is tried beside one that does not open. */
const fallbackDelayMs = 400;

const pageOf = (
  transports: string,
) => `<!doctype html><title>A page</title><script src="/halyard.min.js"></script><script>
  const startedAt = performance.now();
  const heard = { numbers: [], told: [] };
  const socket = Halyard.connect(location.origin, { transports: ${transports} });
  socket.on('number', (number) => heard.numbers.push(number));
  socket.on('connect', ({ recovered }) => heard.told.push('connect ' + recovered));
  let firstMs;
  socket.emitWithAck('echo', 1).then(() => (firstMs = performance.now() - startedAt));
  let spoken = 0;
  setInterval(() => socket.emit('say', 'page', spoken++), 50);
</script>`;

const tabPage = '<!doctype html><title>A tab</title><script type="module" src="/page.js"></script>';

describeInBrowser('a page of Chromium', () => {
  let browser: Browser;
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    await buildOf('test/e2e/tabs');
    browser = await launchBrowser();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => browser?.close());

  /** @param html of the page */
  async function start(html: string) {
    const said: number[] = [];
    const io = new Server({
      // Who is frozen is found out to be away.
      ...{ heartbeatMs: 5_000, heartbeatTimeoutMs: 5_000 },
      fetch: async ({ url }) => {
        const { pathname } = new URL(url);
        if (!pathname.endsWith('.js')) return new Response(html, { headers: { 'content-type': 'text/html' } });
        const file = pathname === '/halyard.min.js' ? library : new URL(`.${pathname}`, tabs);
        return new Response(await readFile(file, 'utf8'), { headers: { 'content-type': 'text/javascript' } });
      },
    });
    const ids: string[] = [];
    const aways: string[] = [];
    io.on('connection', (socket) => {
      ids.push(socket.id);
      socket.on('away', () => void aways.push(socket.id));
      socket.on('say', (_name: string, number: number) => void said.push(number));
      socket.on('echo', (value) => value);
    });
    await io.listen(0, '127.0.0.1');
    cleanups.push(() => io.close());
    let number = 0;
    const timer = setInterval(() => io.emit('number', number++), 20);
    cleanups.push(() => clearInterval(timer));
    const context = await browser.newContext();
    cleanups.push(() => context.close());
    const page = await context.newPage();
    return { io, ids, aways, said, page, url: `http://127.0.0.1:${io.port}`, numbers: () => number };
  }

  type Scene = Awaited<ReturnType<typeof start>>;

  /** All that was said since it was there has come, once and in order, to both ends, in one session. */
  async function isWhole({ io, ids, said, page, numbers }: Scene, hasSaid: boolean): Promise<void> {
    const until = numbers();
    await eventually(() => page.evaluate('heard.numbers.at(-1)')).toBeGreaterThan(until);
    const heard = (await page.evaluate('heard.numbers')) as number[];
    expect(heard).toEqual(heard.map((_, i) => (heard[0] as number) + i));
    if (hasSaid) {
      const spoken = (await page.evaluate('spoken')) as number;
      await eventually(async () => said.length).toBeGreaterThanOrEqual(spoken);
      expect(said).toEqual(said.map((_, i) => i));
    }
    expect([ids.length, io.sockets.size]).toEqual([1, 1]);
  }

  const scenes = [
    ...['websocket', 'sse', 'polling'].map((name) => [name, pageOf(`["${name}"]`), true] as const),
    ['tabs that share a session', tabPage, false],
  ] as const;

  describe.each(scenes)('%s', (_name, html, says) => {
    test(`that is offline for ${offlineMs / 1_000} s`, { timeout: 120_000 }, async () => {
      const scene = await start(html);
      await scene.page.goto(scene.url);
      await eventually(() => scene.page.evaluate('heard.numbers.length')).toBeGreaterThan(20);
      await scene.page.context().setOffline(true);
      await delay(offlineMs);
      await scene.page.context().setOffline(false);
      await isWhole(scene, says);
    });

    test(`that is frozen for ${frozenMs / 1_000} s, and thawed`, { timeout: 120_000 }, async () => {
      const scene = await start(html);
      await scene.page.goto(scene.url);
      await eventually(() => scene.page.evaluate('heard.numbers.length')).toBeGreaterThan(20);
      // What the tools of Chromium call frozen has its timers and messages. As when the system freezes it, nothing of it runs.
      const { processInfo } = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
      const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
      for (const id of renderers) process.kill(id, 'SIGSTOP');
      try {
        await delay(frozenMs);
        expect(scene.aways).toEqual(scene.ids);
      } finally {
        for (const id of renderers) process.kill(id, 'SIGCONT');
      }
      await isWhole(scene, says);
    });
  });

  const firstMs = async (page: Page): Promise<number> => {
    await eventually(() => page.evaluate('firstMs')).toBeGreaterThan(0);
    return (await page.evaluate('firstMs')) as number;
  };

  test('whose WebSockets are swallowed has its first answer soon after the delay, and does not wait for it again', async () => {
    const { io, page } = await start(pageOf('undefined'));
    const cable = await Cable.open(io.port as number, 'swallow');
    cleanups.push(() => cable.close());
    await page.goto(cable.url);
    const first = await firstMs(page);
    expect(await page.evaluate('socket.connection.transport')).toBe('sse');
    // Clocks of pages are coarse.
    expect(first).toBeGreaterThan(fallbackDelayMs - 5);
    await page.reload();
    const second = await firstMs(page);
    expect(await page.evaluate('socket.connection.transport')).toBe('sse');
    // The rest is set-up, and whatever else this machine does.
    expect(first).toBeLessThan(fallbackDelayMs + 3_000);
    expect(second).toBeLessThan(fallbackDelayMs);
    console.log(`the first answer after ${first.toFixed(0)} ms, and then after ${second.toFixed(0)} ms`);
  });
});
