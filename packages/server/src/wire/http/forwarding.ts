// Requests for polling connections of other servers: each is handed to the server that its connection id names, and answered with
// what that says (docs/ARCHITECTURE.md, the life of a forwarded request). Nobody is asked "who has this?".
import { LocalUsageError, type Value } from '@halyard/protocol';
import type { HttpAnswer, HttpReply } from '../../host/host';
import { jsonError } from '../../host/json-error';
import { abortedKind, answerOf, forwardedKind, type HttpRequest, ownerOf, requestMessage } from './forwarded';
import { connectionUnknown } from './http-connection';

export interface ForwardingOptions {
  /** Id of this node. */
  readonly node: string;
  readonly pollHoldMs: number;
  /** Requests that may wait for other servers at a time … */
  readonly forwardedRequestsMax: number;
  /** … and their bodies in bytes. */
  readonly forwardedBytesMax: number;
  /** Asks another node, as `Inbox.ask` does. */
  ask(node: string, kind: string, value: Value, timeoutMs: number): Promise<Value>;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

/** Longer than a poll is held by the server that has it: it may be on its way. */
const pollSlackMs = 5_000;
/** A client takes a request for lost after 10 s, and repeats it. */
const requestMsMax = 5_000;

export class Forwarding {
  readonly #options: ForwardingOptions;
  #requests = 0;
  #waiting = 0;
  #waitingBytes = 0;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  /** @returns whether it is for another server, and will be answered */
  readonly forward = (request: HttpRequest, reply: HttpReply): boolean => {
    const owner = ownerOf(request.id);
    if (owner === undefined || owner === this.#options.node) return false;
    if (this.#isFull(request.body.length)) reply.send(tooMany);
    else void this.#forward(owner, request, reply);
    return true;
  };

  async #forward(owner: string, request: HttpRequest, reply: HttpReply): Promise<void> {
    const { ask, pollHoldMs } = this.#options;
    const { method, body } = request;
    const number = ++this.#requests;
    this.#waiting++;
    this.#waitingBytes += body.length;
    // It need not arrive: an answer that nobody waits for is asked for again.
    reply.onAbort = () => void ask(owner, abortedKind, number, requestMsMax).catch(() => {});
    const timeoutMs = method === 'GET' ? pollHoldMs + pollSlackMs : requestMsMax;
    try {
      reply.send(answerOf(await ask(owner, forwardedKind, requestMessage(number, request), timeoutMs)));
    } catch (error) {
      reply.send(refusalOf(error, request.method));
    } finally {
      this.#waiting--;
      this.#waitingBytes -= body.length;
    }
  }

  #isFull(bytes: number): boolean {
    const { forwardedRequestsMax, forwardedBytesMax, warn } = this.#options;
    if (this.#waiting >= forwardedRequestsMax) {
      warn('forwardedRequestsMax', `${this.#waiting} requests wait for other servers (forwardedRequestsMax).`);
      return true;
    }
    // One alone is always within: it has passed httpBodyBytesMax.
    if (this.#waitingBytes === 0 || this.#waitingBytes + bytes <= forwardedBytesMax) return false;
    warn('forwardedBytesMax', `${this.#waitingBytes} bytes of requests wait for other servers (forwardedBytesMax).`);
    return true;
  }
}

/** The client repeats the request, or resumes. */
const tooMany = jsonError(
  503,
  'ERR_TOO_MANY_FORWARDED',
  'Too many requests wait for other servers (forwardedRequestsMax, forwardedBytesMax): try again later.',
);

function refusalOf(error: unknown, method: string): HttpAnswer {
  const code = error instanceof LocalUsageError ? error.code : '';
  // It may be there, and hear nothing just now: a client whose body meets 404 sends no other one, and waits for its poll to say why.
  if (code === 'ERR_NODE_UNKNOWN') return method === 'GET' ? connectionUnknown : absent;
  if (code === 'ERR_REQUEST_TIMEOUT') return silent;
  return failed;
}

const absent = jsonError(503, 'ERR_OWNER_UNKNOWN', 'The server that has this connection is not there: try again.');
const silent = jsonError(503, 'ERR_OWNER_SILENT', 'The server that has this connection does not answer: try again.');
const failed = jsonError(503, 'ERR_OWNER_FAILED', 'The server that has this connection failed to answer: try again.');
