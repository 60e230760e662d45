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

/** Says of a close that the server makes for a reason of its own what an operator should know, if there is anything. */
export function warnOfClose(close: Close, warn: (code: string, message: string) => void): void {
  const warning = warningOf(close);
  if (warning !== undefined) warn(...warning);
}

/** @returns what to say of a client that the server closes for a reason of its own; undefined for others */
export function warningOf({ code, reason, by }: Close): [code: string, message: string] | undefined {
  if (by !== 'server') return undefined;
  switch (code) {
    case CloseCode.SlowConsumer:
      if (reason === 'backpressureBytesMax') return slow;
      return reason === 'log-trimmed' ? trimmed : limited(code, reason);
    case CloseCode.SessionEnded:
      if (reason === 'too-many-positions')
        return [
          'helloPositionsMax',
          'A client came back that names more logs than helloPositionsMax (docs/PROTOCOL.md §5.7).',
        ];
      return reason === 'log-trimmed' ? trimmed : undefined;
    case CloseCode.TooBig:
    case CloseCode.RateLimited:
      return limited(code, reason);
    case CloseCode.HelloTimeout:
      return ['helloTimeoutMs', 'A connection was closed (4408): its client has not said HELLO within helloTimeoutMs.'];
    case CloseCode.InternalError:
      return ['ERR_INTERNAL', `A session was ended (${code}): ${reason}. See the event "error".`];
    default:
      return undefined;
  }
}

/** Reasons of limits end with the option. */
function limited(code: number, reason: string): [code: string, message: string] | undefined {
  const [, option] = /(\w+Max)\)?$/.exec(reason) ?? [];
  // That one is told of once, and not for each session that it ends.
  if (option === undefined || option === 'outboxesBytesMax') return undefined;
  return [option, `A client was closed with ${code}: ${reason}.`];
}

const slow: [string, string] = [
  'backpressureBytesMax',
  'A client was closed (4413): it reads too slowly for backpressureBytesMax, and its namespace cuts such readers (slowReaders).',
];
const trimmed: [string, string] = [
  'logBytesMax',
  'A client came back, or caught up, too late: what it missed was not kept. See logPacketsMax, logBytesMax and journalBytesMax; ' +
    'or a socket of it has left more than 1,024 rooms that the client had not read to the end.',
];
