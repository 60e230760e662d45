// What others may hang into a server to see more of it than numbers: how long each thing takes, each call of a handler, and each
// client that comes, or comes back.
import { LocalUsageError } from '@halyard/protocol';

/** An event of a client that somebody handles. */
export interface HandledEvent {
  readonly event: string;
  readonly namespace: string;
  /** Id of the socket. */
  readonly socket: string;
  /** Id of its session. */
  readonly session: string;
}

/** A client that asks for a namespace. */
export interface Entering {
  readonly namespace: string;
  /** Id of its session. */
  readonly session: string;
  readonly transport: string;
}

/** A client that comes back. */
export interface Resuming {
  /** Id of the session that it asks for: whatever it says. */
  readonly session: string;
  readonly transport: string;
  /** Number of the connection on this server. */
  readonly connection: number;
}

export interface Instruments {
  /** Told of each value of a metric that is a histogram. @param name of the metric. @param label of its only label, if it has one */
  measured?(name: string, seconds: number, label: string | undefined): void;
  /** Runs the handlers of an event, and MUST return what `run` returns, or throw what it throws. */
  handle?(event: HandledEvent, run: () => unknown): unknown;
  /**
   * Runs what decides whether a client enters a namespace, and the handlers of `connection`. MUST call `run` at once, once.
   * `run` never rejects, and resolves with the code of the refusal; empty if the client is in, or gone meanwhile.
   */
  enter?(entering: Entering, run: () => Promise<string>): unknown;
  /**
   * Runs what goes on with a session over another connection. MUST call `run` at once, once. `run` never rejects, and resolves with
   * why not: a reason of WELCOME, a code of the app's, or another word; empty if it goes on.
   */
  resume?(resuming: Resuming, run: () => Promise<string>): unknown;
}

const names = ['measured', 'handle', 'enter', 'resume'] as const satisfies readonly (keyof Instruments)[];

/** @throws LocalUsageError `ERR_OPTION` */
export function checkInstruments(instruments: Instruments): void {
  const isObject = typeof instruments === 'object' && instruments !== null;
  if (isObject && names.every((name) => ['undefined', 'function'].includes(typeof instruments[name]))) return;
  throw new LocalUsageError(
    'ERR_OPTION',
    `instrument takes an object of functions: ${names.join(', ')}. For OpenTelemetry it is openTelemetry(io), for the page of the admin admin(io, …).`,
  );
}
