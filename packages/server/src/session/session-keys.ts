// How many sessions one user has on this server, by a key that the app gives them once middleware has let them in: who has more than they
// may is refused one more, or loses the oldest. What other servers have is not counted.
import { type Close, CloseCode, type Failure } from '@halyard/protocol';
import type { Entrant } from './context';
import type { Handshake } from './handshake';

/** Whose session it is, as the app says; undefined: it is not counted. */
export type SessionKey = (handshake: Handshake) => string | undefined;

export const overSessionsPerKey = ['end-oldest', 'refuse'] as const;

/** What becomes of one more: it is refused, or the session ends that has been there for the longest, those first that are away. */
export type OverSessionsPerKey = (typeof overSessionsPerKey)[number];

export interface SessionKeysOptions {
  readonly sessionKey: SessionKey;
  readonly sessionsPerKeyMax: number;
  readonly onSessionsPerKeyMax: OverSessionsPerKey;
  report(error: unknown, where: string): void;
  /** A limit was met. @param code the option */
  warn(code: string, message: string): void;
}

export class SessionKeys {
  readonly #options: SessionKeysOptions;
  /** In the order in which they came. */
  readonly #byKey = new Map<string, Set<Entrant>>();
  readonly #keysOf = new WeakMap<object, string[]>();

  constructor(options: SessionKeysOptions) {
    this.#options = options;
  }

  /** @returns why a session that middleware has let in is refused all the same, if it is */
  admit(session: Entrant, handshake: Handshake): Failure | undefined {
    const { sessionsPerKeyMax, onSessionsPerKeyMax } = this.#options;
    let key: string | undefined;
    try {
      key = this.#keyOf(handshake);
    } catch (error) {
      this.#options.report(error, 'sessionKey');
      return failed;
    }
    if (key === undefined) return undefined;
    const sessions = this.#byKey.get(key);
    if (sessions !== undefined && !sessions.has(session) && sessions.size >= sessionsPerKeyMax) {
      const ends = onSessionsPerKeyMax === 'end-oldest';
      const what = ends ? 'the oldest one was ended' : 'one more was refused';
      this.#warn(what);
      if (!ends) return tooMany;
      this.#evict(key);
    }
    this.#add(session, key);
    return undefined;
  }

  /** One that was let in on another server counts here too. It takes the place of another one, whatever is to become of one more. */
  arrived(session: Entrant, handshake: Handshake): void {
    try {
      const key = this.#keyOf(handshake);
      if (key === undefined) return;
      this.#add(session, key);
      const { size } = this.#byKey.get(key) as Set<Entrant>;
      if (size <= this.#options.sessionsPerKeyMax) return;
      this.#warn('one has come from another server, and another one was ended');
      this.#evict(key, session);
    } catch (error) {
      this.#options.report(error, 'sessionKey');
    }
  }

  /** A session is over, or goes on elsewhere. */
  left(session: object): void {
    for (const key of this.#keysOf.get(session) ?? []) {
      const sessions = this.#byKey.get(key);
      sessions?.delete(session as Entrant);
      if (sessions?.size === 0) this.#byKey.delete(key);
    }
    this.#keysOf.delete(session);
  }

  #warn(what: string): void {
    const { sessionsPerKeyMax, warn } = this.#options;
    warn('sessionsPerKeyMax', `A user has ${sessionsPerKeyMax} sessions (sessionsPerKeyMax): ${what}.`);
  }

  /** Ends the oldest, those first that are away. @param but one that stays */
  #evict(key: string, but?: Entrant): void {
    const all = [...(this.#byKey.get(key) ?? [])].filter((one) => one !== but);
    (all.find(({ connection }) => connection === undefined) ?? all[0])?.end(replaced);
  }

  #keyOf(handshake: Handshake): string | undefined {
    const key = this.#options.sessionKey(handshake);
    if (key === undefined || typeof key === 'string') return key;
    throw new TypeError(`sessionKey returns a text, or undefined, not ${key === null ? 'null' : `a ${typeof key}`}`);
  }

  #add(session: Entrant, key: string): void {
    const sessions = this.#byKey.get(key) ?? new Set();
    if (sessions.has(session)) return;
    this.#byKey.set(key, sessions.add(session));
    this.#keysOf.set(session, [...(this.#keysOf.get(session) ?? []), key]);
  }
}

const failed: Failure = { code: 'ERR_REFUSED', message: 'The connection was refused.', data: undefined };
const tooMany: Failure = {
  code: 'ERR_SESSIONS_PER_KEY',
  message: 'You have as many sessions as you may (sessionsPerKeyMax): end one of them first.',
  data: undefined,
};
const replaced: Close = {
  code: CloseCode.Evicted,
  reason: 'ERR_SESSIONS_PER_KEY: a later session of the same user has taken its place (sessionsPerKeyMax)',
  by: 'server',
};
