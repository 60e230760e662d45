// `connect` with nothing chosen: the codec and the transports are named by who calls it, and nothing else is bundled.
import type { AnyEvents } from '@halyard/protocol';
import { Connection } from './connection/connection';
import { Session } from './connection/session';
import { type CoreOptions, optionError, resolveOptions } from './options';
import { openSocket, type Socket } from './socket';

/**
 * Opens a connection and the socket of its first namespace.
 * @param url server and namespace, such as `https://app.example/chat`: `http`, `https`, `ws` or `wss`. In browsers it
 * may be relative, and is the page's own server and the namespace `/` when left out.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function connect<Listen extends object = AnyEvents, Emit extends object = AnyEvents>(
  url: string | URL | undefined,
  options: CoreOptions,
): Socket<Listen, Emit> {
  const { origin, namespace } = parseUrl(url ?? '/');
  const session = new Session(resolveOptions(options));
  return openSocket(session, new Connection(origin, session), namespace, options);
}

function parseUrl(url: string | URL): { origin: string; namespace: string } {
  try {
    const { protocol, host, pathname, search, hash } = new URL(url, globalThis.location?.origin);
    const scheme = /^(?:http|ws)(s?:)$/.exec(protocol);
    // Nothing in a query would arrive: credentials belong in `auth`.
    if (scheme && !search && !hash) return { origin: `http${scheme[1]}//${host}`, namespace: decodeURI(pathname) };
  } catch {}
  throw optionError('url', 'http(s) or ws(s), without query');
}

export {
  type Clock,
  type Close,
  HalyardError,
  LocalUsageError,
  PublicError,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
export type { Connection, ConnectionState, StateChange } from './connection/connection';
export type { Auth, AuthData } from './connection/member';
export type { ConnectInfo, DisconnectInfo, LifecycleEvents, ReservedEvent } from './events';
export type { CoreOptions, ReconnectOptions, SocketOptions } from './options';
export type { Socket } from './socket';
export { polling } from './transport/polling';
export type { Link, LinkEvents, Target, Transport } from './transport/transport';
export { websocket } from './transport/websocket';
