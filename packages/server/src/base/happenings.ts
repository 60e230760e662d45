// What happens to connections, sessions and namespaces, each named and told once: from here it is counted by its code, goes to the log,
// to diagnostics_channel, and to who hears it of this server alone, if anybody listens there.
import { type Channel, channel } from 'node:diagnostics_channel';
import { brief, type Close, CloseCode } from '@halyard/protocol';
import { Counts, otherLabel } from './counts';
import { type Logger, type LogLevel, logLevels } from './logger';
import { Sampling } from './sampling';

/** What may be said of it. Nothing that was sent, no header field, and nothing that opens a session or a connection. */
export interface Facts {
  /** Why, for programs: an error code, the code of a close, or the name of an option. */
  readonly code?: string | number;
  /** Id of the session. */
  readonly session?: string;
  /** Number of the connection on its server. */
  readonly connection?: number;
  readonly transport?: string;
  readonly namespace?: string;
  /** Why, for people, in words of the server's own. */
  readonly reason?: string;
  /** Which piece of user code has failed. */
  readonly where?: string;
  /** The error of that piece, under the name that pino has for one. */
  readonly err?: unknown;
  /** How often it has happened since it was said last. */
  readonly count?: number;
}

/** How it is told. */
interface Kind {
  readonly channel: Channel;
  readonly level: LogLevel;
  readonly message: string;
  /** Whether the like of it may come in any number, from anybody: then it is logged once a minute for each code. */
  readonly isSampled?: boolean;
}

/** Something that has happened, for who hears it. */
export interface Told {
  readonly happening: Happening;
  readonly level: LogLevel;
  /** What it is, for people. */
  readonly message: string;
  readonly facts: Facts;
}

export type Hear = (told: Told) => void;

/** Of what is logged once a minute, so many kinds are told apart. */
const logKindsMax = 256;

const connections = channel('halyard:connection');
const requests = channel('halyard:request');
const sessions = channel('halyard:session');
const namespaces = channel('halyard:namespace');
const events = channel('halyard:event');

const kinds = {
  'connection opened': { channel: connections, level: 'debug', message: 'A connection is open.' },
  'connection closed': { channel: connections, level: 'debug', message: 'A connection is closed.' },
  'request refused': { channel: requests, level: 'warn', message: 'A request was refused.', isSampled: true },
  'session begun': { channel: sessions, level: 'info', message: 'A session has begun.' },
  'session away': { channel: sessions, level: 'info', message: 'A session has lost its connection.' },
  'session resumed': { channel: sessions, level: 'info', message: 'A session is back on another connection.' },
  'session arrived': { channel: sessions, level: 'info', message: 'A session has come from another server.' },
  'session moved': { channel: sessions, level: 'info', message: 'A session goes on at another server.' },
  'session ended': { channel: sessions, level: 'info', message: 'A session is over.' },
  'resume refused': { channel: sessions, level: 'warn', message: 'A session was not resumed.', isSampled: true },
  'namespace refused': { channel: namespaces, level: 'warn', message: 'A namespace was refused.', isSampled: true },
  'event refused': { channel: events, level: 'debug', message: 'An event was refused by the contract or a guard.' },
  'event failed': { channel: events, level: 'debug', message: 'An event has failed.' },
  error: {
    channel: channel('halyard:error'),
    level: 'error',
    message: 'Something has failed that nobody waits for.',
    isSampled: true,
  },
  overload: {
    channel: channel('halyard:overload'),
    level: 'warn',
    message: 'The server sheds work, or takes it again.',
  },
  'store back': { channel: channel('halyard:store'), level: 'info', message: 'The store that was away is back.' },
  // Once a minute already.
  warning: { channel: channel('halyard:warning'), level: 'warn', message: '' },
} satisfies Record<string, Kind>;

export type Happening = keyof typeof kinds;

export type Tell = (happening: Happening, facts: Facts) => void;

export interface HappeningsOptions {
  /** Id of this server. */
  readonly node: string;
  readonly logger: Logger | undefined;
  now(): number;
}

export class Happenings {
  readonly #node: string;
  readonly #logger: Logger | undefined;
  readonly #sampling: Sampling;
  readonly #counts = new Map<Happening, Counts>();
  /** Who hears it, from which level on. */
  #listeners: readonly (readonly [least: number, hear: Hear])[] = [];

  constructor({ node, logger, now }: HappeningsOptions) {
    this.#node = node;
    this.#logger = logger;
    this.#sampling = new Sampling(now, logKindsMax);
  }

  /** Whether there is a log. */
  get isLogged(): boolean {
    return this.#logger !== undefined;
  }

  readonly tell: Tell = (happening, facts) => {
    this.counts(happening).add(labelOf(facts.code));
    this.say(happening, facts);
  };

  /**
   * Tells of each from now on, none left out.
   * @param least the level below which nothing is told
   * @returns what ends it
   */
  hear(least: LogLevel, hear: Hear): () => void {
    const listener = [logLevels.indexOf(least), hear] as const;
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener);
    };
  }

  /** The same of what is counted already. @param message for the log, in place of the one that there is for all of the kind */
  say(happening: Happening, facts: Facts, message?: string): void {
    const kind: Kind = kinds[happening];
    if (kind.channel.hasSubscribers) kind.channel.publish({ happening, node: this.#node, ...facts });
    if (this.#logger !== undefined) this.#log(happening, facts, message ?? kind.message);
    if (this.#listeners.length > 0) this.#tellListeners(happening, facts, message ?? kind.message);
  }

  /** How often it has happened, by code. */
  counts(happening: Happening): Counts {
    let counts = this.#counts.get(happening);
    if (counts === undefined) {
      counts = new Counts();
      this.#counts.set(happening, counts);
    }
    return counts;
  }

  #tellListeners(happening: Happening, facts: Facts, message: string): void {
    const { level } = kinds[happening];
    const rank = logLevels.indexOf(level);
    for (const [least, hear] of this.#listeners) {
      if (rank < least) continue;
      try {
        hear({ happening, level, message, facts });
      } catch (error) {
        console.error('Halyard: who hears what happens failed:', error);
      }
    }
  }

  #log(happening: Happening, facts: Facts, message: string): void {
    const { level, isSampled }: Kind = kinds[happening];
    const { code = '', where = '' } = facts;
    const leftOut = isSampled ? this.#sampling.take(`${happening} ${code} ${where}`) : 0;
    if (leftOut === undefined) return;
    try {
      this.#logger?.[level]({ node: this.#node, ...facts, ...(leftOut > 0 ? { leftOut } : {}) }, message);
    } catch (error) {
      console.error('Halyard: the logger failed:', error);
    }
  }
}

/** Of the protocol, and of RFC 6455: its registry ends with 1015. */
const knownCloseCodes: ReadonlySet<number> = new Set([
  ...Object.values(CloseCode),
  ...Array.from({ length: 16 }, (_, i) => 1_000 + i),
]);

/** @returns what it is counted as. A client closes with any code it likes: those that nobody knows would use up the labels */
function labelOf(code: Facts['code'] = ''): string {
  return typeof code === 'number' && !knownCloseCodes.has(code) ? otherLabel : String(code);
}

/** @returns what may be said of a close: what a client gives for a reason is its own */
export function factsOf({ code, reason, by }: Close): Pick<Facts, 'code' | 'reason'> {
  return by === 'client' || reason === '' ? { code } : { code, reason: brief(reason) };
}
