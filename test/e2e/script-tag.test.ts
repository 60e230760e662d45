// The client from a script tag, on a page without any build.
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { type ChatServer, startChat } from './chat-server';
import { Person } from './person';

const script = new URL('../../packages/client/dist/halyard.min.js', import.meta.url);
const html = `<!doctype html><title>Plain</title><script src="/halyard.min.js"></script><script>
  const heard = [];
  const socket = Halyard.connect(location.origin, { auth: { name: 'Plain', rooms: ['lobby'] } });
  socket.on('message', ({ text }) => heard.push(text));
</script>`;

describeInBrowser('the client from a script tag', () => {
  let browser: Browser;
  let chat: ChatServer;

  beforeAll(async () => {
    [browser, chat] = await Promise.all([launchBrowser(), startChat()]);
  });
  afterAll(async () => {
    await browser?.close();
    await chat?.stop();
  });

  test('connects, hears an event and gets a reply', async () => {
    const ana = await Person.arrive(browser, chat.url, 'Ana');
    const page = await browser.newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.route('**/plain.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await page.route('**/halyard.min.js', async (route) =>
      route.fulfill({ contentType: 'text/javascript', body: await readFile(script) }),
    );
    await page.goto(`${chat.url}/plain.html`);
    await eventually(() => ana.people()).toEqual(['Ana', 'Plain']);

    const reply = await page.evaluate(`socket.emitWithAck('message:send', 'lobby', 'No build')`);
    expect(reply).toMatchObject({ room: 'lobby', name: 'Plain', text: 'No build', at: expect.any(Date) });
    await eventually(() => ana.heard()).toEqual(['No build']);
    await ana.say('Welcome');
    await eventually(() => page.evaluate('heard')).toEqual(['Welcome']);
    expect(errors).toEqual([]);
  });
});
