// `connect` with nothing chosen: the codec and the transport are named by who calls it, and nothing else is bundled.
import type { AnyEvents } from '@halyard/protocol';
import { type CoreOptions, resolveOptions } from './api/options';
import { openSocket, type Socket } from './api/socket';
import { optionError } from './base/option-error';
import { createConnection } from './link/connector';

/**
 * Opens a connection and the socket of its first namespace.
 * @param url server and namespace, such as `https://app.example/chat`: `http`, `https`, `ws` or `wss`. In browsers it
 * may be relative, and is the page's own server and the namespace `/` when left out.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url: string | URL | undefined,
  options: CoreOptions,
): Socket<Listen, Emit> {
  const resolved = resolveOptions(options);
  let origin: string | undefined;
  let namespace = '';
  try {
    const [, server, path] = urlForm.exec(new URL(url ?? '/', globalThis.location?.origin).href)!;
    namespace = decodeURI(path!);
    origin = `http${server}`;
  } catch {}
  if (!origin) throw optionError('url', 'http(s) or ws(s), without query');
  const { connection, session } = createConnection(origin, resolved);
  return openSocket(session, connection, resolved, namespace, options) as never;
}

/** The server's origin and the namespace. Nothing else in a URL would arrive: credentials belong in `auth`. */
const urlForm = /^(?:http|ws)(s?:\/\/[^/?#@]+)(\/[^?#]*)$/;

export {
  type Clock,
  type Close,
  HalyardError,
  LocalUsageError,
  PublicError,
  RemoteProtocolError,
  type Value,
} from '@halyard/protocol';
export type { ConnectInfo, DisconnectInfo, LifecycleEvents, ReservedEvent } from './api/events';
export type { CoreOptions, ReconnectOptions, SocketOptions } from './api/options';
export type { Socket } from './api/socket';
export type { Connection, ConnectionState, StateChange } from './link/connector';
export { polling } from './link/polling';
export { race } from './link/race';
export type { Link, LinkEvents, Target, Transport } from './link/transport';
export { websocket } from './link/websocket';
export type { Auth, AuthData } from './session/presence';
