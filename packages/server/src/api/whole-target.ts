// All of a namespace, as a target: what its methods do, the target does that `all` gives.
import type { EventArgs, EventReply, OfEvents } from '@halyard/protocol';
import type { Replies } from '../namespace/audience';
import type { Reached } from '../namespace/cluster-requests';
import type { Names } from '../namespace/target-spec';
import type { Counted, FetchedSockets, Latest, Target } from './target';

export abstract class WholeTarget<Outgoing, Data> implements Target<Outgoing, Data> {
  declare readonly '~outgoing'?: OfEvents<Outgoing>;
  /** @internal */
  protected abstract get all(): Target<Outgoing, Data>;

  to(...rooms: Names): Target<Outgoing, Data> {
    return this.all.to(...rooms);
  }

  in(...rooms: Names): Target<Outgoing, Data> {
    return this.all.to(...rooms);
  }

  except(...rooms: Names): Target<Outgoing, Data> {
    return this.all.except(...rooms);
  }

  get local(): Target<Outgoing, Data> {
    return this.all.local;
  }

  get volatile(): Target<Outgoing, Data> {
    return this.all.volatile;
  }

  timeout(timeoutMs: number): Target<Outgoing, Data> {
    return this.all.timeout(timeoutMs);
  }

  idempotencyKey(key: string): Target<Outgoing, Data> {
    return this.all.idempotencyKey(key);
  }

  latest<Name extends keyof Outgoing & string>(event: Name, key?: string): Latest<Outgoing, Name> {
    return this.all.latest(event, key);
  }

  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.all.emit(event, ...args);
  }

  emitDurable<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): Promise<void> {
    return this.all.emitDurable(event, ...args);
  }

  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.all.emitWithAck(event, ...args);
  }

  fetchSockets(): Promise<FetchedSockets<Outgoing, Data>> {
    return this.all.fetchSockets();
  }

  count(): Promise<Counted> {
    return this.all.count();
  }

  socketsJoin(...rooms: Names): Promise<Reached> {
    return this.all.socketsJoin(...rooms);
  }

  socketsLeave(...rooms: Names): Promise<Reached> {
    return this.all.socketsLeave(...rooms);
  }

  disconnectSockets(session = false): Promise<Reached> {
    return this.all.disconnectSockets(session);
  }
}
