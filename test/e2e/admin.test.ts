// The admin's page in a real browser, as it was built: who may look, what is shown, and what is done from there.
import { connect, type Socket } from '@halyard/client';
import type { ServerOptions } from '@halyard/server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AdminOptions, admin } from '../../packages/admin/dist/index';
import { clusterOf } from '../kit/cluster';
import { hosts } from '../kit/hosts';
import type { KillableServer } from '../kit/killable';
import { isLong } from '../kit/long';
import { faults } from './axe';
import { describeInBrowser, eventually, launchBrowser } from './browser';

const password = 'correct horse battery';
const evil = '<img src=x onerror="window.broken = true">';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describeInBrowser('the page of the admin', () => {
  let browser: Browser;
  let context: BrowserContext;
  /** What the page has asked for, and what its console says. */
  let asked: string[];
  let said: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    [asked, said] = [[], []];
    context.on('request', (request) => asked.push(request.url()));
    context.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  });
  afterEach(() => context.close());
  afterAll(() => browser?.close());

  /** @returns the page of a server, with nobody at it yet */
  async function open(port: number): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/halyard-admin`);
    return page;
  }

  async function enter(page: Page, typed = password): Promise<void> {
    await page.fill('#password', typed);
    await page.press('#password', 'Enter');
  }

  const cells = (page: Page, table: string): Promise<string[][]> =>
    page.$$eval(`#${table} tr`, (rows) =>
      rows.map((row) => Array.from(row.children, (cell) => cell.textContent ?? '')),
    );
  const firsts = async (page: Page, table: string) => (await cells(page, table)).map(([first]) => first);

  /** Several servers, each with an app that has guests. */
  function world(host: () => ServerOptions['host']) {
    const { serve, cleanUp } = clusterOf(host as () => NonNullable<ServerOptions['host']>);
    return {
      async serve(count: number, options: AdminOptions = { password }): Promise<KillableServer[]> {
        const pages: ReturnType<typeof admin>[] = [];
        let made = 0;
        return serve(
          count,
          (io, i) => {
            pages[i] = admin(io, { describe: ({ data }) => (data as { name?: string }).name, ...options });
            io.use(({ auth, data }) => {
              data.name = auth.name;
            });
            io.of(/^\/<img/);
            io.on('connection', (socket) => {
              socket.join(['lobby', evil]);
              socket.on(evil, () => {
                throw new TypeError('swordfish');
              });
            });
          },
          {
            logger: quiet,
            // Each server has the page of its own.
            get fetch() {
              const i = made++;
              return (request: Request) => pages[i]?.(request) ?? new Response('the app');
            },
          },
        );
      },
      async guest({ io }: KillableServer, name: string): Promise<Socket> {
        const guest = connect(`http://127.0.0.1:${io.port}`, { auth: { name } });
        cleanUp.push(() => guest.connection.close());
        await eventually(async () => guest.connected).toBe(true);
        return guest;
      },
      cleanUp,
    };
  }

  const { serve, guest } = world(hosts[0]?.[1] as () => ServerOptions['host']);

  test('asks who it is, and lets in who knows', async () => {
    const [{ io }] = (await serve(1)) as [KillableServer];
    const page = await open(io.port);
    await page.waitForSelector('#enter:visible');
    expect(await page.isVisible('#panel')).toBe(false);
    expect(await faults(page)).toEqual([]);
    await enter(page, 'another one than it');
    await page.waitForSelector('#refusal:visible');
    expect(await page.textContent('#refusal')).toBe('The password is another one.');
    expect(await faults(page)).toEqual([]);
    await enter(page);
    await page.waitForSelector('#panel:visible');
    await page.click('#leave');
    expect([await page.isVisible('#panel'), await page.textContent('#refusal')]).toEqual([false, '']);
    await page.check('#keep');
    await enter(page);
    await page.waitForSelector('#panel:visible');
    await page.reload();
    await page.waitForSelector('#panel:visible');
    await page.click('#leave');
    await page.reload();
    await page.waitForSelector('#enter:visible');
    expect(asked.filter((url) => !url.startsWith(`http://127.0.0.1:${io.port}/halyard`))).toEqual([]);
    expect(asked.filter((url) => url.includes('?') || url.includes('horse'))).toEqual([]);
    expect(said.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('shows what there is as it was written, looks into a session, and disconnects it', async () => {
    const [server] = (await serve(1)) as [KillableServer];
    const [ada, eve] = [await guest(server, 'ada'), await guest(server, evil)];
    await eve.of(`/${evil}`).connect();
    await eve.emitWithAck(evil).catch(() => {});
    const page = await open(server.io.port);
    await enter(page);
    await eventually(() => firsts(page, 'nodes')).toEqual([expect.stringContaining(server.io.node)]);
    await eventually(() => cells(page, 'rooms')).toContainEqual([evil, '/', '2']);
    await eventually(() => firsts(page, 'namespaces')).toContain(`/${evil}`);
    await eventually(async () => (await cells(page, 'sessions')).map((row) => row[1]).sort()).toEqual(
      ['', 'ada', evil].sort(),
    );
    await eventually(async () => (await cells(page, 'problems')).map((row) => row.slice(1, 5))).toContainEqual([
      ...['error', 'TypeError', `the handler of "${evil}" in namespace / failed.`, '1'],
    ]);
    expect(await faults(page)).toEqual([]);

    await page.fill('#session', 'onerror');
    await page.press('#session', 'Enter');
    await eventually(async () => (await cells(page, 'sessions')).map((row) => row[1])).toEqual([evil]);
    await page.focus('#sessions button');
    await page.keyboard.press('Enter');
    await eventually(() => page.textContent('#facts')).toContain('websocket, connection');
    await eventually(() => cells(page, 'sockets')).toContainEqual(
      expect.arrayContaining([eve.id, '/', evil, `lobby, ${evil}`]),
    );
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('details-title');
    expect(await faults(page)).toEqual([]);
    await page.click('#end');
    expect(await page.isVisible('#sure')).toBe(true);
    expect(await faults(page)).toEqual([]);
    await page.click('#sure-no');
    expect(eve.connected).toBe(true);
    await page.click('#end');
    await page.click('#sure-yes');
    await eventually(() => page.textContent('#details-note')).toBe('It is disconnected.');
    await eventually(async () => eve.active).toBe(false);
    await page.click('#again');
    await eventually(() => page.textContent('#details-note')).toBe('It is not there any more.');
    expect(ada.connected).toBe(true);
    expect(await page.$$('main img')).toEqual([]);
    expect(await page.evaluate(() => 'broken' in window)).toBe(false);
    expect(await page.textContent('main')).not.toContain('swordfish');
    expect(said.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test.runIf(isLong)('finds rooms by a part of their names, and shows numbers as they change', async () => {
    const [server] = (await serve(1)) as [KillableServer];
    const ada = await guest(server, 'ada');
    const page = await open(server.io.port);
    await enter(page);
    await eventually(() => firsts(page, 'rooms')).toContain('lobby');
    await page.fill('#room', 'img');
    await page.press('#room', 'Enter');
    await eventually(() => firsts(page, 'rooms')).toEqual([evil]);
    await page.fill('#room', 'nothing like that');
    await page.press('#room', 'Enter');
    await eventually(() => page.textContent('#rooms-rest')).toBe('There are none.');
    const sessions = () => page.textContent('#totals div:nth-child(2) dd');
    await eventually(sessions).toBe('2');
    ada.connection.close();
    await eventually(sessions).toBe('1');
  });

  test.runIf(isLong)('that may look alone has nothing to disconnect with', async () => {
    const [server] = (await serve(1, { password, readOnly: true })) as [KillableServer];
    await guest(server, 'ada');
    const page = await open(server.io.port);
    await enter(page);
    await page.click('#sessions button');
    await page.waitForSelector('#details:visible');
    await eventually(() => page.isVisible('#end')).toBe(false);
  });

  test.runIf(isLong)('goes by a guard that knows who it is', async () => {
    const guard: AdminOptions['guard'] = ({ headers }) => /(^|; )who=ada/.test(headers.get('cookie') ?? '');
    const [server] = (await serve(1, { guard })) as [KillableServer];
    const page = await open(server.io.port);
    await page.waitForSelector('#refusal:visible');
    expect(await page.textContent('#refusal')).toBe('You may not look at this server: its guard says so.');
    await context.addCookies([{ name: 'who', value: 'ada', url: page.url() }]);
    await page.reload();
    await page.waitForSelector('#panel:visible');
  });

  test.runIf(isLong)('shows all servers of a cluster, and which of them does not answer', async () => {
    const [a, b] = (await serve(2)) as [KillableServer, KillableServer];
    await guest(a, 'ada');
    await guest(b, 'ben');
    const page = await open(a.io.port);
    await enter(page);
    await eventually(async () => (await firsts(page, 'nodes')).length).toBe(2);
    await eventually(() => cells(page, 'rooms')).toContainEqual(['lobby', '/', '2']);
    await eventually(async () => (await cells(page, 'sessions')).map((row) => row[1]).sort()).toEqual([
      '',
      'ada',
      'ben',
    ]);
    expect(await page.textContent('#silent')).toBe('');
    await b.kill();
    await eventually(() => page.textContent('#silent')).toContain(`1 server does not answer: ${b.io.node}.`);
    expect(await faults(page)).toEqual([]);
    b.noticed();
    await eventually(async () => (await firsts(page, 'nodes')).length).toBe(1);
    await eventually(() => page.textContent('#silent')).toBe('');
  });
});
