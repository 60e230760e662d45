// What has a name, for as long as somebody else holds it.

export class Held<Thing extends object> {
  readonly #byName = new Map<string, WeakRef<Thing>>();
  readonly #gone = new FinalizationRegistry<string>((name) => {
    // Another one may have the name by now.
    if (this.#byName.get(name)?.deref() === undefined) this.#byName.delete(name);
  });

  add(name: string, thing: Thing): void {
    this.#byName.set(name, new WeakRef(thing));
    this.#gone.register(thing, name, thing);
  }

  /** @returns the thing of a name, which is not among these any more; undefined if nobody holds one */
  take(name: string): Thing | undefined {
    const thing = this.#byName.get(name)?.deref();
    this.#byName.delete(name);
    if (thing !== undefined) this.#gone.unregister(thing);
    return thing;
  }
}
