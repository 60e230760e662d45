// A process among others that share its store: what it says is stored once and in order, or it is told what the store has lost of it.
// A server is one that has sessions as well; an emitter has nothing else.
import type { Codec } from '@halyard/codec';
import { RemoteProtocolError } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import { UnderWay } from '../base/under-way';
import { TimedCall, type TimerWheel } from '../base/wheel';
import { Retention, type RetentionLimits } from '../log/retention';
import { Stamps } from '../log/stamp';
import { faultOf, type Shape } from '../session/record-shape';
import { Detours } from '../store/detours';
import type { FeedContext } from '../store/feed';
import { Feeds } from '../store/feeds';
import type { Inbox } from '../store/inbox';
import { type Known, nameOf } from '../store/known';
import type { Written } from '../store/lately';
import { Impatience, Patience } from '../store/patience';
import { type QueueContext, QueuedTurn } from '../store/queued-turn';
import type { Store, StoredLetter, StoreEvents, StoreState, StoreTrouble } from '../store/store';

export interface ParticipantContext {
  readonly store: Store;
  readonly platform: Platform;
  readonly wheel: TimerWheel;
  readonly limits: RetentionLimits;
  readonly codecs: readonly Codec[];
  /** Its id: random, never used before. */
  readonly node: string;
  readonly inbox: Inbox;
  readonly ackTimeoutMs: number;
  /** Something was released to connections. */
  released(): void;
  /** The store is up that was told to be away. */
  storeBack(awayMs: number): void;
  report(error: unknown, where: string): void;
  warn(code: string, message: string): void;
}

/** What is published and not stored may have so many bytes. */
const storeQueueBytesMax = 16 << 20;
const knownShape: Shape = { tuple: ['count', 'count', 'text', 'flag'] };
const answerShape: Shape = { list: knownShape };
const announcementShape: Shape = { tuple: ['text', 'text', knownShape] };
/** Who does not say in so many milliseconds how far it has known a log is taken for one that has known more. */
const announceMsMax = 2_000;
/** A partition in which nothing was stored for so many milliseconds is looked at, whether it has what was: a few times within `findsOutMs`. */
const quietMs = 2_000;
/** So many logs are given another epoch at one time. */
const renewalsMax = 64;
/** As many times as long as a server alone a node keeps what it has of logs, if there is room. */
const keptWindows = 10;
/** A store that is away for so many milliseconds is told of, and again as long as it is. */
const untoldMsMax = 2_000;
const againMs = 30_000;
/** How long one that is closed waits for the store, in milliseconds. */
const finishMsMax = 2_000;

const unknownTrouble: StoreTrouble = {
  code: 'ERR_STORE_AWAY',
  message: 'The store does not answer: what clients and handlers say waits until it does.',
};

export class Participant {
  readonly node: string;
  readonly store: Store;
  readonly patience: Patience;
  readonly turn: QueuedTurn;
  readonly commits: UnderWay;
  readonly retention: Retention;
  readonly #feeds: Feeds;
  readonly #context: ParticipantContext;
  /** Since when the store is away, and whether that was told. */
  #away: { readonly sinceMs: number; isTold: boolean; cancel(): void } | undefined;
  readonly #looking = new TimedCall(() => {
    this.turn.lookAtQuiet();
    this.#lookLater();
  });

  constructor(context: ParticipantContext) {
    const { store, platform, wheel, limits, codecs, node, released, report } = context;
    this.#context = context;
    this.store = store;
    this.node = node;
    this.patience = new Patience(platform);
    // By the time of day itself: what other nodes emit is put in order by it.
    const stamps = new Stamps(() => platform.wall());
    const { patience } = this;
    const soon = (run: () => void): void => platform.soon(run);
    const rolledBack: QueueContext['rolledBack'] = async (partition, { sessions, logs }, wanted) => {
      this.rolledBack(partition, sessions);
      this.turn.after(() => this.#check());
      await this.#tellLost([...logs].filter(([log]) => wanted.has(log)));
      void this.#tellLost([...logs].filter(([log]) => !wanted.has(log)));
    };
    const commits = new UnderWay(() => platform.exact());
    this.commits = commits;
    const limitsOfQueue = { storeQueueBytesMax, storedMsMax: context.ackTimeoutMs };
    this.turn = new QueuedTurn({
      store,
      patience,
      stamps,
      ...limitsOfQueue,
      underWay: commits,
      soon,
      released,
      rolledBack,
      report,
    });
    // While the store is away nobody can come for what is here, and sessions wait longer.
    const kept = { ...limits, entryAgeMsMax: limits.entryAgeMsMax * keptWindows };
    const retention = new Retention(kept, wheel, () => {});
    this.retention = retention;
    const isReleased = (stamp: number): boolean => stamp <= this.turn.releasedStamp;
    const announce: FeedContext['announce'] = (...what) => this.#announce(...what);
    const answered = (): Promise<void> => this.turn.answered();
    const detours = new Detours();
    const feeds = { store, patience, retention, stamps, codecs, node, detours, isReleased, answered, announce, report };
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
    inbox.on('log top', async (value) => {
      if (faultOf(value, announcementShape, 'announcement') !== undefined) {
        throw new RemoteProtocolError('ERR_LOG_TOP', 'a log is told by its name, its epoch, and how it is known');
      }
      const [log, epoch, known] = value as unknown as [string, string, Known];
      // What is on its way may come into the epoch that is lost, and be seen by nobody but this node.
      await this.turn.written();
      return [this.#feeds.announced(log, epoch, known), ...this.#writtenTo(log, epoch)];
    });
    await this.patience.once(() =>
      store.open(this.node, {
        onEntry: (log, epoch, entry) => this.#feeds.arrived(log, epoch, entry),
        onLetter: (session, letter) => this.letter(session, letter),
        // What is on its way there comes before: it shows what is lost.
        onMissed: () => {
          this.turn.probe(() => this.#check());
          this.missed();
        },
        onRenewed: (log, epoch) => this.#feeds.renewed(log, epoch),
        onMessage: (from, message) => inbox.receive(from, message),
        onVolatile,
        onJoined: (node) => {
          inbox.joined(node);
          this.nodeJoined(node);
        },
        onLeft: (node) => {
          inbox.left(node);
          this.nodeLeft(node);
        },
        onState: (state) => {
          this.patience.told(state);
          this.#storeIs(state);
        },
        onWarning: (code, message) => this.#context.warn(code, message),
      }),
    );
    this.patience.begin();
    this.turn.begin();
    this.#lookLater();
    this.begun();
    return this.patience.until(() => store.nodes());
  }

  #storeIs(state: StoreState): void {
    const away = this.#away;
    if (state !== 'up') {
      this.#away ??= { sinceMs: this.#context.platform.now(), isTold: false, cancel: this.#tellAwayIn(untoldMsMax) };
      return;
    }
    this.#away = undefined;
    away?.cancel();
    if (away?.isTold) this.#context.storeBack(this.#context.platform.now() - away.sinceMs);
  }

  #tellAwayIn(delayMs: number): () => void {
    return this.patience.after(delayMs, () => {
      const away = this.#away;
      if (away === undefined) return;
      if (this.store.state === 'recovering') {
        // It is there again, and has much to read.
        away.cancel = this.#tellAwayIn(untoldMsMax);
        return;
      }
      away.isTold = true;
      away.cancel = this.#tellAwayIn(againMs);
      const { code, message } = this.store.trouble ?? unknownTrouble;
      this.#context.warn(code, message);
    });
  }

  #lookLater(): void {
    const { wheel } = this.#context;
    wheel.schedule(this.#looking, wheel.now() + quietMs);
  }

  /** The store is open. */
  protected begun(): void {}

  /** There is a letter for a session that is here. */
  protected letter(_session: string, _letter: StoredLetter): void {}

  /** Letters may be there that were not told of. */
  protected missed(): void {}

  /** Another node is there, for the first time or again. */
  protected nodeJoined(_node: string): void {}

  /** Another node is gone. */
  protected nodeLeft(_node: string): void {}

  /** The store has lost some of what this node has stored in a partition. */
  protected rolledBack(_partition: number, _sessions: readonly string[]): void {}

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
    return [...written, ...results.flatMap(([, its]) => its as unknown as Known[])];
  }

  /** What this node has written to a log, whether or not it follows it. */
  #writtenTo(log: string, epoch: string): readonly Known[] {
    const written = this.turn.writtenTo(log, epoch);
    return written === undefined ? [] : this.#knownBy(written);
  }

  /** How this node knows a log by what it has written: whoever goes on has to have the last of it, and what is lost of that. */
  #knownBy({ position: [, top], stamp, lost }: Written): readonly Known[] {
    const known = lost.map(({ offset, stamp }): Known => [top, offset, nameOf(this.node, stamp), true]);
    return lost.at(-1)?.stamp === stamp ? known : [...known, [top, top, nameOf(this.node, stamp), false]];
  }

  /** Who is in a room, and has not read what is lost, may be nowhere now: then the epoch says that something is missing. */
  async #tellLost(logs: readonly (readonly [log: string, written: Written])[]): Promise<void> {
    try {
      for (let at = 0; at < logs.length; at += renewalsMax) {
        await Promise.all(logs.slice(at, at + renewalsMax).map((one) => this.#renew(...one)));
      }
    } catch (error) {
      this.#failed(error, 'telling what is lost');
    }
  }

  async #renew(log: string, written: Written): Promise<void> {
    const [epoch] = written.position;
    for (const known of this.#knownBy(written)) await this.#announce(log, epoch, known);
    const [renewed] = await this.patience.until(() => this.store.renew(log, epoch));
    this.#feeds.renewed(log, renewed);
  }

  #failed(error: unknown, where: string): void {
    if (!(error instanceof Impatience)) this.#context.report(error, where);
  }

  /** What there is to be stored is stored, if the store answers. */
  async finish(): Promise<void> {
    if (!this.isOpen) return;
    await this.patience.once(() => this.turn.drained(), finishMsMax).catch(() => {});
    if (this.turn.isIdle) return;
    const { queuedBytes } = this.turn;
    this.#context.warn(
      'ERR_NOT_STORED',
      `The server closes, and for ${finishMsMax} ms its store has not taken what was there to be stored: ${queuedBytes} bytes of ` +
        'messages go to nobody, and events whose end is not stored are handled again at another server.',
    );
  }

  async close(): Promise<void> {
    this.#away?.cancel();
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
