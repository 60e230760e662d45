// What the app says of who wants to connect, before there is a connection: asked once for each, over either transport. How many
// wait for its answer, and for how long, is bounded.
import { failureOf, LocalUsageError, PublicError } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import type { Headers, HttpAnswer, RequestFacts } from '../host/host';
import { jsonError } from '../host/json-error';
import type { TransportName } from './connection';
import { clientAddress, type Trust } from './proxies';

/** A WebSocket handshake, or the request that opens a connection of polling. */
export interface OpeningRequest {
  readonly transport: TransportName;
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: Headers;
  /** The client's address: the socket's, or the one the nearest proxy saw with `trustProxy`. */
  readonly address: string;
  /** Whether the server itself ended TLS. */
  readonly secure: boolean;
}

/** How a request is refused. */
export interface Refusal {
  /** Of HTTP, from 400 to 599. */
  readonly status: number;
  /** For programs. Default: `ERR_REFUSED`. */
  readonly code?: string | undefined;
  /** For people. */
  readonly message: string;
}

/**
 * Says whether a client may connect: `false`, a `Refusal` or an error refuse it. A `PublicError` goes to the client with 403, as
 * `false` does; any other error is reported, and is 500.
 */
export type AllowRequest = (request: OpeningRequest) => Allowed | Promise<Allowed>;

/** What `allowRequest` says of a request: all but `false` and a `Refusal` let it in. */
// biome-ignore lint/suspicious/noConfusingVoidType: who only throws to refuse returns nothing.
export type Allowed = boolean | Refusal | undefined | void;

export interface GateOptions {
  readonly allowRequest: AllowRequest;
  readonly helloTimeoutMs: number;
  readonly undecidedRequestsMax: number;
  readonly trustProxy: Trust;
  readonly platform: Platform;
  report(error: unknown, where: string): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class Gate {
  readonly #options: GateOptions;
  #undecided = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** @returns the refusal; undefined if the client may connect. Never rejects */
  async ask({ method, path, query, peer }: RequestFacts, transport: TransportName): Promise<HttpAnswer | undefined> {
    const { undecidedRequestsMax, trustProxy, warn, report } = this.#options;
    if (this.#undecided >= undecidedRequestsMax) {
      warn('undecidedRequestsMax', `${this.#undecided} requests wait for allowRequest (undecidedRequestsMax).`);
      return tooMany;
    }
    this.#undecided++;
    const { headers, secure } = peer;
    const request = { transport, method, url: path + query, headers, address: clientAddress(peer, trustProxy), secure };
    try {
      return await this.#inTime(async () => answerOf(await this.#options.allowRequest(request)));
    } catch (error) {
      if (!(error instanceof PublicError)) {
        report(error, 'allowRequest');
        return failed;
      }
      const { code, message } = failureOf(error, 'ERR_REFUSED', refused);
      return jsonError(403, code, message);
    } finally {
      this.#undecided--;
    }
  }

  async #inTime(decide: () => Promise<HttpAnswer | undefined>): Promise<HttpAnswer | undefined> {
    const { platform, helloTimeoutMs, warn } = this.#options;
    let cancel = (): void => {};
    const late = new Promise<HttpAnswer>((resolve) => {
      cancel = platform.after(helloTimeoutMs, () => {
        warn('helloTimeoutMs', `allowRequest has not answered within ${helloTimeoutMs} ms (helloTimeoutMs).`);
        resolve(tooLate);
      });
    });
    try {
      return await Promise.race([decide(), late]);
    } finally {
      cancel();
    }
  }
}

const refused = 'The connection was refused.';
const tooMany = jsonError(
  503,
  'ERR_TOO_MANY_UNDECIDED',
  'Too many requests wait for the app (undecidedRequestsMax): try again later.',
);
const tooLate = jsonError(
  503,
  'ERR_ALLOW_TIMEOUT',
  'The app takes too long to decide (helloTimeoutMs): try again later.',
);
const failed = jsonError(500, 'ERR_ALLOW_REQUEST', 'The server failed to decide.');

/** @throws LocalUsageError `ERR_ALLOW_REQUEST` for what is no answer */
function answerOf(allowed: Allowed): HttpAnswer | undefined {
  if (allowed === undefined || allowed === true) return undefined;
  if (allowed === false) return jsonError(403, 'ERR_REFUSED', refused);
  const { status, code = 'ERR_REFUSED', message } = (allowed ?? {}) as Partial<Refusal>;
  const isStatus = Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
  if (isStatus && typeof code === 'string' && typeof message === 'string') {
    return jsonError(status as number, code, message);
  }
  throw new LocalUsageError(
    'ERR_ALLOW_REQUEST',
    'allowRequest may return nothing, true, false, or { status, code, message } with a status from 400 to 599',
  );
}
