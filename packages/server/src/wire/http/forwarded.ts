// A request of polling, and the answer to it, as they go from one server to another: plain lists, checked when they come.
import { RemoteProtocolError, type Value } from '@halyard/protocol';
import type { HttpAnswer } from '../../host/host';

/** What a request for a polling connection says. */
export interface HttpRequest {
  /** Id of the connection. */
  readonly id: string;
  readonly method: string;
  /** Header fields, as they came. */
  readonly sequence: string | undefined;
  readonly received: string | undefined;
  readonly close: string | undefined;
  readonly body: Uint8Array;
}

/** Kinds of messages between servers. */
export const forwardedKind = 'http';
export const abortedKind = 'http aborted';

/** Who asks, and the node that has a connection: what is before the dot. No other text is an id of ours. */
const idPattern = /^([\w-]{12})\.[\w-]{22}$/;
/** No number that counts is longer: one that was cut is still none. */
const fieldCharsMax = 32;
const headersMax = 32;
const textCharsMax = 1_024;
const methods: readonly unknown[] = ['GET', 'POST', 'DELETE'];

/** @returns the node that made a connection id; undefined if it has none */
export function ownerOf(id: string): string | undefined {
  return idPattern.exec(id)?.[1];
}

/** @param number counts the requests that this node forwards: an abort names it */
export function requestMessage(number: number, request: HttpRequest): Value {
  const { id, method, sequence, received, close, body } = request;
  const fields = [sequence, received, close].map((field) => field?.slice(0, fieldCharsMax) ?? null);
  return [number, id, method, ...fields, body];
}

/** @throws RemoteProtocolError `ERR_FORWARDED` that names the rule */
export function requestOf(message: Value): { readonly number: number; readonly request: HttpRequest } {
  if (!Array.isArray(message) || message.length !== 7) throw bad('a forwarded request is a list of 7');
  const [number, id, method, sequence, received, close, body] = message as readonly unknown[];
  if (!isCount(number)) throw bad('the number of a forwarded request counts from 1');
  if (!isText(id, textCharsMax)) throw bad('the connection of a forwarded request is its id');
  if (!methods.includes(method)) throw bad('the method of a forwarded request is GET, POST or DELETE');
  for (const field of [sequence, received, close]) {
    if (field !== null && !isText(field, fieldCharsMax)) throw bad(`a header is text of ${fieldCharsMax} characters`);
  }
  if (!(body instanceof Uint8Array)) throw bad('the body of a forwarded request is bytes');
  const fieldOf = (field: unknown): string | undefined => (field as string | null) ?? undefined;
  return {
    number,
    request: {
      ...{ id, method: method as string, body },
      ...{ sequence: fieldOf(sequence), received: fieldOf(received), close: fieldOf(close) },
    },
  };
}

/** @throws RemoteProtocolError `ERR_FORWARDED` */
export function numberOf(message: Value): number {
  if (!isCount(message)) throw bad('what is aborted is the number of a forwarded request');
  return message;
}

export function answerMessage({ status, headers = {}, body }: HttpAnswer): Value {
  return [status, Object.entries(headers).map(([name, value]) => [name, String(value)]), body ?? null];
}

/** @throws RemoteProtocolError `ERR_FORWARDED` that names the rule */
export function answerOf(message: Value): HttpAnswer {
  if (!Array.isArray(message) || message.length !== 3) throw bad('an answer is a list of status, headers and body');
  const [status, headers, body] = message as readonly unknown[];
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599) {
    throw bad('the status of an answer is from 200 to 599');
  }
  if (!Array.isArray(headers) || headers.length > headersMax || !headers.every(isHeader)) {
    throw bad(`headers are at most ${headersMax} names and values`);
  }
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) throw bad('a body is text or bytes');
  const answer = { status: status as number, headers: Object.fromEntries(headers as [string, string][]) };
  return body === null ? answer : { ...answer, body };
}

/** What would end a line would begin another header. */
function isHeader(header: unknown): boolean {
  if (!Array.isArray(header) || header.length !== 2) return false;
  const [name, value] = header as readonly unknown[];
  return (
    isText(name, textCharsMax) && /^[a-z-]+$/.test(name) && isText(value, textCharsMax) && /^[\x20-\x7e]*$/.test(value)
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isText(value: unknown, charsMax: number): value is string {
  return typeof value === 'string' && value.length <= charsMax;
}

function bad(rule: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_FORWARDED', rule);
}
