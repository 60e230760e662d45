// How this node gets a session that a client asks for, with a store that others share: it has it, another node lets it go, or it
// takes it from one that is gone. Nonces decide who has it; what a record says is checked before anything is changed.
import { type Close, CloseCode, type HelloPacket, type ResumeRequest, Settled } from '@halyard/protocol';
import type { Patience } from '../store/patience';
import { lettersMax, type Overheard, type QueuedTurn } from '../store/queued-turn';
import type { Store, StoredLetter, StoredSession } from '../store/store';
import type { SessionContext } from './context';
import type { OpenElsewhere, Reply } from './handover';
import { isSame, type Key } from './key';
import type { Presence } from './presence';
import { type CountsRecord, decodeRecord, hashOf, keptMsOf, RecordError, type SessionRecord } from './record';
import type { Session } from './session';
import type { Unfinished } from './unfinished';

export const impossible: Close = {
  code: CloseCode.BadPacket,
  reason: 'ERR_RESUME_COUNTS: the resume counts what cannot be',
  by: 'server',
};

export const overtaken: Close = { code: CloseCode.Evicted, reason: 'a later connection has the session', by: 'server' };

const contested: Close = { code: CloseCode.TryAgainLater, reason: 'others want the session too', by: 'server' };

/** What a HELLO means: a session, none, one that it may not have, one of which the store has lost something, or the end of its connection. */
export type Found = Session | 'taken' | 'rolled-back' | Close | undefined;

export interface ClaimsContext extends SessionContext {
  readonly store: Store;
  readonly patience: Patience;
  readonly turn: QueuedTurn;
  /**
   * Asks a node to let a session go, for a connection of that generation.
   * @returns what is finished where; undefined if that node needs longer. Rejects if it does not answer
   */
  letGo(node: string, session: string, generation: number): Promise<readonly OpenElsewhere[] | undefined>;
  /** Whether a node is there. */
  isThere(node: string): boolean;
  /** Tells a node that an event of a session is handled to the end. @returns whether it has the session */
  tellFinished(node: string, session: string, number: number, replies: readonly Reply[]): Promise<boolean>;
  readonly unfinished: Unfinished;
  /** @returns the session of that id that is here */
  here(id: string): Session | undefined;
  /** Resolves once it is known what was taken from sockets that come from elsewhere. */
  learned(): Promise<void>;
  /** A socket is here that was elsewhere. */
  recalled(presence: Presence): void;
  /** Makes a session of what another node has left. */
  restore(
    key: Key,
    record: SessionRecord,
    codecIndex: number,
    nonce: string,
    letters: readonly StoredLetter[],
    own: readonly StoredLetter[],
  ): Session;
}

/** How often somebody else may be faster, until the client is told to try again. */
const attemptsMax = 4;

/** When the store is back all servers find the way to it within about so many milliseconds, … */
const backMsMax = 5_000;
/** … and one is asked again as often as this, … */
const askAgainMs = 100;
/** … and for so long if it needs longer: its store may not answer it any more. */
const laterMsMax = 3_000;

export class Claims {
  readonly #context: ClaimsContext;
  /** One after the other for each session. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(context: ClaimsContext) {
    this.#context = context;
  }

  /** How many sessions are on their way here, or away from here. */
  get busy(): number {
    return this.#busy.size;
  }

  /** @returns once nobody else here is about a session: what `run` returns */
  async alone<Result>(id: string, run: () => Promise<Result>): Promise<Result> {
    const before = this.#busy.get(id) ?? Promise.resolve();
    const mine = before.then(run, run);
    this.#busy.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(id) === mine) this.#busy.delete(id);
    }
  }

  /**
   * Finds a session, and makes it this node's.
   * @param isWanted asked before it is taken from anybody: a client that has gone elsewhere meanwhile wants it there
   */
  async take(key: Key, hello: HelloPacket, codecIndex: number, isWanted: () => boolean): Promise<Found> {
    const { here, turn } = this.#context;
    const local = here(key.id);
    if (local !== undefined) {
      const isIts = local.codecIndex === codecIndex && local.isNamedBy(key);
      // A client that knows its session says so: this was said before.
      if (!isIts) return key.kind === 'token' ? overtaken : 'taken';
      if (local.isAfter(hello)) return overtaken;
      // Others may have had it since.
      if (await turn.confirm(local)) return local.isOver ? undefined : local;
    }
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const found = await this.#takeFromStore(key, hello, codecIndex, isWanted);
      if (found !== 'changed') return found;
    }
    return contested;
  }

  async #takeFromStore(
    key: Key,
    hello: HelloPacket,
    codecIndex: number,
    isWanted: () => boolean,
  ): Promise<Found | 'changed'> {
    const { store, patience, platform, node, isThere, recalled, report, turn, settings, unfinished } = this.#context;
    const { id } = key;
    let own: Overheard | undefined;
    let hasLetGo = false;
    let stored = await patience.until(() => store.session(id));
    if (stored === undefined) return undefined;
    if (stored === 'over') return 'taken';
    try {
      const refusal = this.#refusal(stored, key, hello, codecIndex);
      if (refusal !== undefined) return refusal;
      if (!isWanted()) return contested;
      if (stored.owner !== node) {
        const { owner } = stored;
        // What it has said and done is stored before it lets go. Who does not answer is gone, or takes too long.
        const open = await this.#askFor(id, owner, hello.generation, isWanted);
        // Once this server has it there is nobody to be asked.
        unfinished.keep(id, open ?? [], platform.now());
        // Who has let it go would have nobody to tell what it finishes, if nobody took it.
        hasLetGo = open !== undefined;
        const again = await patience.until(() => store.session(id));
        if (again === undefined) return undefined;
        if (again === 'over') return 'taken';
        // Another one was faster: what it has said and done since is asked of it.
        if (again.nonce !== stored.nonce) return 'changed';
        stored = again;
        const refusal = this.#refusal(stored, key, hello, codecIndex);
        if (refusal !== undefined) return refusal;
      }
      await this.#context.learned();
      if (!hasLetGo && !isWanted()) return contested;
      const newNonce = platform.randomBytes(12).toString('base64url');
      const { nonce, generation } = stored;
      const keptMs = keptMsOf(settings);
      const claim = { session: id, nonce, newNonce, generation: Math.max(generation, hello.generation), keptMs };
      if (!(await patience.until(() => store.claim(claim)))) return 'changed';
      own = turn.overhear(id);
      // Its owner may have written until then. That it is this node's is looked at last.
      const letters = await this.#allLetters(id);
      const taken = await patience.until(() => store.session(id));
      if (taken === undefined || taken === 'over' || taken.nonce !== newNonce) return 'changed';
      const record = decodeRecord(taken.record, store.codec);
      // What may be a repetition, only the store knows.
      const ahead = own.letters.filter((letter) => letter.key === undefined);
      const mine = ahead.toSorted((a, b) => a.stamp - b.stamp).map((letter) => ({ ...letter, number: 0, node }));
      const session = this.#context.restore(key, record, codecIndex, newNonce, letters, mine);
      // Who has gone meanwhile tells nobody any more.
      session.borrows(unfinished.of(id).filter(([node]) => isThere(node)));
      unfinished.delete(id);
      for (const presence of session.attended) recalled(presence);
      if (session.isOver || session.endIfExpired()) return 'taken';
      // Who was not told of it gets a new secret: no client knows one that the store does not.
      if (key.kind === 'token' && !(await turn.confirm(session))) return 'changed';
      return session;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      report(error, `reading the record of session ${id}`);
      return 'taken';
    } finally {
      own?.end();
    }
  }

  /**
   * Who needs longer is asked again, for a while. Who was cut off from the store with all others has a while to come back to
   * it: what it has not stored were lost.
   * @returns which of its events are finished where; undefined if it has not let go
   */
  async #askFor(
    id: string,
    owner: string,
    generation: number,
    isWanted: () => boolean,
  ): Promise<readonly OpenElsewhere[] | undefined> {
    const { letGo, isThere, patience, platform } = this.#context;
    const askedAt = platform.now();
    for (;;) {
      try {
        const open = await letGo(owner, id, generation);
        if (open !== undefined) return open;
        if (platform.now() > askedAt + laterMsMax) return undefined;
      } catch {
        if (platform.now() > Math.min(askedAt, patience.upAt) + backMsMax) return undefined;
      }
      if (!isThere(owner) || !isWanted()) return undefined;
      await new Promise<void>((resolve) => patience.after(askAgainMs, resolve));
    }
  }

  async #allLetters(id: string): Promise<readonly StoredLetter[]> {
    const letters: StoredLetter[] = [];
    for (;;) {
      const page = await this.#context.turn.letters(id, letters.at(-1)?.number ?? 0);
      letters.push(...page);
      if (page.length < lettersMax) return letters;
    }
  }

  /** @returns why a client may not have a session, if it may not. @throws RecordError */
  #refusal({ record, generation }: StoredSession, key: Key, hello: HelloPacket, codecIndex: number): Found {
    const { identity, counts } = decodeRecord(record, this.#context.store.codec);
    const isLate = hello.generation !== 0 && hello.generation <= Math.max(counts.generation, generation);
    // Whether or not its client knows the session by now.
    if (isLate && key.kind === 'token') return overtaken;
    const isIts = identity.id === key.id && isSame(identity[key.kind], hashOf(key.text));
    if (!isIts || identity.codec !== this.#context.codecs[codecIndex]?.name) return 'taken';
    if (isLate) return overtaken;
    // Its client knows of more than there is: some of that was stored, and is lost.
    if (key.kind === 'secret' && !canBe(hello.resume as ResumeRequest, counts)) return 'rolled-back';
    return undefined;
  }
}

/** Whether a client that was told of a session can have got so far, as its record has it. */
function canBe({ received, confirmed, settled = [] }: ResumeRequest, counts: CountsRecord): boolean {
  if (received < counts.confirmed || received > counts.sent || confirmed > counts.received) return false;
  const known = new Settled(counts.received, counts.settled);
  for (let i = 0; i < settled.length; i += 2) {
    if (!known.hasRange(settled[i] as number, settled[i + 1] as number)) return false;
  }
  return true;
}
