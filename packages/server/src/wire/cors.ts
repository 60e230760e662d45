// What a page of another origin may read: the answers, if it may connect; of what it may not, that it is refused and why
// (docs/PROTOCOL.md §7).
import { framesHeader, pollingHeaders, pollingLimitHeaders, protocolHeader } from '@halyard/protocol';
import type { HttpAnswer, HttpStream, RequestFacts, StreamableReply } from '../host/host';

/** What proxies say of the way that a request has come: a page may not. */
const ofProxies = /^(?:x-)?forwarded|^x-real-ip$/;

const ownHeaders = ['content-type', protocolHeader, ...Object.values(pollingHeaders)];

const exposedHeaders = [
  protocolHeader,
  ...[pollingHeaders.connection, pollingHeaders.sequence, framesHeader, pollingHeaders.close],
  ...Object.values(pollingLimitHeaders),
  'retry-after',
].join(', ');

/** Names of header fields that a page may ask to send, in characters. */
const askedCharsMax = 1_024;

/** @param credentials whether the page may send cookies, and be given some */
export function readable(answer: HttpAnswer, origin: string, credentials: boolean): HttpAnswer {
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'access-control-allow-origin': origin,
      ...(credentials && { 'access-control-allow-credentials': 'true' }),
      'access-control-expose-headers': exposedHeaders,
      vary: 'origin',
    },
  };
}

/** Lets the page of an origin read the answer. */
export class ReadableReply implements StreamableReply {
  readonly #reply: StreamableReply;
  readonly #origin: string;
  readonly #credentials: boolean;

  constructor(reply: StreamableReply, origin: string, credentials: boolean) {
    this.#reply = reply;
    this.#origin = origin;
    this.#credentials = credentials;
  }

  set onAbort(run: (() => void) | undefined) {
    this.#reply.onAbort = run;
  }

  send(answer: HttpAnswer): void {
    this.#reply.send(readable(answer, this.#origin, this.#credentials));
  }

  stream(answer: HttpAnswer): HttpStream | undefined {
    return this.#reply.stream(readable(answer, this.#origin, this.#credentials));
  }
}

/** @returns what a browser may send: our header fields, and those of the app's that its page asks for */
export function preflight({ peer: { headers } }: RequestFacts): HttpAnswer {
  const asked = headers.get('access-control-request-headers') ?? '';
  const names = asked.length > askedCharsMax ? [] : asked.toLowerCase().split(/[ \t]*,[ \t]*/);
  const more = names.filter(
    (name) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) && !ofProxies.test(name) && !ownHeaders.includes(name),
  );
  return {
    status: 204,
    headers: {
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-allow-headers': [...ownHeaders, ...new Set(more)].join(', '),
      'access-control-max-age': '7200',
    },
  };
}
