// One node's time in a Redis, from when it has come until it leaves: its two connections, who else is there, and whether all that is
// said arrives. A marker goes out every two seconds and has to come back; where it does not, or a connection was lost, everything is
// subscribed anew and it is told that something may have been missed.
import type { Codec } from '@halyard/codec';
import type { StoreContext, StoreEvents, StoreState } from '@halyard/server';
import type { Redis } from 'ioredis';
import { readSaid, type Said } from './entries';
import { channelOf, type Keyspace } from './keyspace';
import { Link } from './link';
import { Members } from './members';
import { Malformed } from './pieces';
import { checkServer } from './preflight';
import { Questions } from './questions';
import { listOf, textOf } from './replies';
import { Scripts } from './scripts';
import { type Listener, Subscriptions } from './subscriptions';
import { agree } from './terms';

export interface LifeContext extends Pick<StoreContext, 'platform' | 'limits'> {
  /** @returns a connection that is not open yet */
  readonly connect: () => Redis;
  /** How the Redis is called in messages. */
  readonly where: string;
  readonly keyspace: Keyspace;
  readonly codec: Codec;
  /** Of bodies. */
  readonly codecs: StoreContext['codecs'];
  readonly prefix: string;
  /** Whether no other node knows of it. */
  readonly isGuest: boolean;
  readonly aheadMs: () => number;
  /** Something was read that nobody here has written. */
  malformed(): void;
}

const beatMs = 2_000;
/** A connection that has not answered for so long is made anew. */
const silentMsMax = 6_000;
const retryMs = 500;
const leaveMsMax = 500;

export class Life {
  readonly node: string;
  readonly commands: Link;
  readonly scripts: Scripts;
  readonly subscriptions: Subscriptions;
  readonly questions: Questions;
  state: StoreState = 'recovering';
  readonly #context: LifeContext;
  readonly #events: StoreEvents;
  readonly #subscriber: Link;
  readonly #members: Members;
  readonly #markers = new Map<number, () => void>();
  #marker = 0;
  /** The last one that has come back, and the one that has to. */
  #heard = 0;
  #due = 0;
  #isSubscribed = false;
  #isRecovering = false;
  #beatingSince: number | undefined;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(context: LifeContext, node: string, events: StoreEvents) {
    const { connect, keyspace, codec } = context;
    this.#context = context;
    this.#events = events;
    this.node = node;
    this.commands = new Link(connect(), {
      onBack: () => void this.#pulse(),
      onLost: () => this.#become('degraded'),
    });
    this.#subscriber = new Link(connect(), {
      onBack: () => void this.#recover(),
      onLost: () => {
        this.#isSubscribed = false;
        this.#due = 0;
        this.#become('degraded');
      },
    });
    // Redis has taken a subscription back that it had given.
    this.#subscriber.client.on('moved', () => void this.#recover());
    this.scripts = new Scripts({ ...context, link: this.commands });
    this.subscriptions = new Subscriptions(this.#subscriber);
    this.#members = new Members(node, events);
    this.questions = new Questions({
      codec,
      say: (to, message) => {
        const channel = channelOf(keyspace, 0, 'to', to);
        return this.commands.run((client) => client.spublish(channel, message) as Promise<number>);
      },
    });
  }

  /** Rejects if the Redis cannot be used: then it is over. */
  async begin(): Promise<void> {
    const { keyspace, where, platform } = this.#context;
    await this.commands.open();
    await checkServer(this.commands, where);
    await this.#subscriber.open();
    await this.scripts.run('probe', 0, [this.node]);
    await this.agree();
    const subscribed: Promise<void>[] = [
      this.subscriptions.add(
        `${keyspace.base(0)}:nodes`,
        0,
        this.#guarded((message) => this.#told(message)),
      ),
    ];
    for (let partition = 0; partition < keyspace.partitions; partition++) {
      const channel = channelOf(keyspace, partition, 'to', this.node);
      subscribed.push(
        this.subscriptions.add(
          channel,
          partition,
          this.#guarded((message) => this.#said(message)),
        ),
      );
    }
    await Promise.all(subscribed);
    this.#isSubscribed = true;
    await this.roundTrip();
    this.#members.begin(await this.#beat(), platform.now());
    this.#become('up');
    this.#schedule();
  }

  /** Says what all have to have in common. Rejects if this node has not. */
  agree(): Promise<void> {
    const { codec, ...its } = this.#context;
    return agree(this.scripts, { ...its, codec: codec.name });
  }

  /** @returns once everything that was said before, and heard by Redis, has come here */
  async roundTrip(): Promise<void> {
    await this.subscriptions.flushed();
    const id = ++this.#marker;
    const heard = new Promise<void>((resolve) => this.#markers.set(id, resolve));
    await this.scripts.run('mark', 0, [this.node, id]);
    await heard;
  }

  /** Says goodbye, if that is heard soon. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#cancel?.();
    this.subscriptions.close();
    if (this.commands.isReady) {
      const { platform } = this.#context;
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = platform.after(leaveMsMax, resolve);
      });
      const left = this.#leave().catch(() => {});
      await Promise.race([left, late]);
      cancel();
    }
    this.abandon();
  }

  async #leave(): Promise<void> {
    const { keyspace, isGuest } = this.#context;
    if (!isGuest) {
      await this.scripts.run('leave', 0, [this.node]);
      return;
    }
    // There may be any number of guests, each for a second.
    const partitions = Array.from({ length: keyspace.partitions }, (_, partition) => partition);
    await Promise.all(partitions.map((partition) => this.scripts.run('depart', partition, [this.node])));
  }

  /** Ends it without a word. */
  abandon(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.subscriptions.close();
    this.commands.close();
    this.#subscriber.close();
    this.questions.missed();
    for (const heard of this.#markers.values()) heard();
    this.#markers.clear();
  }

  #schedule(): void {
    const { platform } = this.#context;
    const at = platform.now();
    this.#cancel = platform.after(beatMs, () => {
      if (this.#isOver) return;
      const isLate = platform.now() - at > 2 * beatMs;
      this.#schedule();
      void this.#pulse(isLate);
    });
  }

  /** @param isLate whether this process has stood still: then what has come was not read yet */
  async #pulse(isLate = false): Promise<void> {
    const { platform } = this.#context;
    if (this.#isOver || !this.commands.isReady) return;
    if (this.#beatingSince !== undefined) {
      if (isLate) return;
      this.#become('degraded');
      if (platform.now() - this.#beatingSince >= silentMsMax) this.commands.renew();
      return;
    }
    if (this.#due > this.#heard && !isLate) {
      // It has not come back: nothing else has, for all that is known.
      this.#due = 0;
      this.#subscriber.renew();
    }
    try {
      this.#members.listed(await this.#beat(), platform.now());
      if (this.#isSubscribed) this.#become('up');
    } catch {
      this.#become('degraded');
    }
  }

  /** @returns all nodes that are there */
  async #beat(): Promise<readonly string[]> {
    const id = ++this.#marker;
    const wasSubscribed = this.#isSubscribed;
    this.#beatingSince = this.#context.platform.now();
    try {
      const name = this.#context.isGuest ? 'watch' : 'beat';
      const nodes = listOf(await this.scripts.run(name, 0, [this.node, id])).map(textOf);
      if (wasSubscribed && this.#isSubscribed) this.#due = id;
      return nodes;
    } finally {
      this.#beatingSince = undefined;
    }
  }

  /** Something may have been missed. */
  async #recover(): Promise<void> {
    if (this.#isRecovering || this.#isOver) return;
    this.#isRecovering = true;
    this.#isSubscribed = false;
    this.#due = 0;
    this.#become('recovering');
    try {
      await this.subscriptions.renew();
      this.#isSubscribed = true;
    } catch {
      // Without a connection the next one begins anew.
      this.#context.platform.after(retryMs, () => {
        if (!this.#isSubscribed && this.#subscriber.isReady) void this.#recover();
      });
      return;
    } finally {
      this.#isRecovering = false;
    }
    if (this.#isOver) return;
    this.questions.missed();
    this.#events.onMissed();
    void this.#pulse();
  }

  #become(state: StoreState): void {
    if (state === this.state || this.#isOver) return;
    this.state = state;
    this.#events.onState(state);
  }

  /** What cannot be read is counted, and nothing else happens. @param read makes of a message what is to be done */
  #guarded(read: (message: Buffer) => () => void): Listener {
    return guarded(read, () => this.#context.malformed());
  }

  #told(message: Buffer): () => void {
    return this.#members.told(message, this.#context.platform.now());
  }

  #said(message: Buffer): () => void {
    const said: Said = readSaid(message);
    switch (said.kind) {
      case 'ask':
        return () => void this.questions.answer(said, (from, value) => this.#events.onMessage(from, value));
      case 'answer':
        return () => this.questions.answered(said);
      case 'failure':
        return () => this.questions.failed(said);
      case 'letter':
        return () => this.#events.onLetter(said.session, said.letter);
      case 'marker':
        return () => this.#returned(said.id);
    }
  }

  #returned(id: number): void {
    // Any node could say any number.
    if (id > this.#marker) return;
    this.#heard = Math.max(this.#heard, id);
    this.#markers.get(id)?.();
    this.#markers.delete(id);
  }
}

/** @returns a listener that counts what cannot be read. @param read makes of a message what is to be done */
export function guarded(read: (message: Buffer) => () => void, malformed: () => void): Listener {
  return (message) => {
    let run: () => void;
    try {
      run = read(message);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      malformed();
      return;
    }
    run();
  };
}
