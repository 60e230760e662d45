// A page of a browser through nginx and HAProxy with HTTP/2 in front: every transport, and what is moved to a WebSocket.
import { readFile } from 'node:fs/promises';
import { Server } from '@halyard/server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Change, Front, type FrontName, fronts } from '../kit/front';
import { describeInBrowser, launchBrowser } from './browser';

const script = new URL('../../packages/client/dist/halyard.min.js', import.meta.url);
const html = '<!doctype html><title>Proxied</title><script src="/halyard.min.js"></script>';
/** A page of the server's own: one that is put in its place has no address that is as near as the server's, and Chromium blocks its WebSockets. */
const app = async ({ url }: Request) =>
  url.endsWith('.js')
    ? new Response(await readFile(script), { headers: { 'content-type': 'text/javascript' } })
    : new Response(html, { headers: { 'content-type': 'text/html' } });

/** The proxy says over which HTTP it was asked. */
const named: Record<FrontName, Change> = {
  nginx: ['proxy_buffering off;', 'proxy_buffering off;\n    proxy_set_header X-Asked-By $server_protocol;'],
  haproxy: ['balance roundrobin', 'balance roundrobin\n  http-request set-header X-Asked-By HTTP/%[req.ver]'],
};

/** nginx does not carry WebSockets over HTTP/2 (RFC 8441): a browser opens a connection of HTTP/1.1 for them. HAProxy does. */
const webSocketsBy: Record<FrontName, string> = { nginx: 'HTTP/1.1', haproxy: 'HTTP/2.0' };

describeInBrowser('a page behind a proxy', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  const cleanUp: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });

  describe.each(fronts)('%s', (name) => {
    test('every transport, over HTTP/2', async () => {
      const io = new Server({ fetch: app });
      const asked: string[] = [];
      io.on('connection', (socket) => {
        const { transport, headers } = socket.handshake;
        asked.push(`${transport} ${headers.get('x-asked-by')}`);
        socket.on('echo', (value: unknown) => value);
        socket.on('say', (i: number) => void socket.emit('said', i));
      });
      await io.listen(0, '127.0.0.1');
      cleanUp.push(() => io.close());
      const front = await Front.start(name, [io.port as number], [named[name]]);
      cleanUp.push(() => front.end());
      const page = await pageOf(front.url);
      for (const transport of ['sse', 'polling', 'websocket']) {
        const result = await page.evaluate(`(async () => {
          const client = Halyard.connect(location.origin, { transports: ['${transport}'] });
          const heard = [];
          client.on('said', (i) => heard.push(i));
          const { length } = await client.emitWithAck('echo', 'ü'.repeat(300_000));
          const bytes = await client.emitWithAck('echo', Uint8Array.of(0, 255));
          for (let i = 0; i < 20; i++) client.emit('say', i);
          while (heard.length < 20) await new Promise((resolve) => setTimeout(resolve, 5));
          client.disconnect();
          return { length, bytes: [...bytes], heard };
        })()`);
        expect(result).toEqual({ length: 300_000, bytes: [0, 255], heard: Array.from({ length: 20 }, (_, i) => i) });
      }
      expect(asked).toEqual(['sse HTTP/2.0', 'polling HTTP/2.0', `websocket ${webSocketsBy[name]}`]);
    });
  });

  async function pageOf(url: string): Promise<Page> {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    cleanUp.push(() => page.close());
    await page.goto(`${url}/halyard.html`);
    return page;
  }
});
