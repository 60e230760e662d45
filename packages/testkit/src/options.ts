// The options of a world, of its clients and of what happens to them. Every one is checked, and what is not one names those that are.
import { type ClientOptions, LocalUsageError, type ReconnectOptions } from '@halyard/client';
import type { RangeMs } from '@halyard/harness/link';
import type { AnyEvents, Server, ServerContract, ServerOptions } from '@halyard/server';
import { type TransportName, transportNames } from './client-place';

/** A duration in whole milliseconds, or the bounds of a random one, both included. */
export type DurationMs = number | readonly [min: number, max: number];

/** How the network behaves. All of it may be changed on the way, by `World.change`. */
export interface NetworkOptions {
  /** How long a frame, a request or an answer is on the way. 0 to 3,600,000, default `[1, 5]` milliseconds. */
  readonly latencyMs?: DurationMs | undefined;
  /** How probable it is that an HTTP request is lost, and that an answer is. 0 to 1, default 0. */
  readonly loss?: number | undefined;
  /** How probable it is that an HTTP request comes twice. 0 to 1, default 0. */
  readonly repeat?: number | undefined;
}

export interface SimulateOptions extends NetworkOptions {
  /** The same seed makes the same run: 0 to 2^32 - 1, default 1. */
  readonly seed?: number | undefined;
  /**
   * Called with each piece of virtual time that has passed, of at most 1 ms, so that a fake clock of the test runner goes
   * along: `(ms) => vi.advanceTimersByTime(ms)`. What it returns is awaited.
   */
  readonly alongside?: ((ms: number) => unknown) | undefined;
}

/** As `ServerOptions`; the world itself brings what accepts connections, and time. */
export type WorldServerOptions<Incoming = AnyEvents, Outgoing = AnyEvents> = Omit<
  ServerOptions,
  'host' | 'clock' | 'contract'
> & { readonly contract?: ServerContract<Incoming, Outgoing> | undefined };

/** As `ClientOptions`; the world itself brings the network, time and chance. */
export interface WorldClientOptions
  extends Omit<ClientOptions, 'transports' | 'clock' | 'random' | 'token' | 'reload'> {
  /** By name, in the order in which they are tried. Default `['websocket', 'sse', 'polling']`. */
  readonly transports?: readonly TransportName[] | undefined;
  /** Header fields of all its requests, as a browser adds `cookie` and `origin`. Names in lower case. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The only server it connects to. Default: the newest that is there. */
  readonly server?: AnyServer | undefined;
}

/** As `WorldClientOptions`. */
export interface WorldConnectOptions extends WorldClientOptions {
  /** Default `/`. */
  readonly namespace?: string | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a server of any events is meant, and they are in places of both directions.
export type AnyServer = Server<any, any, any>;

/** Which end of a connection learns that it was cut. */
export type NoticedBy = 'both' | 'client' | 'server' | 'nobody';

export interface CutOptions {
  /** Which end learns of it: the other goes on believing in the connection, until its heartbeat fails. Default `'both'`. */
  readonly noticedBy?: NoticedBy | undefined;
  /** How long after the cut. 0 to 3,600,000, default 0 milliseconds. */
  readonly noticeMs?: DurationMs | undefined;
}

export interface OfflineOptions extends CutOptions {
  /** Whether new attempts get no answer, until they time out, instead of failing at once. Default false. */
  readonly silent?: boolean | undefined;
}

export interface RequestFaultOptions {
  /** Default: any. */
  readonly method?: 'GET' | 'POST' | 'DELETE' | undefined;
  /** How many of the next requests: 1 to 1,000,000, default 1. */
  readonly times?: number | undefined;
}

export interface LoseOptions extends RequestFaultOptions {
  /** What is lost: the request, so that the server never sees it, or its answer. Default `'request'`. */
  readonly what?: 'request' | 'answer' | undefined;
  /** Whether the client is told that its request failed. Else it waits until that times out. Default true. */
  readonly noticed?: boolean | undefined;
}

export interface UntilOptions {
  /** After so much virtual time it is given up: 0 to 2^40, default 60,000 milliseconds. */
  readonly withinMs?: number | undefined;
}

/** The names of an interface's options, as a value. */
type NamesOf<Options> = { readonly [Name in keyof Required<Options>]: true };

const network: NamesOf<NetworkOptions> = { latencyMs: true, loss: true, repeat: true };
const cut: NamesOf<CutOptions> = { noticedBy: true, noticeMs: true };
const requestFault: NamesOf<RequestFaultOptions> = { method: true, times: true };
const client: NamesOf<WorldClientOptions> = {
  ...{
    transports: true,
    fallbackDelayMs: true,
    switchDelayMs: true,
    codec: true,
    path: true,
    auth: true,
    headers: true,
    server: true,
  },
  ...{ reconnect: true, connectTimeoutMs: true, ackTimeoutMs: true, autoConnect: true },
  ...{ offlinePacketsMax: true, offlineBytesMax: true, extraHeaders: true, withCredentials: true, followServers: true },
};

const known = {
  simulate: { ...network, seed: true, alongside: true } satisfies NamesOf<SimulateOptions>,
  change: network,
  clientOptions: client,
  connect: { ...client, namespace: true } satisfies NamesOf<WorldConnectOptions>,
  reconnect: { attemptsMax: true, delayMinMs: true, delayMaxMs: true } satisfies NamesOf<ReconnectOptions>,
  cut,
  kill: cut,
  offline: { ...cut, silent: true } satisfies NamesOf<OfflineOptions>,
  loseRequest: { ...requestFault, what: true, noticed: true } satisfies NamesOf<LoseOptions>,
  repeatRequest: requestFault,
  until: { withinMs: true } satisfies NamesOf<UntilOptions>,
} as const;

/** What takes options. */
export type Taker = keyof typeof known | 'server' | 'advance' | 'stall' | 'sleep';

const hourMs = 3_600_000;

/** @throws LocalUsageError `ERR_OPTION` */
export function checkNames(taker: keyof typeof known, options: object): void {
  checkOptions(taker, options);
  const names = Object.keys(known[taker]);
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw optionError(taker, name, `is not an option: known ones are ${names.join(', ')}`);
  }
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkOptions(taker: Taker, options: unknown): void {
  if (typeof options === 'object' && options !== null) return;
  throw new LocalUsageError('ERR_OPTION', `The options of ${taker}() are ${show(options)}: they may be an object.`);
}

/** @returns the two bounds. @throws LocalUsageError `ERR_OPTION` */
export function checkDuration(taker: Taker, name: string, value: DurationMs): RangeMs {
  const [min, max, ...more] = typeof value === 'number' ? [value, value] : Array.isArray(value) ? value : [];
  if (isWhole(min, hourMs) && isWhole(max, hourMs) && min <= max && more.length === 0) return [min, max];
  throw optionError(taker, name, `is ${show(value)}: it may be a whole number from 0 to ${hourMs}, or two in order`);
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkWhole(taker: Taker, name: string, value: number, min: number, max: number): number {
  if (isWhole(value, max) && value >= min) return value;
  throw optionError(taker, name, `is ${show(value)}: it may be a whole number from ${min} to ${max}`);
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkChance(taker: Taker, name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw optionError(taker, name, `is ${show(value)}: it may be a number from 0 to 1`);
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkOneOf<T>(taker: Taker, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw optionError(taker, name, `is ${show(value)}: it may be ${choices.map(show).join(', ')}`);
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkTransports(taker: Taker, names: readonly TransportName[]): readonly TransportName[] {
  if (!Array.isArray(names) || names.length === 0) {
    throw optionError(taker, 'transports', `is ${show(names)}: it may be a list of "websocket", "sse" and "polling"`);
  }
  for (const name of names) checkOneOf<TransportName>(taker, 'transports', name, transportNames);
  return names;
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkHeaders(
  taker: Taker,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  checkObject(taker, 'headers', headers);
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || typeof value !== 'string' || /[\r\n]/.test(value)) {
      throw optionError(taker, 'headers', `has ${show(name)}: names are in lower case, and values text of one line`);
    }
  }
  return headers;
}

/** @throws LocalUsageError `ERR_OPTION` */
export function checkObject(taker: Taker, name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw optionError(taker, name, `is ${show(value)}: it may be an object`);
}

export function optionError(taker: string, name: string, what: string): LocalUsageError {
  return new LocalUsageError('ERR_OPTION', `The option "${name}" of ${taker}() ${what}.`, { option: name });
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function show(value: unknown): string {
  return typeof value === 'string' || Array.isArray(value) ? JSON.stringify(value) : String(value);
}
