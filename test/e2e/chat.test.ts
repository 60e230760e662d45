// Two people at the chat of examples/chat, in a real browser: over WebSocket, and where WebSocket does not work.

import { Cable, type WebSocketPolicy } from '@halyard/harness/cable';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isLong } from '../kit/long';
import { faults } from './axe';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { type ChatServer, startChat } from './chat-server';
import { Person, pollingBlocked, webSocketAlone } from './person';

/** Why there is no WebSocket, what is done to the page for that, and what the network does. */
type Blocked = [why: string, block: (page: Page) => Promise<unknown>, policy: WebSocketPolicy];

describeInBrowser('the chat in a browser', () => {
  let browser: Browser;
  /** Outlives its pages, as a browser does: what a page says when it is closed still leaves. */
  let context: BrowserContext;
  let chat: ChatServer;
  const cables: Cable[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    [context, chat] = await Promise.all([browser.newContext(), startChat()]);
  });
  afterEach(async () => {
    await context.close();
    await Promise.all(cables.splice(0).map((cable) => cable.close()));
    expect(await chat.stop()).toBe(0);
  });
  afterAll(() => browser?.close());

  async function cableTo(policy: WebSocketPolicy): Promise<Cable> {
    const cable = await Cable.open(chat.port, policy);
    cables.push(cable);
    return cable;
  }

  async function expectTheyChat(ana: Person, ben: Person): Promise<void> {
    await ana.say('Hello Ben');
    await eventually(() => ben.heard()).toEqual(['Hello Ben']);
    await ben.say('Hello Ana\nHow are you?');
    await eventually(() => ana.heard()).toEqual(['Hello Ben', 'Hello Ana\nHow are you?']);
    await eventually(() => ben.heard()).toEqual(['Hello Ben', 'Hello Ana\nHow are you?']);
    await eventually(() => ana.people()).toEqual(['Ana', 'Ben']);
    expect(await ana.unsent()).toEqual([]);
  }

  test('two pages chat over WebSocket, and the badge says so', async () => {
    const ana = await Person.arrive(context, chat.url, 'Ana', { prepare: webSocketAlone });
    const ben = await Person.arrive(context, chat.url, 'Ben', { prepare: webSocketAlone });
    await expectTheyChat(ana, ben);
    for (const person of [ana, ben]) {
      expect(await person.status()).toEqual({
        state: 'connected',
        transport: 'websocket',
        text: 'Connected WebSocket',
      });
    }
  });

  const throwing = (page: Page) =>
    page.addInitScript(() => {
      window.WebSocket = class {
        constructor() {
          throw new Error('blocked');
        }
      } as unknown as typeof WebSocket;
    });
  const hanging = (page: Page) =>
    page.addInitScript(() => {
      window.WebSocket = class extends EventTarget {
        readonly readyState = 0;
        close(): void {}
      } as unknown as typeof WebSocket;
    });
  const closing = (page: Page) => page.routeWebSocket(/./, (socket) => socket.close({ code: 1006 }));

  const always: Blocked[] = [['its constructor throws', throwing, 'pass']];
  const long: Blocked[] = [
    ['the network swallows its handshakes', async () => {}, 'swallow'],
    ['it never opens', hanging, 'pass'],
    ['it is closed at once', closing, 'pass'],
    ['the network resets its handshakes', async () => {}, 'reset'],
  ];
  test.for(isLong ? [...always, ...long] : always)(
    'two pages chat over sse where WebSocket is blocked: %s',
    async ([, block, policy]) => {
      const { url } = await cableTo(policy);
      const prepare = async (page: Page) => {
        await block(page);
        await pollingBlocked(page);
      };
      const ana = await Person.arrive(context, url, 'Ana', { prepare });
      const ben = await Person.arrive(context, url, 'Ben', { prepare });
      await expectTheyChat(ana, ben);
      for (const person of [ana, ben]) {
        expect(await person.status()).toEqual({ state: 'connected', transport: 'sse', text: 'Connected SSE' });
      }
    },
  );

  test.runIf(isLong)(
    'a page on WebSocket and one on sse see each other type, lose and find the connection, and go',
    async () => {
      const cable = await cableTo('pass');
      const ana = await Person.arrive(context, cable.url, 'Ana');
      const ben = await Person.arrive(context, chat.url, 'Ben', { prepare: throwing });

      await ben.page.type('#composer textarea', 'Hm');
      await eventually(() => ana.page.textContent('#typing')).toBe('Ben is typing…');
      await ben.say('I see');
      await eventually(() => ana.page.textContent('#typing')).toBe('');

      cable.pull();
      await eventually(() => ana.status()).toMatchObject({ state: 'reconnecting', text: 'Reconnecting…' });
      await eventually(() => ben.people()).toEqual(['Ben', 'Ana (away)']);
      await ana.say('From nowhere');
      expect(await ana.unsent()).toEqual(['From nowhere']);

      cable.mend();
      await eventually(() => ben.people()).toEqual(['Ana', 'Ben']);
      await eventually(() => ben.heard()).toEqual(['I see', 'From nowhere']);
      await eventually(() => ana.unsent()).toEqual([]);

      await ben.leave();
      await eventually(() => ana.people()).toEqual(['Ana']);
    },
  );

  test('nobody is said to type who has taken it back, is in another room, or cannot be heard of', async () => {
    const cable = await cableTo('pass');
    const ana = await Person.arrive(context, cable.url, 'Ana');
    const ben = await Person.arrive(context, chat.url, 'Ben');
    // Only what is told ends it: a page believes it for longer than any test waits.
    await ana.page.clock.install();
    await ana.page.clock.pauseAt(Date.now() + 1_000);
    const typing = () => ana.page.textContent('#typing');

    await ben.page.type('#composer textarea', 'H');
    await eventually(typing).toBe('Ben is typing…');
    await ben.page.press('#composer textarea', 'Backspace');
    await eventually(typing).toBe('');

    await ben.page.type('#composer textarea', 'H');
    await eventually(typing).toBe('Ben is typing…');
    await ben.page.fill('#new-room input', 'sailing');
    await ben.page.press('#new-room input', 'Enter');
    await eventually(typing).toBe('');
    await ben.page.click('#rooms button:has-text("lobby")');

    await ben.page.type('#composer textarea', 'Hm');
    await eventually(typing).toBe('Ben is typing…');
    cable.pull();
    await eventually(typing).toBe('');
  });

  test('the menu of a small screen is opened by its button, and closed by Escape too', async () => {
    const { page } = await Person.arrive(context, chat.url, 'Ana');
    await page.setViewportSize({ width: 360, height: 640 });
    const isOpen = () => Promise.all([page.isVisible('#side'), page.getAttribute('#menu', 'aria-expanded')]);
    expect(await isOpen()).toEqual([false, 'false']);
    await page.click('#menu');
    expect(await isOpen()).toEqual([true, 'true']);
    await page.focus('#new-room input');
    await page.keyboard.press('Escape');
    expect(await isOpen()).toEqual([false, 'false']);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('menu');
    await page.click('#menu');
    await page.click('#menu');
    expect(await isOpen()).toEqual([false, 'false']);
  });

  test('people make rooms, join and leave them, and see what they have not read', async () => {
    const ana = await Person.arrive(context, chat.url, 'Ana');
    const ben = await Person.arrive(context, chat.url, 'Ben');

    await ana.page.fill('#new-room input', 'sailing');
    await ana.page.press('#new-room input', 'Enter');
    await eventually(() => ben.rooms()).toEqual(['lobby', 'sailing']);
    await ben.page.click('#rooms .other');
    await eventually(() => ana.people()).toEqual(['Ana', 'Ben']);

    await ben.page.click('#rooms button:has-text("lobby")');
    await ana.say('Wind from the west');
    await eventually(() => ben.page.textContent('#rooms .unread')).toBe('1');
    expect(await ben.heard()).toEqual([]);
    await ben.page.click('#rooms button:has-text("sailing")');
    expect(await ben.heard()).toEqual(['Wind from the west']);
    expect(await ben.page.$('#rooms .unread')).toBeNull();

    await ana.page.click('#leave');
    await eventually(() => ben.people()).toEqual(['Ben']);
    await ana.say('Back in the lobby');
    await ben.page.click('#rooms button:has-text("lobby")');
    await eventually(() => ben.heard()).toEqual(['Back in the lobby']);
    // Of the log and of drafts, in both colour schemes; more by `access.test.ts`.
    expect(await faults(ana.page)).toEqual([]);
  });

  test('names like __proto__ and texts with HTML are shown as they were written', async () => {
    const html = '<img src=x onerror="window.broken = true"><b>bold</b>';
    const ana = await Person.arrive(context, chat.url, '__proto__', { room: 'constructor' });
    const ben = await Person.arrive(context, chat.url, '<i>Ben</i>', { room: 'constructor' });
    await ana.say(html);
    await ben.say('__proto__');
    for (const person of [ana, ben]) {
      await eventually(() => person.heard()).toEqual([html, '__proto__']);
      await eventually(() => person.people()).toEqual(['__proto__', '<i>Ben</i>']);
      expect(await person.rooms()).toEqual(['constructor']);
      expect(await person.page.$$('#chat img, #chat b, #chat i')).toEqual([]);
      expect(await person.page.evaluate(() => 'broken' in window || 'name' in Object.prototype)).toBe(false);
    }
  });

  test.runIf(isLong)(
    'a name that the server refuses brings the page back to its door, and the page says why',
    async () => {
      const page = await context.newPage();
      await webSocketAlone(page);
      await page.routeWebSocket(/./, (socket) => {
        const server = socket.connectToServer();
        socket.onMessage((message) => server.send(`${message}`.replace('"Ana"', '"  "')));
      });
      await page.goto(chat.url);
      await page.fill('#enter [name=name]', 'Ana');
      await page.click('#enter button');
      await page.waitForSelector('#refusal:visible');
      expect(await page.textContent('#refusal')).toBe('A name has 1 to 32 characters.');
      expect(await page.isVisible('#chat')).toBe(false);
    },
  );
});
