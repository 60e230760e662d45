// All sessions of this server: made by a HELLO, found again by id and secret, counted by codec. Longer than other files: whatever
// concerns one of them, or each, begins here.
import { type Close, CloseCode, type HelloPacket } from '@halyard/protocol';
import { debugOf } from '../base/debug';
import type { Overload } from '../base/overload';
import { Turnstile } from '../base/turnstile';
import { Impatience } from '../store/patience';
import type { StoredLetter } from '../store/store';
import type { Connection } from '../wire/connection';
import { Arrival } from './arrival';
import { Claims, type ClaimsContext, type Found, impossible, overtaken } from './claims';
import type { SessionContext } from './context';
import { Endings } from './endings';
import type { OpenElsewhere, Reply } from './handover';
import type { Key } from './key';
import { encodeLoss } from './letter';
import { PastTokens } from './past-tokens';
import type { Presence } from './presence';
import { hashOf, keptMsOf } from './record';
import { Session } from './session';
import type { SessionKeys } from './session-keys';
import { Unfinished } from './unfinished';

const debug = debugOf('halyard:server:session');

/** For so many connections sessions are looked for in the store at one time. */
const arrivalsMax = 200;

/** Of a client that has not been told of its session. */
const nothingRead = { positions: [] };

/** What there is with a store that others share. */
export type SharedContext = Pick<ClaimsContext, 'store' | 'patience' | 'turn' | 'letGo' | 'isThere' | 'tellFinished'>;

/** What a HELLO asks for, found: by its token, and by the id and the secret of its resume. */
interface Sought {
  readonly untold: Found;
  readonly resumed: Found;
}

/** How many sessions are in which state, and what waits in their outboxes. */
export interface SessionSums {
  readonly live: number;
  readonly catchingUp: number;
  readonly away: number;
  readonly outboxPackets: number;
  readonly outboxBytes: number;
}

export interface SessionsOptions {
  readonly sessionsMax: number;
  /** Where they are counted by user, if they are. */
  readonly keys: SessionKeys | undefined;
  /** Resolves once it is known what was taken from sockets that come from elsewhere. */
  learned(): Promise<void>;
  /** A socket is here that was elsewhere. */
  recalled(presence: Presence): void;
}

export class Sessions {
  readonly #context: SessionContext;
  readonly #sessionsMax: number;
  readonly #keys: SessionKeys | undefined;
  readonly #byId = new Map<string, Session>();
  /** Sessions whose client has perhaps not been told of them, by the token of its HELLO. */
  readonly #byToken = new Map<string, Session>();
  readonly #pastTokens = new PastTokens();
  /** Sessions per codec: a broadcast is encoded for those that have any. */
  readonly #byCodec: number[];
  readonly #endings: Endings | undefined;
  readonly #claims: Claims | undefined;
  readonly #shared: SharedContext | undefined;
  readonly #unfinished: Unfinished;
  /** When a server is gone all of its clients come at once: who waits for the store longer than they do helps none. */
  readonly #turnstile = new Turnstile(arrivalsMax);
  readonly #arrivals = new Set<Arrival>();
  #telling = 0;

  /** @param shared undefined: no other server has sessions of the same clients */
  constructor(
    context: Omit<SessionContext, 'told' | 'ended' | 'finished'>,
    { sessionsMax, keys, learned, recalled }: SessionsOptions,
    shared: SharedContext | undefined,
  ) {
    this.#context = {
      ...context,
      told: (token, generation) => {
        this.#byToken.delete(token);
        this.#pastTokens.add(token, generation);
      },
      ended: (session) => this.#ended(session),
      finished: (...what) => {
        this.#telling++;
        void this.#tellFinished(...what).finally(() => this.#telling--);
      },
    };
    this.#sessionsMax = sessionsMax;
    this.#keys = keys;
    this.#byCodec = context.codecs.map(() => 0);
    this.#shared = shared;
    this.#unfinished = new Unfinished(keptMsOf(context.settings));
    this.#endings = shared && new Endings(shared.turn);
    this.#claims =
      shared &&
      new Claims({
        ...this.#context,
        ...shared,
        unfinished: this.#unfinished,
        here: (id) => this.#byId.get(id),
        restore: (...how) => this.#restore(...how),
        ...{ learned, recalled },
      });
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Connections whose HELLO has come, and that wait for the store, or for the app. */
  get arriving(): number {
    return this.#arrivals.size;
  }

  /** How many sessions are on their way, in or out, and how much of what is finished here another server is still to be told. */
  get underWay(): number {
    return this.#telling + (this.#claims?.busy ?? 0);
  }

  /** @returns the session of an id, if it is here */
  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Whether any session uses the codec with this index. */
  uses(codecIndex: number): boolean {
    return (this.#byCodec[codecIndex] ?? 0) > 0;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  /**
   * The store has lost something of sessions.
   * @param isMeant whether something of one that is here may be lost
   * @param written those of which something is lost that this server has written
   */
  rolledBack(isMeant: (session: string) => boolean, written: readonly string[]): void {
    for (const session of this) if (isMeant(session.id)) session.rolledBack();
    for (const id of written)
      if (!this.#byId.has(id)) this.#shared?.turn.tell(id, encodeLoss(this.#context.recordCodec));
  }

  /** Answers HELLO: goes on with a session, or makes a new one. */
  greet(connection: Connection, hello: HelloPacket): void {
    const { instruments } = this.#context.meters;
    if (instruments?.resume === undefined || hello.resume === undefined) this.#greet(connection, hello);
    else {
      const { transport, number } = connection;
      const run = async (): Promise<string> => this.#greet(connection, hello);
      instruments.resume({ session: hello.resume.session, transport, connection: number }, run);
    }
  }

  /** @returns why the session that HELLO asks for does not go on; empty if it does. Never rejects */
  #greet(connection: Connection, hello: HelloPacket): string | Promise<string> {
    if (this.#claims !== undefined) return this.#greetLater(this.#claims, connection, hello);
    const sought = this.#seekHere(hello, connection.codecIndex);
    const session = [sought.resumed, sought.untold].find((found) => found instanceof Session);
    if (session?.isChecked) return this.#greetChecked(session, connection, hello);
    return this.#answer(connection, hello, sought);
  }

  /** Of a server alone: the app says whether the session may come back. */
  async #greetChecked(session: Session, connection: Connection, hello: HelloPacket): Promise<string> {
    const arrival = this.#arrival(connection);
    const code = await this.#check(session, arrival);
    if (arrival.ending !== undefined) session.end(arrival.ending);
    if (arrival.isOver || arrival.ending !== undefined) return code;
    // What there is may be another by now.
    const refusal = this.#answer(connection, hello, this.#seekHere(hello, connection.codecIndex));
    arrival.handOver();
    return refusal;
  }

  /**
   * Asks the app whether a session may come back over a connection, which is closed if not; or if nobody says so in time.
   * @returns the code of what it says; if it says nothing, that of a client that has to try again
   */
  async #check(session: Session, arrival: Arrival): Promise<string> {
    arrival.waitsFor = 'a handler of onResume takes too long';
    let code = 'try-again';
    const checked = session.checkResume().then((close) => {
      if (close === undefined) return;
      code = close.reason.split(':', 1)[0] ?? '';
      arrival.end(close);
    });
    await arrival.until(checked);
    return code;
  }

  #arrival(connection: Connection): Arrival {
    const { wheel, settings, helloTimeoutMs, warn } = this.#context;
    const { windowPacketsMax, windowBytesMax } = settings;
    const limits = { framesMax: windowPacketsMax + packetsBeside, bytesMax: windowBytesMax * 2 };
    return new Arrival(connection, { wheel, helloTimeoutMs, ...limits, arrivals: this.#arrivals, warn });
  }

  /**
   * Another node wants a session, for a connection of that generation: it is stored as it is, and then it is not this node's any
   * more, unless its client has a later connection here.
   * @returns which of its events are finished where
   */
  async letGo(id: string, generation: number, node: string): Promise<readonly OpenElsewhere[]> {
    const claims = this.#claims as Claims;
    return claims.alone(id, async () => {
      const session = this.#byId.get(id);
      if (session === undefined) {
        await this.#endings?.stored(id);
        return this.#unfinished.of(id);
      }
      const turn = this.#context.turn as ClaimsContext['turn'];
      const isLater = session.isLater(generation);
      if (!isLater) session.pause();
      // First what takes long; what its handlers have said meanwhile goes along, and what they say from then on goes by letters.
      await turn.confirm(session);
      // The app may have ended it meanwhile: it is over for all once that is stored.
      if (session.isOver) await this.#endings?.stored(id);
      if (isLater || session.isOver) return [];
      const stored = turn.part(session);
      const open = session.letGo(elsewhere, node);
      this.#unfinished.keep(id, open, this.#context.platform.now());
      await stored;
      return open;
    });
  }

  /** A server that had a session before has finished an event of it. @returns whether the session is here */
  finished(id: string, number: number, replies: readonly Reply[]): Promise<boolean> {
    return (this.#claims as Claims).alone(id, async () => {
      const session = this.#byId.get(id);
      session?.finished(number, replies);
      return session !== undefined;
    });
  }

  /** A server is gone: nobody finishes what it had begun. */
  nodeLeft(node: string): void {
    for (const session of [...this.#byId.values()]) session.nodeLeft(node);
  }

  /** Tells the server that has a session by now what was finished here. */
  async #tellFinished(
    asked: string,
    ...what: [session: string, number: number, replies: readonly Reply[]]
  ): Promise<void> {
    const { store, patience, tellFinished } = this.#shared as SharedContext;
    const [id] = what;
    let node = asked;
    try {
      for (let attempt = 1; attempt <= tellsMax; attempt++) {
        const before = node;
        const isHere = node === this.#context.node;
        const isTold = isHere ? this.finished(...what) : tellFinished(node, ...what).catch(() => false);
        if (await isTold) {
          this.#unfinished.delete(id);
          return;
        }
        // It has gone on since, or nobody has it.
        const stored = await patience.until(() => store.session(id));
        if (typeof stored !== 'object') return;
        node = stored.owner;
        // It is on its way, for as long as its client and the store take.
        if (node !== before && node !== this.#context.node) continue;
        const ms = Math.min(attempt * tellAgainMs, tellAgainMsMax);
        await new Promise<void>((resolve) => patience.after(ms, resolve));
      }
    } catch (error) {
      if (!(error instanceof Impatience)) this.#context.report(error, 'telling what is finished');
    }
  }

  /** A session has a letter. */
  letter(session: string, letter: StoredLetter): void {
    this.#byId.get(session)?.post(letter);
  }

  async #greetLater(claims: Claims, connection: Connection, hello: HelloPacket): Promise<string> {
    const { report } = this.#context;
    const arrival = this.#arrival(connection);
    const { resume, token } = hello;
    const key: Key | undefined = resume
      ? { id: resume.session, text: resume.secret, kind: 'secret' }
      : token === ''
        ? undefined
        : { id: idOf(token), text: token, kind: 'token' };
    const isWanted = (): boolean => !arrival.isOver;
    let refusal = 'try-again';
    const answer = async (): Promise<void> => {
      if (key !== undefined) await this.#endings?.stored(key.id);
      const found = key && (await claims.take(key, hello, connection.codecIndex, isWanted));
      const session = found instanceof Session ? found : undefined;
      await session?.loaded(resume ?? nothingRead);
      if (session?.isChecked && !arrival.isOver && !session.isOver) refusal = await this.#check(session, arrival);
      if (arrival.ending !== undefined) session?.end(arrival.ending);
      if (arrival.isOver || session?.isOver) {
        // It waits here for its client, and is one of those of its address.
        if (session?.isAway && !session.isOver) {
          this.#context.away.delete(session);
          this.#context.away.add(session, connection.peer);
        }
        arrival.end(tryAgain);
        return;
      }
      const sought = { untold: resume ? undefined : found, resumed: resume ? found : undefined };
      refusal = this.#answer(connection, hello, sought);
      arrival.handOver();
    };
    try {
      if (key === undefined) await answer();
      else await this.#turnstile.pass(async () => isWanted() && claims.alone(key.id, answer));
    } catch (error) {
      arrival.end(tryAgain);
      if (!(error instanceof Impatience)) report(error, 'finding a session');
    }
    return refusal;
  }

  /** What a server alone knows of a client. */
  #seekHere(hello: HelloPacket, codecIndex: number): Sought {
    const { resume } = hello;
    const untold = this.#seekToken(hello, codecIndex);
    if (resume === undefined) return { untold, resumed: undefined };
    const session = this.#byId.get(resume.session);
    const isIts = session?.codecIndex === codecIndex && session.isNamedBy({ text: resume.secret, kind: 'secret' });
    return { untold, resumed: isIts ? session : undefined };
  }

  #seekToken({ token, generation }: HelloPacket, codecIndex: number): Found {
    if (token === '') return undefined;
    const session = this.#byToken.get(token);
    if (session !== undefined) return session.codecIndex === codecIndex ? session : 'taken';
    const past = this.#pastTokens.get(token);
    if (past === undefined) return undefined;
    // It comes late, for a connection that is given up.
    return generation !== 0 && generation <= past ? overtaken : 'taken';
  }

  /** @returns why the session that HELLO asks for does not go on; empty if it does */
  #answer(connection: Connection, hello: HelloPacket, { untold, resumed }: Sought): string {
    let refusal = '';
    const isTaken = untold !== undefined;
    if (untold instanceof Session && untold.endIfExpired()) untold = undefined;
    if (resumed instanceof Session && resumed.endIfExpired()) resumed = undefined;
    for (const found of [untold, resumed]) {
      if (typeof found === 'object' && !(found instanceof Session)) {
        const code = found === overtaken ? 'overtaken' : 'try-again';
        if (hello.resume !== undefined) this.#refused(connection, code);
        connection.close(found);
        return code;
      }
      if (found instanceof Session && found.isAfter(hello)) {
        debug?.(`session ${found.id}: connection ${hello.generation} was overtaken`);
        if (hello.resume !== undefined) this.#refused(connection, 'overtaken', found);
        connection.close(overtaken);
        return 'overtaken';
      }
    }
    if (untold instanceof Session) {
      // Its client does not know yet that the session before is lost: what it sends is still for that one.
      refusal = untold.refusal || (untold.refusesResume(nothingRead) ?? '');
      if (refusal === '') {
        untold.repeat(connection, hello);
        return '';
      }
      untold.end({ code: CloseCode.SessionEnded, reason: refusal, by: 'server' });
    }
    if (hello.resume !== undefined) {
      const session = resumed instanceof Session ? resumed : undefined;
      const isImpossible = session?.canBe(hello.resume) === false;
      if (isImpossible && this.#claims === undefined) {
        debug?.(`session ${session.id}: a resume was refused, with counts that cannot be`);
        this.#refused(connection, 'impossible', session);
        connection.close(impossible);
        return 'impossible';
      }
      if (!isImpossible) session?.confirm(hello.resume.received);
      const reason =
        isImpossible || resumed === 'rolled-back'
          ? 'rolled-back'
          : session === undefined
            ? 'unknown-session'
            : session.refusesResume(hello.resume);
      if (session !== undefined && reason === undefined) {
        session.named();
        session.resume(connection, hello.resume, hello);
        return '';
      }
      refusal = reason ?? '';
      this.#refused(connection, refusal, session);
      // Who says what cannot be may be wrong.
      if (!isImpossible) session?.end({ code: CloseCode.SessionEnded, reason: refusal, by: 'server' });
    }
    // Of the session that its token named nothing is left, but some of what it has sent may have been handled there. If nobody here
    // knows of one, the HELLO before has hardly ever come: all of it comes again.
    if (hello.left > 0 && refusal === '' && (isTaken || hello.token === '')) refusal = 'unknown-session';
    const { overload } = this.#context;
    if (overload?.isFull) {
      overload.refusedSessions++;
      connection.close(overloaded(overload));
      return 'overloaded';
    }
    if (this.#byId.size >= this.#sessionsMax) {
      this.#context.warn(
        'sessionsMax',
        `There are ${this.#sessionsMax} sessions (sessionsMax): a client was turned away.`,
      );
      connection.close({
        code: CloseCode.TryAgainLater,
        reason: 'the server is full (sessionsMax); retry-after: 5',
        by: 'server',
      });
      return 'sessions-full';
    }
    this.#begin(connection, hello, refusal, isTaken);
    return refusal;
  }

  /** @param code what is answered, in a word of this protocol or one that no client could read */
  #refused({ number, transport }: Connection, code: string, session?: Session): void {
    this.#context.tell('resume refused', {
      ...{ code, connection: number, transport },
      ...(session === undefined ? {} : { session: session.id }),
    });
  }

  /** Sums over all sessions: it takes the longer the more there are. */
  sums(): SessionSums {
    const sums = { live: 0, catchingUp: 0, away: 0, outboxPackets: 0, outboxBytes: 0 };
    for (const { streamState, outboxPackets, outboxBytes } of this) {
      if (streamState === 'live') sums.live++;
      else if (streamState === 'catching-up') sums.catchingUp++;
      else sums.away++;
      sums.outboxPackets += outboxPackets;
      sums.outboxBytes += outboxBytes;
    }
    return sums;
  }

  /** Closes connections of one in so many sessions, of those that began last. @returns how many */
  turnAway(part: number, overload: Overload): number {
    const all = [...this].filter(({ connection }) => connection !== undefined);
    const last = all.slice(-Math.ceil(all.length / part));
    for (const session of last) session.comeAgain(overloaded(overload));
    return last.length;
  }

  /** Ends sessions, those first whose outboxes hold most. @param isOver whether one more has to end */
  relieve(isOver: () => boolean): void {
    const all = [...this].filter(({ outboxBytes }) => outboxBytes > 0).sort((a, b) => b.outboxBytes - a.outboxBytes);
    for (const session of all) {
      if (!isOver()) return;
      session.end(tooMuch);
    }
  }

  /** @param isTaken whether there was a session of its token */
  #begin(connection: Connection, hello: HelloPacket, refusal: string, isTaken: boolean): void {
    const { platform } = this.#context;
    // Two texts of their own: slices would keep the text they were cut from as well.
    const random = platform.randomBytes(30);
    const { client, generation, token } = hello;
    const mine = token === '' ? undefined : { token, listed: hello.namespaces.map(({ namespace }) => namespace) };
    // Other nodes find a session by its token: its id says which that is.
    const isKnown = this.#claims !== undefined && mine !== undefined && !isTaken && hello.resume === undefined;
    const id = isKnown ? idOf(token) : random.toString('base64url', 0, 12);
    const secret = random.toString('base64url', 12);
    const identity = { id, secret, client, generation, untold: mine };
    const session = new Session(identity, connection.codecIndex, this.#context);
    // Not made of the secret: the store is to know no more than its hash.
    if (this.#claims !== undefined) session.claimed(platform.randomBytes(12).toString('base64url'));
    this.#add(session);
    if (token !== '' && hello.resume === undefined) this.#byToken.set(token, session);
    session.start(connection, hello, refusal);
  }

  #restore(...[key, record, codecIndex, nonce, letters, own]: Parameters<ClaimsContext['restore']>): Session {
    const { id, text, kind } = key;
    const { platform } = this.#context;
    const { client, listed } = record.identity;
    const stream = { ...record.counts, frames: record.frames };
    const isTold = kind === 'secret';
    const secret = isTold ? text : platform.randomBytes(18).toString('base64url');
    const untold = isTold ? undefined : { token: text, listed };
    const { generation } = record.counts;
    const session = new Session({ id, secret, client, generation, untold }, codecIndex, this.#context, stream);
    session.claimed(nonce, record.counts.mail);
    this.#add(session);
    if (!isTold) this.#byToken.set(text, session);
    session.restore(record, letters, own);
    return session;
  }

  #add(session: Session): void {
    this.#byId.set(session.id, session);
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 0) + 1;
  }

  #ended(session: Parameters<SessionContext['ended']>[0]): void {
    const { id, codecIndex } = session;
    this.#context.away.delete(session);
    if (this.#byId.get(id) !== session) return;
    this.#byId.delete(id);
    this.#keys?.left(session);
    this.#byCodec[codecIndex] = (this.#byCodec[codecIndex] ?? 1) - 1;
    this.#endings?.add(session);
  }
}

function overloaded({ limits: { retryAfterMs } }: Overload): Close {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  const reason = `ERR_OVERLOADED: the server has more to do than it can; retry-after: ${seconds}`;
  return { code: CloseCode.TryAgainLater, reason, by: 'server' };
}

const tooMuch = {
  code: CloseCode.SlowConsumer,
  reason: 'ERR_OUTBOX_FULL: all sessions together have too much that is not confirmed (outboxesBytesMax)',
  by: 'server',
} as const;
const elsewhere = { code: CloseCode.Evicted, reason: 'another server has the session', by: 'server' } as const;
const tryAgain = { code: CloseCode.TryAgainLater, reason: 'the session could not be found now', by: 'server' } as const;
/** How often it is told what is finished: for longer than a session is kept that nobody takes. */
const tellsMax = 256;
/** So much later it is told again, in milliseconds, and later each time, … */
const tellAgainMs = 200;
/** … until it is so much. */
const tellAgainMsMax = 2_000;
/** Besides a window there may be packets that are not counted. */
const packetsBeside = 1_024;

function idOf(token: string): string {
  return Buffer.from(hashOf(token)).toString('base64url', 0, 12);
}
