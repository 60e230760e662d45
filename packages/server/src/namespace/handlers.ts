// Listeners of remote events, kept apart from lifecycle events: what arrives can only reach what was registered for it.
import { LocalUsageError } from '@halyard/protocol';

export type Handler = (...args: never[]) => unknown;

const none: readonly never[] = [];

/** One handler as it is, several in an array: most events have one. */
type Entry = Handler | readonly Handler[];

// Two arrays of just the size they need instead of a Map: a socket listens to a few events, and there are many sockets.
export class Handlers {
  #events: readonly string[] = none;
  #entries: readonly Entry[] = none;
  #any: readonly Handler[] | undefined;

  on(event: string, handler: Handler): void {
    if (typeof handler !== 'function') {
      throw new LocalUsageError('ERR_HANDLER_TYPE', `the handler of "${event}" is not a function`);
    }
    const index = this.#events.indexOf(event);
    const entry = this.#entries[index];
    if (entry === undefined) {
      // `concat` makes an array of just that size; a spread leaves room for more.
      this.#events = this.#events.concat(event);
      this.#entries = this.#entries.concat(handler);
    } else this.#replace(index, [...listOf(entry), handler]);
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
    const index = this.#events.indexOf(event);
    const entry = this.#entries[index];
    if (entry === undefined) return;
    const left = listOf(entry).filter((one) => handler !== undefined && one !== handler && originalOf(one) !== handler);
    if (left.length > 0) this.#replace(index, left.length === 1 && left[0] !== undefined ? left[0] : left);
    else {
      this.#events = this.#events.filter((_, at) => at !== index);
      this.#entries = this.#entries.filter((_, at) => at !== index);
    }
  }

  onAny(handler: Handler): void {
    this.#any = [...(this.#any ?? []), handler];
  }

  offAny(handler?: Handler): void {
    this.#any = handler === undefined ? undefined : this.#any?.filter((entry) => entry !== handler);
  }

  /** Calls handlers whose results nobody waits for. */
  fire(event: string, args: readonly unknown[], failed: (error: unknown) => void): void {
    const entry = this.#entries[this.#events.indexOf(event)];
    if (entry !== undefined) for (const handler of listOf(entry)) run(handler, args, failed);
  }

  has(event: string): boolean {
    return this.#events.includes(event);
  }

  copyFrom(other: Handlers): void {
    this.#events = other.#events;
    this.#entries = other.#entries;
  }

  clear(): void {
    this.#events = this.#entries = none;
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
    const entry = this.#entries[this.#events.indexOf(event)];
    if (entry === undefined) return undefined;
    return typeof entry === 'function' ? entry(...(args as never[])) : callAll(entry, args, failed);
  }

  /** A new array: a handler may add or remove others while they run. */
  #replace(index: number, entry: Entry): void {
    this.#entries = this.#entries.with(index, entry);
  }
}

function listOf(entry: Entry): readonly Handler[] {
  return typeof entry === 'function' ? [entry] : entry;
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
