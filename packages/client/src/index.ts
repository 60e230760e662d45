// The client as most use it: the json codec, and WebSocket with sse and polling to fall back on.

import type { AnyEvents } from '@halyard/protocol';
import { checkHabits } from '#habits';
import { chosen } from './api/chosen';
import type { ClientOptions } from './api/options';
import type { Socket } from './api/socket';
import { connect as connectCore } from './core';

/**
 * As `connect` of `@halyard/client/core`; the codec is `json()`, the transports are WebSocket, sse and polling, unless named.
 * @param url in browsers it may be left out
 */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url?: string | URL | ClientOptions,
  options?: ClientOptions,
): Socket<Listen, Emit>;
/** As `ReturnType<typeof connect>` has it. */
export function connect(url?: string | URL | ClientOptions, options?: ClientOptions): Socket;
export function connect(url?: string | URL | ClientOptions, options?: ClientOptions): Socket {
  checkHabits(options, url);
  return typeof url !== 'object' || !url || 'href' in url
    ? connectCore(url, chosen(options))
    : connectCore(undefined, chosen(url));
}

export type { ClientOptions, TransportName } from './api/options';
export * from './core';
