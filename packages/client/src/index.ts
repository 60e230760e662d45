// The client as most use it: the json codec, and WebSocket with sse and polling to fall back on.
import { json } from '@halyard/codec/json';
import type { AnyEvents } from '@halyard/protocol';
import type { ClientOptions, TransportName } from './api/options';
import type { Socket } from './api/socket';
import { connect as connectCore } from './core';
import { polling, sse } from './link/http';
import { race } from './link/race';
import type { Transport } from './link/transport';
import { websocket } from './link/websocket';

const byName = { websocket, sse, polling };

/** As `connect` of `@halyard/client/core`; the codec is `json()`, the transports are WebSocket, sse and polling, unless named. */
export function connect<Listen = AnyEvents, Emit = AnyEvents>(
  url?: string | URL,
  {
    transports = Object.keys(byName) as TransportName[],
    fallbackDelayMs,
    codec = json(),
    ...options
  }: ClientOptions = {},
): Socket<Listen, Emit> {
  const values = transports?.map?.((one) =>
    Object.hasOwn(byName, one as string) ? byName[one as TransportName]() : one,
  );
  return connectCore(url, { ...options, codec, transport: race(values as Transport[], fallbackDelayMs) });
}

export type { ClientOptions, TransportName } from './api/options';
export * from './core';
