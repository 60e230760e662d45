// `connect` with nothing chosen: it puts a client together from its layers.
import type { AnyEvents } from '@halyard/protocol';
import { atHome, checkScheme, standIn } from '#habits';
import { optionError } from '../base/option-error';
import { createConnector } from '../link/connector';
import { pageOrigin } from '../platform/page';
import { createSession, type Session } from '../session/session';
import { type CoreOptions, resolveOptions } from './options';
import { type Client, openSocket, type Socket } from './socket';

/**
 * Opens a connection and the socket of its first namespace.
 * @param url server and namespace, such as `https://app.example/chat`: `http`, `https`, `ws` or `wss`. In browsers it
 * may be relative, and is the page's own server and the namespace `/` when left out.
 * @throws LocalUsageError `ERR_OPTION` that names the option and what it may be
 */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url: string | URL | undefined,
  options: CoreOptions,
): Socket<Listen, Emit>;
/** As `ReturnType<typeof connect>` has it. */
export function connect(url: string | URL | undefined, options: CoreOptions): Socket;
export function connect(url: string | URL | undefined, options: CoreOptions): Socket {
  const [client, namespace] = createClient(url, options);
  return openSocket(client, namespace, options);
}

/** @returns a client of a server, of which nobody has a socket yet, and the namespace that the URL has. @throws as `connect` */
export function createClient(
  url: string | URL | undefined,
  options: CoreOptions,
): readonly [client: Client & { readonly session: Session }, namespace: string] {
  let resolved = resolveOptions(options);
  checkScheme(url);
  let origin: string;
  let namespace: string;
  try {
    const [, server, path] = urlForm.exec(new URL(url ?? '/', pageOrigin() ?? standIn(url)).href)!;
    // React Native's URL ends every path with a slash.
    namespace = decodeURI(/.\/$/.test(`${url}`) ? path! : path!.replace(/(.)\/$/, '$1'));
    origin = `http${server}`;
    resolved = atHome(resolved, origin);
  } catch {
    throw optionError('url', 'such as https://app.example/chat, without query');
  }
  // What is said over TLS is not said without.
  const isOrigin = origin[4] === 's' ? /^https:\/\/[^/?#@A-Z]+$/ : /^https?:\/\/[^/?#@A-Z]+$/;
  if (!resolved.followServers.every?.((one) => isOrigin.test(one)))
    throw optionError('followServers', 'origins, such as https://eu.example; from https no http');
  const presences: Client['presences'] = new Map();
  const { connection, session } = createConnector(origin, resolved, (carrier) => {
    const session = createSession(resolved, presences, carrier);
    return options.reload?.keep(session, presences, origin, resolved) ?? session;
  });
  return [{ connection, session, options: resolved, presences }, namespace];
}

/** The server's origin and the namespace. Nothing else in a URL would arrive: credentials belong in `auth`. */
const urlForm = /^(?:http|ws)(s?:\/\/[^/?#@]+)(\/[^?#]*)$/;
