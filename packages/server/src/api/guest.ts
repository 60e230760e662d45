// Everything that a process is made of which emits, and serves nobody: a place among the servers that share a store, taken when it is
// first needed, and of which they know nothing; and the targets of any namespace, all of whose sockets are theirs.
import { LocalUsageError, namespaceName, type Value } from '@halyard/protocol';
import { Happenings } from '../base/happenings';
import { TimerWheel } from '../base/wheel';
import { Audience, type AudienceContext } from '../namespace/audience';
import { ClusterRequests } from '../namespace/cluster-requests';
import { Revocations } from '../namespace/revocations';
import { ServerEvents } from '../namespace/server-events';
import { type TargetSpec, withSlash } from '../namespace/target-spec';
import { VolatileTargets } from '../namespace/volatile-targets';
import { nobody } from '../room/room';
import { channelOf } from '../room/rooms';
import { encodeSized } from '../session/sent-size';
import { Channels } from '../store/channels';
import { Inbox, type InboxContext } from '../store/inbox';
import type { Store } from '../store/store';
import { type CheckedOptions, retentionOf } from './options';
import { Participant } from './participant';
import { Reports } from './reports';

/** A store that could not be opened is tried again after so many milliseconds. */
const retryMs = 500;

/** When it is open, and when it is closed. */
interface Life {
  /** @throws LocalUsageError `ERR_EMITTER_CLOSED` */
  check(): void;
  /** @returns once the store is open. Rejects if it cannot be opened now */
  opened(): Promise<void>;
}

/** Whom servers ask is known once the store is open. */
class LateInbox extends Inbox {
  readonly #life: Life;

  constructor(context: InboxContext, life: Life) {
    super(context);
    this.#life = life;
  }

  override async ask(...what: Parameters<Inbox['ask']>): Promise<Value> {
    await this.#life.opened();
    return super.ask(...what);
  }

  override async askAll(...what: Parameters<Inbox['askAll']>): ReturnType<Inbox['askAll']> {
    await this.#life.opened();
    return super.askAll(...what);
  }
}

/** A namespace of which nobody is here. */
class AudienceElsewhere extends Audience {
  readonly #life: Life;

  constructor(namespace: string, context: AudienceContext, life: Life) {
    const logOf = (name: string): string => channelOf(namespace, name);
    super(namespace, { resolve: () => nobody, logOf, slowReaders: 'catch-up' }, context);
    this.#life = life;
  }

  override publish(spec: TargetSpec, event: string, args: readonly Value[]): void {
    this.#life.check();
    super.publish(spec, event, args);
    // What it has is stored then.
    this.#life.opened().catch(() => {});
  }

  override async publishDurably(spec: TargetSpec, event: string, args: readonly Value[]): Promise<void> {
    // Who has never reached the store is told why, and need not wait.
    await Promise.all([super.publishDurably(spec, event, args), this.#life.opened()]);
  }

  override elsewhere(spec: TargetSpec): ClusterRequests | undefined {
    this.#life.check();
    return super.elsewhere(spec);
  }
}

export class Guest implements Life {
  readonly reports: Reports;
  readonly #serverEvents: ServerEvents;
  readonly #options: CheckedOptions;
  readonly #wheel: TimerWheel;
  readonly #inbox: Inbox;
  readonly #channels: Channels;
  readonly #participant: Participant;
  readonly #audience: AudienceContext;
  readonly #volatile: VolatileTargets;
  #opened: Promise<void> | undefined;
  /** Why it could not be opened; it is tried again. */
  #failure: { readonly error: unknown } | undefined;
  #cancelRetry: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @throws LocalUsageError `ERR_OPTION` if the store is not one that others share */
  constructor(options: CheckedOptions) {
    this.#options = options;
    const { codecs, platform, ackTimeoutMs, trustProxy, sentFrameBytesMax } = options;
    const wheel = new TimerWheel(platform);
    this.#wheel = wheel;
    const node = platform.randomBytes(9).toString('base64url');
    const happenings = new Happenings({ node, logger: options.logger, now: () => wheel.now() });
    this.reports = new Reports(() => wheel.now(), happenings);
    const { report, warn } = this.reports;
    const limits = retentionOf(options);
    const store = options.adapter({ platform, wheel, limits, codecs, isGuest: true });
    if (!store.isShared) {
      throw new LocalUsageError('ERR_OPTION', 'An emitter needs a store that servers share.', { option: 'adapter' });
    }
    const { codec } = store satisfies Store;
    const common = { store, node, platform, wheel, report, warn };
    const inbox = new LateInbox(common, this);
    this.#inbox = inbox;
    this.#participant = new Participant({
      ...common,
      limits,
      codecs,
      inbox,
      ackTimeoutMs,
      released() {},
      storeBack() {},
    });
    const targets = (): undefined => undefined;
    const { turn } = this.#participant;
    const { stamps } = turn;
    const requests = new ClusterRequests({
      ...{ inbox, codec, ackTimeoutMs, trustProxy, turn, stamps, targets, report },
      // No session comes here.
      ...{ now: () => wheel.now(), later: (delayMs, run) => void platform.after(delayMs, run) },
      revocations: new Revocations({ keptMs: 0, now: () => wheel.now(), warn }),
    });
    this.#serverEvents = new ServerEvents({ inbox, codec, ackTimeoutMs, report, warn });
    this.#channels = new Channels(store);
    this.#volatile = new VolatileTargets({ channels: this.#channels, codecCount: codecs.length, targets, warn });
    this.#audience = {
      turn: this.#participant.turn,
      fanOut: { flush() {} },
      codec,
      // Nobody is here that it would be for.
      encode: () => [],
      encodeForAll: (packet) => codecs.map((codec) => encodeSized(codec, packet, sentFrameBytesMax)),
      elsewhere: { requests, volatile: { publish: (...what) => this.#publishVolatile(...what) } },
    };
  }

  /** @returns whom targets of a namespace mean. @throws LocalUsageError for what is no name */
  audienceOf(namespace: string): Audience {
    return new AudienceElsewhere(namespaceName(withSlash(namespace)), this.#audience, this);
  }

  /** Events for all servers. @throws LocalUsageError `ERR_EMITTER_CLOSED` */
  get serverEvents(): ServerEvents {
    this.check();
    return this.#serverEvents;
  }

  check(): void {
    if (this.#closed !== undefined) throw new LocalUsageError('ERR_EMITTER_CLOSED', 'The emitter is closed.');
  }

  opened(): Promise<void> {
    if (this.#opened === undefined && this.#failure !== undefined) return Promise.reject(this.#failure.error);
    this.#opened ??= this.#open();
    return this.#opened;
  }

  /** Everything that was emitted is stored, and nothing more is. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { platform } = this.#options;
    try {
      const nodes = await this.#participant.open(() => {});
      this.#inbox.opened(nodes);
      this.#channels.opened();
      this.#failure = undefined;
    } catch (error) {
      this.#opened = undefined;
      // What was emitted waits, and nobody may have asked for more than that.
      if (this.#failure === undefined) this.reports.report(error, 'opening the store');
      this.#failure = { error };
      this.#cancelRetry = platform.after(retryMs, () => {
        this.#opened = this.#open();
        this.#opened.catch(() => {});
      });
      throw error;
    }
  }

  async #close(): Promise<void> {
    const { ackTimeoutMs } = this.#options;
    const { turn, patience } = this.#participant;
    try {
      if (this.#opened === undefined && this.#failure === undefined) return;
      await this.opened();
      // What is asked of servers goes out in the same turn.
      await new Promise<void>((resolve) => this.#options.platform.soon(resolve));
      await patience
        .once(() => turn.drained(), ackTimeoutMs)
        .catch(() => {
          throw new LocalUsageError(
            'ERR_STORE_AWAY',
            `Not all that was emitted was stored within ${ackTimeoutMs} ms (ackTimeoutMs)`,
          );
        });
    } finally {
      this.#cancelRetry?.();
      this.#inbox.close();
      this.#channels.close();
      await this.#participant.close();
      this.#wheel.stop();
    }
  }

  /** At most once: not at all where the store cannot be reached. */
  #publishVolatile(...what: Parameters<VolatileTargets['publish']>): void {
    this.opened().then(
      () => this.#volatile.publish(...what),
      () => {},
    );
  }
}
