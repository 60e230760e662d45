// The server's options: their defaults and their ranges. Every one is checked when the server is made. Longer than other files: it is a list.
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import type { AnyContract } from '@halyard/contract';
import {
  type Clock,
  defaultOutboxLimits,
  defaultRateLimits,
  defaultSettings,
  LocalUsageError,
  largestWindow,
  type OutboxBudget,
  type ServerLimits,
} from '@halyard/protocol';
import { isAlike } from '../base/alike';
import { given } from '../base/given';
import { type Logger, logLevels } from '../base/logger';
import type { OverloadLimits } from '../base/overload';
import { type Platform, platformOf, systemPlatform } from '../base/platform';
import { tickMs } from '../base/wheel';
import { type Compression, compressionOf, type PerMessageDeflateOptions } from '../host/compression';
import type { FetchHandler } from '../host/fetch-bridge';
import { bodiesBytesMax, type HostFactory } from '../host/host';
import type { RetentionLimits } from '../log/retention';
import { checkContract } from '../namespace/gates';
import { type OverSessionsPerKey, overSessionsPerKey, type SessionKey } from '../session/session-keys';
import { memory } from '../store/memory';
import type { Adapter } from '../store/store';
import type { Origins } from '../wire/admission';
import { type TransportName, transportNames } from '../wire/connection';
import type { AllowRequest } from '../wire/gate';
import { isRange, Proxies, type Trust } from '../wire/proxies';
import { type OverloadOptions, overloadOf } from './overload-options';

/** Numbers an operator may set. Durations are in milliseconds, sizes in bytes. */
const numbers = {
  /** Silence after which the server sends PING. */
  heartbeatMs: { default: defaultSettings.heartbeatMs, min: 100, max: 3_600_000 },
  /** How long after a PING the client may stay silent. */
  heartbeatTimeoutMs: { default: defaultSettings.heartbeatTimeoutMs, min: 100, max: 3_600_000 },
  /** How long a session without a connection is kept. 0: sessions end with their connection. */
  recoveryWindowMs: { default: defaultSettings.recoveryWindowMs, min: 0, max: 86_400_000 },
  /** How long a new connection may take to say HELLO, and `allowRequest` to decide before. */
  helloTimeoutMs: { default: 10_000, min: 10, max: 600_000 },
  /** How long a body of HTTP may take to come whole; one of which nothing comes for ten seconds is given up before. */
  bodyTimeoutMs: { default: 60_000, min: 100, max: 3_600_000 },
  /** How long a poll is held when there is nothing to say. */
  pollHoldMs: { default: 20_000, min: 10, max: 600_000 },
  /** How long `emitWithAck` waits. */
  ackTimeoutMs: { default: 10_000, min: 1, max: 86_400_000 },
  /** Largest frame a client may send. */
  frameBytesMax: { default: defaultSettings.frameBytesMax, min: 1_024, max: 1 << 28 },
  /**
   * Largest frame the server sends, which clients are told: an emit of more throws. So that it holds with what a message to many
   * rooms has beside it, an event may have 65,536 bytes less. Servers that share a store should have the same.
   */
  sentFrameBytesMax: { default: 16 << 20, min: 131_072, max: 1 << 30 },
  /** Largest HTTP body a client may send: several frames may share one. */
  httpBodyBytesMax: { default: 4 << 20, min: 1_024, max: 1 << 30 },
  /** What bodies of HTTP that have not come whole may hold together; past that larger ones are refused with 503. */
  httpBodiesBytesMax: { default: bodiesBytesMax, min: 1 << 16, max: 2 ** 40 },
  /** Bytes that may wait for a slow client, over HTTP twice so many; past it the connection is cut, and the session resumes by pages. */
  backpressureBytesMax: { default: 4 << 20, min: 131_072, max: 1 << 30 },
  /** A client confirms after this many packets … */
  sackPacketsMax: { default: defaultSettings.sackPacketsMax, min: 1, max: 4_096 },
  /** … and no later than this. */
  sackDelayMs: { default: defaultSettings.sackDelayMs, min: 1, max: 60_000 },
  /** Packets of a client that may be unconfirmed on its connection: its queue holds the rest, and 4429 who sends more. */
  windowPacketsMax: { default: defaultSettings.windowPacketsMax, min: 64, max: largestWindow.windowPacketsMax },
  /** Their sum: bytes, or characters of text. */
  windowBytesMax: { default: defaultSettings.windowBytesMax, min: 65_536, max: largestWindow.windowBytesMax },
  /** Packets that are taken of one session in a second, and so many at once: what is beyond waits, and by the window its client does … */
  packetsPerSecondMax: { default: defaultRateLimits.packetsPerSecondMax, min: 1, max: 1 << 24 },
  /** … and their sum in bytes. */
  bytesPerSecondMax: { default: defaultRateLimits.bytesPerSecondMax, min: 1_024, max: 1 << 30 },
  /** Packets kept for one session until it confirms them. */
  outboxPacketsMax: { default: defaultOutboxLimits.outboxPacketsMax, min: 16, max: 1 << 24 },
  /** Their sum in bytes, which one of them may exceed: below `sentFrameBytesMax` what is said behind a large event ends the session. */
  outboxBytesMax: { default: defaultOutboxLimits.outboxBytesMax, min: 65_536, max: 1 << 30 },
  /** … and of all sessions together: past it those end that have most. */
  outboxesBytesMax: { default: 512 << 20, min: 65_536, max: 2 ** 40 },
  /** Replies one session is waited for at a time. */
  pendingAcksMax: { default: defaultOutboxLimits.pendingAcksMax, min: 1, max: 1 << 24 },
  /** Messages kept for resuming, per room … */
  logPacketsMax: { default: 4_096, min: 1, max: 1 << 24 },
  /** … in bytes … */
  logBytesMax: { default: 1 << 20, min: 1_024, max: 1 << 29 },
  /** … and for all rooms together. */
  journalBytesMax: { default: 256 << 20, min: 65_536, max: 2 ** 40 },
  roomsPerSocketMax: { default: 1_000, min: 1, max: 8_000 },
  namespacesPerSessionMax: { default: 64, min: 1, max: 10_000 },
  /** Namespaces made on demand that exist at one time, … */
  dynamicNamespacesMax: { default: 10_000, min: 1, max: 1 << 24 },
  /** … of them on the demand of one address, … */
  dynamicNamespacesPerAddressMax: { default: 1_000, min: 1, max: 1 << 24 },
  /** … and of one session. */
  dynamicNamespacesPerSessionMax: { default: 32, min: 1, max: 10_000 },
  /** Packets that wait for middleware, per session … */
  waitingPacketsMax: { default: 1_024, min: 1, max: 1 << 20 },
  /** … and their sum in bytes. */
  waitingBytesMax: { default: 4 << 20, min: 1_024, max: 1 << 30 },
  /** Sessions, connected or away. */
  sessionsMax: { default: 1_000_000, min: 1, max: 1 << 30 },
  /** Sessions of one user, by the option `sessionKey`; see `onSessionsPerKeyMax`. */
  sessionsPerKeyMax: { default: 100, min: 1, max: 1 << 24 },
  /** Connections, over any transport. */
  connectionsMax: { default: 1_000_000, min: 1, max: 1 << 30 },
  /** Of them those that have not been welcomed: their HELLO has not come, or somebody is asked before it is answered. */
  handshakesMax: { default: 50_000, min: 1, max: 1 << 30 },
  /** Connections of one address, over any transport; of IPv6 of one /64. */
  connectionsPerAddressMax: { default: 20_000, min: 1, max: 1 << 30 },
  /** How many of them it may open in a second: five times as many at once, if it has not for five seconds. */
  opensPerAddressPerSecondMax: { default: 2_000, min: 1, max: 1 << 24 },
  /** Names of events that metrics tell apart: all others are one, `other`. */
  metricEventsMax: { default: 100, min: 0, max: 10_000 },
  /** Requests that wait for `allowRequest`. */
  undecidedRequestsMax: { default: 10_000, min: 1, max: 1 << 20 },
  /** Requests of polling clients that wait for the server that has their connection, where servers share a store … */
  forwardedRequestsMax: { default: 100_000, min: 1, max: 1 << 20 },
  /** … and their bodies in bytes. */
  forwardedBytesMax: { default: 64 << 20, min: 1_024, max: 1 << 30 },
} as const;

type NumberName = keyof typeof numbers;

export type NumberOptions = { readonly [Name in NumberName]: number };

/** What `new Server` takes. */
export interface ServerOptions extends Readonly<Partial<Record<NumberName, number | undefined>>> {
  /** What accepts sockets and requests. Default: `uws()`, and `node()` where its native binary does not load. */
  readonly host?: HostFactory | undefined;
  /** In the order the server prefers none over another: the client's order decides. Default: `[json()]`. */
  readonly codecs?: readonly Codec[] | undefined;
  /** Which pages may connect. Default: `'same-host'`. */
  readonly origins?: Origins | undefined;
  /**
   * Asked who may connect, before a WebSocket handshake is answered or a connection of polling opened; a session that is resumed
   * asks again. It may take `helloTimeoutMs`. What namespaces are to know is better asked in `use`, which has the client's `auth`.
   */
  readonly allowRequest?: AllowRequest | undefined;
  /**
   * Whose session it is, such as `({ data }) => data.user`: asked whenever middleware has let a client into a namespace. One user has
   * `sessionsPerKeyMax` sessions on this server; those that other servers have are not counted. Default: none, and nobody is counted.
   */
  readonly sessionKey?: SessionKey | undefined;
  /**
   * What becomes of one more: the oldest one ends (4409), those first that are away (`'end-oldest'`); or it is refused with
   * `ERR_SESSIONS_PER_KEY` (`'refuse'`). Default: `'end-oldest'`.
   */
  readonly onSessionsPerKeyMax?: OverSessionsPerKey | undefined;
  /** Where Halyard lives. Default: `/halyard`. */
  readonly path?: string | undefined;
  /** Default: all three. */
  readonly transports?: readonly TransportName[] | undefined;
  /**
   * Believe `X-Forwarded-For` and `X-Forwarded-Host`: of the nearest proxy, whoever that is (`true`), or only of proxies with one of these
   * addresses or networks (`['10.0.0.0/8']`). Default: false.
   */
  readonly trustProxy?: boolean | readonly string[] | undefined;
  /**
   * Compresses large messages of WebSockets for clients that can, and takes what they have compressed: see docs/SERVER.md for what it costs.
   * Default: false.
   */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** Answers requests to other paths; without it they get 404. Not used when attached to an `http.Server`. */
  readonly fetch?: FetchHandler | undefined;
  /**
   * Where the server writes what happens to it: pino, or what takes the same. Ids and codes, never what is sent; see docs/OPERATIONS.md. Default:
   * none, and what nobody listens to of `error` and `warning` goes to stderr.
   */
  readonly logger?: Logger | undefined;
  /** Where logs and sessions are kept. Default: `memory()`. */
  readonly adapter?: Adapter | undefined;
  /**
   * Which events there are in the main namespace, and what they carry, by `contract(…)` of `@halyard/contract`: what clients send is checked
   * before anything else sees it, and so are replies of either side. Other namespaces have theirs by `of`. Default: none.
   */
  readonly contract?: AnyContract | undefined;
  /**
   * Whether what the server emits is checked against the contract too: an emit that breaks it throws. For development and tests: it costs
   * each emit what its schemas cost. Default: false.
   */
  readonly validateEmits?: boolean | undefined;
  /**
   * From when on the server sheds work, because it has more to do than it can, and how; see docs/SERVER.md. `false`: never. Default: all of
   * its defaults, and false with another `clock`.
   */
  readonly overload?: false | OverloadOptions | undefined;
  /** For tests: another time, and what else of the platform is to be another. */
  readonly clock?: (Clock & Partial<Platform>) | undefined;
}

export interface CheckedOptions extends NumberOptions {
  readonly host: HostFactory | undefined;
  readonly codecs: readonly Codec[];
  readonly origins: Origins;
  readonly allowRequest: AllowRequest | undefined;
  readonly sessionKey: SessionKey | undefined;
  readonly onSessionsPerKeyMax: OverSessionsPerKey;
  readonly path: string;
  readonly transports: readonly TransportName[];
  readonly trustProxy: Trust;
  readonly compression: Compression;
  readonly overload: OverloadLimits | undefined;
  readonly fetch: FetchHandler | undefined;
  readonly logger: Logger | undefined;
  readonly adapter: Adapter;
  readonly validateEmits: boolean;
  readonly platform: Platform;
}

const others = [
  ...['host', 'codecs', 'origins', 'allowRequest', 'path', 'transports', 'trustProxy', 'perMessageDeflate', 'fetch'],
  ...['logger', 'adapter', 'contract', 'validateEmits', 'clock', 'sessionKey', 'onSessionsPerKeyMax', 'overload'],
] as const;

/** How long what is published is kept, and how much of it. */
export function retentionOf(options: NumberOptions): RetentionLimits {
  // A lost connection is noticed this long after it stopped carrying anything: what was sent meanwhile is needed too. Each of
  // the timers on the way may be late by a tick.
  const noticedMs = options.heartbeatMs + options.heartbeatTimeoutMs;
  const { logPacketsMax, logBytesMax, journalBytesMax } = options;
  const entryAgeMsMax = options.recoveryWindowMs + noticedMs + 5 * tickMs;
  return { entryAgeMsMax, logPacketsMax, logBytesMax, journalBytesMax };
}

/**
 * What is looked up for every packet, in an object of its own: one of so many options is slow.
 * @param budget of all outboxes
 */
export function serverLimitsOf(options: NumberOptions, budget: OutboxBudget): ServerLimits {
  const { outboxPacketsMax, outboxBytesMax, pendingAcksMax, packetsPerSecondMax, bytesPerSecondMax } = options;
  return { outboxPacketsMax, outboxBytesMax, pendingAcksMax, packetsPerSecondMax, bytesPerSecondMax, budget };
}

/** What Socket.IO has, and its users type: what does it here. */
const habits: Readonly<Record<string, string>> = {
  cors: 'list the pages that may connect in origins, such as ["https://app.example"]',
  pingInterval: 'heartbeatMs says how long a client may be silent before it is asked',
  pingTimeout: 'heartbeatTimeoutMs says how long it may stay silent then',
  connectTimeout: 'helloTimeoutMs says how long a new connection may say nothing',
  maxHttpBufferSize: 'frameBytesMax and httpBodyBytesMax say how much a client may send at once',
  connectionStateRecovery: 'every session is recovered, and recoveryWindowMs says for how long',
  parser: 'codecs lists them, such as [json(), msgpack()]',
  serveClient: 'bundle @halyard/client, or serve its file by fetch',
  cookie: 'a session needs none',
  allowEIO3: 'clients of Socket.IO cannot come here: they take @halyard/client',
  allowUpgrades: 'transports lists what clients may come by, and each goes on by the best of them',
  upgradeTimeout: 'a client that changes its transport stays on the one that it has until the other one answers',
  cleanupEmptyChildNamespaces: 'those that are made by a pattern always go when they are empty',
  wsEngine: 'host says what runs it: uws() or node()',
  destroyUpgrade: 'what is not for the option path is left to the app',
  addTrailingSlash: 'path is what clients ask for, as it is',
  httpCompression: 'answers are not compressed',
};

const ofListen = 'it is given to listen: await io.listen(3000, { address, tls: { keyFile, certFile } })';
/** What is said where the server is told where it is to be. */
const places: Readonly<Record<string, string>> = {
  port: ofListen,
  hostname: ofListen,
  address: ofListen,
  tls: ofListen,
  server: 'an http.Server is given to attach: await io.attach(httpServer)',
};

/** @throws LocalUsageError `ERR_OPTION` that says what the server is told where */
function checkObject(options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options) && !('listeners' in options)) return;
  const isServer = typeof options === 'object' && options !== null && 'listeners' in options;
  const isApp = typeof options === 'function';
  const rule = isServer
    ? 'new Server(…) takes options, not an http.Server: make it by new Server(), and await io.attach(httpServer).'
    : isApp
      ? 'new Server(…) takes options, not an app: make it by new Server(), and await io.attach(http.createServer(app)).'
      : `new Server(…) takes an object of options, not ${given(options)}: for a port, make it by new Server(), and ` +
        'await io.listen(port).';
  throw new LocalUsageError('ERR_OPTION', rule, { option: isServer || isApp ? 'server' : 'options' });
}

/** @throws LocalUsageError `ERR_OPTION` that names the option, its value and what it may be */
export function checkOptions(options: ServerOptions): CheckedOptions {
  checkObject(options);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(numbers, name) || (others as readonly string[]).includes(name)) continue;
    const ours = Object.hasOwn(habits, name) ? habits[name] : undefined;
    if (ours !== undefined) throw bad(name, "is one of Socket.IO's", ours);
    if (Object.hasOwn(places, name)) throw bad(name, 'is not an option', places[name] as string);
    const known = [...others, ...Object.keys(numbers)];
    const meant = known.find((one) => isAlike(name, one));
    throw bad(name, 'is not an option', meant ? `"${meant}" is one` : `known ones are ${known.join(', ')}`);
  }
  const { codecs = [json()], origins = 'same-host', path = '/halyard', transports = transportNames } = options;
  const { host, allowRequest, trustProxy = false, fetch, logger, adapter = memory(), clock } = options;
  const { sessionKey, onSessionsPerKeyMax = 'end-oldest', validateEmits = false } = options;
  const compression = compressionOf(options.perMessageDeflate);
  const platform = clock === undefined ? systemPlatform : platformOf(clock);
  const overload = overloadOf(options.overload ?? (clock === undefined ? {} : false), platform);
  check(
    'codecs',
    Array.isArray(codecs) && codecs.length > 0 && codecs.every(isCodec),
    'a list of at least one codec, each called, such as [json(), msgpack()]',
  );
  check(
    'codecs',
    new Set(codecs.map(({ name }) => name)).size === codecs.length,
    'a list without two codecs of the same name',
  );
  check(
    'origins',
    origins === 'same-host' || origins === '*' || Array.isArray(origins),
    '"same-host", "*" or a list of origins such as "https://app.example"',
  );
  if (typeof origins !== 'string') origins.forEach(checkOrigin);
  check('path', /^\/[\w\-./~]*$/.test(path) && path !== '/', 'a URL path such as "/halyard"');
  check(
    'transports',
    Array.isArray(transports) && transports.length > 0 && transports.every((name) => transportNames.includes(name)),
    'a list of "websocket", "sse" and "polling"',
  );
  const isTrust = typeof trustProxy === 'boolean' || (Array.isArray(trustProxy) && trustProxy.every(isRange));
  check('trustProxy', isTrust, 'true, false, or a list of addresses and networks of proxies, such as ["10.0.0.0/8"]');
  check('host', host === undefined || typeof host === 'function', 'a host, such as uws() or node()');
  check('fetch', fetch === undefined || typeof fetch === 'function', 'a function from Request to Response');
  const isApp =
    typeof (fetch as { use?: unknown } | undefined)?.use === 'function' &&
    typeof (fetch as { listen?: unknown }).listen === 'function';
  check(
    'fetch',
    !isApp,
    'a function from Request to Response; an app of Express is attached: await io.attach(http.createServer(app))',
  );
  check(
    'allowRequest',
    allowRequest === undefined || (typeof allowRequest === 'function' && allowRequest.length < 2),
    'a function of a request that returns, or resolves to, whether it may connect: there is no callback',
  );
  check(
    'sessionKey',
    sessionKey === undefined || typeof sessionKey === 'function',
    'a function from a handshake to a text that says whose session it is',
  );
  check('onSessionsPerKeyMax', overSessionsPerKey.includes(onSessionsPerKeyMax), '"end-oldest" or "refuse"');
  check(
    'logger',
    logger === undefined || isLogger(logger),
    'a logger with debug, info, warn and error, such as pino()',
  );
  check('adapter', typeof adapter === 'function', 'an adapter, such as memory()');
  if (options.contract !== undefined) checkContract(options.contract);
  check('validateEmits', typeof validateEmits === 'boolean', 'true or false');
  return {
    ...checkNumbers(options),
    ...{
      host,
      codecs,
      origins,
      allowRequest,
      sessionKey,
      onSessionsPerKeyMax,
      path,
      transports,
      trustProxy: typeof trustProxy === 'boolean' ? trustProxy : new Proxies(trustProxy),
      compression,
      overload,
      fetch,
      logger,
      adapter,
      validateEmits,
      platform,
    },
  };
}

function checkNumbers(options: ServerOptions): NumberOptions {
  const entries = (Object.keys(numbers) as NumberName[]).map((name) => {
    const { min, max } = numbers[name];
    const value = options[name] ?? numbers[name].default;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw bad(name, `is ${given(value)}`, `it may be a whole number from ${min} to ${max}`);
    }
    return [name, value];
  });
  const checked = Object.fromEntries(entries) as NumberOptions;
  const { sackPacketsMax, windowPacketsMax } = checked;
  // Otherwise a client would wait in the middle of its window for a SACK that nothing but time brings.
  if (windowPacketsMax < 2 * sackPacketsMax) {
    throw bad(
      'windowPacketsMax',
      `is ${windowPacketsMax}`,
      `it may not be below ${2 * sackPacketsMax}, twice sackPacketsMax`,
    );
  }
  const { outboxBytesMax, outboxesBytesMax } = checked;
  if (outboxesBytesMax < outboxBytesMax) {
    const rule = `it may not be below outboxBytesMax, ${outboxBytesMax}, which is of one session`;
    throw bad('outboxesBytesMax', `is ${outboxesBytesMax}`, rule);
  }
  return checked;
}

function check(name: string, holds: boolean, range: string): void {
  if (!holds) throw bad(name, 'is not valid', `it may be ${range}`);
}

function bad(name: string, what: string, range: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The server option "${name}" ${what}: ${range}.`, { option: name });
}

function isCodec(codec: unknown): boolean {
  return typeof codec === 'object' && codec !== null && 'name' in codec && 'encode' in codec && 'decode' in codec;
}

function isLogger(logger: unknown): boolean {
  const isObject = (typeof logger === 'object' && logger !== null) || typeof logger === 'function';
  return isObject && logLevels.every((level) => typeof (logger as Logger)[level] === 'function');
}

/** As a browser writes it (RFC 6454 §6.1), of any scheme: apps have their own, such as `capacitor://localhost`. */
function checkOrigin(origin: unknown): void {
  if (origin === 'null') return;
  const isText = typeof origin === 'string';
  const [, scheme] = (isText && /^([a-z][a-z\d+.-]*):\/\/[^\sA-Z/?#@*]*$/.exec(origin)) || [];
  if (scheme !== undefined && (!/^(https?|wss?)$/.test(scheme) || isWhole(origin as string))) return;
  throw bad(
    'origins',
    `has ${isText ? JSON.stringify(origin) : 'what is no text'}`,
    'an origin is a scheme, a host and perhaps a port that is not the scheme\'s own, in lower case and punycode, such as "https://app.example", without ' +
      'a path or "*". If some rule says which pages may connect, let all, origins: "*", and have allowRequest decide',
  );
}

function isWhole(origin: string): boolean {
  return origin.startsWith('http') && URL.canParse(origin) && new URL(origin).origin === origin;
}
