// Messages to several rooms that a session finds in more than one of its logs, after it has come from another server. Each is sent by
// the first of them; where it is in the others says what comes before it there, and what behind. The clocks of servers do not.
import { isEarlier } from '../log/except';
import type { Membership } from '../room/membership';
import type { Spans } from './spans';

/** One time in a room, as it is read. */
export interface Reading {
  readonly presence: Spans;
  readonly membership: Membership;
  /** Offset of the entry that is next. */
  readonly offset: number;
  /** Whether there is one, in this round. */
  readonly isAtEntry: boolean;
}

interface Place {
  readonly reading: Reading;
  readonly offset: number;
}

export class Overlaps {
  /** What was emitted later than this is put in order by its place. */
  readonly #since: number;
  readonly #readings = new Map<Membership, Reading>();
  /** Where a message is sent that is not sent where it was found. */
  readonly #sent = new Map<Reading, Map<number, Place>>();
  /** Where else one is that is sent where it was found. */
  readonly #others = new Map<Reading, Map<number, Place[]>>();

  /** @param since a stamp */
  constructor(since: number) {
    this.#since = since;
  }

  add(reading: Reading): void {
    this.#readings.set(reading.membership, reading);
  }

  /** Looks for them in what is still to be read. @param to the last offset of it */
  look(reading: Reading, to: number): void {
    const { presence, membership } = reading;
    const { log } = membership.room;
    const end = Math.min(to, log.lastOffset);
    for (let offset = Math.max(reading.offset, log.firstOffset); offset <= end; offset++) {
      const except = log.exceptAt(offset);
      if (!isEarlier(except) || except.count === 0 || (log.emittedAt(offset) as number) >= this.#since) continue;
      const first = presence.comesBy(except);
      const its = first && this.#readings.get(first);
      if (its === undefined || its === reading) continue;
      const sent = { reading: its, offset: except.offsetIn(first!.epoch) as number };
      at(this.#sent, reading, () => new Map()).set(offset, sent);
      const others = at(this.#others, its, () => new Map());
      others.set(sent.offset, [...(others.get(sent.offset) ?? []), { reading, offset }]);
    }
  }

  /** Whether the next entry of a reading was found to be sent elsewhere, and was not yet. */
  isToCome(reading: Reading, offset: number): boolean {
    const sent = this.#sent.get(reading)?.get(offset);
    return sent !== undefined && sent.reading.offset <= sent.offset;
  }

  /** @returns another one that has to be read on before the entry at which a reading is; undefined if there is none */
  before(reading: Reading): Reading | undefined {
    const { offset } = reading;
    const sent = this.#sent.get(reading)?.get(offset);
    if (sent !== undefined)
      return sent.reading.isAtEntry && sent.reading.offset <= sent.offset ? sent.reading : undefined;
    const others = this.#others.get(reading)?.get(offset);
    return others?.find((other) => other.reading.isAtEntry && other.reading.offset < other.offset)?.reading;
  }
}

function at<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
