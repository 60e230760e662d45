// All sessions of this server: made by a HELLO, found again by id and secret, counted by codec.
import { timingSafeEqual } from 'node:crypto';
import { type Close, CloseCode, type HelloPacket, type ResumeRequest } from '@halyard/protocol';
import type { Connection } from '../wire/connection';
import type { SessionContext } from './context';
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
    const untold = hello.token === '' ? undefined : this.#byToken.get(hello.token);
    if (untold !== undefined && untold.codecIndex === connection.codecIndex) {
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
      const session = this.#find(hello.resume, connection.codecIndex);
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
        session.resume(connection, hello.resume, hello.generation);
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
    const session = new Session(id, secret, connection.codecIndex, hello, this.#context);
    this.#byId.set(session.id, session);
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 0) + 1;
    if (hello.token !== '' && hello.resume === undefined) this.#byToken.set(hello.token, session);
    session.start(connection, hello, refusal);
  }

  #find({ session: id, secret }: ResumeRequest, codecIndex: number): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined || session.codecIndex !== codecIndex) return undefined;
    const expected = Buffer.from(session.secret);
    const given = Buffer.from(secret);
    return given.length === expected.length && timingSafeEqual(given, expected) ? session : undefined;
  }

  #ended(session: { readonly id: string; readonly codecIndex: number }): void {
    if (!this.#byId.delete(session.id)) return;
    this.#byCodec[session.codecIndex] = (this.#byCodec[session.codecIndex] ?? 1) - 1;
  }
}
