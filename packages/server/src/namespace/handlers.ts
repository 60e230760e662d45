// Listeners of remote events, kept apart from lifecycle events: what arrives can only reach what was registered for it.
import { LocalUsageError } from '@halyard/protocol';

export type Handler = (...args: never[]) => unknown;

export class Handlers {
  /** One handler as it is, more in an array: most events have one. */
  #byEvent: Map<string, Handler | readonly Handler[]> | undefined;
  #any: Handler[] | undefined;

  on(event: string, handler: Handler): void {
    if (typeof handler !== 'function') {
      throw new LocalUsageError('ERR_HANDLER_TYPE', `the handler of "${event}" is not a function`);
    }
    this.#byEvent ??= new Map();
    const handlers = this.#byEvent.get(event);
    // A new array: a handler may add or remove others while they run.
    this.#byEvent.set(event, handlers === undefined ? handler : [...listOf(handlers), handler]);
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
    const handlers = this.#byEvent?.get(event);
    if (handlers === undefined) return;
    const left = listOf(handlers).filter(
      (entry) => handler !== undefined && entry !== handler && originalOf(entry) !== handler,
    );
    if (left.length === 0) this.#byEvent?.delete(event);
    else this.#byEvent?.set(event, left.length === 1 && left[0] !== undefined ? left[0] : left);
  }

  onAny(handler: Handler): void {
    this.#any = [...(this.#any ?? []), handler];
  }

  offAny(handler?: Handler): void {
    this.#any = handler === undefined ? undefined : this.#any?.filter((entry) => entry !== handler);
  }

  has(event: string): boolean {
    return this.#byEvent?.has(event) ?? false;
  }

  clear(): void {
    this.#byEvent = this.#any = undefined;
  }

  /**
   * Calls the event's handlers in the order they were added. @returns the first result that is not undefined
   * @throws what the first failing handler threw, after the others have run
   */
  call(event: string, args: readonly unknown[]): unknown {
    if (this.#any !== undefined) callAll(this.#any, [event, ...args]);
    const handlers = this.#byEvent?.get(event);
    if (handlers === undefined) return undefined;
    return typeof handlers === 'function' ? handlers(...(args as never[])) : callAll(handlers, args);
  }
}

function listOf(handlers: Handler | readonly Handler[]): readonly Handler[] {
  return typeof handlers === 'function' ? [handlers] : handlers;
}

function callAll(handlers: readonly Handler[], args: readonly unknown[]): unknown {
  let result: unknown;
  let failure: { error: unknown } | undefined;
  for (const handler of handlers) {
    try {
      const value = handler(...(args as never[]));
      result ??= value;
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
  return result;
}

function originalOf(handler: Handler): Handler | undefined {
  return 'original' in handler ? (handler.original as Handler) : undefined;
}
