// Plays a case to a client: every line is one of a server's, and the client is told what to do by its driver.
import type { Case, Step } from './case';
import { ClientWatch, WatchedSession } from './client-watch';
import type { Driver, Report } from './driver';
import { split, type Transport, type Tuple, type Writing } from './line';
import { Player } from './player';
import type { Request } from './request';
import { type Refusal, Stage } from './stage';
import { Talk } from './talk';

export interface ClientPlay {
  readonly driver: Driver;
  readonly transport: Transport;
  readonly writing: Writing;
  /** How long a step waits. */
  readonly withinMs: number;
}

/** What WELCOME tells, unless a case says otherwise. */
const settings = {
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 20_000,
  recoveryWindowMs: 120_000,
  frameBytesMax: 1_048_576,
  sackPacketsMax: 32,
  sackDelayMs: 100,
  windowPacketsMax: 1_024,
  windowBytesMax: 1_048_576,
};

/** No wait between two attempts should be longer, for a run to be quick. */
const retryMsMax = 50;

export class ClientPlayer extends Player {
  readonly #play: ClientPlay;
  readonly #stage: Stage;
  /** Requests that a later step answers. */
  readonly #asked = new Map<string, Request>();
  #session = new WatchedSession();
  #url = '';
  #isTold = false;

  constructor(play: ClientPlay, { steps }: Case) {
    super(play.withinMs);
    this.#play = play;
    this.#stage = new Stage(
      play.writing,
      steps.some(({ verb }) => verb === 'asked'),
    );
  }

  async open(): Promise<void> {
    this.#url = await this.#stage.open();
  }

  protected async takeOwn({ at, verb, what, more }: Step): Promise<void> {
    const withinMs = (more.withinMs as number | undefined) ?? this.withinMs;
    switch (verb) {
      case 'tell':
        this.#tell(what as Record<string, unknown>, Number(more.times ?? 1));
        return;
      case 'hears':
        this.names.matchPart(what as Report, await this.#play.driver.next(JSON.stringify(what), withinMs));
        return;
      case 'hearsAll':
        await this.#hearsAll(what as readonly Report[], withinMs);
        return;
      case 'opened':
        await this.#opened(at, withinMs);
        return;
      case 'begin':
        await this.#begin(at, what as readonly Tuple[], (more.settings ?? {}) as Partial<typeof settings>);
        return;
      case 'welcome':
        this.#welcome(at, what as Tuple, (more.settings ?? {}) as Partial<typeof settings>);
        return;
      case 'refuse':
        this.#stage.refusals.push(what as Refusal);
        return;
      case 'asked':
        await this.#expectRequest(what as Record<string, unknown>, String(more.as), withinMs);
        return;
      case 'answer':
        this.#answer(String(what), more.with as 'lost' | Record<string, unknown>);
        return;
      default:
        throw new Error(`there is no verb ${verb}`);
    }
  }

  /** The client has told nothing that no step has seen, and opened nothing. */
  protected async atEnd(): Promise<void> {
    const { driver } = this.#play;
    driver.tell({ do: 'sync' });
    const report = await driver.next('the answer to "sync"', this.withinMs);
    if (report.is !== 'synced') throw new Error(`at its end the client has told ${JSON.stringify(report)}`);
    if (this.#stage.lines.waiting.length > 0) throw new Error('at its end the client has opened another connection');
  }

  protected async leave(): Promise<void> {
    await this.#stage.close();
  }

  #tell(command: Record<string, unknown>, times: number): void {
    const { driver, transport, writing } = this.#play;
    const filled = this.names.fill(command);
    if (filled.do !== 'connect') for (let i = 0; i < times; i++) driver.tell(filled);
    else {
      this.#isTold = true;
      driver.tell({ url: this.#url, transport, codec: writing.name, namespaces: [['/']], retryMsMax, ...filled });
    }
  }

  async #hearsAll(patterns: readonly Report[], withinMs: number): Promise<void> {
    const left = [...patterns];
    while (left.length > 0) {
      const report = await this.#play.driver.next(JSON.stringify(left), withinMs);
      const at = left.findIndex((one) => this.names.matches((attempt) => attempt.matchPart(one, report)));
      if (at < 0) throw new Error(`the client has told ${JSON.stringify(report)}, none of ${JSON.stringify(left)}`);
      left.splice(at, 1);
    }
  }

  async #opened(at: string, withinMs: number): Promise<void> {
    const line = await this.#stage.lines.take('a connection of the client', withinMs);
    const next = (): WatchedSession => {
      const { generation } = this.#session;
      this.#session = new WatchedSession();
      this.#session.generation = generation;
      return this.#session;
    };
    this.talks.set(at, new Talk(line, new ClientWatch(this.#session, next), this.withinMs));
  }

  /** The client connects, and is let in to all it asks for. */
  async #begin(at: string, namespaces: readonly Tuple[], changed: Partial<typeof settings>): Promise<void> {
    if (!this.#isTold) this.#tell({ do: 'connect', namespaces }, 1);
    // A session that is given up begins anew.
    if (this.talks.size > 0) this.#session = new WatchedSession();
    await this.#opened(at, this.withinMs);
    await this.talk(at).expect([0, '*', '*', null, '*', '*', '*'], this.names);
    this.#welcome(at, [`<fresh.session-${at}>`, `<fresh.secret-${at}>`, 0, false], changed);
    this.names.bind('session', this.names.fill(`<fresh.session-${at}>`));
    this.names.bind('secret', this.names.fill(`<fresh.secret-${at}>`));
    for (const [namespace] of namespaces) this.talk(at).send([11, namespace, `id-of-${namespace}`]);
    await this.#hearsAll(
      namespaces.map(([namespace]) => ({ is: 'connected', namespace })),
      this.withinMs,
    );
  }

  /** @param what session, secret, how many are handled, whether it goes on, and why not */
  #welcome(at: string, what: Tuple, changed: Partial<typeof settings>): void {
    const [session, secret, ...rest] = this.names.fill(what);
    this.talk(at).send([1, session, secret, Object.values({ ...settings, ...changed }), ...rest]);
  }

  async #expectRequest(
    { method, headers = {}, body }: Record<string, unknown>,
    as: string,
    withinMs: number,
  ): Promise<void> {
    const { requests } = this.#stage;
    const request = await requests.take(`a ${method}`, withinMs, (one) => one.method === method);
    this.#asked.set(as, request);
    for (const [name, value] of Object.entries(headers as Record<string, string>)) {
      if (value === '') this.names.match('', request.headers[name] ?? '', name);
      else this.names.match(value, request.headers[name], name);
    }
    if (!Array.isArray(body)) return;
    const frames = split(request.body, false).map((text) => JSON.parse(text as string) as Tuple);
    if (frames.length !== body.length)
      throw new Error(`the body has ${frames.length} frames, not ${body.length}: ${request.body}`);
    for (const [i, frame] of frames.entries()) this.names.matchFrame(body[i] as Tuple, frame);
  }

  #answer(as: string, given: 'lost' | Record<string, unknown>): void {
    const request = this.#asked.get(as);
    if (request === undefined) throw new Error(`no request is called ${as}`);
    if (given === 'lost') {
      request.lose();
      return;
    }
    const { status = 200, headers = {}, body = [] } = this.names.fill(given);
    const frames = (body as readonly Tuple[]).map((frame) => JSON.stringify(frame)).join('\n');
    request.answer(status as number, headers as Record<string, string>, frames);
  }
}
