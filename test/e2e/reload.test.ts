// A page that is loaded anew goes on with its session, in a real browser: its modules are those that were built, as a browser
// loads them without a bundler. What the page has said and heard is written into the tab at once, so that the test knows of it
// over all its pages.
import { readFile } from 'node:fs/promises';
import { json } from '@halyard/codec/json';
import { msgpack } from '@halyard/codec-msgpack';
import { Server, type ServerOptions } from '@halyard/server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hosts } from '../kit/hosts';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { imports } from './import-map';

const packages = new URL('../../packages/', import.meta.url);

/** A page that speaks all the time. */
const html = `<!doctype html><title>One</title><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { connect } from '@halyard/client';
  import { overReload } from '@halyard/client/reload';
  import { msgpack } from '@halyard/codec-msgpack';
  const note = (list, value) => {
    sessionStorage[list] = JSON.stringify([...JSON.parse(sessionStorage[list] ?? '[]'), value]);
  };
  const { transport, codec } = Object.fromEntries(new URLSearchParams(location.search));
  const socket = connect(location.origin, {
    transports: [transport],
    reload: overReload(),
    ...(codec && { codec: msgpack() }),
  });
  socket.on('connect', ({ recovered, reason }) => note('connects', [recovered, socket.id, reason ?? '']));
  socket.on('error', (error) => note('errors', String(error)));
  socket.on('connect_error', (error) => note('errors', error.message));
  socket.on('direct', (n) => note('direct', n));
  socket.on('published', (n) => note('published', n));
  let n = Number(sessionStorage.said ?? 0);
  const say = () => {
    // Every third one waits for a reply, which another page may not get.
    if (n % 3) socket.emit('said', n);
    else socket.emitWithAck('said', n).catch(() => {});
    sessionStorage.said = ++n;
  };
  say();
  const timer = setInterval(say, 10);
  // It does not stay for long, if it is told so.
  const [stayMs, ...others] = JSON.parse(sessionStorage.staysMs ?? '[]');
  sessionStorage.staysMs = JSON.stringify(others);
  if (stayMs !== undefined) setTimeout(() => location.reload(), stayMs);
  window.stays = stayMs === undefined;
  window.stop = () => clearInterval(timer);
  window.socket = socket;
</script>`;

/** What a server has of a socket. */
interface Session {
  readonly said: number[];
  sent: number;
  readonly ends: number[];
  stop(): void;
}

interface Tab {
  readonly connects: [recovered: boolean, id: string, reason: string][];
  readonly direct: number[];
  readonly published: number[];
  readonly errors: string[];
  readonly said: number;
}

const seenBy = (page: Page): Promise<Tab> =>
  page.evaluate(() => {
    const list = (name: string) => JSON.parse(sessionStorage[name] ?? '[]');
    const said = Number(sessionStorage.said ?? 0);
    return {
      connects: list('connects'),
      direct: list('direct'),
      published: list('published'),
      errors: list('errors'),
      said,
    };
  });

const upTo = (count: number) => [...Array(count).keys()];

describeInBrowser('a page that is loaded anew', () => {
  let browser: Browser;
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => browser?.close());

  /** A server that speaks all the time too, and what it has of each of its sockets, by their ids. */
  async function start(options: ServerOptions = {}) {
    const sessions = new Map<string, Session>();
    const io = new Server({
      codecs: [json(), msgpack()],
      fetch: async ({ url }) => {
        const { pathname } = new URL(url);
        if (!pathname.startsWith('/m/')) {
          const body = pathname === '/one' ? html : '<!doctype html><title>Two</title>';
          return new Response(body, { headers: { 'content-type': 'text/html' } });
        }
        const body = await readFile(new URL(pathname.slice(3), packages), 'utf8');
        return new Response(body, { headers: { 'content-type': 'text/javascript' } });
      },
      ...options,
    });
    io.on('connection', (socket) => {
      const session: Session = { said: [], sent: 0, ends: [], stop: () => clearInterval(timer) };
      sessions.set(socket.id, session);
      socket.join(`room of ${socket.id}`);
      socket.on('said', (n: number) => {
        session.said.push(n);
        return n;
      });
      const timer = setInterval(() => {
        const n = session.sent++;
        socket.emit('direct', n);
        io.to(`room of ${socket.id}`).emit('published', n);
      }, 10);
      cleanups.push(session.stop);
      socket.on('disconnect', ({ code }) => {
        session.stop();
        session.ends.push(code);
      });
    });
    await io.listen(0, '127.0.0.1');
    cleanups.push(() => io.close());
    const context = await browser.newContext();
    cleanups.push(() => context.close());
    return { io, sessions, context, url: `http://127.0.0.1:${io.port}` };
  }

  async function open(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  /** Waits until a page speaks and hears. @param connects how many the pages of its tab will have seen by then */
  async function untilLively(page: Page, connects?: number): Promise<void> {
    if (connects) await eventually(async () => (await seenBy(page)).connects.length).toBe(connects);
    const { said, direct } = await seenBy(page);
    await eventually(async () => {
      const now = await seenBy(page);
      return now.said > said + 5 && now.direct.length > direct.length + 5;
    }).toBe(true);
  }

  const ways = [
    ['websocket', ''],
    ['websocket', 'msgpack'],
    ['sse', ''],
    ['polling', ''],
  ] as const;

  describe.each(hosts)('on %s', (_name, host) => {
    test.each(ways)('misses, doubles and loses nothing over %s %s', async (transport, codec) => {
      const { sessions, context, url } = await start({ host: host() });
      const page = await open(context, `${url}/one?transport=${transport}${codec && `&codec=${codec}`}`);
      await untilLively(page, 1);
      for (let round = 2; round <= 3; round++) {
        await page.reload();
        await untilLively(page, round);
      }
      // Again and again, whatever the pages have come to.
      await page.evaluate(() => {
        sessionStorage.staysMs = '[0, 10, 20, 40, 0, 0]';
      });
      await page.reload();
      await eventually(() => page.evaluate('window.stays')).toBe(true);
      await untilLively(page);

      await page.evaluate('stop()');
      expect([...sessions.keys()]).toHaveLength(1);
      const [[id, session]] = [...sessions] as [[string, Session]];
      session.stop();
      await eventually(async () => (await seenBy(page)).direct.length).toBe(session.sent);
      await eventually(async () => (await seenBy(page)).published.length).toBe(session.sent);
      const seen = await seenBy(page);
      await eventually(async () => session.said.length).toBe(seen.said);
      expect(session.said).toEqual(upTo(seen.said));
      expect(seen.direct).toEqual(upTo(session.sent));
      expect(seen.published).toEqual(upTo(session.sent));
      expect(seen.connects).toEqual(seen.connects.map((_, i) => [i > 0, id, '']));
      expect([seen.errors, session.ends]).toEqual([[], []]);
    });
  });

  test('is in a new session after a crash, and what was saved before is not used again', async () => {
    const { sessions, context, url } = await start();
    const page = await open(context, `${url}/one?transport=websocket`);
    await untilLively(page, 1);
    await page.reload();
    await untilLively(page, 2);
    // Playwright does not speak to a page again that has crashed.
    const tab = await context.newCDPSession(page);
    const crashed = new Promise((resolve) => page.once('crash', resolve));
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    await tab.send('Page.reload');
    const connectsNow = async () => {
      const { result } = await tab.send('Runtime.evaluate', { expression: 'sessionStorage.connects' });
      return JSON.parse(result.value);
    };
    await eventually(async () => (await connectsNow()).length).toBe(3);
    const connects = await connectsNow();
    const [first, second] = [...sessions.keys()];
    expect(connects).toEqual([
      [false, first, ''],
      [true, first, ''],
      [false, second, ''],
    ]);
  });

  test('beside one that it has opened does not share its session', async () => {
    const { sessions, context, url } = await start();
    const page = await open(context, `${url}/one?transport=websocket`);
    await untilLively(page, 1);
    await page.reload();
    await untilLively(page, 2);
    const opened = context.waitForEvent('page');
    // It begins with a copy of what its opener has stored.
    await page.evaluate('void window.open(location.href)');
    const popup = await opened;
    await untilLively(popup, 3);
    const [first, second] = [...sessions.keys()];
    expect((await seenBy(popup)).connects.at(-1)).toEqual([false, second, '']);
    await untilLively(page, 2);
    expect(await page.evaluate('socket.id')).toBe(first);
  });

  test.each([
    ['by a lock, while it has no answer', true],
    ['without locks, by its generation', false],
  ])('of which there is a copy has its session alone: %s', async (_case, hasLocks) => {
    const { io, sessions, context, url } = await start();
    if (!hasLocks)
      await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
    const page = await context.newPage();
    let isBlocked = false;
    await page.routeWebSocket(/halyard/, (socket) => {
      if (isBlocked) socket.close();
      else socket.connectToServer();
    });
    await page.goto(`${url}/one?transport=websocket`);
    await untilLively(page, 1);
    await page.goto(`${url}/two`);
    const copy = await open(context, `${url}/two`);
    const stored = await page.evaluate(() => ({ ...sessionStorage }));
    expect(Object.keys(stored).filter((key) => key.startsWith('halyard reload '))).toHaveLength(1);
    await copy.evaluate((stored) => Object.assign(sessionStorage, stored), stored);

    isBlocked = hasLocks;
    await page.goto(`${url}/one?transport=websocket`);
    if (isBlocked) await eventually(async () => (await seenBy(page)).errors.length).toBeGreaterThan(1);
    else await untilLively(page, 2);
    await copy.goto(`${url}/one?transport=websocket`);
    await untilLively(copy, 2);
    isBlocked = false;
    await untilLively(page, 2);
    const [first, second] = [...sessions.keys()];
    const last = await Promise.all([page, copy].map(async (each) => (await seenBy(each)).connects.at(-1)));
    expect(last).toEqual([
      [true, first, ''],
      [false, second, 'used-elsewhere'],
    ]);
    // Both go on.
    await Promise.all([page, copy].map((each) => untilLively(each, 2)));
    expect(io.sockets.size).toBe(2);
  });

  test('whose tab is closed leaves its session to its window', async () => {
    const { io, sessions, context, url } = await start({ recoveryWindowMs: 1_000 });
    const page = await open(context, `${url}/one?transport=websocket`);
    await untilLively(page, 1);
    await page.close({ runBeforeUnload: true });
    const [session] = sessions.values();
    await eventually(async () => session!.ends).toHaveLength(1);
    expect(io.sockets.size).toBe(0);
  });
});
