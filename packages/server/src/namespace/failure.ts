// What the other side learns of an error: all of a PublicError, nothing of any other.
import { PublicError, type Value } from '@halyard/protocol';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly data: Value | undefined;
}

/** @param code and @param message stand for an error that is not public */
export function failureOf(error: unknown, code: string, message: string): Failure {
  if (error instanceof PublicError) return { code: error.code, message: error.message, data: error.data };
  return { code, message, data: undefined };
}
