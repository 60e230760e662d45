// Errors of the protocol. Each says whose fault it is and carries a code; callers match the code, never the text.
import type { InterfaceInput, Value } from './value';

/** Base of every error Halyard throws. `code` is stable; `message` is for people. */
export class HalyardError extends Error {
  // Said, because that of its class is another one with every build that is made small.
  override name = 'HalyardError';
  // Declared, because a field that is defined first costs every page bytes.
  /** Which error it is, such as `ERR_ACK_TIMEOUT`. */
  declare readonly code: string;
  /** What else is known of it, by the error. */
  declare readonly details: Record<string, unknown> | undefined;

  constructor(code: string, message: string = code, details?: Record<string, unknown>) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** This side was asked for something it cannot do. Closes nothing. */
export class LocalUsageError extends HalyardError {
  override name = 'LocalUsageError';
}

/** The peer broke a rule of docs/PROTOCOL.md. Closes the connection with `closeCode`, by default 4400. */
export class RemoteProtocolError extends HalyardError {
  override name = 'RemoteProtocolError';
  declare readonly closeCode: number;

  constructor(code: string, message?: string, closeCode = 4400) {
    super(code, message);
    this.closeCode = closeCode;
  }
}

/**
 * An error meant for the other side: throw it from a handler or a middleware and its `code`, `message` and `data`
 * arrive there as they are. Any other error arrives as a safe message without its text. The side that waited for
 * the reply gets it as a `PublicError` too.
 */
export class PublicError extends HalyardError {
  override name = 'PublicError';
  /** What the app has given with it. */
  declare readonly data: Value | undefined;

  constructor(code: string, message: string, data?: Value | InterfaceInput) {
    super(code, message);
    this.data = data as Value | undefined;
  }
}

/** For the default branch of a switch that must know every case. */
export function assertNever(value: never): never {
  throw new LocalUsageError('ERR_UNREACHABLE', `unexpected ${String(value)}`);
}
