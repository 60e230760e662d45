// Listeners of events: a list that is replaced, never changed, so that a handler may add or remove others while it runs.
// Those of remote events and of lifecycle events are two lists: what arrives can only reach what was registered for it.
import { callHandlers, isThenable, LocalUsageError, missedCallbackOf } from '@halyard/protocol';
import { type CompactList, compactOf, listOf, withOne } from '../base/compact-list';
import type { Handled } from './handling';

export type Handler = (...args: never[]) => unknown;

/** Most events have one handler. */
type Entry = Exclude<CompactList<Handler>, undefined>;

/**
 * Events, each before its entry. An array of just the size it needs in place of a Map or an object: a socket listens to
 * a few events, and there are many sockets.
 */
export type Handlers = readonly (EventKey | Entry)[];

/** Stands for every event. If there is an entry for it, it is the first. */
export const anyEvent = Symbol('any event');

/** What becomes of an event that has no handler. */
export const unhandled = Symbol('unhandled');

export type EventKey = string | typeof anyEvent;

export const noHandlers: Handlers = [];

/** @throws LocalUsageError `ERR_HANDLER_TYPE` */
export function withHandler(handlers: Handlers, event: EventKey, handler: Handler): Handlers {
  checkHandler(event, handler);
  const entry = entryOf(handlers, event);
  if (entry !== undefined) return withEntry(handlers, event, withOne(entry, handler));
  // `concat` makes an array of just that size; a spread leaves room for more.
  return event === anyEvent ? noHandlers.concat(event, handler, handlers) : handlers.concat(event, handler);
}

/** With one more handler of every event, before those there are. @throws LocalUsageError `ERR_HANDLER_TYPE` */
export function withAnyFirst(handlers: Handlers, handler: Handler): Handlers {
  checkHandler(anyEvent, handler);
  const entry = entryOf(handlers, anyEvent);
  if (entry === undefined) return withHandler(handlers, anyEvent, handler);
  return withEntry(handlers, anyEvent, [handler, ...listOf(entry)]);
}

/** Without all handlers but those of every event. */
export function onlyAny(handlers: Handlers): Handlers {
  return handlers[0] === anyEvent ? handlers.slice(0, 2) : noHandlers;
}

/**
 * @param remove takes the handler it is called with out of its list
 * @returns a handler that removes itself before it calls `handler`. @throws LocalUsageError `ERR_HANDLER_TYPE`
 */
export function onceOnly(event: string, handler: Handler, remove: (wrapper: Handler) => void): Handler {
  checkHandler(event, handler);
  const wrapper = (...args: never[]): unknown => {
    remove(wrapper);
    return handler(...args);
  };
  return Object.assign(wrapper, { original: handler });
}

/** Without one handler, or without all of the event. */
export function withoutHandler(handlers: Handlers, event: EventKey, handler: Handler | undefined): Handlers {
  const entry = entryOf(handlers, event);
  if (entry === undefined) return handlers;
  if (handler === undefined) return withEntry(handlers, event, undefined);
  // Of one that was added twice, one.
  const at = listOf(entry).findIndex((one) => one === handler || originalOf(one) === handler);
  return withEntry(handlers, event, compactOf(listOf(entry).filter((_one, i) => i !== at)));
}

export function hasHandler(handlers: Handlers, event: string): boolean {
  return entryOf(handlers, event) !== undefined;
}

/**
 * @returns what to say if a handler of an event has a parameter for a callback, which it was not given; undefined if none has
 * @param count how many arguments it had
 */
export function missedCallback(handlers: Handlers, event: string, count: number): string | undefined {
  return missedCallbackOf(
    event,
    listOf(entryOf(handlers, event)).map((handler) => originalOf(handler) ?? handler),
    count,
  );
}

/** Calls handlers whose results nobody waits for. */
export function fireHandlers(
  handlers: Handlers,
  event: string,
  args: readonly unknown[],
  failed: (error: unknown) => void,
): void {
  for (const handler of listOf(entryOf(handlers, event))) run(handler, args, failed);
}

/** Calls those of any event. @param handling told of every result, if it has to be known when all have settled */
export function fireAnyHandlers(
  handlers: Handlers,
  event: string,
  args: readonly unknown[],
  failed: (error: unknown) => void,
  handling?: Handled,
): void {
  if (handlers[0] !== anyEvent) return;
  for (const handler of listOf(handlers[1] as Entry)) run(watched(handler, handling), [event, ...args], failed);
}

/**
 * Calls the event's handlers in the order they were added.
 * @param failed told of every failure but the one that decides the result
 * @param handling told of every result but that of a single handler, which is what is returned
 * @returns the result, or a promise of it, by the rule of both ends; `unhandled` if there is no handler. @throws what the handler that decides threw
 */
export function callEvent(
  handlers: Handlers,
  event: string,
  args: readonly unknown[],
  failed: (error: unknown) => void,
  handling?: Handled,
): unknown {
  // Not `indexOf`, which costs 100 ns: a call, and a comparison by content.
  for (let i = 0; i < handlers.length; i += 2) {
    if (handlers[i] !== event) continue;
    const entry = handlers[i + 1] as Entry;
    if (typeof entry === 'function') return entry(...(args as never[]));
    return callHandlers(handling === undefined ? entry : entry.map((one) => watched(one, handling)), args, failed);
  }
  return unhandled;
}

function watched(handler: Handler, handling: Handled | undefined): Handler {
  return handling === undefined ? handler : (...args) => handling.add(handler(...args));
}

function checkHandler(event: EventKey, handler: unknown): void {
  if (typeof handler === 'function') return;
  throw new LocalUsageError(
    'ERR_HANDLER_TYPE',
    `the handler of ${event === anyEvent ? 'any event' : `"${event}"`} is not a function`,
  );
}

function entryOf(handlers: Handlers, event: EventKey): Entry | undefined {
  const at = handlers.indexOf(event);
  return at < 0 ? undefined : (handlers[at + 1] as Entry);
}

/** An undefined entry removes the event. */
function withEntry(handlers: Handlers, event: EventKey, entry: CompactList<Handler>): Handlers {
  const at = handlers.indexOf(event);
  return entry === undefined ? handlers.toSpliced(at, 2) : handlers.with(at + 1, entry);
}

/** Calls a handler whose result nobody waits for. */
function run(handler: Handler, args: readonly unknown[], failed: (error: unknown) => void): void {
  try {
    const result = handler(...(args as never[]));
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function originalOf(handler: Handler): Handler | undefined {
  return 'original' in handler ? (handler.original as Handler) : undefined;
}
