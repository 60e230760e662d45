// How WebSockets are made in Node: by the class that was named, the global one, or that of the optional peer dependency `ws`.
import { rootOf } from './root';
import type { MakeWebSocket } from './websocket-browser';

let told = false;

export async function loadWebSocket(given?: typeof WebSocket): Promise<MakeWebSocket> {
  const own = given ? undefined : globalThis.WebSocket;
  const Class = given ?? own ?? (await loadWs());
  return (url, protocol, headers) =>
    // Node's own takes header fields with the protocols, `ws` behind them.
    own && headers
      ? new Class(url, { protocols: protocol, headers } as never)
      : new (Class as new (url: string, protocol: string, options: object) => WebSocket)(url, protocol, { headers });
}

/** @returns why a WebSocket did not open */
export function whyOf(event: Event): unknown {
  const { error, message } = event as ErrorEvent;
  return error ? rootOf(error) : message;
}

function loadWs(): Promise<typeof WebSocket> {
  return import('ws').then(
    (ws) => ws.WebSocket as unknown as typeof WebSocket,
    (error) => {
      if (!told) console.warn('Halyard: this Node has no WebSocket. Install ws, or another transport is used.');
      told = true;
      throw error;
    },
  );
}
