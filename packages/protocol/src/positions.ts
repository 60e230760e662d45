// How far a session has read each log: what makes a message that arrives twice, by whatever way, be delivered once.
import { packetLimits } from './limits';
import type { Position } from './packet';

/** Half of what HELLO may carry, because two generations are kept. */
const recentMax = packetLimits.helloPositionsMax / 2;

export class Positions {
  // Two generations bound the memory: a log is forgotten once messages of some thousand others have come since its last
  // one. For such a log the server goes by what it knows confirmed, so it must ask with PING before that many have left.
  #recent = new Map<string, number>();
  #older = new Map<string, number>();

  /** Moves forward. @returns false if any of the positions was reached before: the message is a duplicate */
  advance(positions: readonly Position[]): boolean {
    for (const [log, offset] of positions) {
      const reached = this.#recent.get(log) ?? this.#older.get(log);
      if (reached !== undefined && offset <= reached) return false;
    }
    if (this.#recent.size + positions.length > recentMax) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    for (const [log, offset] of positions) this.#recent.set(log, offset);
    return true;
  }

  /** At most `helloPositionsMax` of them. */
  toArray(): Position[] {
    return [...new Map([...this.#older, ...this.#recent])];
  }
}
