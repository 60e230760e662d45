// Plays a case against a server: every line is one of a client's.
import { WebSocket } from 'ws';
import type { Step } from './case';
import { type Answer, type Asked, ask } from './http';
import { type Line, split, type Transport, type Tuple, type Writing } from './line';
import { Player } from './player';
import { PollingLine } from './polling-line';
import { ServerWatch } from './server-watch';
import { StreamLine } from './stream-line';
import { isControl, Talk } from './talk';
import { WebSocketLine } from './websocket-line';

export interface ServerPlay {
  /** Of the server's path: http or https. */
  readonly url: string;
  readonly transport: Transport;
  readonly writing: Writing;
  /** How long a step waits. */
  readonly withinMs: number;
}

interface WantedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Packets, or parts of an object of JSON, or text. */
  readonly body?: unknown;
}

interface WantedRequest {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Packets, or text as it is. */
  readonly body?: readonly Tuple[] | string;
  readonly hex?: string;
}

export class ServerPlayer extends Player {
  readonly #play: ServerPlay;
  /** Requests whose answer a later step looks at. */
  readonly #asked = new Map<string, Asked>();

  /** As WELCOME of the last session has told them. */
  #settings: readonly unknown[] = [];

  constructor(play: ServerPlay) {
    super(play.withinMs);
    this.#play = play;
  }

  /** @returns what WELCOME tells: the server's settings */
  async settings(): Promise<readonly unknown[]> {
    try {
      await this.#begin('A', []);
      return this.#settings;
    } finally {
      await this.leave();
    }
  }

  protected async takeOwn({ at, verb, what, more }: Step): Promise<void> {
    switch (verb) {
      case 'connect':
        await this.#connect(at, what as true | readonly string[]);
        if (more.named !== undefined) this.names.match(more.named, this.talk(at).line.named, 'the subprotocol');
        return;
      case 'begin':
        await this.#begin(at, what as Tuple);
        return;
      case 'request': {
        const request = this.names.fill(what as WantedRequest);
        // Whose packets are in it, its headers say.
        if (request.body !== undefined) for (const talk of this.talks.values()) talk.saidRaw();
        const asked = this.#ask(request);
        if (more.as !== undefined) this.#asked.set(String(more.as), asked);
        else this.#matchAnswer((more.answer ?? {}) as WantedAnswer, await asked.answer);
        return;
      }
      case 'answered': {
        const asked = this.#asked.get(String(what));
        if (asked === undefined) throw new Error(`no request is called ${what}`);
        this.#asked.delete(String(what));
        this.#matchAnswer((more.with ?? {}) as WantedAnswer, await asked.answer);
        return;
      }
      case 'wait': {
        const ms = (what as (number | string)[]).map((one) =>
          typeof one === 'number' ? one : msOf(one, this.#settings),
        );
        await new Promise((resolve) =>
          setTimeout(
            resolve,
            ms.reduce((sum, one) => sum + one, 0),
          ),
        );
        return;
      }
      default:
        throw new Error(`there is no verb ${verb}`);
    }
  }

  protected async atEnd(): Promise<void> {
    const [left] = this.#asked.keys();
    if (left !== undefined) throw new Error(`nobody has looked at the answer to ${left}`);
  }

  protected async leave(): Promise<void> {
    for (const { line, over } of this.talks.values()) {
      if (over) line.cut();
      else line.close(1000);
    }
    for (const asked of this.#asked.values()) asked.cut();
  }

  async #connect(at: string, offered: true | readonly string[]): Promise<void> {
    const { url, transport, writing, withinMs } = this.#play;
    const names = offered === true ? [`halyard.v1+${writing.name}`] : offered;
    const opened: Record<typeof transport, () => Promise<Line>> = {
      websocket: () => openWebSocket(url, names, writing, withinMs),
      sse: () => StreamLine.open(url, names.join(', '), writing, withinMs),
      polling: () => PollingLine.open(url, names.join(', '), writing),
    };
    const line = await opened[transport]();
    if (line.connection !== undefined) this.names.bind(`${at}.connection`, line.connection);
    this.talks.set(at, new Talk(line, new ServerWatch(), withinMs));
  }

  /** A session of its own, and CONNECTED for its namespaces. */
  async #begin(at: string, namespaces: Tuple): Promise<void> {
    await this.#connect(at, true);
    const talk = this.talk(at);
    talk.send([0, this.names.fill(namespaces)]);
    const [, session, secret, settings] = await talk.expect([1, '*', '*', '*', 0, false], this.names);
    this.#settings = settings as readonly unknown[];
    this.names.bind(`${at}.session`, session);
    this.names.bind(`${at}.secret`, secret);
    const connected = namespaces.map((namespace) => [
      11,
      (namespace as Tuple)[0],
      `<${at}${(namespace as Tuple)[0]}>`.replace('/', '.'),
    ]);
    await talk.expectAll(connected, this.names);
  }

  #ask({ method, headers = {}, body = '', hex }: WantedRequest): Asked {
    const bytes = hex === undefined ? undefined : Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const text = typeof body === 'string' ? body : body.map((frame) => JSON.stringify(frame)).join('\n');
    return ask(this.#play.url, method, headers, bytes ?? text);
  }

  #matchAnswer({ status, headers = {}, body }: WantedAnswer, actual: Answer): void {
    const { names } = this;
    if (status !== undefined && status !== actual.status)
      throw new Error(`the answer has status ${actual.status}, not ${status}: ${actual.body}`);
    for (const [name, value] of Object.entries(headers)) {
      // Empty: it is not there.
      if (value === '') names.match('', actual.headers[name] ?? '', name);
      else names.match(value, actual.headers[name], name);
    }
    if (Array.isArray(body)) {
      const frames = split(actual.body, false).map((line) => JSON.parse(line as string) as Tuple);
      // What confirms may come at any time, unless it is what the case is about.
      const isMeant = (frame: Tuple): boolean => !isControl(frame) || body.some((one) => isControl(one as Tuple));
      const meant = frames.filter(isMeant);
      if (meant.length !== body.length)
        throw new Error(`the body has ${meant.length} frames, not ${body.length}: ${actual.body}`);
      for (const [i, frame] of meant.entries()) names.matchFrame(body[i] as Tuple, frame);
    } else if (typeof body === 'string') names.match(body, actual.body.toString(), 'the body');
    else if (body !== undefined) names.matchPart(body as Record<string, unknown>, JSON.parse(actual.body.toString()));
  }
}

/** Where a setting stands in WELCOME. */
export const settingNames = [
  'heartbeatMs',
  'heartbeatTimeoutMs',
  'recoveryWindowMs',
  'frameBytesMax',
  'sackPacketsMax',
  'sackDelayMs',
  'windowPacketsMax',
  'windowBytesMax',
];

/** @returns so many milliseconds, or those of a setting */
export function msOf(given: number | string, settings: readonly unknown[]): number {
  if (typeof given === 'number') return given;
  const at = settingNames.indexOf(given);
  if (at < 0) throw new Error(`"${given}" is no setting of WELCOME`);
  return Number(settings[at]);
}

async function openWebSocket(
  url: string,
  offered: readonly string[],
  writing: Writing,
  withinMs: number,
): Promise<Line> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...offered], {
    perMessageDeflate: false,
    handshakeTimeout: withinMs,
  });
  const line = new WebSocketLine(socket, writing);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return line;
}
