// What a process emits that serves nobody: a job, a function that lives for a second, another service.

import type { Codec } from '@halyard/codec';
import { type AnyEvents, type Clock, type EventArgs, type EventReply, LocalUsageError } from '@halyard/protocol';
import { given } from '../base/given';
import type { Logger } from '../base/logger';
import type { Platform } from '../base/platform';
import type { Warning } from '../base/warnings';
import type { Replies } from '../namespace/audience';
import type { Handler } from '../namespace/handlers';
import { wholeNamespace } from '../namespace/target-spec';
import type { AnyData } from '../session/handshake';
import type { Adapter } from '../store/store';
import { Guest } from './guest';
import { checkOptions } from './options';
import type { ErrorContext } from './reports';
import { AudienceTarget, type Target } from './target';
import { WholeTarget } from './whole-target';

export interface EmitterOptions {
  /** Those of the servers, in their order. Default: `[json()]`. */
  readonly codecs?: readonly Codec[] | undefined;
  /** How long `emitWithAck`, `emitDurable`, `close` and what asks servers wait, in milliseconds. Default: 10,000. */
  readonly ackTimeoutMs?: number | undefined;
  /** As of the servers: it says whose address `handshake.address` of a fetched socket is. Default: false. */
  readonly trustProxy?: boolean | readonly string[] | undefined;
  /** As of a server: what goes wrong here is written to it. Default: none. */
  readonly logger?: Logger | undefined;
  /** For tests: another time, and what else of the platform is to be another. */
  readonly clock?: (Clock & Partial<Platform>) | undefined;
}

/**
 * The main namespace of the servers that share a store, as a target: each method does what that of a `Server` does, and `local` means
 * nobody. The store is opened when it is first needed. What is emitted while it cannot be reached waits, up to 64 MiB; past that
 * `emit` throws `ERR_STORE_AWAY`. Until it was reached for the first time, whatever is awaited rejects with the reason.
 * @typeParam ServerSide events between servers: see `serverSideEmit`
 */
export class Emitter<Outgoing = AnyEvents, Data = AnyData, ServerSide = AnyEvents> extends WholeTarget<Outgoing, Data> {
  readonly #guest: Guest;
  readonly #all: Target<Outgoing, Data>;

  /**
   * @param adapter of a store that servers share
   * @throws LocalUsageError `ERR_OPTION` that names the option and its range
   */
  constructor(adapter: Adapter, options: EmitterOptions = {}) {
    super();
    this.#guest = new Guest(checkOptions({ ...options, adapter }));
    this.#all = this.of('/');
  }

  /** A namespace, as a target. @param name starts with `/`, or is given one */
  of<Its = Outgoing, ItsData = Data>(name: string): Target<Its, ItsData> {
    if (typeof name !== 'string')
      throw new LocalUsageError(
        'ERR_OPTION',
        `of() of an emitter takes the name of a namespace, and not ${given(name)}.`,
      );
    return new AudienceTarget(this.#guest.audienceOf(name), wholeNamespace);
  }

  /** `error`: something failed that nobody waits for. `warning`: a limit was met. Unheard, these go to stderr. */
  on(event: 'error', handler: (error: unknown, context: ErrorContext) => unknown): this;
  on(event: 'warning', handler: (warning: Warning) => unknown): this;
  on(event: 'error' | 'warning', handler: Handler): this {
    if (event !== 'error' && event !== 'warning') {
      const rule =
        'an emitter tells of "error" and "warning" alone; sockets, and what other servers emit, come to a server';
      throw new LocalUsageError('ERR_RESERVED_EVENT', `There is no event ${given(event)}: ${rule}.`);
    }
    this.#guest.reports.on(event, handler);
    return this;
  }

  /**
   * Calls the handlers that all servers have for an event (`io.on(event, …)`): at most once each, without waiting.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, `ERR_RESERVED_EVENT`, `ERR_EVENT_NAME`
   */
  serverSideEmit<Name extends keyof ServerSide & string>(event: Name, ...args: EventArgs<ServerSide, Name>): void {
    this.#guest.serverEvents.emit(event, args);
  }

  /** The same, with their replies, as `Server.serverSideEmitWithAck`. */
  async serverSideEmitWithAck<Name extends keyof ServerSide & string>(
    event: Name,
    ...args: EventArgs<ServerSide, Name>
  ): Promise<Replies<EventReply<ServerSide, Name>>> {
    return this.#guest.serverEvents.request(event, args) as Promise<Replies<EventReply<ServerSide, Name>>>;
  }

  /**
   * Resolves once everything that was emitted is stored, or was said to the servers, and lets go of the store: a process can end then.
   * Rejects with `ERR_STORE_AWAY` if that takes longer than `ackTimeoutMs`, and with the reason if the store was never reached; it is
   * closed all the same. Whatever is called later throws `ERR_EMITTER_CLOSED`.
   */
  close(): Promise<void> {
    return this.#guest.close();
  }

  /** @internal */
  protected get all(): Target<Outgoing, Data> {
    return this.#all;
  }
}
