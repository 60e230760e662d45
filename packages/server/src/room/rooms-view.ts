// The rooms of a namespace as apps see them: as they are at each look, without a copy of all of them.
import { type OnConsole, onConsole } from '../base/on-console';

/** What is looked at. */
export interface Looked<Member> {
  readonly size: number;
  /** The members of a room by their ids. */
  membersOf(room: string): ReadonlyMap<string, Member> | undefined;
  names(): IterableIterator<string>;
}

/** The keys of a Map. */
class KeysView implements ReadonlySet<string> {
  readonly #map: ReadonlyMap<string, unknown>;

  constructor(map: ReadonlyMap<string, unknown>) {
    this.#map = map;
  }

  get size(): number {
    return this.#map.size;
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  keys(): MapIterator<string> {
    return this.#map.keys();
  }

  values(): MapIterator<string> {
    return this.#map.keys();
  }

  *entries(): Generator<[string, string], undefined> {
    for (const key of this.#map.keys()) yield [key, key];
  }

  [Symbol.iterator](): MapIterator<string> {
    return this.#map.keys();
  }

  forEach(run: (value: string, key: string, set: ReadonlySet<string>) => void, self?: unknown): void {
    for (const key of this.#map.keys()) run.call(self, key, key, this);
  }

  [onConsole](...how: Parameters<OnConsole>): string {
    const [, options, show] = how;
    return show(new Set(this), options);
  }
}

export class RoomsView<Member> implements ReadonlyMap<string, ReadonlySet<string>> {
  readonly #looked: Looked<Member>;

  constructor(looked: Looked<Member>) {
    this.#looked = looked;
  }

  get size(): number {
    return this.#looked.size;
  }

  get(name: string): ReadonlySet<string> | undefined {
    const members = this.#looked.membersOf(name);
    return members && new KeysView(members);
  }

  has(name: string): boolean {
    return this.#looked.membersOf(name) !== undefined;
  }

  keys(): IterableIterator<string> {
    return this.#looked.names();
  }

  *values(): Generator<ReadonlySet<string>, undefined> {
    for (const [, ids] of this.entries()) yield ids;
  }

  *entries(): Generator<[string, ReadonlySet<string>], undefined> {
    for (const name of this.#looked.names()) {
      const ids = this.get(name);
      if (ids !== undefined) yield [name, ids];
    }
  }

  [Symbol.iterator](): Generator<[string, ReadonlySet<string>], undefined> {
    return this.entries();
  }

  forEach(
    run: (ids: ReadonlySet<string>, name: string, map: ReadonlyMap<string, ReadonlySet<string>>) => void,
    self?: unknown,
  ): void {
    for (const [name, ids] of this.entries()) run.call(self, ids, name, this);
  }

  [onConsole](...how: Parameters<OnConsole>): string {
    const [, options, show] = how;
    return show(new Map(this), options);
  }
}
