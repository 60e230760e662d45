// The chat on three servers behind a balancer, in a real browser: who kills the server that serves them, chats on.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hasHaproxy } from '../kit/haproxy';
import { hasRedis } from '../kit/redis-server';
import { describeInBrowser, eventually, launchBrowser } from './browser';
import { type ChatServer, clusterScript, startChat } from './chat-server';
import { Person } from './person';

const describeHere = hasRedis && hasHaproxy ? describeInBrowser : describeInBrowser.skip;

describeHere('the chat on a cluster', () => {
  let browser: Browser;
  let chat: ChatServer;

  beforeAll(async () => {
    [browser, chat] = await Promise.all([launchBrowser(), startChat(0, clusterScript)]);
  });
  afterEach(async () => {
    expect(await chat.stop()).toBe(0);
  });
  afterAll(() => browser?.close());

  const nodeOf = ({ page }: Person) => page.textContent('#node-name');

  test('a page kills its server while two talk: each message comes once and in order, by another server', async () => {
    const ana = await Person.arrive(browser, chat.url, 'Ana');
    const ben = await Person.arrive(browser, chat.url, 'Ben');
    for (const person of [ana, ben]) await eventually(() => person.people()).toEqual(['Ana', 'Ben']);
    const before = await nodeOf(ana);
    expect(['one', 'two', 'three']).toContain(before);

    const stop = [await ana.keepTalking(50), await ben.keepTalking(50)] as const;
    await eventually(async () => (await ben.heard(ana)).length).toBeGreaterThan(3);
    await ana.page.click('#kill');
    await eventually(() => nodeOf(ana)).not.toBe(before);
    await eventually(async () => (await ana.status()).state).toBe('connected');
    const [saidByAna, saidByBen] = [await stop[0](), await stop[1]()];

    for (const person of [ana, ben]) {
      await eventually(() => person.heard(ana)).toEqual(saidByAna);
      await eventually(() => person.heard(ben)).toEqual(saidByBen);
      await eventually(() => person.unsent()).toEqual([]);
      await eventually(() => person.people()).toEqual(['Ana', 'Ben']);
    }
    expect(await ana.notes()).toContain('recovered');
    expect(await ana.notes()).not.toContain('new-session');
  });
});
