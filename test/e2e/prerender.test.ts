// A page that a browser makes before anybody has asked for it, in a Chromium that nobody watches: one that is watched makes none.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from '@halyard/server';
import { expect, test } from 'vitest';
import { describeInBrowser } from './browser';
import { chromiumFlags, findChromium } from './chromium.mjs';
import { imports } from './import-map';

const packages = new URL('../../packages/', import.meta.url);

const rules = { prerender: [{ source: 'list', urls: ['/two'], eagerness: 'immediate' }] };

const speculation = `<script type="speculationrules">${JSON.stringify(rules)}</script>`;

/** The first page goes on to the second once that is made, and says its last words then. */
const html = `<!doctype html><title>One</title><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  import { connect } from '@halyard/client';
  import { overReload } from '@halyard/client/reload';
  const isEarly = document.prerendering;
  const path = location.pathname;
  if (isEarly) fetch('/made');
  const socket = connect(location.origin, { transports: ['websocket'], reload: overReload() });
  socket.on('connect', ({ recovered }) => socket.emit('said', path + ' recovered ' + recovered + (isEarly ? ' early' : '')));
  if (isEarly) socket.emit('said', 'early words of ' + path);
  else addEventListener('pagehide', () => socket.emit('said', 'last words of ' + path));
  if (path === '/one') socket.on('go', () => (location.href = '/two'));
</script>`;

/** @returns what the pages have said, up to that the second one is connected, and the ids that their sockets had */
async function visit(): Promise<{ said: string[]; ids: Set<string> }> {
  const said: string[] = [];
  const ids = new Set<string>();
  let isMade = false;
  const answer = (body: BodyInit, type: string): Response =>
    new Response(body, { headers: { 'content-type': `text/${type}`, 'cache-control': 'no-store' } });
  const io = new Server({
    fetch: async ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === '/made') {
        isMade = true;
        io.emit('go');
      }
      if (pathname === '/one') return answer(html + speculation, 'html');
      if (!pathname.startsWith('/m/')) return answer(html, 'html');
      return answer(await readFile(new URL(pathname.slice(3), packages)), 'javascript');
    },
  });
  io.on('connection', (socket) => {
    ids.add(socket.id);
    socket.on('said', (text: string) => said.push(text));
    if (isMade) socket.emit('go');
  });
  await io.listen(0, '127.0.0.1');
  const folder = await mkdtemp(join(tmpdir(), 'halyard-prerender-'));
  const flags = [
    '--headless=new',
    ...chromiumFlags,
    `--user-data-dir=${folder}`,
    '--disable-features=BackForwardCache',
  ];
  const browser = spawn(findChromium() as string, [...flags, `http://127.0.0.1:${io.port}/one`], { stdio: 'ignore' });
  try {
    await expect.poll(() => said.at(-1), { timeout: 30_000 }).toMatch(/^\/two recovered/);
    return { said, ids };
  } finally {
    const gone = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGKILL');
    await gone;
    await io.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

describeInBrowser('a page that is made before it is shown', () => {
  test('goes on with the session of the page before once it is shown, and loses none of its words', async () => {
    // A browser may not show the page that it has made, and loads it then: so it is asked again, and nothing else is.
    let visited = await visit();
    for (let i = 0; i < 2 && visited.said.at(-1) === '/two recovered true'; i++) visited = await visit();
    expect(visited.said).toEqual([
      '/one recovered false',
      'last words of /one',
      'early words of /two',
      '/two recovered true early',
    ]);
    expect(visited.ids.size).toBe(1);
  });
});
