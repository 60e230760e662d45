// Refusals over HTTP, always the same JSON: a code for programs, a message for people.
import type { HttpAnswer } from './host';

export function jsonError(
  status: number,
  code: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ code, message, ...more }),
  };
}

/** @returns the answer to a body over the limit */
export function bodyTooBig(httpBodyBytesMax: number): HttpAnswer {
  return jsonError(413, 'ERR_BODY_TOO_BIG', `A body may have ${httpBodyBytesMax} bytes (httpBodyBytesMax).`);
}

/** @returns the answer to a body that stands still */
export function bodiesFull(httpBodiesBytesMax: number): HttpAnswer {
  const message = `Bodies that have not come whole have ${httpBodiesBytesMax} bytes together (httpBodiesBytesMax): try again later.`;
  return jsonError(503, 'ERR_BODIES_FULL', message, {}, { 'retry-after': '1' });
}

export function bodyTooSlow(idleMsMax: number): HttpAnswer {
  return jsonError(408, 'ERR_BODY_IDLE', `Nothing of the body has come for ${idleMsMax} ms.`);
}

/** @returns the answer to a body that takes too long in all */
export function bodyTooLong(bodyTimeoutMs: number): HttpAnswer {
  return jsonError(408, 'ERR_BODY_TIMEOUT', `The body has not come whole within ${bodyTimeoutMs} ms (bodyTimeoutMs).`);
}

/** The answer where the app serves nothing. */
export const pathUnknown: HttpAnswer = jsonError(
  404,
  'ERR_PATH',
  'Nothing is served at this path (option of server and client: path).',
);
