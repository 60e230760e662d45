// What the operator should know though nothing failed: a limit was met, or a page refused. Said once a minute for each kind,
// however often it happens.
import { type Close, CloseCode } from '@halyard/protocol';
import { Sampling } from './sampling';

/** What a warning is about. */
export interface Warning {
  /** For programs: the name of the option that was met, or one of `ERR_…`. */
  readonly code: string;
  /** For people: what happened, and what to do. */
  readonly message: string;
  /** How often it has happened since it was said last, this time included. */
  readonly count: number;
}

/** Things of one kind that are told apart: a peer may name as many as it likes. */
const apartMax = 32;

export class Warnings {
  readonly #now: () => number;
  readonly #say: (warning: Warning) => void;
  readonly #byCode = new Map<string, Sampling>();

  constructor(now: () => number, say: (warning: Warning) => void) {
    this.#now = now;
    this.#say = say;
  }

  /** @param about which of several things of the kind, each of which is said once a minute */
  add(code: string, message: string, about = ''): void {
    const sampling = this.#byCode.get(code) ?? new Sampling(this.#now, apartMax);
    this.#byCode.set(code, sampling);
    const leftOut = sampling.take(about);
    if (leftOut !== undefined) this.#say({ code, message, count: leftOut + 1 });
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
