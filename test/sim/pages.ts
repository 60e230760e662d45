// What a browser gives to pages whose sessions go on over a reload: a storage that outlives them, events, locks and the time. All
// pages of a run share a tab; each client has a name of its own there.
import type { VirtualClock } from '@halyard/harness/clock';

type Listener = (event: { readonly type: string; readonly persisted: boolean }) => void;

const names = ['sessionStorage', 'navigator', 'performance', 'addEventListener', 'removeEventListener'] as const;

const dateNow = Date.now;

/** When the last run began, by the time of pages: what a client keeps of that beside its pages is over by the next one. */
let beganAt = 0;

export class Page {
  #listeners: (readonly [type: string, listener: Listener])[] = [];

  add(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  remove(type: string, listener: Listener): void {
    this.#listeners = this.#listeners.filter((one) => one[0] !== type || one[1] !== listener);
  }

  tell(type: string, persisted: boolean): void {
    for (const [its, listener] of [...this.#listeners]) if (its === type) listener({ type, persisted });
  }
}

export class Tab {
  readonly #stored = new Map<string, string>();
  readonly #locks = new Set<string>();
  readonly #pages = new Set<Page>();
  readonly #before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  #current: Page | undefined;
  /** The one that was brought back last. That one was is known to all code in this process, but is of this page alone: to others it is long ago. */
  #shown: Page | undefined;

  /** From here on the globals are those of a browser, until `close`. */
  constructor(clock: VirtualClock) {
    beganAt += 1e9;
    const began = beganAt;
    const globals: Record<(typeof names)[number], unknown> = {
      sessionStorage: {
        getItem: (key: string) => this.#stored.get(key) ?? null,
        setItem: (key: string, text: string) => void this.#stored.set(key, text),
        removeItem: (key: string) => void this.#stored.delete(key),
      },
      navigator: { locks: { request: (...order: Parameters<Tab['lock']>) => this.lock(...order) } },
      performance: { now: () => began + clock.now() + (this.#current === this.#shown ? 0 : 1e8) },
      addEventListener: (type: string, listener: Listener) => this.#current?.add(type, listener),
      removeEventListener: (type: string, listener: Listener) => {
        for (const page of this.#pages) page.remove(type, listener);
      },
    };
    for (const name of names)
      Object.defineProperty(globalThis, name, { value: globals[name], configurable: true, writable: true });
    Date.now = () => clock.now();
  }

  close(): void {
    Date.now = dateNow;
    for (const [name, before] of this.#before) {
      if (before === undefined) delete (globalThis as Record<string, unknown>)[name];
      else Object.defineProperty(globalThis, name, before);
    }
  }

  /** Runs code of a page: what it listens to it is told. */
  within<T>(page: Page, run: () => T): T {
    this.#pages.add(page);
    this.#current = page;
    try {
      return run();
    } finally {
      this.#current = undefined;
    }
  }

  /** Whether something of a client is saved: it was put away and brought back, and has not been connected since. */
  keeps(client: string): boolean {
    return [...this.#stored.keys()].some((key) => key.endsWith(` ${client}`));
  }

  /** A page goes away. @param isKept whether the browser may bring it back */
  hide(page: Page, isKept: boolean): void {
    this.within(page, () => page.tell('pagehide', isKept));
  }

  /** A page that was kept is brought back. */
  show(page: Page): void {
    this.#shown = page;
    this.within(page, () => page.tell('pageshow', true));
  }

  /** Nothing happens to a page any more. */
  gone(page: Page): void {
    this.#pages.delete(page);
  }

  private async lock(name: string, _options: object, run: (lock: object | null) => unknown): Promise<void> {
    const isFree = !this.#locks.has(name);
    this.#locks.add(name);
    await run(isFree ? {} : null);
    if (isFree) this.#locks.delete(name);
  }
}
