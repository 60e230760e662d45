// Whether a server is to be restarted, and whether it is to be sent clients: as a value, and as the answer to a probe over HTTP.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LocalUsageError } from '@halyard/protocol';
import { jsonError } from '../host/json-error';
import type { StoreState } from '../store/store';

export interface Health {
  /** Whether the process is of use: if not, it is to be started anew. False once the server is closed. */
  readonly live: boolean;
  /** Whether it is to be sent clients now: it listens, its store answers, and it does not close. */
  readonly ready: boolean;
  /** Whether it closes: its clients are told to go to another server. */
  readonly draining: boolean;
  /** Why it is not ready, in sentences. Empty if it is. */
  readonly reasons: readonly string[];
}

/** What health is judged by. */
export interface Condition {
  readonly isListening: boolean;
  readonly isClosing: boolean;
  readonly isClosed: boolean;
  /** Of the store that servers share; undefined if there is none. */
  readonly store: StoreState | undefined;
  /** The code of what keeps it away, if that is known: what it is in words names hosts, and probes are answered to anybody. */
  readonly trouble?: string | undefined;
  /** Why it sheds work; empty if it does not. */
  readonly overload: readonly string[];
}

export function healthOf({ isListening, isClosing, isClosed, store, trouble, overload }: Condition): Health {
  const reasons: string[] = [];
  if (isClosed) reasons.push('The server is closed.');
  else if (isClosing) reasons.push('The server closes: it takes no new clients.');
  else if (!isListening) reasons.push('The server does not listen yet: see listen and attach.');
  if (!isClosed && store !== undefined) {
    if (store === 'degraded')
      reasons.push(
        `The store does not answer, or refuses to store${trouble ? ` (${trouble})` : ''}: what clients and handlers say waits until it does.`,
      );
    if (store === 'recovering') reasons.push('The store is back, and what was missed is being read.');
  }
  if (!isClosed && overload.length > 0)
    reasons.push(
      `The server has more to do than it can (${overload.join(', ')}): it takes no new clients until that is over.`,
    );
  return { live: !isClosed, ready: reasons.length === 0, draining: isClosing && !isClosed, reasons };
}

/** Answers a `Request` of the Fetch API, or a request of Node's, Express's or Connect's. */
export interface HealthHandler {
  (request: Request): Response;
  (request: IncomingMessage, response: ServerResponse): void;
}

/**
 * What answers probes, as the option `fetch` of a server or as a listener of Express: by the end of the path `…/livez`, which is 200 as long
 * as the process is of use, and `…/readyz` or `…/healthz`, which is 200 as long as it is to be sent clients. Else these are 503, and
 * any other path 404. The body is `health()` as JSON.
 * @param io the server that is asked about. @throws LocalUsageError `ERR_OPTION` if it is none
 */
export function healthHandler(io: { health(): Health }): HealthHandler {
  if (typeof io?.health !== 'function')
    throw new LocalUsageError('ERR_OPTION', 'healthHandler takes a server: healthHandler(io).', { option: 'io' });
  const handler = (request: Request | IncomingMessage, response?: ServerResponse): Response | undefined => {
    const { status, headers, body } = answerTo(request.url ?? '', io.health());
    if (response === undefined) return new Response(body, { status, headers });
    response.writeHead(status, headers).end(body);
    return undefined;
  };
  return handler as HealthHandler;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const unknown = jsonError(404, 'ERR_PATH', 'Probes ask for /livez, /readyz or /healthz.') as Answer;

/** @param url a path, or a whole one */
function answerTo(url: string, health: Health): Answer {
  const probe = /\/(livez|readyz|healthz)\/?(?:[?#].*)?$/.exec(url)?.[1];
  if (probe === undefined) return unknown;
  const isGood = probe === 'livez' ? health.live : health.ready;
  return {
    status: isGood ? 200 : 503,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(health),
  };
}
