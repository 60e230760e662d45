// This server among the others that share its store: what it tells them, and what they ask of it.
import type { Codec } from '@halyard/codec';
import { RemoteProtocolError, type Value } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import { Retention, type RetentionLimits } from '../log/retention';
import { Stamps } from '../log/stamp';
import type { Sessions, SharedContext } from '../session/directory';
import { Expiry } from '../session/expiry';
import { decodeReply, type OpenElsewhere, openElsewhereShape, type Reply, replyShape } from '../session/handover';
import { RecordError } from '../session/record';
import { faultOf, type Shape } from '../session/record-shape';
import type { FeedContext } from '../store/feed';
import { Feeds } from '../store/feeds';
import type { Inbox } from '../store/inbox';
import { type Known, nameOf, unknown } from '../store/known';
import type { Lost } from '../store/lately';
import { Impatience, Patience } from '../store/patience';
import { QueuedTurn } from '../store/queued-turn';
import type { Store, StoreEvents } from '../store/store';

export interface NodeContext {
  readonly store: Store;
  readonly platform: Platform;
  readonly wheel: TimerWheel;
  readonly limits: RetentionLimits;
  readonly codecs: readonly Codec[];
  /** Its id: random, never used before. */
  readonly node: string;
  readonly inbox: Inbox;
  readonly storeQueueBytesMax: number;
  readonly recoveryWindowMs: number;
  readonly ackTimeoutMs: number;
  /** Something was released to connections. */
  released(): void;
  report(error: unknown, where: string): void;
}

/** Who does not let go of a session in so many milliseconds is not waited for. */
const letGoMsMax = 500;
/** Who does not say in so many milliseconds that it knows what is finished is told again. */
const finishedMsMax = 2_000;
const knownShape: Shape = { tuple: ['count', 'count', 'text'] };
const answerShape: Shape = { tuple: [knownShape, knownShape] };
const announcementShape: Shape = { tuple: ['text', 'text', knownShape] };
const finishedShape: Shape = { tuple: ['text', 'count', { list: replyShape }] };
/** Who does not say in so many milliseconds how far it has known a log is taken for one that has known more. */
const announceMsMax = 2_000;
/** As many times as long as a server alone a node keeps what it has of logs, if there is room. */
const keptWindows = 10;
/** How long a server that is closed waits for the store, in milliseconds. */
const finishMsMax = 2_000;

export class Node implements SharedContext {
  readonly node: string;
  readonly store: Store;
  readonly patience: Patience;
  readonly turn: QueuedTurn;
  readonly expiry: Expiry;
  sessions!: Sessions;
  readonly #feeds: Feeds;
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    const { store, platform, wheel, limits, codecs, storeQueueBytesMax, released, report } = context;
    this.#context = context;
    this.store = store;
    this.node = context.node;
    this.patience = new Patience(platform);
    // By the time of day itself: what other nodes emit is put in order by it.
    const stamps = new Stamps(() => platform.wall());
    const { patience, node } = this;
    const { recoveryWindowMs } = context;
    this.expiry = new Expiry({ store, patience, wheel, recoveryWindowMs, report });
    const soon = (run: () => void): void => platform.soon(run);
    const rolledBack = (partition: number, lost: Lost): void => this.#rolledBack(partition, lost);
    const limitsOfQueue = { storeQueueBytesMax, storedMsMax: context.ackTimeoutMs };
    this.turn = new QueuedTurn({ store, patience, stamps, ...limitsOfQueue, soon, released, rolledBack, report });
    // While the store is away nobody can come for what is here, and sessions wait longer.
    const kept = { ...limits, entryAgeMsMax: limits.entryAgeMsMax * keptWindows };
    const retention = new Retention(kept, wheel, () => {});
    const isReleased = (stamp: number): boolean => stamp <= this.turn.releasedStamp;
    const announce: FeedContext['announce'] = (...what) => this.#announce(...what);
    const answered = (): Promise<void> => this.turn.answered();
    const feeds = { store, patience, retention, stamps, codecs, node, isReleased, answered, announce, report };
    this.#feeds = new Feeds(feeds, wheel);
    this.turn.feeds = this.#feeds;
  }

  /** Whether the store is. It stays open if listening fails: that may be tried again. */
  get isOpen(): boolean {
    return this.patience.isBegun;
  }

  /** @returns all nodes that are there */
  async open(onVolatile: StoreEvents['onVolatile']): Promise<readonly string[]> {
    const { inbox } = this.#context;
    const { store } = this;
    inbox.on('let-go', async (value, from) => {
      const [session, generation] = Array.isArray(value) ? value : [];
      if (typeof session === 'string' && Number.isSafeInteger(generation)) {
        return (await this.sessions.letGo(session, generation as number, from)) as unknown as Value;
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
    inbox.on('log top', (value) => {
      if (faultOf(value, announcementShape, 'announcement') !== undefined) {
        throw new RemoteProtocolError('ERR_LOG_TOP', 'a log is told by its name, its epoch, and how it is known');
      }
      const [log, epoch, known] = value as unknown as [string, string, Known];
      return [this.#feeds.announced(log, epoch, known), this.#writtenTo(log, epoch)];
    });
    await this.patience.once(() =>
      store.open(this.node, {
        onEntry: (log, epoch, entry) => this.#feeds.arrived(log, epoch, entry),
        onLetter: (session, letter) => this.sessions.letter(session, letter),
        // What is on its way there comes before: it shows what is lost.
        onMissed: () => this.turn.probe(() => this.#check()),
        onRenewed: (log, epoch) => this.#feeds.renewed(log, epoch),
        onMessage: (from, message) => inbox.receive(from, message),
        onVolatile,
        onJoined: (node) => inbox.joined(node),
        onLeft: (node) => {
          inbox.left(node);
          this.sessions.nodeLeft(node);
        },
        onState() {},
      }),
    );
    this.patience.begin();
    this.turn.begin();
    this.expiry.begin();
    return this.patience.until(() => store.nodes());
  }

  readonly letGo = async (node: string, session: string, generation: number): Promise<readonly OpenElsewhere[]> => {
    const open = await this.#context.inbox.ask(node, 'let-go', [session, generation], letGoMsMax);
    return faultOf(open, openElsewhereShape, 'open') === undefined ? (open as unknown as readonly OpenElsewhere[]) : [];
  };

  readonly isThere = (node: string): boolean => this.#context.inbox.nodes.includes(node);

  readonly tellFinished: SharedContext['tellFinished'] = async (node, ...what) =>
    (await this.#context.inbox.ask(node, 'finished', what as unknown as Value, finishedMsMax)) === true;

  #check(): void {
    this.#feeds.check().catch((error: unknown) => this.#failed(error, 'looking at logs'));
  }

  async #announce(log: string, epoch: string, known: Known): Promise<readonly Known[] | undefined> {
    const written = this.#writtenTo(log, epoch);
    const { results, missing } = await this.#context.inbox.askAll('log top', [log, epoch, known], announceMsMax);
    const isAnswer = ([, value]: (typeof results)[number]): boolean =>
      faultOf(value, answerShape, 'answer') === undefined;
    // What one has known that does not answer may be more.
    if (missing.length > 0 || !results.every(isAnswer)) return undefined;
    return [written, ...results.flatMap(([, its]) => its as unknown as Known[])];
  }

  /** What this node has written to a log, whether or not it follows it. */
  #writtenTo(log: string, epoch: string): Known {
    const written = this.turn.writtenTo(log, epoch);
    if (written === undefined) return unknown;
    const [, offset] = written.position;
    return [offset, offset, nameOf(this.node, written.stamp)];
  }

  /** Records that are here go on from what they are here. */
  #rolledBack(partition: number, { sessions, logs }: Lost): void {
    this.sessions.rolledBack((session) => this.store.partitionOf(session) === partition, sessions);
    this.turn.after(() => this.#check());
    this.#tellLost(logs).catch((error: unknown) => this.#failed(error, 'telling what is lost'));
  }

  /** Who is in a room, and has not read what is lost, may be nowhere now: then the epoch says that something is missing. */
  async #tellLost(logs: Lost['logs']): Promise<void> {
    for (const [log, { position, stamp }] of logs) {
      const [epoch, offset] = position;
      await this.#announce(log, epoch, [offset, offset, nameOf(this.node, stamp)]);
      const [renewed] = await this.patience.until(() => this.store.renew(log, epoch));
      this.#feeds.renewed(log, renewed);
    }
  }

  #failed(error: unknown, where: string): void {
    if (!(error instanceof Impatience)) this.#context.report(error, where);
  }

  /** What there is to be stored is stored, if the store answers. */
  async finish(): Promise<void> {
    if (!this.isOpen) return;
    for (const session of this.sessions) this.turn.touch(session);
    await this.patience.once(() => this.turn.drained(), finishMsMax).catch(() => {});
  }

  async close(): Promise<void> {
    this.patience.end();
    this.turn.close();
    this.#feeds.stop();
    try {
      await this.store.close();
    } catch (error) {
      this.#context.report(error, 'closing the store');
    }
  }
}
