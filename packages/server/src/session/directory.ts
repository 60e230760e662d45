// All sessions of this server: made by a HELLO, found again by id and secret, counted by codec.
import { timingSafeEqual } from 'node:crypto';
import { type Close, CloseCode, type HelloPacket, type ResumeRequest, Settled } from '@halyard/protocol';
import type { Connection } from '../wire/connection';
import type { SessionContext } from './context';
import { type CountsRecord, decodeRecord, hashOf, RecordError, type SessionRecord } from './record';
import { Session } from './session';

/** Of a client that has not been told of its session. */
const nothingRead = { positions: [] };

const impossible: Close = {
  code: CloseCode.BadPacket,
  reason: 'ERR_RESUME_COUNTS: the resume counts what cannot be',
  by: 'server',
};

const overtaken: Close = { code: CloseCode.Evicted, reason: 'a later connection has the session', by: 'server' };

/** What a HELLO means: a session, none, one that it may not have, or the end of its connection. */
type Found = Session | 'taken' | Close | undefined;

export class Sessions {
  readonly #context: SessionContext;
  readonly #sessionsMax: number;
  readonly #byId = new Map<string, Session>();
  /** Sessions whose client has perhaps not been told of them, by the token of its HELLO. */
  readonly #byToken = new Map<string, Session>();
  /** Sessions per codec: a broadcast is encoded for those that have any. */
  readonly #byCodec: number[];

  constructor(context: Omit<SessionContext, 'told' | 'ended'>, sessionsMax: number) {
    this.#context = {
      ...context,
      told: (token) => this.#byToken.delete(token),
      ended: (session) => this.#ended(session),
    };
    this.#sessionsMax = sessionsMax;
    this.#byCodec = context.codecs.map(() => 0);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Whether any session uses the codec with this index. */
  uses(codecIndex: number): boolean {
    return (this.#byCodec[codecIndex] ?? 0) > 0;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  /** Answers HELLO: goes on with a session, or makes a new one. */
  greet(connection: Connection, hello: HelloPacket): void {
    let refusal = '';
    const { codecIndex } = connection;
    const untold = hello.token === '' ? undefined : this.#untold(hello, codecIndex);
    if (isClose(untold)) {
      connection.close(untold);
      return;
    }
    if (untold instanceof Session && untold.codecIndex === codecIndex) {
      if (untold.isAfter(hello)) {
        connection.close(overtaken);
        return;
      }
      // Its client does not know yet that the session before is lost: what it sends is still for that one.
      refusal = untold.refusal || (untold.refusesResume(nothingRead) ?? '');
      if (refusal === '') {
        untold.repeat(connection, hello);
        return;
      }
      untold.end({ code: CloseCode.SessionEnded, reason: refusal, by: 'server' });
    }
    if (hello.resume !== undefined) {
      const found = this.#find(hello.resume, hello, codecIndex);
      if (isClose(found)) {
        connection.close(found);
        return;
      }
      const session = found instanceof Session ? found : undefined;
      if (session?.isAfter(hello)) {
        connection.close(overtaken);
        return;
      }
      if (session?.canBe(hello.resume) === false) {
        connection.close(impossible);
        return;
      }
      session?.confirm(hello.resume.received);
      const reason = session === undefined ? 'unknown-session' : session.refusesResume(hello.resume);
      if (session !== undefined && reason === undefined) {
        session.named();
        session.resume(connection, hello.resume, hello);
        return;
      }
      refusal = reason ?? '';
      session?.end({ code: CloseCode.SessionEnded, reason: refusal, by: 'server' });
    }
    // Of the session that its token named nothing is left, but some of what it has sent may have been handled there.
    if (hello.left > 0 && refusal === '') refusal = 'unknown-session';
    if (this.#byId.size >= this.#sessionsMax) {
      this.#context.warn(
        'sessionsMax',
        `There are ${this.#sessionsMax} sessions (sessionsMax): a client was turned away.`,
      );
      connection.close({ code: CloseCode.TryAgainLater, reason: 'the server is full (sessionsMax)', by: 'server' });
      return;
    }
    // Two texts of their own: slices would keep the text they were cut from as well.
    const random = this.#context.platform.randomBytes(30);
    const id = random.toString('base64url', 0, 12);
    const secret = random.toString('base64url', 12);
    const { client, generation, token } = hello;
    const mine = token === '' ? undefined : { token, listed: hello.namespaces.map(({ namespace }) => namespace) };
    const session = new Session(
      {
        id: mine === undefined || untold !== undefined ? id : this.#idOf(token, id),
        secret,
        client,
        generation,
        untold: mine,
      },
      codecIndex,
      this.#context,
    );
    // Not made of the secret: the store is to know no more than its hash.
    if (this.#context.store.isShared) session.claimed(this.#context.platform.randomBytes(12).toString('base64url'));
    this.#add(session);
    if (token !== '' && hello.resume === undefined) this.#byToken.set(token, session);
    session.start(connection, hello, refusal);
  }

  #add(session: Session): void {
    this.#byId.set(session.id, session);
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 0) + 1;
  }

  /** Other nodes find a session by its token: its id says which that is. */
  #idOf(token: string, random: string): string {
    if (!this.#context.store.isShared) return random;
    return Buffer.from(hashOf(token)).toString('base64url', 0, 12);
  }

  /**
   * Takes a session, with a store that others share: it is this node's from now on, whoever had it.
   * @param id of the session
   * @param text its secret, or the token of a client that has not been told of it
   * @param hashed which of these that is
   * @returns the session as its owner has left it; undefined if there is none of that id, `taken` if it is another one, or
   * over; or why it is not to be taken
   */
  #claim(id: string, text: string, hashed: 'secret' | 'token', hello: HelloPacket, codecIndex: number): Found {
    const { store, turn, codecs, report, platform, node } = this.#context;
    const before = this.#byId.get(id);
    let record: SessionRecord | undefined;
    let refusal: Close | 'taken' | undefined;
    try {
      const claim = store.claim(id, (stored) => {
        refusal = 'taken';
        record = decodeRecord(stored, store.codec);
        const { identity, counts } = record;
        const isIts = identity.id === id && isSame(identity[hashed], hashOf(text));
        if (!isIts || identity.codec !== codecs[codecIndex]?.name) return false;
        // Nothing has changed for the owner it has.
        refusal = undefined;
        if (hello.generation !== 0 && hello.generation <= counts.generation) refusal = overtaken;
        else if (hashed === 'secret' && !canBe(hello.resume as ResumeRequest, counts)) refusal = impossible;
        return refusal === undefined;
      });
      if (refusal !== undefined) return refusal;
      if (claim === 'over') return 'taken';
      if (claim === undefined || record === undefined) return undefined;
      const { nonce, owner } = claim;
      if (before !== undefined && owner === node) {
        before.claimed(nonce);
        return before;
      }
      // What it was here before it went on elsewhere.
      if (before !== undefined) {
        turn.forget(before);
        before.fenced();
      }
      const { client, listed } = record.identity;
      const { generation } = record.counts;
      const stream = { ...record.counts, frames: record.frames };
      const isTold = hashed === 'secret';
      const secret = isTold ? text : platform.randomBytes(18).toString('base64url');
      const untold = isTold ? undefined : { token: text, listed };
      const session = new Session({ id, secret, client, generation, untold }, codecIndex, this.#context, stream);
      session.claimed(nonce, hello.left);
      this.#add(session);
      if (!isTold) this.#byToken.set(text, session);
      session.restore(record);
      return session;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      report(error, `reading the record of session ${id}`);
      return 'taken';
    }
  }

  #find({ session: id, secret }: ResumeRequest, hello: HelloPacket, codecIndex: number): Found {
    const session = this.#byId.get(id);
    if (session !== undefined) {
      const isIts = session.codecIndex === codecIndex && isSame(Buffer.from(session.secret), Buffer.from(secret));
      if (!isIts) return undefined;
    }
    // Others may have had it since.
    if (this.#context.store.isShared) return this.#claim(id, secret, 'secret', hello, codecIndex) ?? session;
    return session;
  }

  #untold(hello: HelloPacket, codecIndex: number): Found {
    const { token } = hello;
    const session = this.#byToken.get(token);
    if (!this.#context.store.isShared) return session;
    const id = this.#idOf(token, '');
    // A client that knows its session says so: this was said before.
    if (session === undefined && this.#byId.has(id)) return overtaken;
    return this.#claim(id, token, 'token', hello, codecIndex) ?? session;
  }

  #ended(session: { readonly id: string; readonly codecIndex: number }): void {
    if (!this.#byId.delete(session.id)) return;
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 1) - 1;
  }
}

function isClose(found: Found): found is Close {
  return typeof found === 'object' && !(found instanceof Session);
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

/** Compares in a time that says nothing about where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
