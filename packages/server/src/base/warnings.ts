// What the operator should know though nothing failed: a limit was met. Said once a minute for each kind, however often it
// happens.
import { type Close, CloseCode } from '@halyard/protocol';

/** What a warning is about. */
export interface Warning {
  /** For programs: the name of the option that was met, or one of `ERR_…`. */
  readonly code: string;
  /** For people: what happened, and what to do. */
  readonly message: string;
  /** How often it has happened since it was said last, this time included. */
  readonly count: number;
}

const quietMs = 60_000;

export class Warnings {
  readonly #now: () => number;
  readonly #say: (warning: Warning) => void;
  /** For each code when it was said last, and how often it has happened since. */
  readonly #last = new Map<string, { at: number; count: number }>();

  constructor(now: () => number, say: (warning: Warning) => void) {
    this.#now = now;
    this.#say = say;
  }

  add(code: string, message: string): void {
    const now = this.#now();
    const last = this.#last.get(code) ?? { at: Number.NEGATIVE_INFINITY, count: 0 };
    this.#last.set(code, last);
    last.count++;
    if (now - last.at < quietMs) return;
    const { count } = last;
    last.at = now;
    last.count = 0;
    this.#say({ code, message, count });
  }
}

/** @returns what to say of a session that the server ends for a reason of its own; undefined for others */
export function warningOf({ code, reason, by }: Close): [code: string, message: string] | undefined {
  if (by !== 'server') return undefined;
  const isTrimmed = reason === 'log-trimmed';
  switch (code) {
    case CloseCode.SlowConsumer:
      return isTrimmed ? trimmed : full;
    case CloseCode.SessionEnded:
      if (reason === 'too-many-positions')
        return [
          'helloPositionsMax',
          'A client came back that names more logs than helloPositionsMax (docs/PROTOCOL.md §5.7).',
        ];
      return isTrimmed ? trimmed : undefined;
    case CloseCode.PolicyViolation:
      return [
        'waitingPacketsMax',
        `A session was ended (${code}): ${reason}. See waitingPacketsMax and waitingBytesMax.`,
      ];
    case CloseCode.TooBig:
      return ['frameBytesMax', `A session was ended (${code}): ${reason}. See frameBytesMax.`];
    case CloseCode.InternalError:
      return ['ERR_INTERNAL', `A session was ended (${code}): ${reason}. See the event "error".`];
    default:
      return undefined;
  }
}

const trimmed: [string, string] = [
  'logBytesMax',
  'A client came back, or caught up, too late: what it missed was not kept. See logPacketsMax, logBytesMax and journalBytesMax.',
];

const full: [string, string] = [
  'outboxBytesMax',
  'A session was ended (4413): more waits for its client to confirm than outboxPacketsMax or outboxBytesMax allow.',
];
