// Listeners of remote events, kept apart from lifecycle events: what arrives can only reach what was registered for it.
import { LocalUsageError } from '@halyard/protocol';
import { type Few, keepOf, listOf, withOne } from '../few';

export type Handler = (...args: never[]) => unknown;

/** Most events have one handler. */
type Entry = Exclude<Few<Handler>, undefined>;

/** Events, each before its entry. */
type Table = readonly (string | Entry)[];

const none: Table = [];

// One array of just the size it needs instead of a Map: a socket listens to a few events, and there are many sockets.
export class Handlers {
  #table: Table = none;
  #any: readonly Handler[] | undefined;

  on(event: string, handler: Handler): void {
    if (typeof handler !== 'function') {
      throw new LocalUsageError('ERR_HANDLER_TYPE', `the handler of "${event}" is not a function`);
    }
    const entry = entryOf(this.#table, event);
    // `concat` makes an array of just that size; a spread leaves room for more.
    if (entry === undefined) this.#table = this.#table.concat(event, handler);
    else this.#table = withEntry(this.#table, event, withOne(entry, handler));
  }

  once(event: string, handler: Handler): void {
    const wrapper = (...args: never[]): unknown => {
      this.off(event, wrapper);
      return handler(...args);
    };
    this.on(event, Object.assign(wrapper, { original: handler }));
  }

  /** Removes one handler, or all of the event. */
  off(event: string, handler?: Handler): void {
    const entry = entryOf(this.#table, event);
    if (entry === undefined) return;
    const isOther = (one: Handler): boolean => one !== handler && originalOf(one) !== handler;
    this.#table = withEntry(this.#table, event, handler === undefined ? undefined : keepOf(entry, isOther));
  }

  onAny(handler: Handler): void {
    this.#any = [...(this.#any ?? []), handler];
  }

  offAny(handler?: Handler): void {
    this.#any = handler === undefined ? undefined : this.#any?.filter((entry) => entry !== handler);
  }

  /** Calls handlers whose results nobody waits for. */
  fire(event: string, args: readonly unknown[], failed: (error: unknown) => void): void {
    const entry = entryOf(this.#table, event);
    if (entry !== undefined) for (const handler of listOf(entry)) run(handler, args, failed);
  }

  has(event: string): boolean {
    return this.#table.includes(event);
  }

  copyFrom(other: Handlers): void {
    this.#table = other.#table;
  }

  clear(): void {
    this.#table = none;
    this.#any = undefined;
  }

  /**
   * Calls the event's handlers in the order they were added, and those of any event before them.
   * @param failed told of every failure but the one that decides the result
   * @returns the first result that is not undefined. @throws what a handler threw before there was one
   */
  call(event: string, args: readonly unknown[], failed: (error: unknown) => void): unknown {
    if (this.#any !== undefined) {
      for (const handler of this.#any) run(handler, [event, ...args], failed);
    }
    const entry = entryOf(this.#table, event);
    if (entry === undefined) return undefined;
    return typeof entry === 'function' ? entry(...(args as never[])) : callAll(entry, args, failed);
  }
}

function entryOf(table: Table, event: string): Entry | undefined {
  const at = table.indexOf(event);
  return at < 0 ? undefined : (table[at + 1] as Entry);
}

/** A new table: a handler may add or remove others while they run. */
function withEntry(table: Table, event: string, entry: Few<Handler>): Table {
  const at = table.indexOf(event);
  return entry === undefined ? table.toSpliced(at, 2) : table.with(at + 1, entry);
}

function callAll(handlers: readonly Handler[], args: readonly unknown[], failed: (error: unknown) => void): unknown {
  let result: unknown;
  let failure: { readonly error: unknown } | undefined;
  for (const handler of handlers) {
    if (result !== undefined || failure !== undefined) {
      run(handler, args, failed);
      continue;
    }
    try {
      result = handler(...(args as never[]));
    } catch (error) {
      failure = { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return result;
}

/** Whether a handler's result comes later: a promise, or what some libraries have in its place. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
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
