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
    code: String(error.code).slice(0, packetLimits.nameCharsMax) || code,
    message: String(error.message).slice(0, packetLimits.reasonCharsMax),
    data: error.data,
  };
}
