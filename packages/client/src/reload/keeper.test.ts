// Longer than other files: all that a page may leave behind, and what the next one makes of it, case by case.
import { defaultSettings, PacketType } from '@halyard/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { briefs, connected, event, type FakeLink, type Scene, scene, settle, watch, welcome } from '../../testing/fake';
import type { CoreOptions } from '../core';
import { type OverReloadOptions, overReload } from '../reload';

const place = 'halyard reload http://app.example/halyard json ';

/** What a tab has: its storage, and the page of now, to which things happen. */
class Tab {
  readonly stored = new Map<string, string>();
  #heard: [string, (event: object) => void][] = [];
  /** Names of locks that some page has. */
  readonly locks = new Set<string>();

  /** The tab is looked at: what follows happens in it. */
  enter(): void {
    const { stored } = this;
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, text: string) => void stored.set(key, text),
      removeItem: (key: string) => void stored.delete(key),
    });
    vi.stubGlobal('addEventListener', (type: string, run: (event: object) => void) => this.#heard.push([type, run]));
    vi.stubGlobal('removeEventListener', (type: string, run: (event: object) => void) => {
      this.#heard = this.#heard.filter((one) => one[0] !== type || one[1] !== run);
    });
  }

  withLocks(locks = this.locks): this {
    const request = async (name: string, _options: object, run: (lock: object | null) => unknown) => {
      const isFree = !locks.has(name);
      locks.add(name);
      await run(isFree ? {} : null);
      if (isFree) locks.delete(name);
    };
    vi.stubGlobal('navigator', { locks: { request } });
    return this;
  }

  tell(type: string, rest: object = {}): void {
    for (const [name, run] of this.#heard) if (name === type) run({ type, ...rest });
  }

  /** The page goes away. What it had is gone, but for what is stored. */
  unload(): void {
    this.tell('pagehide', { persisted: false });
    this.gone();
  }

  /** The page goes away, in a process of its own. @returns lets what it has saved be seen */
  unloadLate(): () => void {
    this.unload();
    const [place, text] = [...this.stored][0]!;
    this.stored.delete(place);
    return () => this.stored.set(place, text);
  }

  gone(): void {
    this.#heard = [];
  }

  /** The browser puts the page into its cache. @returns brings it back */
  freeze(): () => void {
    this.tell('pagehide', { persisted: true });
    const heard = this.#heard;
    this.gone();
    return () => {
      this.#heard = heard;
      pageTime += 1_000;
      this.tell('pageshow', { persisted: true });
    };
  }

  /** What was saved, to be looked at or changed. */
  get saved(): Record<string, never> {
    return JSON.parse(this.stored.get(place)!);
  }

  set saved(saved: object) {
    this.stored.set(place, JSON.stringify(saved));
  }
}

let tab: Tab;
/** Each page has a time of its own, in which nothing passes. */
let pageTime = 0;

beforeEach(() => {
  vi.stubGlobal('performance', { now: () => pageTime });
  tab = new Tab();
  tab.enter();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

interface Page extends Scene {
  readonly link: FakeLink;
  /** What the handlers of `news` were told. */
  readonly heard: unknown[];
}

type PageOptions = Partial<CoreOptions> & OverReloadOptions & { url?: string };

/** A page is loaded, whose script has run. */
function load({ savedCharsMax, name, userOf, ...options }: PageOptions = {}): Page {
  pageTime += 1_000_000;
  const all = scene({ reload: overReload({ savedCharsMax, name, userOf }), ...options });
  const heard: unknown[] = [];
  all.socket.on('news', (...args: unknown[]) => {
    heard.push(...args);
  });
  return Object.defineProperty({ ...all, heard } as unknown as Page, 'link', { get: () => all.transport.link });
}

/** A page that is connected, with everything read. */
async function open(options: PageOptions = {}): Promise<Page> {
  const page = load(options);
  await page.link.open();
  await page.link.say(welcome(), connected());
  await page.link.read();
  return page;
}

const sack = (received: number) => ({ type: PacketType.Sack, received }) as const;
const ack = (number: number, value = 'yes') => ({ type: PacketType.Ack, ack: number, value }) as const;

describe('a page that is loaded anew', () => {
  test('goes on: the same session and id, what was not confirmed once more and in order, and what was missed', async () => {
    const first = await open();
    first.socket.emit('one');
    first.socket.emitWithAck('two').catch(() => {});
    first.socket.emit('three');
    await first.link.say(sack(1), event('news', [1]), {
      type: PacketType.Publish,
      namespace: '/',
      positions: [['log', 7]],
      event: 'news',
      args: [2],
    });
    tab.unload();
    // The goodbye would be 1001.
    expect(first.link.closed?.code).toBe(1006);
    expect(first.log.slice(1)).toEqual([['disconnect', 1006, 'network', true]]);

    const second = load();
    expect([...tab.stored.keys()]).toEqual([]);
    second.socket.emit('four');
    const five = second.socket.emitWithAck('five');
    const flight = await second.link.open();
    expect(briefs(flight)).toEqual([
      'HELLO / resume s1 2 1',
      'EVENT / two [] #1',
      'EVENT / three []',
      'EVENT / four []',
      'EVENT / five [] #2',
    ]);
    expect(flight[0]).toMatchObject({ generation: 2, left: 3, resume: { secret: 'k1', positions: [['log', 7]] } });
    await second.link.say(
      welcome({ recovered: true, received: 2 }),
      { type: PacketType.Publish, namespace: '/', positions: [['log', 7]], event: 'news', args: [2] },
      { type: PacketType.Publish, namespace: '/', positions: [['log', 8]], event: 'news', args: [3] },
      // Whom the page of before had asked is answered, and nobody waits.
      ack(1),
      event('news', [4]),
      ack(2),
    );
    expect(second.log).toEqual([['connect', { recovered: true, unconfirmed: 0 }]]);
    expect([second.socket.id, second.socket.recovered, second.heard]).toEqual(['id1', true, [3, 4]]);
    expect([first.heard, await five]).toEqual([[1, 2], 'yes']);

    tab.unload();
    const third = load();
    // WELCOME has told that two is handled.
    expect(briefs(await third.link.open())).toEqual([
      'HELLO / resume s1 5 2',
      'EVENT / three []',
      'EVENT / four []',
      'EVENT / five [] #2',
    ]);
  });

  test('goes on from numbers that are settled above others, and from an outbox that is empty', async () => {
    const first = await open();
    for (const n of [1, 2, 3, 4]) first.socket.emit('n', n);
    await first.link.say({ type: PacketType.Sack, received: 1, settled: [3, 4] });
    tab.unload();
    const second = load();
    const [hello, ...flight] = await second.link.open();
    expect(hello).toMatchObject({ resume: { confirmed: 1, settled: [3, 4] }, left: 4 });
    expect(briefs(flight)).toEqual(['EVENT / n [2]']);
    await second.link.say(welcome({ recovered: true, received: 4 }));
    second.socket.emit('n', 5);
    await second.link.say(sack(5));
    tab.unload();
    const third = load();
    expect(await third.link.open()).toMatchObject([{ resume: { confirmed: 5 }, left: 5 }]);
  });

  test('that is away sends what never left, unless its time is over: then it says so', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await open();
    await first.link.drop();
    first.socket.emit('kept');
    first.socket.timeout(3_000).emit('late');
    first.socket
      .timeout(60_000)
      .emitWithAck('in time')
      .catch(() => {});
    first.socket
      .timeout(Number.POSITIVE_INFINITY)
      .emitWithAck('always')
      .catch(() => {});
    await first.advance(1_000);
    tab.unload();
    vi.setSystemTime(Date.now() + 1_000);
    const second = load();
    await second.advance(999);
    expect(second.log).toEqual([]);
    await second.advance(1);
    expect(second.log).toEqual([['error', 'ERR_ACK_TIMEOUT']]);
    expect(briefs(await second.link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / kept []',
      'EVENT / in time [] #2',
      'EVENT / always [] #3',
    ]);
  });

  test('that is away gives up what is of a namespace it does not know, once its time is over, and tells nobody', async () => {
    const first = await open();
    const gone = first.socket.of('/gone');
    await first.link.read();
    await first.link.drop();
    gone.timeout(3_000).emit('late');
    tab.unload();
    const second = load();
    await second.advance(3_000);
    expect(second.log).toEqual([]);
    expect(briefs(await second.link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'CONNECT /gone undefined',
      'DISCONNECT /gone',
    ]);
  });

  test('again before it is answered loses nothing: its own words go with those of the page before', async () => {
    const first = await open();
    first.socket.emit('one');
    tab.unload();
    const second = load();
    second.socket.emit('two');
    tab.unload();
    expect(second.log).toEqual([]);
    const third = load();
    third.socket.emit('three');
    expect(briefs(await third.link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / one []',
      'EVENT / two []',
      'EVENT / three []',
    ]);
    tab.unload();
    const fourth = load();
    const flight = await fourth.link.open();
    expect(flight[0]).toMatchObject({ generation: 3, left: 3 });
    expect(flight).toHaveLength(4);
  });

  test('before its first WELCOME says HELLO again by its token', async () => {
    const first = load();
    const late = first.socket.of('/late');
    first.socket.emit('one');
    const [hello] = await first.link.open();
    first.socket.of('/later').emit('two');
    await settle();
    tab.unload();
    const second = load();
    second.socket.of('/late');
    second.socket.of('/new').emit('three');
    const flight = await second.link.open();
    expect(flight[0]).toEqual({ ...hello, generation: 2, left: 3 });
    expect(briefs(flight.slice(1)).sort()).toEqual([
      'CONNECT /later undefined',
      'CONNECT /new undefined',
      // Nobody wants it any more.
      'DISCONNECT /later',
      'EVENT / one []',
      'EVENT /later two []',
      'EVENT /new three []',
    ]);
    await second.link.say(welcome({ recovered: true, received: 3 }), connected());
    expect(second.log).toEqual([['connect', { recovered: false, unconfirmed: 0 }]]);
    expect(late.namespace).toBe('/late');
  });

  test('before its first WELCOME may leave what the page before has asked for, and want it again', async () => {
    const first = load();
    first.socket.of('/b');
    await first.link.open();
    tab.unload();
    const second = load();
    const other = second.socket.of('/b');
    await settle();
    other.disconnect();
    await settle();
    other.connect();
    other.emit('again');
    expect(briefs(await second.link.open())).toEqual([
      ...['HELLO / /b', 'DISCONNECT /b', 'CONNECT /b undefined', 'EVENT /b again []'],
    ]);
  });

  test('before anything was said takes along what was emitted', async () => {
    const first = load();
    first.socket.emit('one');
    tab.unload();
    const second = load();
    second.socket.emit('two');
    expect(briefs(await second.link.open())).toEqual(['HELLO /', 'EVENT / one []', 'EVENT / two []']);
    await second.link.say(welcome(), connected());
    expect(second.log).toEqual([['connect', { recovered: false, unconfirmed: 0 }]]);
  });

  test('leaves what it does not want any more, and asks for what is new', async () => {
    const first = load();
    const gone = first.socket.of('/gone');
    await first.link.open();
    await first.link.say(welcome(), connected(), connected('/gone', 'id2'));
    gone.emit('last');
    tab.unload();
    const second = load();
    second.socket.of('/new', { auth: { b: 2 } }).emit('early');
    expect(briefs(await second.link.open())).toEqual([
      'HELLO / /new{"b":2} resume s1 2 0',
      'EVENT /gone last []',
      'DISCONNECT /gone',
    ]);
    await second.link.say(welcome({ recovered: true }), event('news', ['for nobody'], undefined, '/gone'));
    expect(briefs(await second.link.read())).toEqual(['CONNECT /new {"b":2}', 'EVENT /new early []']);
    await second.link.say(connected('/new', 'id3'));
    // Since then it is a namespace like any other.
    second.socket.of('/gone');
    expect(briefs(await second.link.read())).toEqual(['CONNECT /gone undefined']);
  });

  test('may leave and want again, before it is connected, what the page before had', async () => {
    await open();
    tab.unload();
    const second = load();
    second.socket.of('/other');
    second.socket.disconnect().connect();
    expect(briefs(await second.link.open())).toEqual(['HELLO / /other resume s1 1 0']);
    await second.link.say(welcome({ recovered: true }));
    expect(second.log).toEqual([['connect', { recovered: true, unconfirmed: 0 }]]);
  });

  test('may leave and want again in the turn in which it connects, as StrictMode of React does', async () => {
    await open();
    tab.unload();
    const second = load({ autoConnect: false });
    second.socket.connect().disconnect().connect();
    await Promise.resolve();
    expect(briefs(await second.link.open())).toEqual(['HELLO / resume s1 1 0']);
    expect(second.transport.links.length).toBe(1);
  });

  test('renews in time what the page before has presented', async () => {
    const before = load({ auth: { user: 'ana' } });
    await before.link.open();
    await before.link.say(welcome(), connected('/', 'id1', 10_000));
    await before.advance(6_000);
    tab.unload();
    const page = load({ auth: { user: 'ana' } });
    await page.link.open();
    await page.link.say(welcome({ recovered: true }));
    await page.link.read();
    // 4,000 are left, of which four fifths are 3,200.
    await page.advance(3_000);
    expect(briefs(await page.link.read())).not.toContain('RENEW / {"user":"ana"} #1');
    await page.advance(300);
    expect(briefs(await page.link.read())).toContain('RENEW / {"user":"ana"} #1');
  });

  test('waits for the answer to what the page before has presented, and presents nothing else meanwhile', async () => {
    const before = load({ auth: { user: 'ana' } });
    await before.link.open();
    await before.link.say(welcome(), connected('/', 'id1', 10_000));
    await before.advance(8_000);
    expect(briefs(await before.link.read())).toContain('RENEW / {"user":"ana"} #1');
    tab.unload();
    const page = load({ auth: { user: 'ana' } });
    expect(briefs(await page.link.open())).toEqual([
      'HELLO /{"user":"ana"} resume s1 1 0',
      'RENEW / {"user":"ana"} #1',
    ]);
    await page.link.say(welcome({ recovered: true }));
    await page.advance(2_000);
    expect(briefs(await page.link.read())).not.toContain('RENEW / {"user":"ana"} #2');
    await page.link.say({ type: PacketType.Ack, ack: 1, value: 10_000 });
    await page.advance(7_000);
    expect(briefs(await page.link.read())).toContain('RENEW / {"user":"ana"} #2');
  });

  test('that comes too late for the server is in a new session, and told what is lost', async () => {
    const first = load();
    first.socket.of('/other');
    await first.link.open();
    await first.link.say(welcome(), connected(), connected('/other', 'id2'));
    first.socket.emit('left');
    first.socket.of('/other').emit('left, of nobody');
    const answered = first.socket.emitWithAck('answered');
    await settle();
    await first.link.say(ack(1));
    await answered;
    await first.link.drop();
    first.socket.emit('kept');
    first.socket.of('/other').emit('for nobody');
    tab.unload();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ session: 's2', reason: 'unknown-session' }));
    expect(briefs(await second.link.read())).toEqual(['RESET', 'EVENT / kept []']);
    await second.link.say(connected('/', 'id9'));
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 3 }]]);
  });

  test('is told of a loss that the page before was not told of', async () => {
    const first = await open();
    first.socket.emit('left');
    await first.link.drop();
    await first.advance(1_000);
    await first.link.open();
    await first.link.say(welcome({ session: 's2', reason: 'log-trimmed' }));
    tab.unload();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true, session: 's2' }), connected());
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'log-trimmed', unconfirmed: 1 }]]);
  });

  test('is another one for another server, path, codec and name', async () => {
    await open({ name: 'one' });
    tab.unload();
    for (const other of [{ name: 'two' }, { name: 'one', path: '/x' }, { name: 'one', url: 'http://else.example' }])
      expect(briefs(await load(other).link.open())).toEqual(['HELLO /']);
    expect(briefs(await load({ name: 'one' }).link.open())).toEqual(['HELLO / resume s1 1 0']);
  });

  test('with two clients that are not told apart goes on with one of them', async () => {
    const [one, two, named] = [await open(), await open(), await open({ name: 'named' })];
    tab.unload();
    expect([one, two, named].map(({ link }) => link.closed?.code)).toEqual([1006, 1001, 1006]);
    expect(briefs(await load().link.open())).toEqual(['HELLO / resume s1 1 0']);
    expect(briefs(await load().link.open())).toEqual(['HELLO /']);
  });

  test('that connects later finds what was saved then', async () => {
    await open();
    tab.unload();
    const second = load({ autoConnect: false });
    expect(tab.stored.size).toBe(1);
    second.socket.connect();
    expect(tab.stored.size).toBe(0);
    expect(briefs(await second.link.open())).toEqual(['HELLO / resume s1 1 0']);
  });
});

describe('a page that goes away', () => {
  test('saves what its other handlers of that say', async () => {
    const first = await open();
    tab.tell('pagehide', { persisted: false });
    first.socket.emit('last words');
    tab.gone();
    const second = load();
    expect(briefs(await second.link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / last words []']);
  });

  test('and ends its session in another handler saves nothing', async () => {
    const first = await open();
    tab.tell('pagehide', { persisted: false });
    first.socket.disconnect();
    expect(tab.stored.size).toBe(0);
  });

  test('and does not go goes on itself, and nobody else', async () => {
    const first = await open();
    tab.tell('pagehide', { persisted: false });
    await first.advance(1_000);
    expect(tab.stored.size).toBe(1);
    expect(briefs(await first.link.open())).toEqual(['HELLO / resume s1 1 0']);
    expect(tab.stored.size).toBe(0);
  });

  test('into the cache of the browser, and comes back, goes on itself', async () => {
    const first = await open();
    first.socket.emit('left');
    await first.link.read();
    const thaw = tab.freeze();
    expect([tab.stored.size, first.link.closed?.code]).toEqual([1, 1006]);
    thaw();
    first.socket.emit('since');
    expect(briefs(await first.link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / left []', 'EVENT / since []']);
    expect(tab.stored.size).toBe(0);
    await first.link.say(welcome({ recovered: true }));
    expect(first.log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
  });

  test('into the cache of the browser, and comes back, goes on with what the pages after it have left', async () => {
    const first = await open();
    first.socket.emit('left');
    const asked = first.socket.emitWithAck('asked').catch(({ code }) => code);
    const others = [first.socket.of('/old'), first.socket.of('/both')];
    await first.link.read();
    await first.link.drop();
    first.socket.emit('kept');
    const thaw = tab.freeze();
    const second = load();
    second.socket.of('/both');
    second.socket.of('/new');
    expect(briefs(await second.link.open())).toContain('EVENT / kept []');
    await second.link.say(welcome({ recovered: true, received: 6 }), connected('/both', 'b'), connected('/new', 'n'));
    await second.link.drop();
    second.socket.emit('of the second');
    tab.unload();
    thaw();
    first.socket.emit('since');
    expect(await asked).toBe('ERR_SESSION_LOST');
    const flight = briefs(await first.link.open());
    expect(flight[0]).toMatch(/^HELLO \/ .*\/both.* resume s1 3 6$/);
    expect(flight.slice(1).filter((line) => line.startsWith('EVENT'))).toEqual([
      'EVENT / of the second []',
      'EVENT / since []',
    ]);
    expect(flight).toContain('DISCONNECT /new');
    await first.link.say(welcome({ recovered: true, received: 7 }));
    expect(briefs(await first.link.read())).toContain('CONNECT /old undefined');
    expect(first.log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
    expect(others.map(({ id }) => id)).toEqual([undefined, 'b']);
  });

  test('that comes back says what it says behind what the pages after it have left, whenever that comes', async () => {
    const first = await open();
    const thaw = tab.freeze();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    await second.link.drop();
    second.socket.emit('of the second');
    const saved = tab.unloadLate();
    // Hidden, it does nothing by itself.
    vi.stubGlobal('document', { hidden: true });
    first.socket.connection.on('state', ({ to }) => to === 'connecting' && first.socket.emit('connecting'));
    thaw();
    first.socket.emit('shown');
    const late = first.socket.of('/late');
    late.emit('early');
    first.socket.disconnect().connect();
    first.socket.emit('again');
    await first.advance(100);
    saved();
    for (let i = 0; i < 10; i++) await first.advance(100);
    const flight = briefs(await first.link.open());
    expect(flight[0]).toBe('HELLO / /late resume s1 1 0');
    expect(flight.filter((line) => line.startsWith('EVENT'))).toEqual([
      'EVENT / of the second []',
      'EVENT / again []',
      'EVENT / connecting []',
    ]);
    await first.link.say(welcome({ recovered: true, received: 3 }));
    expect(briefs(await first.link.read())).toEqual(['CONNECT /late undefined', 'EVENT /late early []']);
    expect(first.log.slice(1)).toEqual([
      ['disconnect', 1006, 'network', true],
      ['error', 'ERR_DISCONNECTED'],
      ['connect', { recovered: true, unconfirmed: 0 }],
    ]);
  });

  test('that comes back ends its session before it knows what is left, and wants another one: it says so behind that', async () => {
    const first = await open();
    const thaw = tab.freeze();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    await second.link.drop();
    second.socket.emit('of the second');
    const saved = tab.unloadLate();
    thaw();
    first.socket.disconnect().connect();
    first.socket.emit('again');
    await first.advance(100);
    saved();
    for (let i = 0; i < 4; i++) await first.advance(50);
    expect(briefs(await first.link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / of the second []',
      'EVENT / again []',
    ]);
  });

  test('that comes back goes on with what another one takes until the server is asked for it', async () => {
    const first = await open();
    first.socket.emit('left');
    const thaw = tab.freeze();
    thaw();
    // Another page, which is shown for a moment, is faster.
    const text = tab.stored.get(place) as string;
    tab.saved = { ...tab.saved, once: 'another', generation: 7 } as object;
    expect(text).not.toBe(tab.stored.get(place));
    const [hello, ...flight] = await first.link.open();
    expect(hello).toMatchObject({ generation: 8 });
    expect(briefs(flight)).toEqual(['EVENT / left []']);
  });

  test('that comes back asks for what is new to a session that nobody was told of', async () => {
    const first = load();
    const x = first.socket.of('/x');
    await first.link.open();
    const thaw = tab.freeze();
    const second = load();
    await second.link.open();
    tab.unload();
    thaw();
    x.emit('hello');
    await first.link.open();
    await first.link.say(welcome(), connected());
    expect(briefs(await first.link.read())).toEqual([]);
    await first.link.say(connected('/x', 'x1'));
    x.emit('hello again');
    expect(briefs(await first.link.read())).toEqual(['EVENT /x hello again []']);
  });

  test('that was told lost to the page after it is, when it comes back', async () => {
    const first = await open({ savedCharsMax: 1_024 });
    first.socket.emit('big', 'x'.repeat(1_000));
    await first.link.read();
    const thaw = tab.freeze();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ session: 's2' }), connected());
    expect(second.log.at(-1)).toMatchObject(['connect', { reason: 'not-saved', unconfirmed: 1 }]);
    tab.unload();
    thaw();
    expect(briefs(await first.link.open())).toEqual(['HELLO / resume s2 1 0']);
  });

  test('that says more than may be saved as it goes, and comes back, is saved again when it goes for good', async () => {
    const first = await open({ savedCharsMax: 1_024 });
    const thaw = tab.freeze();
    first.socket.emit('big', 'x'.repeat(1_000));
    thaw();
    await first.link.open();
    await first.link.say(welcome({ session: 's2' }), connected('/', 'x2'));
    await first.link.read();
    await first.link.say(sack(1));
    first.socket.emit('last');
    tab.unload();
    expect(tab.saved).toMatchObject({ key: { session: 's2' }, frames: [{ number: 2 }] });
    expect(briefs(await load().link.open())).toEqual(['HELLO / resume s2 1 1', 'EVENT / last []']);
  });

  test('that comes back and goes again before it knows what is left takes along what it has said', async () => {
    const first = await open();
    const thaw = tab.freeze();
    const second = load();
    second.socket.disconnect();
    tab.gone();
    thaw();
    first.socket.emit('last');
    tab.unload();
    expect(briefs(await load().link.open())).toEqual(['HELLO /', 'EVENT / last []']);
  });

  test('that has ended its session, and wants another one, goes on with what the pages since have left', async () => {
    const first = await open();
    first.socket.disconnect();
    const thaw = tab.freeze();
    const second = await open();
    await second.link.drop();
    second.socket.emit('left');
    tab.unload();
    thaw();
    first.socket.connect();
    expect(briefs(await first.link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / left []']);
  });

  test('that has ended its session, and wants another one as it is shown, waits for the last words of the page before it', async () => {
    const first = await open();
    first.socket.disconnect();
    const thaw = tab.freeze();
    const second = await open();
    await second.link.drop();
    second.socket.emit('left');
    const saved = tab.unloadLate();
    thaw();
    first.socket.connect();
    first.socket.emit('since');
    await first.advance(100);
    saved();
    await first.advance(100);
    expect(briefs(await first.link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / left []', 'EVENT / since []']);
  });

  test('that has another session by then than the page before it tells the next one what that has lost', async () => {
    const first = await open();
    first.socket.disconnect();
    const thaw = tab.freeze();
    const second = await open();
    await second.link.drop();
    second.socket.emit('left');
    const saved = tab.unloadLate();
    thaw();
    first.socket.connect();
    for (let i = 0; i < 4; i++) await first.advance(50);
    await first.link.open();
    await first.link.say(welcome({ session: 's3' }), connected());
    saved();
    tab.unload();
    const third = load();
    expect(briefs(await third.link.open())).toEqual(['HELLO / resume s3 1 0']);
    await third.link.say(welcome({ recovered: true }));
    expect(third.log).toEqual([['connect', { recovered: true, reason: 'not-saved', unconfirmed: 1 }]]);
    await third.link.drop();
    await third.advance(1_000);
    await third.link.open();
    await third.link.say(welcome({ recovered: true }));
    expect(third.log.at(-1)).toEqual(['connect', { recovered: true, unconfirmed: 0 }]);
  });

  test('tells the next one so whatever it says as it goes, and tells itself if it stays', async () => {
    const first = await open();
    first.socket.emit('of the first');
    await first.link.drop();
    tab.unload();
    const [saved] = [...tab.stored];
    tab.stored.clear();
    const second = await open();
    tab.stored.set(...(saved as [string, string]));
    tab.tell('pagehide', { persisted: false });
    second.socket.emit('last words');
    await second.advance(1_000);
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    const told = { recovered: true, reason: 'not-saved', unconfirmed: 1 };
    expect(second.log.at(-1)).toEqual(['connect', told]);
    tab.stored.set(...(saved as [string, string]));
    tab.tell('pagehide', { persisted: false });
    second.socket.emit('more');
    tab.gone();
    const third = load();
    await third.link.open();
    await third.link.say(welcome({ recovered: true, received: 2 }));
    expect(third.log).toEqual([['connect', told]]);
  });

  test('too large to be saved, tells what it was to tell besides', async () => {
    const first = await open({ savedCharsMax: 1_024 });
    first.socket.emit('big', 'x'.repeat(1_000));
    tab.unload();
    const second = load({ savedCharsMax: 1_024 });
    second.socket.emit('big', 'x'.repeat(1_000));
    second.socket.emit('too');
    tab.unload();
    const third = load();
    await third.link.open();
    await third.link.say(welcome(), connected());
    expect(third.log).toEqual([['connect', { recovered: false, reason: 'not-saved', unconfirmed: 3 }]]);
  });

  test('too old to go on with, tells what it was to tell besides', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await open();
    first.socket.emit('left');
    await first.link.read();
    tab.unload();
    const saved = tab.saved as unknown as { spaces: object[] };
    tab.saved = { ...saved, spaces: [{ ...saved.spaces[0], loss: { reason: 'x', unconfirmed: 2 } }] };
    vi.setSystemTime(Date.now() + defaultSettings.recoveryWindowMs + 1);
    const second = load();
    await second.link.open();
    await second.link.say(welcome(), connected());
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 3 }]]);
  });

  test('that is shown for a moment, with a session that it wants anew, takes along what it has said', async () => {
    const first = await open();
    first.socket.disconnect();
    const thaw = tab.freeze();
    thaw();
    first.socket.connect();
    first.socket.emit('for a moment');
    await first.advance(100);
    tab.unload();
    expect(briefs(await load().link.open())).toEqual(['HELLO /', 'EVENT / for a moment []']);
  });

  test('hears of being brought back by one listener, however many clients there are', async () => {
    const listen = vi.fn();
    vi.stubGlobal('addEventListener', listen);
    for (let i = 0; i < 3; i++) load({ autoConnect: false });
    const shown = listen.mock.calls.filter(([type]) => type === 'pageshow').map(([, run]) => run);
    expect(new Set(shown).size).toBe(1);
  });

  test('that comes back when a copy of its tab has its session leaves to that what had not left', async () => {
    const first = await open();
    first.socket.emit('left');
    await first.link.read();
    await first.link.drop();
    for (let i = 0; i < 200; i++) first.socket.emit('n', i);
    const thaw = tab.freeze();
    thaw();
    first.socket.emit('since');
    await first.link.open();
    await first.link.drop({ code: 4409, reason: '', by: 'server' });
    await first.advance(1_000);
    expect(briefs(await first.link.open())).toEqual(['HELLO /', 'EVENT / since []']);
    await first.link.say(welcome({ session: 's2' }), connected());
    expect(first.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'used-elsewhere', unconfirmed: 201 }]);
  });

  test('that comes back when a copy of its tab has its session is in a new one, and told', async () => {
    const first = await open();
    first.socket.emit('left');
    const thaw = tab.freeze();
    const copy = new Map(tab.stored);
    const second = load();
    await second.link.open();
    for (const [key, text] of copy) tab.stored.set(key, text);
    thaw();
    await first.link.open();
    await first.link.drop({ code: 4409, reason: '', by: 'server' });
    await first.advance(1_000);
    expect(briefs(await first.link.open())).toEqual(['HELLO /']);
    await first.link.say(welcome({ session: 's2' }), connected());
    expect(first.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'used-elsewhere', unconfirmed: 1 }]);
    await first.link.drop({ code: 4409, reason: '', by: 'server' });
    expect(first.socket.connection.state).toBe('closed');
  });

  test('that was too large to be saved goes on itself, and leaves no word that it is lost', async () => {
    const first = await open({ savedCharsMax: 1_024 });
    first.socket.emit('big', 'x'.repeat(1_000));
    await first.link.read();
    const thaw = tab.freeze();
    expect(tab.stored.size).toBe(1);
    thaw();
    expect(briefs(await first.link.open())[0]).toBe('HELLO / resume s1 1 0');
    expect(tab.stored.size).toBe(0);
  });

  test('into the cache of the browser, and comes back where nothing is left of its session, is told', async () => {
    const first = await open();
    first.socket.emit('left');
    first.socket.emit('too');
    await first.link.read();
    const thaw = tab.freeze();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true, received: 2 }));
    tab.gone();
    thaw();
    first.socket.emit('since');
    expect(briefs(await first.link.open())).toEqual([]);
    // The page after it may say its last words just now.
    for (let i = 0; i < 20; i++) await first.advance(50);
    expect(briefs(await first.link.read())).toEqual(['HELLO /', 'EVENT / since []']);
    await first.link.say(welcome({ session: 's2' }), connected());
    expect(first.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'used-elsewhere', unconfirmed: 2 }]);
  });

  test.each([0, 1])('saves however often it may try, which is %i times', async (attemptsMax) => {
    const first = await open({ reconnect: { attemptsMax } });
    if (attemptsMax > 0) await first.link.drop();
    first.socket.emit('last');
    tab.unload();
    expect(first.socket.connection.state).toBe('waiting');
    expect(briefs(await load().link.open())).toEqual(['HELLO / resume s1 1 0', 'EVENT / last []']);
  });

  test('with nothing that is wanted says goodbye', async () => {
    const first = await open();
    await first.link.say(welcome({ recovered: true })).catch(() => {});
    first.socket.disconnect();
    tab.unload();
    expect(tab.stored.size).toBe(0);
  });

  test.each([
    ['with more than may be saved', { savedCharsMax: 1_024 }, 'x'.repeat(1_000)],
    ['where the storage is full', {}, 'full'],
  ])('%s says goodbye, and the next one is told', async (_case, options, text) => {
    const first = await open(options);
    first.socket.emit('big', text);
    first.socket.emit('too');
    if (text === 'full') {
      const { setItem } = sessionStorage;
      vi.stubGlobal('sessionStorage', {
        ...sessionStorage,
        setItem(key: string, value: string) {
          if (value.length > 100) throw new DOMException('full', 'QuotaExceededError');
          setItem(key, value);
        },
      });
    }
    tab.unload();
    expect(first.link.closed?.code).toBe(1001);
    const second = load();
    expect(briefs(await second.link.open())).toEqual(['HELLO /']);
    await second.link.say(welcome(), connected());
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'not-saved', unconfirmed: 2 }]]);
    watch(second.socket.of('/later'), second.log, 'later ');
    await second.link.say(connected('/later', 'id2'));
    expect(second.log.at(-1)).toEqual(['later connect', { recovered: false, unconfirmed: 0 }]);
    await second.link.drop();
    await second.advance(1_000);
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    expect(second.log).toContainEqual(['connect', { recovered: true, unconfirmed: 0 }]);
  });

  test('where nothing may be kept says goodbye, and the next one is new', async () => {
    const refuse = () => {
      throw new DOMException('no', 'SecurityError');
    };
    vi.stubGlobal('sessionStorage', { getItem: refuse, setItem: refuse, removeItem: refuse });
    const first = await open();
    tab.unload();
    expect(first.link.closed?.code).toBe(1001);
    expect(briefs(await load().link.open())).toEqual(['HELLO /']);
  });

  test.each([
    ['not asked for yet', true],
    ['never wanted', false],
  ])('tells of events for a namespace that was %s', async (_, autoConnect) => {
    const first = load({ autoConnect });
    first.socket.connect();
    await first.link.open();
    await first.link.say(welcome(), connected());
    const late = first.socket.of('/late', { auth: () => new Promise<never>(() => {}) });
    late.emit('held');
    tab.unload();
    const second = load();
    const again = second.socket.of('/late');
    const log: unknown[] = [];
    again.on('connect', (info) => log.push(info));
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    expect(briefs(await second.link.read())).toEqual(['CONNECT /late undefined']);
    await second.link.say(connected('/late', 'id2'));
    expect(log).toEqual([{ recovered: false, reason: 'not-saved', unconfirmed: 1 }]);
  });
});

describe('what was saved is used once', () => {
  test('after a crash there is nothing, and the session is new', async () => {
    await open();
    tab.unload();
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true }));
    // It crashes: nobody hears anything.
    const third = load();
    expect(briefs(await third.link.open())).toEqual(['HELLO /']);
    await third.link.say(welcome({ session: 's2' }), connected());
    expect(third.log).toEqual([['connect', { recovered: false, unconfirmed: 0 }]]);
  });

  test('of two tabs with a copy each one has it, where there are locks; the other one is told', async () => {
    const first = await open();
    first.socket.emit('left');
    await first.link.drop();
    first.socket.emit('never left');
    tab.unload();
    tab.withLocks();
    const copy = new Map(tab.stored);
    const second = load();
    for (const [key, text] of copy) tab.stored.set(key, text);
    const third = load();
    third.socket.emit('new');
    await settle();
    expect(briefs(await third.link.open())).toEqual(['HELLO /', 'EVENT / new []']);
    await third.link.say(welcome({ session: 's2' }), connected());
    expect(third.log).toEqual([['connect', { recovered: false, reason: 'used-elsewhere', unconfirmed: 2 }]]);
    expect(briefs(await second.link.open())).toEqual([
      'HELLO / resume s1 1 0',
      'EVENT / left []',
      'EVENT / never left []',
    ]);
    // A page with a lock is kept in no cache: it is given back as soon as the generation does the same.
    expect(tab.locks.size).toBe(1);
    await second.link.say(welcome({ recovered: true }));
    expect(tab.locks.size).toBe(0);
  });

  test('a tab whose generation is overtaken is in a new session, and says nothing of the old one there', async () => {
    const first = await open();
    first.socket.emit('left');
    await first.link.drop();
    for (let n = 0; n < 70; n++) first.socket.emit('never left', n);
    tab.unload();
    const second = load();
    second.socket.emit('new');
    const [hello] = await second.link.open();
    expect(hello).toMatchObject({ generation: 2 });
    await second.link.drop({ code: 4409, reason: '', by: 'server' });
    expect([second.socket.connection.state, second.socket.active]).toEqual(['waiting', true]);
    await second.advance(1_000);
    expect(briefs(await second.link.open())).toEqual(['HELLO /', 'EVENT / new []']);
    await second.link.say(welcome({ session: 's2' }), connected());
    expect(second.log).toEqual([
      ['connect_error', 'ERR_CONNECT'],
      ['connect', { recovered: false, reason: 'used-elsewhere', unconfirmed: 71 }],
    ]);
    // From then on it is a session like any other.
    await second.link.drop({ code: 4409, reason: '', by: 'server' });
    expect(second.socket.connection.state).toBe('closed');
  });

  test('a refusal of the network, or of the app before HELLO, is one', async () => {
    await open();
    tab.unload();
    const second = load();
    await second.link.drop();
    await second.advance(1_000);
    expect(briefs(await second.link.open())[0]).toBe('HELLO / resume s1 1 0');
    await second.link.drop();
    tab.unload();
    const third = load();
    await third.link.drop({ code: 4403, reason: 'ERR_MINE: no', by: 'server' });
    expect([third.socket.connection.state, third.log]).toEqual(['closed', [['connect_error', 'ERR_MINE']]]);
  });

  test('counts that the server does not have begin a new session', async () => {
    await open();
    tab.unload();
    tab.saved = { ...tab.saved, confirmed: 5, left: 5 };
    const second = load();
    await second.link.open();
    await second.link.say(welcome({ recovered: true, received: 2 }));
    expect(second.link.closed?.code).toBe(4410);
    await second.advance(1_000);
    expect(briefs(await second.link.open())).toEqual(['HELLO /']);
    await second.link.say(welcome({ session: 's2' }), connected());
    expect(second.log.at(-1)).toEqual(['connect', { recovered: false, reason: 'ERR_SACK_BACK', unconfirmed: 0 }]);
  });

  test('a browser whose locks do not answer has none', async () => {
    await open();
    tab.unload();
    vi.stubGlobal('navigator', { locks: { request: () => new Promise(() => {}) } });
    const second = load();
    expect(await second.link.open()).toEqual([]);
    await second.advance(1_000);
    expect(briefs(await second.link.read())).toEqual(['HELLO / resume s1 1 0']);
  });

  test('one that is of the future is asked for: a clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await open();
    tab.unload();
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(briefs(await load().link.open())).toEqual(['HELLO / resume s1 1 0']);
  });

  test('one that is too old is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await open();
    first.socket.emit('left');
    tab.unload();
    vi.setSystemTime(Date.now() + defaultSettings.recoveryWindowMs + 1);
    const second = load();
    expect(briefs(await second.link.open())).toEqual(['HELLO /']);
    await second.link.say(welcome(), connected());
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'unknown-session', unconfirmed: 1 }]]);
  });
});

describe('whose session it is', () => {
  test.each([
    ['the same auth', { auth: { user: 'ana', token: 1 } }, true],
    ['another auth', { auth: { user: 'ben', token: 1 } }, false],
    ['no auth', { auth: undefined }, false],
  ])('%s', async (_case, options, isSame) => {
    const first = await open({ auth: { user: 'ana', token: 1 } });
    first.socket.emit('left');
    // What it gives later is not what it was let in with.
    first.socket.auth = options.auth;
    await first.link.drop();
    await first.advance(1_000);
    await first.link.open();
    await first.link.say(welcome({ recovered: true }));
    tab.unload();
    const second = load(options);
    second.socket.emit('new');
    const [hello] = briefs(await second.link.open());
    expect(hello?.includes('resume')).toBe(isSame);
    if (isSame) return;
    await second.link.say(welcome({ session: 's2' }), connected());
    expect(second.log).toEqual([['connect', { recovered: false, reason: 'auth-changed', unconfirmed: 1 }]]);
  });

  test.each([
    ['the same user', { user: 'ana', token: 2 }, true],
    ['another user', { user: 'ben', token: 1 }, false],
  ])('by userOf: %s', async (_case, auth, isSame) => {
    const userOf = (given: unknown) => (given as { user: string }).user;
    await open({ auth: { user: 'ana', token: 1 }, userOf });
    tab.unload();
    const [hello] = briefs(await load({ auth, userOf }).link.open());
    expect(hello?.includes('resume')).toBe(isSame);
  });

  test('is nobody’s if that cannot be told', async () => {
    const userOf = () => {
      throw new Error('mine');
    };
    await open({ userOf });
    tab.unload();
    const second = load({ userOf });
    expect(briefs(await second.link.open())).toEqual(['HELLO /']);
    expect(second.log).toEqual([['error', 'Error: mine']]);
  });
});

describe('what is not what was saved', () => {
  test.each([
    ['nothing', ''],
    ['half of it', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a loss that is none', '{"lost":-1}'],
    ['depth', '[['.repeat(500_000)],
    ['much', `"${'x'.repeat(1 << 21)}"`],
  ])('is as if there were nothing: %s', async (...[, text]) => {
    tab.stored.set(place, text);
    const { link, log } = load();
    expect(briefs(await link.open())).toEqual(['HELLO /']);
    await link.say(welcome(), connected());
    expect([log, tab.stored.size]).toEqual([[['connect', { recovered: false, unconfirmed: 0 }]], 0]);
  });

  test('anything in place of any part of it throws nothing, and the page gets a session', async () => {
    const first = await open();
    first.socket.emit('one');
    first.socket.emitWithAck('two').catch(() => {});
    await first.link.say({ type: PacketType.Publish, namespace: '/', positions: [['log', 1]], event: 'x', args: [] });
    await first.link.drop();
    first.socket.timeout(5_000).emit('three');
    tab.unload();
    const whole = tab.saved;
    type Path = readonly (string | number)[];
    const pathsOf = (part: unknown): Path[] =>
      typeof part !== 'object' || !part
        ? [[]]
        : [[], ...Object.entries(part).flatMap(([key, next]) => pathsOf(next).map((path) => [key, ...path]))];
    const changed = (part: unknown, [key, ...rest]: Path, value: unknown): unknown => {
      if (key === undefined) return value;
      const copy = (Array.isArray(part) ? [...part] : { ...(part as object) }) as Record<string, unknown>;
      copy[key] = changed(copy[key], rest, value);
      return copy;
    };
    const values = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(-1, 0, 1.5, 1e300, Number.MAX_SAFE_INTEGER, '', '/', [[]], [{}], 'x'.repeat(300)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pathsOf(whole)), values, async (path, value) => {
        tab.saved = changed(whole, path, value) as object;
        const page = load();
        page.socket.emit('hello');
        await page.advance(10);
        const hello = briefs(await page.link.open()).filter((line) => line.startsWith('HELLO'));
        expect(hello).toHaveLength(1);
        await page.link.drop({ code: 4400, reason: 'ERR_RESUME_COUNTS', by: 'server' });
        if (page.socket.connection.state === 'closed') return;
        await page.advance(1_000);
        expect(briefs(await page.link.open())[0]).toBe('HELLO /');
        await page.link.say(welcome({ session: 's2' }), connected());
        expect(page.socket.connected).toBe(true);
        page.socket.disconnect();
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['savedCharsMax', { savedCharsMax: 10 }],
  ['name', { name: 5 as never }],
  ['userOf', { userOf: 'ana' as never }],
  ['savedBytesMax', { savedBytesMax: 1 } as never],
])('the option %s is checked', (option, options) => {
  expect(() => overReload(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', details: { option } }));
});
