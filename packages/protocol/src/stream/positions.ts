// How far a session has read each log: what makes a message that arrives twice, by whatever way, be delivered once.
import { packetLimits } from '../wire/limits';
import type { Position } from '../wire/packet';

const logsMax = packetLimits.helloPositionsMax;

// A log may be forgotten once the server goes by what it knows confirmed and needs its position no more. The server PINGs only
// when its PING before was answered: so a PING says that what came before the one before it is confirmed. It sends no message
// of more than `helloPositionsMax` logs that are not (docs/PROTOCOL.md §5.7).
export class Positions {
  /** Of messages since the newest PING, … */
  #recent = new Map<string, number>();
  /** … since the one before, … */
  #older = new Map<string, number>();
  /** … and before that. Kept while there is room. */
  #confirmed = new Map<string, number>();
  #asked = false;

  /** Moves forward. @returns false if any of the positions was reached before: the message is a duplicate */
  advance(positions: readonly Position[]): boolean {
    for (const [log, offset] of positions) {
      const reached = this.#recent.get(log) ?? this.#older.get(log) ?? this.#confirmed.get(log);
      if (reached !== undefined && offset <= reached) return false;
    }
    for (const [log, offset] of positions) this.#recent.set(log, offset);
    if (this.#recent.size + this.#older.size + this.#confirmed.size > logsMax) this.#confirmed = new Map();
    return true;
  }

  /** A PING has come. */
  pinged(): void {
    this.#confirmed = new Map([...this.#confirmed, ...this.#older]);
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#asked = false;
  }

  /** There is a new connection, on which nothing was asked yet. */
  attached(): void {
    this.#recent = new Map([...this.#older, ...this.#recent]);
    this.#older = new Map();
    this.#asked = false;
  }

  /** @returns whether it is time to ask for a PING: there may soon be more logs than HELLO can name. True once for each */
  wantsPing(): boolean {
    if (this.#asked || this.#recent.size + this.#older.size <= logsMax / 2) return false;
    this.#asked = true;
    return true;
  }

  /** The newest, at most `helloPositionsMax` of them. */
  toArray(): Position[] {
    return [...new Map([...this.#confirmed, ...this.#older, ...this.#recent])].slice(-logsMax);
  }
}
