// Who listens to what, in the order of registration. It calls nobody: what a result or an error means is its owner's.

type Call = (...args: never[]) => unknown;

export class Emitter {
  readonly #listeners = new Map<string, { readonly call: Call; readonly once: boolean | undefined }[]>();

  on(event: string, call: Call, once?: boolean): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), { call, once }]);
  }

  /** Without `call`: all of this event. Without `event`: all. */
  off(event?: string, call?: Call): void {
    if (event === undefined) this.#listeners.clear();
    else this.#listeners.set(event, call ? (this.#listeners.get(event) ?? []).filter((l) => l.call !== call) : []);
  }

  /** @returns who listens now; those registered with `once` are taken out */
  take(event: string): Call[] {
    const taken = this.#listeners.get(event) ?? [];
    if (taken.some((l) => l.once)) {
      this.#listeners.set(
        event,
        taken.filter((l) => !l.once),
      );
    }
    return taken.map((l) => l.call);
  }
}
