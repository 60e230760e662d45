// Who is in which room of a namespace, by the test's own account: the server's is what is tested.
import type { Epoch } from './ledger';

export class Roster {
  readonly everyone = new Set<Epoch>();
  readonly #rooms = new Map<string, Set<Epoch>>();

  room(name: string): ReadonlySet<Epoch> {
    return this.#rooms.get(name) ?? new Set();
  }

  join(epoch: Epoch, name: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined) this.#rooms.set(name, new Set([epoch]));
    else room.add(epoch);
  }

  leave(epoch: Epoch, name: string): void {
    this.#rooms.get(name)?.delete(epoch);
  }

  gone(epoch: Epoch): void {
    this.everyone.delete(epoch);
    for (const room of this.#rooms.values()) room.delete(epoch);
  }

  /** Who is in one of these rooms, and in none of those. */
  in(rooms: readonly string[], except: readonly string[] = []): Epoch[] {
    const inside = new Set(rooms.flatMap((name) => [...this.room(name)]));
    return [...inside].filter((epoch) => !except.some((name) => this.room(name).has(epoch)));
  }

  /** Who is in none of these rooms. */
  outside(except: readonly string[]): Epoch[] {
    return [...this.everyone].filter((epoch) => !except.some((name) => this.room(name).has(epoch)));
  }
}
