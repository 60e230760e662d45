// A person at a page of the chat: what they do and what they see.
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface Status {
  readonly state: string | undefined;
  readonly transport: string;
  readonly text: string;
}

/** Where a test is about WebSockets: on a machine that is busy another transport may open first. */
export const webSocketAlone = (page: Page) => page.route('**/halyard', (route) => route.abort());

/** Where a test is about sse, for the same reason: polling's opening request is a POST of no connection yet. */
export const pollingBlocked = (page: Page) =>
  page.route('**/halyard', (route, request) => {
    const opensPolling = request.method() === 'POST' && !request.headers()['halyard-connection'];
    return opensPolling ? route.abort() : route.continue();
  });

export class Person {
  readonly page: Page;
  readonly name: string;

  private constructor(page: Page, name: string) {
    this.page = page;
    this.name = name;
  }

  /** @param prepare runs before the page is loaded */
  static async arrive(
    browser: Browser | BrowserContext,
    url: string,
    name: string,
    { room = 'lobby', prepare }: { room?: string; prepare?: (page: Page) => Promise<unknown> } = {},
  ): Promise<Person> {
    const page = await browser.newPage();
    await prepare?.(page);
    await page.goto(url);
    await page.fill('#enter [name=name]', name);
    await page.fill('#enter [name=room]', room);
    await page.click('#enter button');
    await page.waitForSelector('#status[data-state=connected]');
    await page.evaluate(() => {
      const status = document.querySelector<HTMLElement>('#status')!;
      const states = [status.dataset.state];
      const note = () => status.dataset.state !== states.at(-1) && states.push(status.dataset.state);
      new MutationObserver(note).observe(status, { attributes: true });
      Object.assign(window, { states });
    });
    return new Person(page, name);
  }

  async say(text: string): Promise<void> {
    await this.page.fill('#composer textarea', text);
    await this.page.press('#composer textarea', 'Enter');
  }

  /** Says `name 0`, `name 1`, … every so many milliseconds. @returns a function that stops it and tells what was said */
  async keepTalking(everyMs: number): Promise<() => Promise<string[]>> {
    const { page, name } = this;
    await page.evaluate(
      ([name, everyMs]) => {
        const field = document.querySelector<HTMLTextAreaElement>('#composer textarea')!;
        const said: string[] = [];
        const timer = setInterval(() => {
          field.value = `${name} ${said.length}`;
          said.push(field.value);
          field.form!.requestSubmit();
        }, everyMs);
        const stopTalking = () => {
          clearInterval(timer);
          return said;
        };
        Object.assign(window, { stopTalking });
      },
      [name, everyMs] as const,
    );
    return () => page.evaluate(() => (window as unknown as { stopTalking(): string[] }).stopTalking());
  }

  /** The texts of confirmed messages in the current room, oldest first: all, or those of one name. */
  heard(from?: Person): Promise<string[]> {
    return this.page.$$eval(
      '#log .message .text',
      (texts, prefix) => texts.map((text) => text.textContent ?? '').filter((text) => text.startsWith(prefix)),
      from === undefined ? '' : `${from.name} `,
    );
  }

  /** The texts of messages that are not confirmed. */
  unsent(): Promise<string[]> {
    return this.page.$$eval('#drafts .text', (texts) => texts.map((text) => text.textContent ?? ''));
  }

  /** What becomes of each of them. */
  fates(): Promise<string[]> {
    return this.page.$$eval('#drafts .fate', (fates) => fates.map((fate) => fate.textContent ?? ''));
  }

  notes(): Promise<string[]> {
    return this.page.$$eval('#log .note', (notes) => notes.map((note) => note.className.replace('note ', '')));
  }

  people(): Promise<string[]> {
    return this.page.$$eval('#people li', (items) =>
      items.map((item) => `${item.querySelector('.label')?.textContent}${item.matches('.away') ? ' (away)' : ''}`),
    );
  }

  rooms(): Promise<string[]> {
    return this.page.$$eval('#rooms .label', (labels) => labels.map((label) => label.textContent ?? ''));
  }

  status(): Promise<Status> {
    return this.page.$eval('#status', (element) => {
      const { state, transport = '' } = (element as HTMLElement).dataset;
      const texts = Array.from(element.querySelectorAll('#state, #transport'), (part) => part.textContent);
      return { state, transport, text: texts.join(' ').trim() };
    });
  }

  /** Every state the badge has shown since the first `connected`. */
  states(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { states: string[] }).states);
  }

  async leave(): Promise<void> {
    await this.page.close();
  }
}
