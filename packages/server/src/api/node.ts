// This server among the others that share its store: what it tells them, and what they ask of it.
import type { Codec } from '@halyard/codec';
import { RemoteProtocolError } from '@halyard/protocol';
import type { Platform } from '../base/platform';
import type { TimerWheel } from '../base/wheel';
import { Retention, type RetentionLimits } from '../log/retention';
import { Stamps } from '../log/stamp';
import type { Sessions, SharedContext } from '../session/directory';
import { Feeds } from '../store/feeds';
import type { Inbox } from '../store/inbox';
import { Patience } from '../store/patience';
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
  /** Something was released to connections. */
  released(): void;
  report(error: unknown, where: string): void;
}

/** Who does not let go of a session in so many milliseconds is not waited for. */
const letGoMsMax = 500;
/** How long a server that is closed waits for the store, in milliseconds. */
const finishMsMax = 2_000;

export class Node implements SharedContext {
  readonly node: string;
  readonly store: Store;
  readonly patience: Patience;
  readonly turn: QueuedTurn;
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
    const soon = (run: () => void): void => platform.soon(run);
    this.turn = new QueuedTurn({ store, patience, stamps, storeQueueBytesMax, soon, released, report });
    const retention = new Retention(limits, wheel, () => {});
    const isReleased = (stamp: number): boolean => stamp <= this.turn.releasedStamp;
    this.#feeds = new Feeds({ store, patience, retention, stamps, codecs, node, isReleased, report }, wheel);
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
    inbox.on('let-go', (value) => {
      const [session, generation] = Array.isArray(value) ? value : [];
      if (typeof session === 'string' && Number.isSafeInteger(generation)) {
        return this.sessions.letGo(session, generation as number);
      }
      throw new RemoteProtocolError('ERR_LET_GO', 'a session is asked for by its id and a generation');
    });
    await this.patience.once(() =>
      store.open(this.node, {
        onEntry: (log, epoch, entry) => this.#feeds.arrived(log, epoch, entry),
        onLetter: (session, letter) => this.sessions.letter(session, letter),
        onMissed: () => this.#feeds.check(),
        onMessage: (from, message) => inbox.receive(from, message),
        onVolatile,
        onJoined: (node) => inbox.joined(node),
        onLeft: (node) => inbox.left(node),
        onExpired() {},
        onState() {},
      }),
    );
    this.patience.begin();
    this.turn.begin();
    return this.patience.until(() => store.nodes());
  }

  readonly letGo = (node: string, session: string, generation: number): Promise<unknown> =>
    this.#context.inbox.ask(node, 'let-go', [session, generation], letGoMsMax);

  /** What there is to be stored is stored, if the store answers. */
  async finish(): Promise<void> {
    if (!this.isOpen) return;
    for (const session of this.sessions) this.turn.touch(session);
    await this.patience.once(() => this.turn.drained(), finishMsMax).catch(() => {});
  }

  async close(): Promise<void> {
    this.patience.end();
    this.turn.end();
    this.#feeds.stop();
    try {
      await this.store.close();
    } catch (error) {
      this.#context.report(error, 'closing the store');
    }
  }
}
