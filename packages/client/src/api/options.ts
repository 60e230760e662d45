// The options of a client: each is checked before anything else happens, and every number has a range.

import type { Codec } from '@halyard/codec';
import type { Clock } from '@halyard/protocol';
import { checkHabits } from '#habits';
import { checkNumber, optionError } from '../base/option-error';
import type { Transport } from '../link/transport';
import { systemClock } from '../platform/clock';
import { systemRandom } from '../platform/random';
import { randomToken } from '../platform/token';
import { defaultLimits } from '../session/held';
import type { Auth } from '../session/presence';
import type { Reload } from '../session/reload';

export interface SocketOptions {
  /** What the namespace is asked for with. A function is called at every attempt, and may be asynchronous. */
  auth?: Auth | undefined;
}

export interface ReconnectOptions {
  /** Attempts after a connection was lost or could not be made, until one succeeds; 0 to Infinity (default). */
  attemptsMax?: number | undefined;
  /** The first wait is random up to this; it doubles with every failure. 1 to 600,000, default 500 milliseconds. */
  delayMinMs?: number | undefined;
  /** No wait is longer. 1 to 3,600,000, default 10,000 milliseconds. */
  delayMaxMs?: number | undefined;
}

export interface CoreOptions extends SocketOptions {
  /** One of those that the server has, such as `json()`. */
  codec: Codec;
  /** Such as `websocket()`; `race` makes one of several. */
  transport: Transport;
  /** Path of the server. Default `/halyard`. */
  path?: string | undefined;
  /** When and how often it tries to come back. */
  reconnect?: ReconnectOptions | undefined;
  /** Time for an attempt, from its start to the server's WELCOME. 100 to 600,000, default 20,000 milliseconds. */
  connectTimeoutMs?: number | undefined;
  /** How long `emitWithAck` waits. 1 to Infinity, default 10,000 milliseconds. */
  ackTimeoutMs?: number | undefined;
  /** Packets kept until the server has confirmed them; connected or not. 1 to 1,000,000, default 16,384. */
  offlinePacketsMax?: number | undefined;
  /** Sum of their sizes, in bytes (characters with a text codec); the last may have any size. 1 to 2^30, default 8 MiB. */
  offlineBytesMax?: number | undefined;
  /** Connect at once, without a call of `connect()`. Default true. */
  autoConnect?: boolean | undefined;
  /**
   * Origins of servers that this one may send its client to when it is about to stop, such as `https://eu.example`: what is sent to this
   * one is sent there then, `auth` too. Default: none, and the client stays with the server of its URL.
   */
  followServers?: readonly string[] | undefined;
  /**
   * Header fields of every request, such as `authorization` for a proxy. In Node for all transports; in browsers for sse and
   * polling alone, because their WebSockets take none. They are read at every request. Default none.
   */
  extraHeaders?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether sse and polling carry cookies to another origin, as WebSockets do; the server has to list the page's origin. Default
   * false. Of no meaning in Node, which keeps no cookies: set `extraHeaders.cookie`.
   */
  withCredentials?: boolean | undefined;
  /**
   * `overReload()` of `@halyard/client/reload`: a page that is loaded anew goes on with its session. Default: a page that goes
   * away ends it.
   */
  reload?: Reload | undefined;
  /** For tests: where time comes from. */
  clock?: Clock | undefined;
  /** For tests: what `Math.random` is otherwise. Waits are spread by it, and tokens made where there is no `crypto`. */
  random?: (() => number) | undefined;
  /** For tests: what names a session whose WELCOME has not come. At least 16 characters that nobody can guess. */
  token?: (() => string) | undefined;
}

export type TransportName = 'websocket' | 'sse' | 'polling';

/** As `CoreOptions`; `codec` is `json()` unless named. */
export interface ClientOptions extends Omit<CoreOptions, 'codec' | 'transport'> {
  /** One of those that the server has. Default `json()`. */
  codec?: Codec | undefined;
  /**
   * By name or by value (`websocket()`), in the order in which they are tried. A session that another one than the first carries
   * goes over to the first as soon as that is proven. Default `['websocket', 'sse', 'polling']`.
   */
  transports?: readonly (TransportName | Transport)[] | undefined;
  /** A transport that has not opened after this gets a rival, the next one. 0 to 600,000, default 400 milliseconds. */
  fallbackDelayMs?: number | undefined;
  /**
   * While another transport than the first carries a session, the first is tried beside it after one to two times this. The wait doubles after each try in vain, to at
   * most 30 times this. Below the default, what does not last is also tried last for less long: for 60 times this. 1 to Infinity, which is never; default 5,000
   * milliseconds.
   */
  switchDelayMs?: number | undefined;
}

type NumberName = keyof typeof numbers;

/** Options checked and completed. */
export type Options = Required<Pick<CoreOptions, 'codec' | 'transport'>> &
  Readonly<Record<NumberName, number>> & {
    readonly path: string;
    readonly followServers: readonly string[];
    readonly autoConnect: boolean;
    readonly extraHeaders: CoreOptions['extraHeaders'];
    readonly withCredentials: CoreOptions['withCredentials'];
    readonly clock: Clock;
    readonly random: () => number;
    readonly token: () => string;
  };

const infinity = Infinity;

/** Default, least, most. */
const numbers = {
  attemptsMax: [infinity, 0, infinity],
  delayMinMs: [500, 1, 600_000],
  delayMaxMs: [10_000, 1, 3_600_000],
  connectTimeoutMs: [20_000, 100, 600_000],
  ackTimeoutMs: [10_000, 1, infinity],
  offlinePacketsMax: [defaultLimits.offlinePacketsMax, 1, 1_000_000],
  offlineBytesMax: [defaultLimits.offlineBytesMax, 1, 1 << 30],
} as const;

/** @throws LocalUsageError `ERR_OPTION` that names the option and what it may be */
export function resolveOptions(options: CoreOptions): Options {
  checkHabits(options);
  const {
    codec,
    transport,
    path = '/halyard',
    followServers = [],
    autoConnect = true,
    extraHeaders,
    withCredentials,
    clock = systemClock,
    random = systemRandom,
    token = () => randomToken(random),
    auth: _auth,
    reload: _reload,
    reconnect,
    ...others
  } = options;
  if (!codec?.encode) throw optionError('codec', 'such as json()');
  if (!transport?.open) throw optionError('transport', 'a transport, such as websocket()');
  if (path[0] !== '/') throw optionError('path', 'starts with "/"');
  if (typeof (reconnect ?? {}) !== 'object') throw optionError('reconnect', 'an object; { attemptsMax: 0 } for never');
  const given: Partial<Record<NumberName, unknown>> = { ...reconnect, ...others };
  for (const name in given) if (!Object.hasOwn(numbers, name)) throw optionError(name, 'no such option');
  const checked = {} as Record<NumberName, number>;
  for (const name of Object.keys(numbers) as NumberName[]) {
    const [value, min, max] = numbers[name];
    checked[name] = checkNumber(name, given[name] ?? value, min, max);
  }
  return {
    ...checked,
    codec,
    transport,
    path,
    followServers,
    autoConnect,
    extraHeaders,
    withCredentials,
    clock,
    random,
    token,
  };
}
