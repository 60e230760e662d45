// Whom a message is for, as user code says it. Immutable: every step makes a new one, so that a target can be kept and reused.
import { type AnyEvents, type EventArgs, type EventName, type EventReply, trimmedArgs } from '@halyard/protocol';
import type { Audience, Replies } from '../namespace/audience';
import { flatten, type Names, type TargetSpec } from '../namespace/target-spec';
import { checkTimeout } from '../namespace/timeout';
import type { RemoteSocket } from './remote-socket';

export interface Target<Outgoing = AnyEvents, Data = Record<string, unknown>> {
  /** Adds rooms, or sockets by id. A socket in several of them gets a message once; an empty list adds nobody. */
  to(...rooms: Names): Target<Outgoing, Data>;
  in(...rooms: Names): Target<Outgoing, Data>;
  /** Leaves out whoever is in these rooms, or has one of these ids. */
  except(...rooms: Names): Target<Outgoing, Data>;
  /** Only sockets of this server process. One process is all there is without a cluster adapter. */
  readonly local: Target<Outgoing, Data>;
  /** Messages are dropped for whoever is away or slow. */
  readonly volatile: Target<Outgoing, Data>;
  /** @param timeoutMs how long `emitWithAck` waits for the last reply: 1 to Infinity. @throws LocalUsageError `ERR_OPTION` */
  timeout(timeoutMs: number): Target<Outgoing, Data>;
  /**
   * Sends an event to all of them: once and in order to each, while its session lives.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, and then nobody gets it
   */
  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void;
  /** Sends an event to each and waits for all replies. Never rejects because of a missing one. */
  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>>;
  /** The sockets themselves, as far as any server can give them. */
  fetchSockets(): Promise<RemoteSocket<Outgoing, Data>[]>;
  socketsJoin(...rooms: Names): void;
  socketsLeave(...rooms: Names): void;
  /** @param session ends the whole session of each, with every namespace and the connection */
  disconnectSockets(session?: boolean): void;
}

export class AudienceTarget<Outgoing, Data> implements Target<Outgoing, Data> {
  readonly #audience: Audience;
  readonly #spec: TargetSpec;

  constructor(audience: Audience, spec: TargetSpec) {
    this.#audience = audience;
    this.#spec = spec;
  }

  to(...rooms: Names): Target<Outgoing, Data> {
    const { except, volatile, timeoutMs } = this.#spec;
    return new AudienceTarget(this.#audience, { rooms: flatten(rooms, this.#spec.rooms), except, volatile, timeoutMs });
  }

  in(...rooms: Names): Target<Outgoing, Data> {
    return this.to(...rooms);
  }

  except(...rooms: Names): Target<Outgoing, Data> {
    return this.#with({ except: flatten(rooms, this.#spec.except) });
  }

  get local(): Target<Outgoing, Data> {
    return this;
  }

  get volatile(): Target<Outgoing, Data> {
    return this.#with({ volatile: true });
  }

  timeout(timeoutMs: number): Target<Outgoing, Data> {
    return this.#with({ timeoutMs: checkTimeout(timeoutMs) });
  }

  emit<Name extends EventName<Outgoing>>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#audience.publish(this.#spec, event, trimmedArgs(args));
  }

  emitWithAck<Name extends EventName<Outgoing>>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#audience.request(this.#spec, event, trimmedArgs(args)) as Promise<Replies<EventReply<Outgoing, Name>>>;
  }

  async fetchSockets(): Promise<RemoteSocket<Outgoing, Data>[]> {
    return this.#select();
  }

  socketsJoin(...rooms: Names): void {
    for (const socket of this.#select()) socket.join(...rooms);
  }

  socketsLeave(...rooms: Names): void {
    for (const socket of this.#select()) socket.leave(...rooms);
  }

  disconnectSockets(session = false): void {
    for (const socket of this.#select()) socket.disconnect(session);
  }

  #select(): RemoteSocket<Outgoing, Data>[] {
    // Sockets are all that a namespace makes of its members.
    return this.#audience.select(this.#spec) as unknown as RemoteSocket<Outgoing, Data>[];
  }

  #with(change: Partial<TargetSpec>): Target<Outgoing, Data> {
    return new AudienceTarget(this.#audience, { ...this.#spec, ...change });
  }
}
