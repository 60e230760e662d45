// Messages to several rooms that a session finds in more than one of its logs, after it has come from another server. Each is sent by
// the first of them; where it is in the others says what comes before it there, and what behind. The clocks of servers do not.
import { isEarlier } from '../log/except';
import type { Membership } from '../room/membership';
import type { Cursor } from './cursor';

interface Place {
  readonly cursor: Cursor;
  readonly offset: number;
}

export class Overlaps {
  /** What was emitted later than this is put in order by its place. */
  readonly #since: number;
  readonly #cursors = new Map<Membership, Cursor>();
  /** Where a message is sent that is not sent where it was found. */
  readonly #sent = new Map<Cursor, Map<number, Place>>();
  /** Where else one is that is sent where it was found. */
  readonly #others = new Map<Cursor, Map<number, Place[]>>();

  /** @param since a stamp */
  constructor(since: number) {
    this.#since = since;
  }

  add(cursor: Cursor): void {
    this.#cursors.set(cursor.membership, cursor);
  }

  /** Looks for them in what is still to be read. @param to the last offset of it */
  look(cursor: Cursor, to: number): void {
    const { presence, membership } = cursor;
    const { log } = membership.room;
    const end = Math.min(to, log.lastOffset);
    for (let offset = Math.max(cursor.offset, log.firstOffset); offset <= end; offset++) {
      const except = log.exceptAt(offset);
      if (!isEarlier(except) || except.count === 0 || (log.emittedAt(offset) as number) >= this.#since) continue;
      const first = presence.comesBy(except);
      const its = first && this.#cursors.get(first);
      if (its === undefined || its === cursor) continue;
      const sent = { cursor: its, offset: except.offsetIn(first!.epoch) as number };
      at(this.#sent, cursor, () => new Map()).set(offset, sent);
      const others = at(this.#others, its, () => new Map());
      others.set(sent.offset, [...(others.get(sent.offset) ?? []), { cursor, offset }]);
    }
  }

  /** Whether the next entry of a cursor was found to be sent by another one, and was not yet. */
  isToCome(cursor: Cursor): boolean {
    const sent = this.#sent.get(cursor)?.get(cursor.offset);
    return sent !== undefined && sent.cursor.offset <= sent.offset;
  }

  /** @returns another one that has to be read on before the entry at which a cursor is; undefined if there is none */
  before(cursor: Cursor): Cursor | undefined {
    const { offset } = cursor;
    const sent = this.#sent.get(cursor)?.get(offset);
    if (sent !== undefined) return sent.cursor.isAtEntry && this.isToCome(cursor) ? sent.cursor : undefined;
    const others = this.#others.get(cursor)?.get(offset);
    return others?.find((other) => other.cursor.isAtEntry && other.cursor.offset < other.offset)?.cursor;
  }
}

function at<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
