// Something on the way leads a page's requests to another origin, which lets it read everything: nothing of the client goes there.
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const script = await readFile(new URL('../../packages/client/dist/halyard.min.js', import.meta.url), 'utf8').catch(
  () => '',
);

const html = `<!doctype html><script src="/halyard.min.js"></script><script>
  const log = [];
  const transport = Halyard[location.hash.slice(1)]();
  const socket = Halyard.connect({ transports: [transport], auth: { token: 'secret' }, extraHeaders: { 'x-api-key': 'secret' } });
  socket.on('connect_error', ({ message }) => log.push(message));
</script>`;

describeInBrowser('a page whose server is a redirect', () => {
  let browser: Browser;
  const cleanUp: (() => unknown)[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  afterAll(() => browser?.close());

  async function listening(handler: RequestListener): Promise<string> {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => void server.close().closeAllConnections());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test.each(['sse', 'polling'])('does not follow it by %s, and says so', async (transport) => {
    const heard: (string | undefined)[] = [];
    const foreign = await listening(({ method, url, headers }, response) => {
      heard.push(`${method} ${url}`);
      const allowed = { 'access-control-allow-headers': '*, content-type', 'access-control-allow-methods': '*' };
      response.writeHead(204, { 'access-control-allow-origin': headers.origin ?? '*', ...allowed }).end();
    });
    const own = await listening(({ url = '' }, response) => {
      const location = `${foreign}${url}`;
      if (url.startsWith('/halyard.min.js')) response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      else if (url.startsWith('/halyard')) response.writeHead(307, { location }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    });
    const page = await browser.newPage();
    cleanUp.push(() => page.close());
    await page.goto(`${own}/#${transport}`);
    await eventually(() => page.evaluate('log[0]')).toMatch(/one that answers with a redirect/);
    expect(heard).toEqual([]);
  });
});
