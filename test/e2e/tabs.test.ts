// Tabs of a real browser that share one session, and so one connection.
import { readFile } from 'node:fs/promises';
import { Server } from '@halyard/server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { buildOf } from '../kit/built';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const built = new URL('tabs/dist/', import.meta.url);
const html = '<!doctype html><title>A tab</title><script type="module" src="/page.js"></script>';

describeInBrowser('tabs that share a session', () => {
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

  /** A server that says a number again and again to everybody, and what it was told. */
  async function start() {
    const said = new Map<string, number[]>();
    const ids: string[] = [];
    let ends = 0;
    let opened = 0;
    const io = new Server({
      // Where it takes long to open, another transport races it.
      allowRequest: ({ transport }) => void (transport === 'websocket' && opened++),
      fetch: async ({ url }) => {
        const { pathname } = new URL(url);
        if (!pathname.endsWith('.js')) return new Response(html, { headers: { 'content-type': 'text/html' } });
        const body = await readFile(new URL(`.${pathname}`, built), 'utf8');
        return new Response(body, { headers: { 'content-type': 'text/javascript' } });
      },
    });
    io.on('connection', (socket) => {
      ids.push(socket.id);
      socket.on('say', (name: string, number: number) => {
        const numbers = said.get(name) ?? [];
        said.set(name, numbers);
        numbers.push(number);
      });
      socket.on('disconnect', () => void ends++);
    });
    await io.listen(0, '127.0.0.1');
    cleanups.push(() => io.close());
    let number = 0;
    const timer = setInterval(() => io.emit('number', number++), 5);
    cleanups.push(() => clearInterval(timer));
    const context = await browser.newContext();
    cleanups.push(() => context.close());
    const url = `http://127.0.0.1:${io.port}`;
    const stop = () => {
      clearInterval(timer);
      return number;
    };
    return { io, said, ids, context, url, stop, counts: () => ({ ends, opened }) };
  }

  const open = async (context: BrowserContext, url: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(url);
    await eventually(() => page.evaluate(() => window.socket.connected)).toBe(true);
    return page;
  };
  const numbersOf = (page: Page) => page.evaluate(() => window.heard.numbers);

  test('have one connection, hear each message once and in order, and lose nothing when one of them is closed', async () => {
    const { io, said, ids, context, url, stop, counts } = await start();
    const pages = [await open(context, url), await open(context, url), await open(context, url)];
    expect([io.sockets.size, ids.length, counts().opened]).toEqual([1, 1, 1]);
    const [one, two, three] = pages as [Page, Page, Page];
    expect(new Set(await Promise.all(pages.map((page) => page.evaluate(() => window.socket.id))))).toEqual(
      new Set(ids),
    );

    // Closed, loaded anew, and gone to another page, in the middle of what they say.
    for (const [name, page, go] of [
      ['closed', one, () => one.close()],
      ['anew', two, () => two.reload()],
      ['away', three, () => three.goto('about:blank')],
    ] as const) {
      await page.evaluate((name) => window.say(name, 500), name);
      await go();
      await eventually(async () => said.get(name)?.length).toBe(500);
      expect(said.get(name)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    }
    await eventually(() => two.evaluate(() => window.socket.connected)).toBe(true);
    await eventually(async () => (await numbersOf(two)).length).toBeGreaterThan(50);
    const last = stop() - 1;
    await eventually(async () => (await numbersOf(two)).at(-1)).toBe(last);
    const numbers = await numbersOf(two);
    expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    expect([io.sockets.size, ids.length, counts()]).toEqual([1, 1, { ends: 0, opened: 1 }]);
    expect(await two.evaluate(() => window.heard.told)).toEqual(['connect false']);
  });

  test('go on with their session when its worker is killed, again and again, and lose nothing', async () => {
    const { io, said, ids, context, url, stop } = await start();
    const pages = [await open(context, url), await open(context, url)];
    const tool = await browser.newBrowserCDPSession();
    const kill = async () => {
      const { targetInfos } = await tool.send('Target.getTargets');
      const worker = targetInfos.find(({ type, url: its }) => type === 'shared_worker' && its.startsWith(url));
      await tool.send('Target.closeTarget', { targetId: worker!.targetId });
    };
    const kills = 5;
    for (let i = 0; i < kills; i++) {
      // In the middle of what they say, and are told.
      const says = pages.map((page, at) => page.evaluate((name) => window.say(name, 500), `${i} ${at}`));
      await Promise.all([kill(), ...says]);
      for (const at of pages.keys()) {
        await eventually(async () => said.get(`${i} ${at}`)?.length).toBe(500);
        expect(said.get(`${i} ${at}`)).toEqual(Array.from({ length: 500 }, (_, number) => number));
      }
      for (const page of pages) {
        const told = async () => (await page.evaluate(() => window.heard.told)).slice(1);
        await eventually(told).toEqual(
          Array.from({ length: i + 1 }, () => ['disconnect the worker is gone', 'connect true']).flat(),
        );
      }
    }
    const last = stop() - 1;
    for (const page of pages) {
      await eventually(async () => (await numbersOf(page)).at(-1)).toBe(last);
      const numbers = await numbersOf(page);
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
    }
    expect(ids).toHaveLength(1);
    expect(await Promise.all(pages.map((page) => page.evaluate(() => window.socket.id)))).toEqual([ids[0], ids[0]]);
    expect(io.sockets.has(ids[0] as string)).toBe(true);
  });
});
