// One Redis that has all partitions, or some: its connections, and whether all that is said there arrives. A marker goes out every
// two seconds and has to come back; where it does not, or a connection was lost, everything is subscribed anew and it is told that
// something may have been missed.
import type { StoreContext, StoreState } from '@halyard/server';
import type { Redis } from 'ioredis';
import { isElsewhere } from './cluster-map';
import { Link, type LinkEvents } from './link';
import { defineScripts } from './scripts';
import type { Subscriptions } from './subscriptions';
import { loading, silent } from './trouble';

export interface ShardContext extends Pick<StoreContext, 'platform'> {
  /** @returns a connection that is not open yet */
  connect(): Redis;
  /** Whether commits have a connection of their own, so that nothing else waits when they wait for replicas. */
  readonly isWaiting: boolean;
  readonly subscriptions: Subscriptions;
  /** Another number of a marker than ever before. */
  nextMarker(): number;
  /** Has this node told a marker, by a partition. */
  mark(partition: number, marker: number): Promise<unknown>;
  /** Says that this node is there, in the first partition, and does the same. */
  beat(marker: number): Promise<void>;
  onState(): void;
  /** Something may have been missed. */
  onMissed(): void;
  /** A partition may be elsewhere. @returns once that was looked at */
  onDoubt(): Promise<void>;
}

export const beatMs = 2_000;
/** A connection that has not answered for so long is made anew. */
const silentMsMax = 6_000;
const retryMs = 500;

export class Shard {
  readonly partitions: Set<number>;
  readonly commands: Link;
  readonly commits: Link;
  readonly subscriber: Link;
  state: StoreState = 'recovering';
  readonly #context: ShardContext;
  readonly #heard = new Map<number, () => void>();
  /** Markers that have to come back. */
  readonly #due = new Set<number>();
  #turn = 0;
  #isSubscribed = false;
  #isRecovering = false;
  /** Something has changed while it was subscribed anew. */
  #isAgain = false;
  #isMoved = false;
  #beatingSince: number | undefined;
  /** What it has answered last instead of what it was asked for. */
  #refusal: unknown;
  #isOver = false;

  constructor(context: ShardContext, partitions: Iterable<number>) {
    const { connect, onDoubt, subscriptions, isWaiting } = context;
    this.#context = context;
    this.partitions = new Set(partitions);
    const events: LinkEvents = {
      onBack: () => void this.pulse(),
      onLost: () => {
        this.#become('degraded');
        void onDoubt();
      },
    };
    this.commands = new Link(connect(), events);
    this.commits = isWaiting ? new Link(connect(), events) : this.commands;
    this.subscriber = new Link(connect(), {
      onBack: () => void this.recover(),
      onLost: () => {
        this.#isSubscribed = false;
        this.#due.clear();
        this.#become('degraded');
        void onDoubt();
      },
    });
    // Redis has taken a subscription back that it had given, and says so for each channel.
    this.subscriber.client.on('moved', () => {
      if (this.#isMoved) return;
      this.#isMoved = true;
      void onDoubt().then(() => {
        this.#isMoved = false;
        return this.recover();
      });
    });
    for (const { client } of new Set([this.commands, this.commits])) defineScripts(client);
    subscriptions.hear(this.subscriber);
  }

  /** Rejects if it cannot be used: then it is over. */
  async open(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.open()));
  }

  /** What was to be subscribed is. */
  begin(): void {
    this.#isSubscribed = true;
    this.#become('up');
  }

  /** @returns once everything that was said before, and heard by this Redis, has come here */
  async roundTrip(): Promise<void> {
    const [partition] = this.partitions;
    if (partition === undefined) return;
    const marker = this.#context.nextMarker();
    const heard = new Promise<void>((resolve) => this.#heard.set(marker, resolve));
    await this.#context.mark(partition, marker);
    await heard;
  }

  /** A marker has come back. */
  returned(marker: number): void {
    this.#due.delete(marker);
    this.#heard.get(marker)?.();
    this.#heard.delete(marker);
  }

  /** @param isLate whether this process has stood still: then what has come was not read yet */
  async pulse(isLate = false): Promise<void> {
    const { platform } = this.#context;
    if (this.#isOver || !this.commands.isReady) return;
    if (this.#beatingSince !== undefined) {
      if (isLate) return;
      this.#become('degraded');
      void this.#context.onDoubt();
      if (platform.now() - this.#beatingSince >= silentMsMax) {
        this.commands.renew();
        this.commits.renew();
      }
      return;
    }
    if (this.#due.size > 0 && !isLate) {
      // It has not come back: nothing else has, for all that is known.
      this.#due.clear();
      this.subscriber.renew();
    }
    this.#beatingSince = platform.now();
    try {
      const answers: Promise<unknown>[] = this.#marked().map((partition) => this.#mark(partition));
      // What it is there for: whoever may do nothing else may do this.
      if (this.commits !== this.commands) answers.push(this.commits.run((client) => client.wait(0, 1)));
      await Promise.all(answers);
      if (this.#isSubscribed) this.#become('up');
    } catch (error) {
      this.#refusal = error;
      this.#become('degraded');
    } finally {
      this.#beatingSince = undefined;
    }
  }

  /** Something may have been missed. */
  async recover(): Promise<void> {
    if (this.#isOver) return;
    this.#isSubscribed = false;
    this.#due.clear();
    this.#isAgain = true;
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.#become('recovering');
    const { platform, subscriptions, onMissed, onDoubt } = this.#context;
    try {
      while (this.#isAgain) {
        this.#isAgain = false;
        await subscriptions.renew(this.partitions);
      }
      this.#isSubscribed = true;
    } catch (error) {
      if (!isElsewhere(error)) this.#refusal = error;
      // Without a connection the next one begins anew.
      platform.after(retryMs, () => {
        if (!this.#isSubscribed && this.subscriber.isReady) void this.recover();
      });
      if (isElsewhere(error)) void onDoubt();
      return;
    } finally {
      this.#isRecovering = false;
    }
    if (this.#isOver) return;
    onMissed();
    void this.pulse();
  }

  /** What keeps it from being up; undefined if it is. */
  get trouble(): unknown {
    if (this.state === 'up') return undefined;
    const links = [...this.#links].filter(({ isReady }) => !isReady);
    const { failure } = links.find((link) => link.failure !== undefined) ?? {};
    if (failure !== undefined) return failure;
    // After such an answer ioredis may connect anew, again and again.
    if ((this.#refusal as Error | undefined)?.name === 'ReplyError') return this.#refusal;
    if (links.some(({ isConnected }) => isConnected)) return loading;
    return this.#beatingSince === undefined && this.#refusal !== undefined ? this.#refusal : silent;
  }

  close(): void {
    this.#isOver = true;
    for (const link of this.#links) link.close();
    for (const heard of this.#heard.values()) heard();
    this.#heard.clear();
  }

  get #links(): ReadonlySet<Link> {
    return new Set([this.commands, this.commits, this.subscriber]);
  }

  /** The first partition each time, where this node says that it is there, and of the others one after the other. */
  #marked(): number[] {
    const others = [...this.partitions].filter((partition) => partition !== 0);
    const marked = this.partitions.has(0) ? [0] : [];
    if (others.length > 0) marked.push(others[this.#turn++ % others.length] as number);
    return marked;
  }

  async #mark(partition: number): Promise<void> {
    const marker = this.#context.nextMarker();
    if (this.#isSubscribed) this.#due.add(marker);
    try {
      const { mark, beat } = this.#context;
      await (partition === 0 ? beat(marker) : mark(partition, marker));
    } catch (error) {
      this.#due.delete(marker);
      // One that is elsewhere says nothing of the others.
      if (!isElsewhere(error)) throw error;
    }
  }

  #become(state: StoreState): void {
    if (state === this.state || this.#isOver) return;
    this.state = state;
    if (state === 'up') this.#refusal = undefined;
    this.#context.onState();
  }
}
