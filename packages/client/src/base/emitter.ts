// Who listens to what, in the order of registration. It calls nobody: what a result or an error means is its owner's.

export type Call = (...args: never[]) => unknown;

export interface Emitter {
  on(event: string, call: Call, once?: boolean): void;
  /** Without `call`: all of this event. */
  off(event: string, call?: Call): void;
  /** @returns who listens now; those registered with `once` are taken out */
  take(event: string): Call[];
}

export function createEmitter(): Emitter {
  const listeners = new Map<string, { readonly call: Call; readonly once: boolean | undefined }[]>();
  const of = (event: string) => listeners.get(event) ?? [];
  return {
    on: (event, call, once) => void listeners.set(event, [...of(event), { call, once }]),
    off: (event, call) => void listeners.set(event, call ? of(event).filter((entry) => entry.call !== call) : []),
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
