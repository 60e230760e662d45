// What people at the chat notice of a broken network and of a server that goes away: nothing, and the truth.
import { setTimeout as delay } from 'node:timers/promises';
import { Cable } from '@halyard/harness/cable';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../kit/ports';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { startChat } from './chat-server';
import { Person, pollingBlocked, webSocketAlone } from './person';

describeInBrowser('recovery in a browser', () => {
  let browser: Browser;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => browser?.close());

  async function chatOn(port = 0) {
    const chat = await startChat(port);
    cleanups.push(() => chat.stop());
    return chat;
  }

  test.for(['websocket', 'sse'] as const)(
    'a cut of 5 s under steady traffic loses, doubles and reorders nothing over %s',
    { timeout: 90_000 },
    async (transport) => {
      const chat = await chatOn();
      const cable = await Cable.open(chat.port, transport === 'sse' ? 'reset' : 'pass');
      cleanups.push(() => cable.close());
      const prepare = transport === 'sse' ? pollingBlocked : webSocketAlone;
      const ana = await Person.arrive(browser, cable.url, 'Ana', { prepare });
      const ben = await Person.arrive(browser, cable.url, 'Ben', { prepare });
      for (const person of [ana, ben]) expect(await person.status()).toMatchObject({ transport });

      const stopAna = await ana.keepTalking(150);
      const stopBen = await ben.keepTalking(150);
      await eventually(async () => (await ana.heard(ben)).length).toBeGreaterThan(5);
      cable.pull();
      for (const person of [ana, ben]) {
        await eventually(() => person.status()).toMatchObject({ state: 'reconnecting' });
      }
      await delay(5_000);
      expect((await ana.unsent()).length).toBeGreaterThan(5);
      cable.mend();
      for (const person of [ana, ben]) {
        await eventually(() => person.status()).toMatchObject({ state: 'connected' });
      }
      const before = (await ana.heard(ben)).length;
      await eventually(async () => (await ana.heard(ben)).length).toBeGreaterThan(before + 5);

      const saidByAna = await stopAna();
      const saidByBen = await stopBen();
      for (const person of [ana, ben]) {
        await eventually(() => person.heard(ana)).toEqual(saidByAna);
        await eventually(() => person.heard(ben)).toEqual(saidByBen);
        await eventually(() => person.unsent()).toEqual([]);
        expect(await person.states()).toEqual(['connected', 'reconnecting', 'connected']);
        expect(await person.notes()).toEqual(['joined', 'recovered']);
      }
      expect(cable.refused).toBeGreaterThan(0);
    },
  );

  test('a page that goes offline says so, and is back as soon as it is online', async () => {
    const chat = await chatOn();
    const ana = await Person.arrive(browser, chat.url, 'Ana');
    const ben = await Person.arrive(browser, chat.url, 'Ben');
    await ana.page.context().setOffline(true);
    await eventually(() => ana.status()).toEqual({ state: 'offline', transport: '', text: 'Offline' });
    await ana.say('Meanwhile');
    expect(await ana.fates()).toEqual(['Waits for the connection']);
    await ben.say('Meanwhile, elsewhere');
    await ana.page.context().setOffline(false);
    await eventually(() => ana.heard()).toEqual(['Meanwhile, elsewhere', 'Meanwhile']);
    await eventually(() => ben.heard()).toEqual(['Meanwhile, elsewhere', 'Meanwhile']);
    expect(await ana.notes()).toEqual(['joined', 'recovered']);
  });

  const blocked = async (page: Page) => {
    await page.routeWebSocket(/./, (socket) => socket.close());
    await pollingBlocked(page);
  };

  const restarts = [
    ['sse', 'stop'],
    ['websocket', 'kill'],
    ['websocket', 'stop'],
  ] as const;

  test.for(restarts)(
    'after a restart of the server the page knows its session is new: %s, %s',
    async ([transport, how]) => {
      const chat = await chatOn(await freePort());
      const prepare = transport === 'sse' ? blocked : webSocketAlone;
      const ana = await Person.arrive(browser, chat.url, 'Ana', { prepare });
      const ben = await Person.arrive(browser, chat.url, 'Ben', { prepare });
      await ana.say('Before');
      await eventually(() => ben.heard()).toEqual(['Before']);

      await chat[how]();
      await eventually(() => ana.status()).toMatchObject({ state: 'reconnecting' });
      await ana.say('Meanwhile');
      expect(await ana.unsent()).toEqual(['Meanwhile']);

      await chatOn(chat.port);
      const threeStates = ['connected', 'reconnecting', 'new-session'];
      for (const person of [ana, ben]) {
        await eventually(async () => (await person.states()).slice(0, 3)).toEqual(threeStates);
        expect(await person.notes()).toEqual(['joined', 'new-session']);
        expect(await person.page.textContent('#log .new-session span')).toBe(
          'The server does not know you any more, so you are in a new session. What was said meanwhile may be missing.',
        );
      }
      // What never left the page is sent in the new session; the rooms are the ones of before.
      await eventually(() => ana.heard()).toEqual(['Before', 'Meanwhile']);
      await eventually(() => ben.people()).toEqual(['Ana', 'Ben']);
      await ben.say('After');
      await eventually(() => ana.heard()).toEqual(['Before', 'Meanwhile', 'After']);
    },
  );
});
