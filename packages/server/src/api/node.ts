// This server among the others that share its store: what it tells them of sessions, and what they ask of it.
import { RemoteProtocolError, type Value } from '@halyard/protocol';
import type { Sessions, SharedContext } from '../session/directory';
import { Expiry } from '../session/expiry';
import { decodeReply, type OpenElsewhere, openElsewhereShape, type Reply, replyShape } from '../session/handover';
import { RecordError } from '../session/record';
import { faultOf, type Shape } from '../session/record-shape';
import type { Session } from '../session/session';
import type { StoredLetter, StoreEvents } from '../store/store';
import { Participant, type ParticipantContext } from './participant';

export interface NodeContext extends ParticipantContext {
  readonly recoveryWindowMs: number;
  /** Another node is there, for the first time or again. */
  nodeJoined(node: string): void;
  nodeLeft(node: string): void;
}

/** So many sessions are stored at a time only to learn whether they have letters, … */
const askedAtOnce = 500;
/** … with so many milliseconds between: all this has the store do besides. */
const askedEachMs = 50;
/** Who does not let go of a session in so many milliseconds is not waited for. */
const letGoMsMax = 500;
/** Who does not say in so many milliseconds that it knows what is finished is told again. */
const finishedMsMax = 2_000;
const finishedShape: Shape = { tuple: ['text', 'count', { list: replyShape }] };

export class Node extends Participant implements SharedContext {
  readonly expiry: Expiry;
  sessions!: Sessions;
  /** Those that are still to be asked about. */
  #unasked: Iterator<Session> | undefined;
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    super(context);
    this.#context = context;
    const { store, wheel, recoveryWindowMs, report } = context;
    this.expiry = new Expiry({ store, patience: this.patience, wheel, recoveryWindowMs, report });
  }

  override async open(onVolatile: StoreEvents['onVolatile']): Promise<readonly string[]> {
    const { inbox } = this.#context;
    inbox.on('let-go', async (value, from) => {
      const [session, generation] = Array.isArray(value) ? value : [];
      if (typeof session === 'string' && Number.isSafeInteger(generation)) {
        return this.#inTime(
          this.sessions.letGo(session, generation as number, from),
        ) as Promise<unknown> as Promise<Value>;
      }
      throw new RemoteProtocolError('ERR_LET_GO', 'a session is asked for by its id and a generation');
    });
    inbox.on('finished', (value) => {
      const fault = faultOf(value, finishedShape, 'finished');
      const [session, number, replies] = value as unknown as [string, number, readonly Reply[]];
      try {
        if (fault !== undefined) throw new RecordError(fault);
        for (const reply of replies) decodeReply(reply, this.store.codec);
      } catch (error) {
        throw new RemoteProtocolError('ERR_FINISHED', error instanceof Error ? error.message : String(error));
      }
      return this.sessions.finished(session, number, replies);
    });
    return super.open(onVolatile);
  }

  protected override begun(): void {
    this.expiry.begin();
  }

  /** @returns what was waited for; null if that takes so long that who asks would take this server for gone */
  #inTime<Result>(done: Promise<Result>): Promise<Result | null> {
    return new Promise((resolve, reject) => {
      const cancel = this.patience.after(letGoMsMax / 2, () => resolve(null));
      done.then(resolve, reject).finally(cancel);
    });
  }

  readonly letGo: SharedContext['letGo'] = async (node, session, generation) => {
    const open = await this.#context.inbox.ask(node, 'let-go', [session, generation], letGoMsMax);
    if (open === null) return undefined;
    return faultOf(open, openElsewhereShape, 'open') === undefined ? (open as unknown as readonly OpenElsewhere[]) : [];
  };

  readonly isThere = (node: string): boolean => this.#context.inbox.nodes.includes(node);

  readonly tellFinished: SharedContext['tellFinished'] = async (node, ...what) =>
    (await this.#context.inbox.ask(node, 'finished', what as unknown as Value, finishedMsMax)) === true;

  protected override letter(session: string, letter: StoredLetter): void {
    this.sessions.letter(session, letter);
  }

  /** The store tells of letters where a session is written. Those that are away read theirs when they come back. */
  protected override missed(): void {
    const isAsking = this.#unasked !== undefined;
    this.#unasked = this.sessions[Symbol.iterator]();
    if (!isAsking) this.#ask();
  }

  #ask(): void {
    const sessions = this.#unasked as Iterator<Session>;
    for (let i = 0; i < askedAtOnce; i++) {
      const { done, value: session } = sessions.next();
      if (done === true) {
        this.#unasked = undefined;
        return;
      }
      if (session.connection !== undefined) this.turn.touch(session);
    }
    this.patience.after(askedEachMs, () => this.#ask());
  }

  protected override nodeJoined(node: string): void {
    this.#context.nodeJoined(node);
  }

  protected override nodeLeft(node: string): void {
    this.#context.nodeLeft(node);
    this.sessions.nodeLeft(node);
  }

  /** Records that are here go on from what they are here. */
  protected override rolledBack(partition: number, sessions: readonly string[]): void {
    this.sessions.rolledBack((session) => this.store.partitionOf(session) === partition, sessions);
  }

  override async finish(): Promise<void> {
    if (!this.isOpen) return;
    for (const session of this.sessions) this.turn.touch(session);
    await super.finish();
  }
}
