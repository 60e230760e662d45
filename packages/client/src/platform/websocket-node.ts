// How WebSockets are made in Node: by the class that was named, the global one, or that of the optional peer dependency `ws`.
import type { IncomingMessage } from 'node:http';
import type { WebSocket as Ws } from 'ws';
import { refusalOf } from './refusal';
import { rootOf } from './root';
import type { MakeWebSocket } from './websocket-browser';

let told = false;

/** Of an answer in place of a WebSocket no more is read. */
const bodyCharsMax = 65_536;
/** A program does not live on for longer with a connection that it has closed, and whose server does not answer that: as with HTTP. */
const closeTimeoutMs = 10_000;

export async function loadWebSocket(given?: typeof WebSocket): Promise<MakeWebSocket> {
  const own = given || isPretended() ? undefined : globalThis.WebSocket;
  const Class = given ?? own ?? (await loadWs());
  return (url, protocol, headers, refuse) => {
    // Node's own takes header fields with the protocols, `ws` behind them.
    if (own) return headers ? new Class(url, { protocols: protocol, headers } as never) : new Class(url, protocol);
    const options = { headers, closeTimeout: closeTimeoutMs };
    const socket = new (Class as unknown as typeof Ws)(url, protocol, options);
    // Node's own does not tell. Whoever listens has to end the request, too.
    socket.on?.('unexpected-response', async (_request, response: IncomingMessage) => {
      try {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) {
          body += chunk;
          // A Halyard server has few words.
          if (body.length > bodyCharsMax) break;
        }
        const { statusCode, headers } = response;
        refuse(refusalOf(statusCode!, body, headers['retry-after']));
      } catch {}
      // If its answer broke off, this is what fails.
      socket.close();
    });
    return socket as unknown as WebSocket;
  };
}

/** @returns why a WebSocket did not open */
export function whyOf(event: Event): unknown {
  const { error, message } = event as ErrorEvent;
  return error ? rootOf(error) : message;
}

/** Whether this is Node, and the WebSocket is that of a page which jsdom makes for tests: its events are not those of Node, and it never opens. */
function isPretended(): boolean {
  return /\bjsdom\b/.test(globalThis.navigator?.userAgent ?? '');
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
