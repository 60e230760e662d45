// What a tab and the worker that has the session of all tabs say to each other. Events, acknowledgements and errors of handlers are
// frames of the protocol, so that a tab's values are checked where they are emitted; the rest can be cloned as it is.
import { type Frame, HalyardError, LocalUsageError, PublicError, type Value } from '@halyard/protocol';
import type { ConnectionState, StateChange } from '../link/connector';
import type { LifecycleEvents } from '../session/lifecycle';
import type { AuthData } from '../session/presence';

/** What both sides need of a `MessagePort`. */
export interface TabPort {
  postMessage(message: unknown): void;
  // biome-ignore lint/suspicious/noExplicitAny: the types of pages and those of Node have nothing else in common.
  addEventListener(type: 'message', listener: (event: any) => void): void;
  /** Messages are told from now on. */
  start(): void;
  close(): void;
}

/** An error that crosses: what class it is of is not cloned. */
export interface Failure {
  readonly kind: 'public' | 'local' | 'halyard' | 'other';
  readonly code: string;
  readonly message: string;
  readonly details: Record<string, unknown> | undefined;
  readonly data: Value | undefined;
}

export type ToWorker =
  /** Under this name the tab has a lock as long as it is there. */
  | readonly ['tab', lock: string]
  /** @param join tells apart how often a tab has wanted a namespace: what was meant for an earlier time comes too late */
  | readonly ['join', namespace: string, join: number]
  | readonly ['leave', namespace: string]
  /** An EVENT; its ack is the tab's own number. */
  | readonly ['emit', frame: Frame, timeoutMs: number]
  | readonly ['volatile', frame: Frame]
  /** An ACK or an ERROR, for the number that an event had here. */
  | readonly ['reply', frame: Frame]
  | readonly ['auth', question: number, data: AuthData, failure: Failure | undefined]
  /** Somebody looks at the tab again. */
  | readonly ['awake']
  | readonly ['bye'];

export type ToTab =
  | readonly ['worker', lock: string]
  | readonly ['state', state: ConnectionState, transport: string | undefined, change: StateChange | undefined]
  /** What happens to a namespace. @param id of the socket, while it is connected */
  | readonly ['fire', namespace: string, join: number, news: News, isWanted: boolean, id: string | undefined]
  /** @param question where a reply goes; 0: nobody waits for one */
  | readonly ['event', namespace: string, join: number, event: string, args: readonly Value[], question: number]
  | readonly ['settle', ack: number, failure: Failure | undefined, value: Value | undefined]
  | readonly ['auth', question: number, namespace: string];

export type News = readonly [event: keyof LifecycleEvents, info: unknown, failure: Failure | undefined];

/** @returns what can be cloned of what happened */
export function newsOf(event: keyof LifecycleEvents, value: unknown): News {
  return event === 'connect' || event === 'disconnect'
    ? [event, value, undefined]
    : [event, undefined, failureOf(value)];
}

export function failureOf(error: unknown): Failure {
  const { message = `${error}`, code = '', details, data } = error as Partial<PublicError>;
  const kind =
    error instanceof PublicError
      ? 'public'
      : error instanceof LocalUsageError
        ? 'local'
        : error instanceof HalyardError
          ? 'halyard'
          : 'other';
  // What is behind it may be anything.
  const cause = details?.cause === undefined ? undefined : `${details.cause}`;
  return { kind, code, message, details: details && { ...details, cause }, data };
}

export function errorOf({ kind, code, message, details, data }: Failure): HalyardError {
  if (kind === 'public') return new PublicError(code, message, data);
  if (kind === 'local') return new LocalUsageError(code, message, details);
  return kind === 'halyard' ? new HalyardError(code, message, details) : (new Error(message) as HalyardError);
}
