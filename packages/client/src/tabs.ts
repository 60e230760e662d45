// For pages: one session, and one connection, for all tabs of a browser. It is in a worker that they share, which runs
// `@halyard/client/tabs-worker`. Imports of their own, so that pages without them do not load them.
import type { Codec } from '@halyard/codec';
import { json } from '@halyard/codec/json';
import type { AnyEvents } from '@halyard/protocol';
import type { SocketOptions } from './api/options';
import { type Client, openSocket, type Socket } from './api/socket';
import { checkNumber, optionError } from './base/option-error';
import { systemClock } from './platform/clock';
import { systemRandom } from './platform/random';
import { randomToken } from './platform/token';
import type { TabPort } from './tabs/messages';
import { createTab } from './tabs/tab';

export interface TabOptions extends SocketOptions {
  /** The namespace. Default `/`. */
  namespace?: string | undefined;
  /** How long `emitWithAck` waits. 1 to Infinity, default 10,000 milliseconds. */
  ackTimeoutMs?: number | undefined;
  /** Connect at once, without a call of `connect()`. Default true. */
  autoConnect?: boolean | undefined;
}

/**
 * The socket of a tab, in the session that all tabs share.
 * @param openWorker makes the worker: `() => new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module' })`. It is called
 * again if the worker is gone: then all tabs are told that the session is lost
 * @throws LocalUsageError `ERR_OPTION`
 */
export function connectTab<Listen = AnyEvents, Emit = AnyEvents>(
  openWorker: () => { readonly port: TabPort },
  { namespace = '/', ackTimeoutMs = 10_000, autoConnect = true, auth, ...others }: TabOptions = {},
): Socket<Listen, Emit> {
  if (typeof openWorker !== 'function') throw optionError('openWorker', 'a function that makes a SharedWorker');
  checkNumber('ackTimeoutMs', ackTimeoutMs, 1, Infinity);
  for (const other in others) throw optionError(other, 'no such option');
  const presences: Client['presences'] = new Map();
  const lock = `halyard tab ${randomToken(systemRandom)}`;
  const codec: Codec = json();
  const { session, connection } = createTab(() => openWorker().port, codec, systemClock, lock, presences);
  const client: Client = { session, connection, options: { ackTimeoutMs, autoConnect }, presences };
  return openSocket(client, namespace, { auth }) as never;
}

export type { Socket } from './api/socket';
export type { Auth, AuthData, AuthInput } from './session/presence';
export type { TabPort } from './tabs/messages';
