// How far a session has read each log: what makes a message that arrives twice, by whatever way, be delivered once.
import type { Position } from './packet';

const recentMax = 4_096;

export class Positions {
  // Two generations bound the memory: a log that none of the last 4,096 logs read was, is forgotten. The server then
  // starts from what it knows confirmed, which is later than any such log's last message.
  #recent = new Map<string, number>();
  #older = new Map<string, number>();

  /** Moves forward. @returns false if any of the positions was reached before: the message is a duplicate */
  advance(positions: readonly Position[]): boolean {
    for (const [log, offset] of positions) {
      const reached = this.#recent.get(log) ?? this.#older.get(log);
      if (reached !== undefined && offset <= reached) return false;
    }
    for (const [log, offset] of positions) this.#recent.set(log, offset);
    if (this.#recent.size >= recentMax) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    return true;
  }

  clear(): void {
    this.#recent.clear();
    this.#older.clear();
  }

  toArray(): Position[] {
    return [...new Map([...this.#older, ...this.#recent])];
  }
}
