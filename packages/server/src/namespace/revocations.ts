// What was taken from sockets lately, on any server: a session that no server had just then, because its server was gone or because it
// was on its way to another one, is told of it where it comes next; and so is one whose server stood still or was cut off, when that is back.
import type { TargetSpec } from './target-spec';

/** Rooms are left, or sockets disconnected. What is given is not kept: it may have been given away since. */
export type Withdrawal =
  | readonly [kind: 'leave', rooms: readonly string[]]
  | readonly [kind: 'disconnect', session: boolean];

export interface Revocation {
  /** No two have the same. */
  readonly id: string;
  readonly namespace: string;
  readonly spec: TargetSpec;
  readonly withdrawal: Withdrawal;
  /** Who has come into a room after it is not meant. */
  readonly stamp: number;
}

export interface RevocationsContext {
  /** How long a session can be nowhere, in milliseconds. */
  readonly keptMs: number;
  /** Milliseconds of a clock that does not go back. */
  now(): number;
  warn(code: string, message: string): void;
}

/** What is asked of a socket that has come from elsewhere. */
interface Comer {
  readonly namespace: string;
  readonly rooms: ReadonlySet<string>;
  isInSince(room: string, stamp: number): boolean;
}

/** Rooms and sockets that all of them together may name. */
export const revokedNamesMax = 65_536;

interface Kept extends Revocation {
  readonly at: number;
}

export class Revocations {
  readonly #context: RevocationsContext;
  /** By id, oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** By namespace and each name of the target; the namespace as a whole has the empty one. */
  readonly #byName = new Map<string, Set<Kept>>();
  #names = 0;

  constructor(context: RevocationsContext) {
    this.#context = context;
  }

  /** What became known here within so many milliseconds. */
  lately(ms: number): Revocation[] {
    const from = this.#context.now() - Math.min(ms, this.#context.keptMs);
    return [...this.#kept.values()].filter(({ at }) => at >= from);
  }

  has(id: string): boolean {
    return this.#kept.has(id);
  }

  add(revocation: Revocation): void {
    if (this.#kept.has(revocation.id)) return;
    const kept = { ...revocation, at: this.#context.now() };
    this.#kept.set(kept.id, kept);
    for (const key of keysOf(kept)) {
      const those = this.#byName.get(key) ?? new Set();
      this.#byName.set(key, those.add(kept));
      this.#names++;
    }
    this.#forgetOld(kept.at);
  }

  /**
   * What is still to be taken from a socket that has come from elsewhere.
   * @param among ids of those that it is asked about. Default: all
   */
  of(socket: Comer, among?: ReadonlySet<string>): Withdrawal[] {
    if (this.#kept.size === 0) return [];
    const found = new Set<Kept>();
    for (const name of ['', ...socket.rooms]) {
      for (const kept of this.#byName.get(keyOf(socket.namespace, name)) ?? []) {
        const { id, stamp, spec } = kept;
        if (among?.has(id) === false) continue;
        const isIn = (room: string): boolean => socket.isInSince(room, stamp);
        if (isIn(name) && !spec.except.some(isIn)) found.add(kept);
      }
    }
    const isLeft = ({ withdrawal, stamp }: Kept): Withdrawal =>
      withdrawal[0] === 'leave' ? ['leave', withdrawal[1].filter((room) => socket.isInSince(room, stamp))] : withdrawal;
    return [...found].map(isLeft);
  }

  #forgetOld(now: number): void {
    const { keptMs, warn } = this.#context;
    for (const oldest of this.#kept.values()) {
      const isOver = now - oldest.at > keptMs;
      if (!isOver && this.#names <= revokedNamesMax) return;
      if (!isOver) {
        warn(
          'revokedNamesMax',
          `disconnectSockets and socketsLeave have named more than ${revokedNamesMax} rooms and sockets in ${keptMs} ms: the oldest are forgotten, and ` +
            'do not reach a session that has had no server since. Ask onResume who may come back.',
        );
      }
      this.#forget(oldest);
    }
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept.id);
    for (const key of keysOf(kept)) {
      const those = this.#byName.get(key);
      those?.delete(kept);
      if (those?.size === 0) this.#byName.delete(key);
      this.#names--;
    }
  }
}

function keysOf({ namespace, spec }: Revocation): Set<string> {
  return new Set((spec.rooms ?? ['']).map((name) => keyOf(namespace, name)));
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}\0${name}`;
}
