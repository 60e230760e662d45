// Who may connect, and in which protocol: decided before anything else, the same for every transport
// (docs/PROTOCOL.md §2).
import { negotiate, quoted, subprotocol } from '@halyard/protocol';
import type { Headers, HttpAnswer, RequestFacts } from '../host/host';
import { isHost } from '../host/host-name';
import { jsonError } from '../host/json-error';
import type { TransportName } from './connection';
import { isBelieved, type Trust } from './proxies';

/** Which pages may connect: those of the server's own host, those of listed origins, or all. */
export type Origins = 'same-host' | '*' | readonly string[];

export interface AdmissionOptions {
  readonly origins: Origins;
  /** Whether `X-Forwarded-Host` and `X-Forwarded-For` are believed. */
  readonly trustProxy: Trust;
  /** Where Halyard lives. */
  readonly path: string;
  readonly codecNames: readonly string[];
}

/** @returns undefined if the request's Origin may connect, else the refusal. Programs that send no Origin may. */
export function refuseOrigin(request: RequestFacts, options: AdmissionOptions): HttpAnswer | undefined {
  const origin = request.peer.headers.get('origin');
  if (origin === undefined || options.origins === '*') return undefined;
  if (options.origins === 'same-host' ? isSameHost(origin, request, options) : options.origins.includes(origin)) {
    return undefined;
  }
  return jsonError(
    403,
    'ERR_ORIGIN',
    `Pages of ${origin.slice(0, originCharsMax)} may not connect (server option: origins).`,
  );
}

/** Whether the browser may send and keep cookies: for pages of listed origins alone. */
export function allowsCredentials({ origins }: AdmissionOptions): boolean {
  return typeof origins !== 'string';
}

/** @returns what the operator should know of a page that was refused */
export function foreignOrigin({ peer: { headers } }: RequestFacts, { origins, path }: AdmissionOptions): string {
  const origin = quoted((headers.get('origin') ?? '').slice(0, originCharsMax));
  const host = quoted((headers.get('host') ?? '').slice(0, originCharsMax));
  const why =
    origins === 'same-host'
      ? `it has asked ${host}, which is not its own host`
      : 'it is not in the list (server option: origins)';
  const proxy =
    'If a proxy has changed the Host on the way (Vite: changeOrigin), let the proxy leave it, or send X-Forwarded-Host and ' +
    'set trustProxy.';
  return (
    `A page of ${origin} was refused at ${path} (403), because ${why}. If it is yours, list it: origins: [${origin}].` +
    (origins === 'same-host' ? ` ${proxy}` : '')
  );
}

const originCharsMax = 256;

/** A codec's index, and the subprotocol to name; empty if none was offered. */
export interface Choice {
  readonly codecIndex: number;
  readonly subprotocol: string;
}

/** @returns what is spoken, or the refusal */
export function chooseProtocol(
  offered: string | undefined,
  options: AdmissionOptions,
): Choice | { readonly refuse: HttpAnswer } {
  const choice = negotiate(offered, options.codecNames);
  if (choice !== undefined) {
    return { codecIndex: options.codecNames.indexOf(choice.codec), subprotocol: choice.subprotocol };
  }
  const supported = options.codecNames.map(subprotocol);
  const message = `No offered protocol is one the server has: it has ${supported.join(', ')} (server option: codecs).`;
  return { refuse: jsonError(400, 'ERR_NO_COMMON_PROTOCOL', message, { supported }) };
}

/** @returns why nothing is done by this method, or undefined */
export function refuseMethod({ method, peer: { headers } }: RequestFacts): HttpAnswer | undefined {
  if (!methods.includes(method)) return methodUnknown;
  // Node takes it for a handshake by any method, uWebSockets.js by none but GET.
  if (method === 'GET' || headers.get('upgrade') === undefined || !namesUpgrade(headers)) return undefined;
  return jsonError(400, 'ERR_HANDSHAKE', 'A WebSocket handshake is a GET.');
}

const methods: readonly string[] = ['POST', 'GET', 'HEAD', 'DELETE', 'OPTIONS'];

export const methodUnknown: HttpAnswer = jsonError(
  405,
  'ERR_METHOD',
  'Use POST, GET or DELETE.',
  {},
  { allow: 'POST, GET, DELETE, OPTIONS' },
);

/** @returns why this is not a WebSocket handshake (RFC 6455 §4.2.1), or undefined if it is one */
export function refuseHandshake(request: RequestFacts): HttpAnswer | undefined {
  const { headers } = request.peer;
  const refusal = refuseMethod(request);
  if (refusal !== undefined) return refusal;
  if (request.method !== 'GET' || headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return jsonError(
      426,
      'ERR_UPGRADE_REQUIRED',
      'Connect with a WebSocket, by sse or by polling.',
      {},
      upgradeHeaders,
    );
  }
  if (!namesUpgrade(headers)) {
    return jsonError(400, 'ERR_HANDSHAKE', 'The header "Connection" must name "Upgrade".');
  }
  if (headers.get('sec-websocket-version') !== '13') {
    return jsonError(426, 'ERR_WEBSOCKET_VERSION', 'The server speaks WebSocket version 13.', {}, upgradeHeaders);
  }
  // 16 bytes in base64: 22 characters, of which the last carries two bits, and two of padding.
  if (!/^[+/0-9A-Za-z]{21}[AQgw]==$/.test(headers.get('sec-websocket-key') ?? '')) {
    return jsonError(400, 'ERR_WEBSOCKET_KEY', 'The header "Sec-WebSocket-Key" must be 16 bytes in base64.');
  }
  return undefined;
}

function namesUpgrade(headers: Headers): boolean {
  return /(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('connection') ?? '');
}

/** @returns the refusal of a transport that the server has, and does not offer */
export function transportOff(name: TransportName): HttpAnswer {
  return jsonError(400, 'ERR_TRANSPORT', `The ${name} transport is off (server option: transports).`);
}

/** The answer to who would connect to a server that takes nobody any more. */
export const stopping: HttpAnswer = jsonError(
  503,
  'ERR_STOPPING',
  'The server is about to stop: come again, and go to another one.',
  {},
  { 'retry-after': '0' },
);

const upgradeHeaders = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' };

function isSameHost(origin: string, request: RequestFacts, options: AdmissionOptions): boolean {
  const forwarded = isBelieved(request.peer, options.trustProxy)
    ? // What stands before may be the client's.
      request.peer.headers.get('x-forwarded-host')?.split(',').pop()?.trim()
    : undefined;
  const host = forwarded || request.peer.headers.get('host');
  // Without a host there is none to be the same as: the URL of a file has none either.
  if (!host || !isHost(host)) return false;
  try {
    const url = new URL(origin);
    // The same text for a default port, written or not.
    return /^https?:$/.test(url.protocol) && url.host === new URL(`${url.protocol}//${host}`).host;
  } catch {
    return false;
  }
}
