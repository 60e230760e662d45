// What the operator should know though nothing failed: a limit was met, or a page refused. Said once a minute for each kind,
// however often it happens.
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
/** Things of one kind that are told apart within a minute: a peer may name as many as it likes. */
const apartMax = 32;

export class Warnings {
  readonly #now: () => number;
  readonly #say: (warning: Warning) => void;
  /** For each kind, and each thing of it that is told apart, when it was said last, and how often it has happened since. */
  readonly #last = new Map<string, Map<string, { at: number; count: number }>>();

  constructor(now: () => number, say: (warning: Warning) => void) {
    this.#now = now;
    this.#say = say;
  }

  /** @param about which of several things of the kind, each of which is said once a minute, if there are not too many */
  add(code: string, message: string, about = ''): void {
    const now = this.#now();
    const kind = this.#last.get(code) ?? new Map<string, { at: number; count: number }>();
    this.#last.set(code, kind);
    if (kind.size >= apartMax && !kind.has(about)) {
      for (const [one, { at }] of kind) if (now - at >= quietMs) kind.delete(one);
      if (kind.size >= apartMax) return;
    }
    const last = kind.get(about) ?? { at: Number.NEGATIVE_INFINITY, count: 0 };
    kind.set(about, last);
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
