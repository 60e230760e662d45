// Who listens to what, in the order of registration. What a result means is its owner's.

import { LocalUsageError } from '@halyard/protocol';

export type Call = (...args: never[]) => unknown;

export interface Emitter {
  /** @throws LocalUsageError `ERR_HANDLER_TYPE` */
  on(event: string, call: Call, once?: boolean, first?: boolean): void;
  /** Without `call`: all of this event; without an event: all. */
  off(event?: string, call?: Call): void;
  /** @returns who listens now; those registered with `once` are taken out */
  take(event: string): Call[];
}

export function createEmitter(): Emitter {
  const listeners = new Map<string, { readonly call: Call; readonly once: boolean | undefined }[]>();
  const of = (event: string) => listeners.get(event) ?? [];
  return {
    on(event, call, once, first) {
      if (typeof call !== 'function') throw new LocalUsageError('ERR_HANDLER_TYPE', `${event}: no function`);
      const entry = { call, once };
      listeners.set(event, first ? [entry, ...of(event)] : [...of(event), entry]);
    },
    off(event, call) {
      if (event === undefined) listeners.clear();
      else {
        // Of one that was added twice, one.
        const at = of(event).findIndex((entry) => entry.call === call);
        listeners.set(event, call ? of(event).filter((_entry, i) => i !== at) : []);
      }
    },
    take(event) {
      const taken = of(event);
      if (taken.length)
        listeners.set(
          event,
          taken.filter((entry) => !entry.once),
        );
      return taken.map((entry) => entry.call);
    },
  };
}

/** Calls all of them, whatever becomes of the others. @param failed told of each that fails, at once or later */
export function callAll(calls: readonly Call[], args: readonly unknown[], failed: (error: unknown) => void): void {
  for (const call of calls) {
    try {
      (call(...(args as never[])) as Partial<Promise<unknown>> | undefined)?.catch?.(failed);
    } catch (error) {
      failed(error);
    }
  }
}
