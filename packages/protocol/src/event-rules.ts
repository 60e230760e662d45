// The rules of events that both ends keep: which names an event may have, which arguments go with it, which of several
// handlers gives the reply, how long it may be waited for, and what the other side learns of an error.
import { LocalUsageError, PublicError } from './wire/errors';
import { packetLimits } from './wire/limits';
import type { Value } from './wire/value';

/** What `on` takes for events of a socket's, a namespace's or a server's own life, on either end: no remote event has such a name. */
export const reservedEvents = [
  'connect',
  'connect_error',
  'connection',
  'disconnecting',
  'disconnect',
  'away',
  'resume',
  'moved',
  'error',
] as const;

export type ReservedEventName = (typeof reservedEvents)[number];

// Pure: who takes a codec alone does not load the names.
const reserved: ReadonlySet<string> = /* @__PURE__ */ new Set(reservedEvents);

export function isReservedEvent(event: string): boolean {
  return reserved.has(event);
}

/** @throws LocalUsageError `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME` */
export function checkEventName(event: string): void {
  if (reserved.has(event)) throw new LocalUsageError('ERR_RESERVED_EVENT', `"${event}" is a lifecycle event`);
  if (typeof event !== 'string' || !event || event.length > packetLimits.nameCharsMax)
    throw new LocalUsageError('ERR_EVENT_NAME', `event: text of 1 to ${packetLimits.nameCharsMax} characters`);
}

/** Arguments without undefined ones at the end: the other side sees the same parameters. */
export function trimmedArgs(args: readonly unknown[]): readonly Value[] {
  let { length } = args;
  while (length && args[length - 1] === undefined) length--;
  return (length === args.length ? args : args.slice(0, length)) as readonly Value[];
}

/**
 * Calls all handlers of an event, in the order they were added. The first that fails, or whose settled value is not
 * undefined, decides the reply. Who comes from Socket.IO has handlers that call an `ack` function, and there the first call
 * counts: a handler that only takes note, even an async one, must not answer for the one that has the reply. What a handler
 * returns at once is settled before any promise is, so that only several promises need one more.
 * @param aside told of every failure that does not decide
 * @returns the value, or a promise of it. @throws what the handler that decides threw
 */
export function callHandlers(
  handlers: readonly ((...args: never[]) => unknown)[],
  args: readonly unknown[],
  aside: (error: unknown) => void,
): unknown {
  let result: unknown;
  let failure: { readonly error: unknown } | undefined;
  let later: Promise<unknown>[] | undefined;
  for (const handler of handlers) {
    try {
      const value = handler(...(args as never[]));
      if (isThenable(value)) {
        later ??= [];
        later.push(Promise.resolve(value));
      } else if (result === undefined && !failure) result = value;
    } catch (error) {
      if (result !== undefined || failure) aside(error);
      else failure = { error };
    }
  }
  if (later) {
    if (result === undefined && !failure) return later.length > 1 ? firstSettled(later, aside) : later[0];
    for (const promise of later) promise.catch(aside);
  }
  if (failure) throw failure.error;
  return result;
}

/**
 * What `callHandlers` does with several promises, and with whatever a client's handlers give: there a turn more counts for less
 * than code.
 * @returns the first that fails or gives something else than undefined; undefined if none does
 */
export function firstSettled(promises: readonly Promise<unknown>[], aside: (error: unknown) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let running = promises.length;
    let decided = false;
    for (const promise of promises) {
      promise.then(
        (value) => {
          if (--running && value === undefined) return;
          decided = true;
          resolve(value);
        },
        (error) => {
          if (decided) aside(error);
          decided = true;
          reject(error);
        },
      );
    }
  });
}

/** Whether a handler's result comes later: a promise, or what some libraries have in its place. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && typeof (value as Partial<PromiseLike<unknown>> | null)?.then === 'function';
}

/**
 * The shortest time a caller may wait for a reply. There is no longest one: a reply that never comes settles with the session,
 * and the number of those waited for is bounded.
 */
export const timeoutMsMin = 1;

/** What a packet tells of an error. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly data: Value | undefined;
}

/**
 * @param code and `message` stand for an error that is not public; `code` for an empty one too
 * @returns all of a PublicError, as far as a packet carries it, and nothing of any other
 */
export function failureOf(error: unknown, code: string, message: string): Failure {
  if (!(error instanceof PublicError)) return { code, message, data: undefined };
  return {
    code: carried(error.code, packetLimits.nameCharsMax) || code,
    message: carried(error.message, packetLimits.reasonCharsMax),
    data: error.data,
  };
}

/** The text as a packet carries it: cut between two characters, and without halves of surrogate pairs. */
function carried(text: unknown, charsMax: number): string {
  const whole = String(text);
  const isPairCut = whole.codePointAt(charsMax - 1)! > 0xffff;
  return whole.slice(0, isPairCut ? charsMax - 1 : charsMax).replace(/\p{Cs}/gu, '\ufffd');
}
