// The client as most use it: the json codec, WebSocket with polling to fall back on.
import { json } from '@halyard/codec/json';
import type { AnyEvents } from '@halyard/protocol';
import { connect as connectCore } from './core';
import type { ClientOptions } from './options';
import type { Socket } from './socket';
import { polling } from './transport/polling';
import { race } from './transport/race';
import { websocket } from './transport/websocket';

/** As `connect` of `@halyard/client/core`; the codec is `json()`, the transports are WebSocket and polling, unless named. */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url?: string | URL,
  { transports = [websocket(), polling()], fallbackDelayMs, codec = json(), ...options }: ClientOptions = {},
): Socket<Listen, Emit> {
  return connectCore(url, { ...options, codec, transport: race(transports, fallbackDelayMs) });
}

export * from './core';
export type { ClientOptions } from './options';
