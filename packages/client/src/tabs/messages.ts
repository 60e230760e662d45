// What a tab and the worker that has the session of all tabs say to each other. Events, acknowledgements and errors of handlers are
// frames of the protocol, so that a tab's values are checked where they are emitted; the rest can be cloned as it is.
import { type Frame, HalyardError, LocalUsageError, type Position, PublicError, type Value } from '@halyard/protocol';
import type { ConnectionState, StateChange } from '../link/connector';
import type { Saved } from '../reload/saved';
import type { LifecycleEvents } from '../session/lifecycle';

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

/**
 * What another worker needs to go on with the session, should this one be killed. Tabs are told before anything that follows from it leaves
 * the worker. Of the frames those are in it that have left since it was told before, under the same name.
 */
export interface Kept extends Saved {
  /** Of two the newer one has more. */
  readonly stamp: number;
  /** What of the tabs' own has left since it was told before, and by which number the server replies to it, if it does. */
  readonly said: readonly (readonly [tab: string, number: number, mark: number])[];
}

/** @returns which session it is: its id, or the token while that is not known */
export function nameOf({ key, token }: Pick<Saved, 'key' | 'token'>): string {
  return key?.session ?? token;
}

/** A reply that a tab waits for, and by which number the server gives it. */
export type Asked = readonly [ack: number, mark: number, waitMs: number];

/**
 * What a tab says, and repeats to the next worker until it is told that this is the server's business, or is over. Of an EVENT the ack is the
 * tab's own number. ACK and ERROR have the number that the event had in the session of that name.
 */
export type Said =
  | readonly ['emit', frame: Frame, timeoutMs: number, number: number]
  | readonly ['reply', frame: Frame, name: string, number: number];

export type ToWorker =
  /**
   * Comes first. The tab has a lock of that name, or will have it, for as long as it is there.
   * @param heir what it knows of the session, if a worker is gone
   */
  | readonly ['tab', name: string, heir: { readonly kept: Kept | undefined } | undefined]
  | readonly ['locked']
  /** After what it joins: the replies that it waits for, in the session of which it is an heir. */
  | readonly ['asked', replies: readonly Asked[]]
  /** @param join tells apart how often a tab has wanted a namespace: what was meant for an earlier time comes too late */
  | readonly ['join', namespace: string, join: number]
  | readonly ['leave', namespace: string]
  | Said
  | readonly ['volatile', frame: Frame]
  /** A CONNECT, or why there is none. */
  | readonly ['auth', question: number, frame: Frame | undefined, failure: Failure | undefined]
  /** Somebody looks at the tab again. */
  | readonly ['awake']
  | readonly ['bye'];

export type ToTab =
  | readonly ['worker', lock: string]
  | readonly ['state', state: ConnectionState, transport: string | undefined, change: StateChange | undefined]
  /** What happens to a namespace. @param id of the socket, while it is connected */
  | readonly ['fire', namespace: string, join: number, news: News, isWanted: boolean, id: string | undefined]
  /**
   * @param ack number of a reply; 0: nobody waits for one
   * @param place where it is among all that is said in the session, by which one that comes twice is known: a count, or positions
   */
  | readonly [
      'event',
      namespace: string,
      join: number,
      event: string,
      args: readonly Value[],
      ack: number,
      place: number | readonly Position[] | undefined,
    ]
  | readonly ['kept', kept: Kept]
  /** What the tab has said under this number need not be repeated. @param mark as in `Kept` */
  | readonly ['said', number: number, mark: number]
  /** An event of the tab's, for which nobody waits. */
  | readonly ['failed', namespace: string, failure: Failure]
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
