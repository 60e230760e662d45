// How far a session has read each log: what makes a message that arrives twice, by whatever way, be delivered once.
import { type Position, packetLimits } from '@halyard/protocol';

const logsMax = packetLimits.helloPositionsMax;

type Offsets = ReadonlyMap<string, number>;

export interface Positions {
  /** Moves forward. @returns false if any of the positions was reached before: the message is a duplicate */
  advance(positions: readonly Position[]): boolean;
  /** A PING has come. */
  pinged(): void;
  /** There is a new connection, on which nothing was asked yet. */
  attached(): void;
  /** The newest, at most `helloPositionsMax` of them. */
  toArray(): Position[];
}

// A log may be forgotten once the server goes by what it knows confirmed and needs its position no more. The server PINGs only
// when its PING before was answered: so a PING says that what came before the one before it is confirmed. It sends no message
// of more than `helloPositionsMax` logs that are not (docs/PROTOCOL.md §5.7).
/** @param askPing asks for a PING: there may soon be more logs than HELLO can name. Called once for each */
export function createPositions(askPing: () => void): Positions {
  /** Of messages since the newest PING, … */
  let recent = new Map<string, number>();
  /** … since the one before, … */
  let older: Offsets = new Map();
  /** … and before that. Kept while there is room. */
  let confirmed: Offsets = new Map();
  let asked = false;

  const join = (...parts: Offsets[]) => new Map(parts.flatMap((part) => [...part]));

  return {
    advance(positions) {
      for (const [log, offset] of positions) {
        const reached = recent.get(log) ?? older.get(log) ?? confirmed.get(log);
        if (reached !== undefined && offset <= reached) return false;
      }
      for (const [log, offset] of positions) recent.set(log, offset);
      if (recent.size + older.size + confirmed.size > logsMax) confirmed = new Map();
      if (!asked && recent.size + older.size > logsMax / 2) {
        asked = true;
        askPing();
      }
      return true;
    },
    pinged() {
      confirmed = join(confirmed, older);
      older = recent;
      recent = new Map();
      asked = false;
    },
    attached() {
      recent = join(older, recent);
      older = new Map();
      asked = false;
    },
    toArray: () => [...join(confirmed, older, recent)].slice(-logsMax),
  };
}
