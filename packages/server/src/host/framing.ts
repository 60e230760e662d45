// Where the body of a request ends. Two servers on its way that read this differently see different requests behind it
// (RFC 9112 §11.2): what can be read in two ways is refused, and the connection closed.
import type { Headers, HttpAnswer } from './host';
import { jsonError } from './json-error';

/** @returns the refusal of a request whose headers do not say in exactly one way where its body ends, or undefined */
export function refuseFraming(headers: Headers): HttpAnswer | undefined {
  if (headers.count('content-length') + headers.count('transfer-encoding') > 1) {
    return refusal('More than one header says where the body ends.');
  }
  if (!/^[ \t]*\d+[ \t]*$/.test(headers.get('content-length') ?? '0')) {
    return refusal('The header "Content-Length" must be a number of bytes, in digits.');
  }
  // uWebSockets.js takes any text for "chunked", Node any list that ends with it.
  if (!/^[ \t]*chunked[ \t]*$/i.test(headers.get('transfer-encoding') ?? 'chunked')) {
    return refusal('The header "Transfer-Encoding" may be "chunked", and nothing else.');
  }
  return undefined;
}

/** @returns as `refuseFraming`, for a WebSocket handshake: what follows one are frames, no chunks of a body */
export function refuseHandshakeFraming(headers: Headers): HttpAnswer | undefined {
  if (headers.count('transfer-encoding') > 0) return refusal('A WebSocket handshake has no body in chunks.');
  return refuseFraming(headers);
}

function refusal(rule: string): HttpAnswer {
  return jsonError(400, 'ERR_FRAMING', rule);
}
