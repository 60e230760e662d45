// All sessions of this server: made by a HELLO, found again by id and secret, counted by codec.
import { timingSafeEqual } from 'node:crypto';
import { type Close, CloseCode, type HelloPacket, type ResumeRequest } from '@halyard/protocol';
import type { Connection } from '../wire/connection';
import type { SessionContext } from './context';
import { decodeRecord, hashOf, RecordError, type SessionRecord } from './record';
import { Session } from './session';

/** Of a client that has not been told of its session. */
const nothingRead = { received: 0, confirmed: 0, positions: [] };

const overtaken: Close = { code: CloseCode.Evicted, reason: 'a later connection has the session', by: 'server' };

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
    const untold = hello.token === '' ? undefined : this.#untold(hello.token, codecIndex, hello.left);
    if (untold !== undefined && untold.codecIndex === codecIndex) {
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
      const session = this.#find(hello.resume, codecIndex, hello.left);
      if (session?.isAfter(hello)) {
        connection.close(overtaken);
        return;
      }
      const reason = session === undefined ? 'unknown-session' : session.refusesResume(hello.resume);
      if (reason === 'impossible-counts') {
        const rule = 'ERR_RESUME_COUNTS: the resume counts what cannot be';
        connection.close({ code: CloseCode.BadPacket, reason: rule, by: 'server' });
        return;
      }
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
      { id: mine === undefined ? id : this.#idOf(token, id), secret, client, generation, untold: mine },
      codecIndex,
      this.#context,
    );
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
   * A session that another node has, or had, is this one's from now on.
   * @param secret of the session, as its client says it
   * @param left how many packets it has sent before
   * @param hashed which hash of the record it has to have: that of the secret, or of the token
   */
  #claim(id: string, text: string, hashed: 'secret' | 'token', codecIndex: number, left: number): Session | undefined {
    const { store, codecs, report, platform } = this.#context;
    if (!store.isShared) return undefined;
    let record: SessionRecord | undefined;
    try {
      const claim = store.claim(id, (stored) => {
        record = decodeRecord(stored, store.codec);
        const { identity } = record;
        const isIts = identity.id === id && isSame(identity[hashed], hashOf(text));
        return isIts && identity.codec === codecs[codecIndex]?.name;
      });
      if (claim === undefined || record === undefined) return undefined;
      const { client, listed } = record.identity;
      const { generation } = record.counts;
      const stream = { ...record.counts, frames: record.frames };
      const isTold = hashed === 'secret';
      const secret = isTold ? text : platform.randomBytes(18).toString('base64url');
      const untold = isTold ? undefined : { token: text, listed };
      const session = new Session({ id, secret, client, generation, untold }, codecIndex, this.#context, stream);
      this.#add(session);
      if (!isTold) this.#byToken.set(text, session);
      session.restore(record, { nonce: claim.nonce, left });
      return session;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      report(error, `reading the record of session ${id}`);
      return undefined;
    }
  }

  #find({ session: id, secret }: ResumeRequest, codecIndex: number, left: number): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined) return this.#claim(id, secret, 'secret', codecIndex, left);
    if (session.codecIndex !== codecIndex) return undefined;
    return isSame(Buffer.from(session.secret), Buffer.from(secret)) ? session : undefined;
  }

  #untold(token: string, codecIndex: number, left: number): Session | undefined {
    return this.#byToken.get(token) ?? this.#claim(this.#idOf(token, ''), token, 'token', codecIndex, left);
  }

  #ended(session: { readonly id: string; readonly codecIndex: number }): void {
    if (!this.#byId.delete(session.id)) return;
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 1) - 1;
  }
}

/** Compares in a time that says nothing about where they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
