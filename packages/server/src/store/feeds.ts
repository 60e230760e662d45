// The logs that this node follows, by name, each as long as somebody here is in its room or reads it, and a little longer.
import type { Position } from '@halyard/protocol';
import { TimedCall, type TimerWheel } from '../base/wheel';
import type { Follower } from '../log/follower';
import type { Log } from '../log/log';
import { isState } from './answers';
import { Arrivals } from './arrivals';
import { Feed, type FeedContext, type FeedState } from './feed';
import { type Known, nameOf, unknown } from './known';
import { Impatience } from './patience';
import type { LogState, StoredEntry } from './store';

/** As long as it may take until a node knows what the store has lost, in milliseconds. */
export const findsOutMs = 10_000;
const goneMax = 16_384;
/** As many logs are asked for at a time. */
const checkedMax = 512;

export class Feeds {
  readonly #context: FeedContext;
  readonly #wheel: TimerWheel;
  readonly #byName = new Map<string, Feed>();
  readonly #arrivals: Arrivals;
  /** Epochs that logs had until the store lost some of them, by the logs' names. */
  readonly #gone = new Map<string, string>();
  readonly #lingering = new Map<Feed, TimedCall>();

  constructor(context: Omit<FeedContext, 'byEpoch'>, wheel: TimerWheel) {
    this.#context = { ...context, byEpoch: new Map() };
    this.#wheel = wheel;
    this.#arrivals = new Arrivals({
      ...context,
      deliver: ({ log, epoch, entry }) => this.#byName.get(log)?.arrived(epoch, entry),
    });
  }

  /** A room's log. It has entries once it is started. */
  follow(name: string, follower: Follower): Log {
    const feed = this.#byName.get(name) ?? new Feed(name, this.#context);
    this.#byName.set(name, feed);
    if (feed.follower !== undefined) follower.succeeds?.(feed.follower);
    feed.follower = follower;
    const lingering = this.#lingering.get(feed);
    if (lingering !== undefined) this.#wheel.cancel(lingering);
    this.#lingering.delete(feed);
    return feed.log;
  }

  /** The log is needed from an offset on, or from now on. */
  start(log: Log, from: Position | undefined): void {
    this.#feedOf(log)
      ?.start(from)
      .catch((error: unknown) => {
        if (!(error instanceof Impatience)) this.#context.report(error, 'following a log');
      });
  }

  unfollow(log: Log, follower: Follower): void {
    const feed = this.#feedOf(log);
    // As long as the log lingers it is still told what is lost.
    if (feed?.follower === follower) this.#linger(feed);
  }

  /** It is needed as long as something of this node for it is not stored. @returns a function to be called then */
  pin(name: string): () => void {
    const feed = this.#byName.get(name);
    if (feed === undefined) return () => {};
    feed.pins++;
    return () => {
      feed.pins--;
    };
  }

  whenAt(log: Log, offset: number, run: () => void, epoch?: string): void {
    const feed = this.#feedOf(log);
    if (feed === undefined) run();
    else feed.whenAt(offset, run, epoch);
  }

  /** Whether a log has an epoch, or had it while it was followed here. */
  hasKnown(log: Log, epoch: string): boolean {
    return this.#feedOf(log)?.hasKnown(epoch) ?? false;
  }

  /** @returns whether all entries of a log after an offset are here */
  async load(log: Log, after: number): Promise<boolean> {
    const feed = this.#feedOf(log);
    return feed === undefined ? after >= log.base : feed.load(after);
  }

  /** Entries may have been missed in any log, the last one too, or be lost. */
  async check(): Promise<void> {
    const { store, patience } = this.#context;
    this.#arrivals.flush();
    const feeds: Feed[] = [];
    for (const feed of this.#byName.values()) {
      feed.doubt();
      if (feed.isReady) feeds.push(feed);
    }
    for (let i = 0; i < feeds.length; i += checkedMax) {
      const some = feeds.slice(i, i + checkedMax);
      const names = some.map(({ log }) => log.name);
      const then = some.map(({ state }) => state);
      const states = await patience.until(
        () => store.tops(names),
        (tops) => tops.length === names.length && tops.every(isState),
      );
      for (const [j, feed] of some.entries()) {
        feed.compare(states[j] as LogState, then[j] as FeedState);
      }
    }
  }

  /** The store has said that a log goes up to a position. @param stamp of the entry there, if it is this node's */
  known(name: string, [epoch, offset]: Position, stamp: number | undefined): void {
    const last = stamp === undefined ? ([0, ''] as const) : ([offset, nameOf(this.#context.node, stamp)] as const);
    const known: Known = [offset, ...last, false];
    const feed = this.#byName.get(name);
    if (stamp !== undefined) feed?.stored([epoch, offset]);
    feed?.known(epoch, known);
    // Others have asked about it, and this node did not know then.
    if (this.#gone.get(name) === epoch && feed?.expects(epoch) !== false)
      this.#context.announce(name, epoch, known).catch(() => {});
  }

  /** The store says that a log has another epoch. */
  renewed(name: string, epoch: string): void {
    this.#arrivals.flush();
    this.#byName.get(name)?.renewed(epoch);
  }

  /** How another node has known a log. @returns how it was known here */
  announced(name: string, epoch: string, known: Known): Known {
    this.#arrivals.flush();
    this.#gone.delete(name);
    this.#gone.set(name, epoch);
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= goneMax) break;
      this.#gone.delete(oldest);
    }
    return this.#byName.get(name)?.announced(epoch, known) ?? unknown;
  }

  arrived(log: string, epoch: string, entry: StoredEntry): void {
    this.#arrivals.add({ log, epoch, entry });
  }

  /**
   * What this node has emitted is stored, and is delivered.
   * @param entry undefined: it was stored before
   * @returns the feed if it has to wait there for what comes before it
   */
  released(name: string, epoch: string, entry: StoredEntry | undefined): Feed | undefined {
    if (entry !== undefined) this.#byName.get(name)?.released(epoch, entry);
    this.#arrivals.released();
    return entry && this.notAt(name, [epoch, entry.offset]);
  }

  /** What comes there is not kept waiting for what comes by other logs: that waits for it. */
  waitFor(places: readonly { readonly feed: Feed; readonly offset: number }[]): void {
    this.#arrivals.waitFor(new Map(places.map(({ feed, offset }) => [feed.log.name, offset])));
    for (const { feed, offset } of places) feed.hurry(offset);
  }

  /** @returns a log's feed, if the log is followed here, and will come to a position that it has not come to */
  notAt(name: string, [epoch, offset]: Position): Feed | undefined {
    const feed = this.#byName.get(name);
    if (feed === undefined || feed.isStarting) return feed;
    const isHere = feed.isReady && feed.log.id === epoch && feed.log.lastOffset >= offset;
    return isHere || !feed.expects(epoch) ? undefined : feed;
  }

  stop(): void {
    for (const feed of this.#byName.values()) feed.stop();
    this.#byName.clear();
  }

  #feedOf(log: Log): Feed | undefined {
    const feed = this.#byName.get(log.name);
    return feed?.log === log ? feed : undefined;
  }

  /** Rooms are left and joined again, and who has left may have to be told what is lost. */
  #linger(feed: Feed): void {
    const lingering = new TimedCall(() => {
      if (this.#lingering.get(feed) !== lingering) return;
      if (feed.isAwaited) {
        this.#linger(feed);
        return;
      }
      this.#lingering.delete(feed);
      this.#byName.delete(feed.log.name);
      feed.stop();
    });
    this.#lingering.set(feed, lingering);
    this.#wheel.schedule(lingering, this.#wheel.now() + findsOutMs);
  }
}
