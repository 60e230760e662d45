// What the other side learns of an error: all of a PublicError, nothing of any other.
import { PublicError, packetLimits, type Value } from '@halyard/protocol';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly data: Value | undefined;
}

/**
 * @param code and `message` stand for an error that is not public
 * @returns what a packet may carry of the error: longer texts are cut
 */
export function failureOf(error: unknown, code: string, message: string): Failure {
  if (!(error instanceof PublicError)) return { code, message, data: undefined };
  return {
    code: carried(error.code, packetLimits.nameCharsMax) || code,
    message: carried(error.message, packetLimits.reasonCharsMax),
    data: error.data,
  };
}

/** The text as a packet can carry it: cut, and without halves of surrogate pairs. */
function carried(text: unknown, charsMax: number): string {
  return String(text)
    .slice(0, charsMax)
    .replace(/\p{Surrogate}/gu, '\ufffd');
}
