// The chat is for everybody: what axe finds on its pages, light and dark, in each state they can be in, is nothing.
import { Cable } from '@halyard/harness/cable';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../kit/ports';
import { faults } from './axe';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { type ChatServer, startChat } from './chat-server';
import { Person } from './person';

describeInBrowser('what axe finds', () => {
  let browser: Browser;
  let chat: ChatServer;
  let cable: Cable;
  let again: ChatServer | undefined;

  beforeAll(async () => {
    [browser, chat] = await Promise.all([launchBrowser(), startChat()]);
    cable = await Cable.open(chat.port, 'pass');
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await again?.stop();
    again = undefined;
  });
  afterAll(async () => {
    await browser?.close();
    await cable?.close();
    await chat?.stop();
  });

  test('at the door, and when it is shut', async () => {
    const page = await browser.newPage();
    await page.goto(chat.url);
    expect(await faults(page)).toEqual([]);
    await page.fill('#enter [name=name]', ' ');
    await page.click('#enter button');
    await page.waitForSelector('#refusal:visible');
    expect(await faults(page)).toEqual([]);
  });

  test('among people who write, type, are away and unread', async () => {
    const ana = await Person.arrive(browser, chat.url, 'Ana');
    const ben = await Person.arrive(browser, chat.url, 'Ben');
    const cid = await Person.arrive(browser, cable.url, 'Cid');
    await ana.say('Hello');
    await ana.say('again');
    await ben.say('Hello Ana');
    await ben.page.fill('#new-room input', 'sailing');
    await ben.page.press('#new-room input', 'Enter');
    await ben.say('Anyone?');
    await ana.page.click('#rooms .other');
    await ana.page.click('#rooms button:has-text("lobby")');
    await ben.say('Ahoy');
    await eventually(() => ana.page.textContent('#rooms .unread')).toBe('1');
    cable.pull();
    await eventually(() => ana.people()).toEqual(['Ana', 'Ben', 'Cid (away)']);
    await ben.page.click('#rooms button:has-text("lobby")');
    await ben.page.type('#composer textarea', 'Hm');
    await eventually(() => ana.page.textContent('#typing')).not.toBe('');
    expect(await faults(ana.page)).toEqual([]);
    await cid.say('From nowhere');
    expect(await cid.unsent()).toEqual(['From nowhere']);
    expect(await faults(cid.page)).toEqual([]);
    cable.mend();
    await eventually(() => cid.notes()).toEqual(['joined', 'recovered']);
    expect(await faults(cid.page)).toEqual([]);
  });

  test('where a message failed, and in a new session', async () => {
    const own = await startChat(await freePort());
    const ana = await Person.arrive(browser, own.url, 'Ana');
    await ana.page.routeWebSocket(/./, (socket) => {
      const server = socket.connectToServer();
      // The server hears of a text that it refuses.
      socket.onMessage((message) => server.send(`${message}`.replace('"refused"', '" "')));
    });
    await own.kill();
    await eventually(async () => (await ana.status()).state).toBe('reconnecting');
    again = await startChat(own.port);
    await eventually(() => ana.notes()).toEqual(['joined', 'new-session']);
    await ana.say('refused');
    await ana.page.waitForSelector('#drafts .failed');
    expect(await faults(ana.page)).toEqual([]);
  });

  test('on a small screen, with the menu open', async () => {
    const ana = await Person.arrive(browser, chat.url, 'Ana');
    await ana.page.setViewportSize({ width: 360, height: 640 });
    await ana.say('More than fits\n'.repeat(40));
    await eventually(async () => (await ana.heard()).length).toBe(1);
    expect(await faults(ana.page)).toEqual([]);
    await ana.page.click('#menu');
    expect(await ana.page.isVisible('#side')).toBe(true);
    expect(await faults(ana.page)).toEqual([]);
  });
});
