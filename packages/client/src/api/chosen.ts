// What a client has where nothing is chosen: the json codec, and WebSocket with sse and polling to fall back on.
import { json } from '@halyard/codec/json';
import { polling, sse } from '../link/http';
import { race } from '../link/race';
import type { Transport } from '../link/transport';
import { websocket } from '../link/websocket';
import type { ClientOptions, CoreOptions, TransportName } from './options';

const byName = { websocket, sse, polling };

/** @returns the options of a client with nothing chosen for it */
export const chosen = ({
  transports = Object.keys(byName) as TransportName[],
  fallbackDelayMs,
  switchDelayMs,
  codec = json(),
  ...options
}: ClientOptions = {}): CoreOptions => ({
  transport: race(
    transports?.map?.((one) =>
      Object.hasOwn(byName, one as string) ? byName[one as TransportName]() : one,
    ) as Transport[],
    fallbackDelayMs,
    switchDelayMs,
  ),
  // Last: a `transport` is then no transport, and refused, or one that is used.
  ...options,
  codec,
});
