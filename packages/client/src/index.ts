// The client as most use it: the json codec, WebSocket with polling to fall back on.
import { json } from '@halyard/codec/json';
import type { AnyEvents } from '@halyard/protocol';
import type { ClientOptions } from './api/options';
import type { Socket } from './api/socket';
import { connect as connectCore } from './core';
import { polling, sse } from './link/http';
import { race } from './link/race';
import { websocket } from './link/websocket';

/** As `connect` of `@halyard/client/core`; the codec is `json()`, the transports are WebSocket, sse and polling, unless named. */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url?: string | URL,
  { transports = [websocket(), sse(), polling()], fallbackDelayMs, codec = json(), ...options }: ClientOptions = {},
): Socket<Listen, Emit> {
  return connectCore(url, { ...options, codec, transport: race(transports, fallbackDelayMs) });
}

export type { ClientOptions } from './api/options';
export * from './core';
