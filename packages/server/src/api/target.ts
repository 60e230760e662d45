// Whom a message is for, as user code says it. Immutable: every step makes a new one, so that a target can be kept and reused.

import { type AnyEvents, answerMissing, type EventArgs, type EventReply, type OfEvents } from '@halyard/protocol';
import type { Audience, Replies } from '../namespace/audience';
import type { Action, ClusterRequests, Reached } from '../namespace/cluster-requests';
import { sentArgs } from '../namespace/sent-args';
import { checkKey, checkLatestKey, flatten, type Names, type TargetSpec } from '../namespace/target-spec';
import { checkTimeout } from '../namespace/timeout';
import type { AnyData } from '../session/handshake';
import type { Presence } from '../session/presence';
import { targetHabits } from './habits';
import type { RemoteSocket } from './remote-socket';
import { SocketElsewhere } from './socket-elsewhere';

/** Whom something is for: a namespace, rooms, sockets. Each step makes a new one, which may be kept. */
export interface Target<Outgoing = AnyEvents, Data = AnyData> {
  /** For the compiler alone, and never there: which events it is sent. */
  readonly '~outgoing'?: OfEvents<Outgoing>;
  /** Adds rooms, or sockets by id. A socket in several of them gets a message once; an empty list adds nobody. */
  to(...rooms: Names): Target<Outgoing, Data>;
  /** As `to`. */
  in(...rooms: Names): Target<Outgoing, Data>;
  /** Leaves out whoever is in these rooms, or has one of these ids. */
  except(...rooms: Names): Target<Outgoing, Data>;
  /**
   * Only sockets of this server. Without it a target means the sockets of all servers that share a store: then an `emit` to the
   * sockets of this one is sent to each of them, and is in no room's log.
   */
  readonly local: Target<Outgoing, Data>;
  /** Messages are dropped for whoever is away or slow. */
  readonly volatile: Target<Outgoing, Data>;
  /**
   * @param timeoutMs how long `emitWithAck` waits for the last reply, all that asks other servers for the last of them, and
   *   `emitDurable` for the store: 1 to Infinity. @throws LocalUsageError `ERR_OPTION`
   */
  timeout(timeoutMs: number): Target<Outgoing, Data>;
  /**
   * For who may say something again because it does not know whether that was done: what is emitted under the same key within an hour,
   * by any server, is emitted once to each room. To a socket by its id it goes as from another server: in order with what else does.
   * @param key 1 to 256 characters. @throws LocalUsageError `ERR_OPTION`
   */
  idempotencyKey(key: string): Target<Outgoing, Data>;
  /**
   * For what only the newest matters of: a price, a position. What has not left yet for who is slow or away is replaced by the newer one;
   * who keeps up gets all of them. Of one room, or the whole namespace, and all who are in it; to several rooms, to single sockets or
   * with `except` it is an `emit` like others.
   * @param key tells apart what one event is about, such as a symbol: up to 256 characters, by default one for all.
   *   @throws LocalUsageError `ERR_OPTION`
   */
  latest<Name extends keyof Outgoing & string>(event: Name, key?: string): Latest<Outgoing, Name>;
  /**
   * Sends an event to all of them: once and in order to each, while its session lives.
   * @throws LocalUsageError `ERR_NOT_ENCODABLE` with the path of the value no codec carries, and then nobody gets it;
   *   `ERR_FRAME_TOO_BIG` past `sentFrameBytesMax`
   */
  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void;
  /**
   * The same, and resolves once it is stored, and survives this server; with a store of its own at once. Rejects with
   * `ERR_CLOSED` once the server is closed, and with `ERR_STORE_AWAY` if that takes longer than `timeout`, by default `ackTimeoutMs`: then it may be stored all the same, later. Say it
   * again with the `idempotencyKey` that it had. Rejects with what `emit` throws.
   */
  emitDurable<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): Promise<void>;
  /**
   * Sends an event to each and waits for all replies, at most `timeout`, by default `ackTimeoutMs`. Never rejects because of a
   * missing one. A server that is gone is missing at once; one that is slow, a second after its sockets would be. A socket that is on
   * its way from one server to another just then is not asked, and is not among `missing`: what all are to get is emitted.
   */
  emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>>;
  /**
   * The sockets, each once: those of this server themselves, and of others what those tell of theirs. With `missing`, the
   * servers that have not told: gone, or too slow (`timeout`, by default `ackTimeoutMs`), or failed. Never rejects because of one. A
   * socket that is on its way from one server to another just then is told by neither.
   */
  fetchSockets(): Promise<FetchedSockets<Outgoing, Data>>;
  /** How many sockets these are, each counted once; and the servers that have not told of theirs. */
  count(): Promise<Counted>;
  /**
   * Those of this server join at once, those of others when the promise resolves. It need not be awaited, and never rejects.
   * @returns the servers that have not done it, or not for each of their sockets: that is reported
   * @throws LocalUsageError `ERR_ROOM_NAME`, or `ERR_ROOMS_FULL` past `roomsPerSocketMax`, of a socket of this server
   */
  socketsJoin(...rooms: Names): Promise<Reached>;
  /** What no server has just then, because its server is gone or it is on its way, leaves them where it comes next. @returns as `socketsJoin` */
  socketsLeave(...rooms: Names): Promise<Reached>;
  /**
   * What no server has just then, because its server is gone or it is on its way, is disconnected where it comes next.
   * @param session ends the whole session of each, with every namespace and the connection
   * @returns as `socketsJoin`
   */
  disconnectSockets(session?: boolean): Promise<Reached>;
}

/** An event of which only the newest matters. */
export interface Latest<Outgoing, Name extends keyof Outgoing & string> {
  /** As `Target.emit`. */
  emit(...args: EventArgs<Outgoing, Name>): void;
}

export type FetchedSockets<Outgoing = AnyEvents, Data = AnyData> = RemoteSocket<Outgoing, Data>[] & Reached;

/** How many there are, as far as all servers but those that are missing know. */
export interface Counted extends Reached {
  readonly count: number;
}

const allReached: Promise<Reached> = Promise.resolve({ missing: [] });

export class AudienceTarget<Outgoing, Data> implements Target<Outgoing, Data> {
  readonly #audience: Audience;
  readonly #spec: TargetSpec;

  constructor(audience: Audience, spec: TargetSpec) {
    this.#audience = audience;
    this.#spec = spec;
  }

  to(...rooms: Names): Target<Outgoing, Data> {
    const { except, volatile, isLocal, timeoutMs, key, latest } = this.#spec;
    const named = flatten(rooms, this.#spec.rooms);
    return new AudienceTarget(this.#audience, { rooms: named, except, volatile, isLocal, timeoutMs, key, latest });
  }

  in(...rooms: Names): Target<Outgoing, Data> {
    return this.to(...rooms);
  }

  except(...rooms: Names): Target<Outgoing, Data> {
    return this.#with({ except: flatten(rooms, this.#spec.except) });
  }

  get local(): Target<Outgoing, Data> {
    return this.#with({ isLocal: true });
  }

  get volatile(): Target<Outgoing, Data> {
    return this.#with({ volatile: true });
  }

  timeout(timeoutMs: number): Target<Outgoing, Data> {
    return this.#with({ timeoutMs: checkTimeout(timeoutMs) });
  }

  idempotencyKey(key: string): Target<Outgoing, Data> {
    return this.#with({ key: checkKey(key) });
  }

  latest<Name extends keyof Outgoing & string>(event: Name, key = ''): Latest<Outgoing, Name> {
    const spec = { ...this.#spec, latest: checkLatestKey(key) };
    return { emit: (...args) => this.#audience.publish(spec, event, sentArgs(args)) };
  }

  emit<Name extends keyof Outgoing & string>(event: Name, ...args: EventArgs<Outgoing, Name>): void {
    this.#audience.publish(this.#spec, event, sentArgs(args));
  }

  async emitDurable<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<void> {
    await this.#audience.publishDurably(this.#spec, event, sentArgs(args));
  }

  async emitWithAck<Name extends keyof Outgoing & string>(
    event: Name,
    ...args: EventArgs<Outgoing, Name>
  ): Promise<Replies<EventReply<Outgoing, Name>>> {
    return this.#audience.request(this.#spec, event, sentArgs(args)) as Promise<Replies<EventReply<Outgoing, Name>>>;
  }

  async fetchSockets(): Promise<FetchedSockets<Outgoing, Data>> {
    const own = this.#audience.select(this.#spec);
    const elsewhere = this.#elsewhere;
    if (elsewhere === undefined) return fetched(asSockets<Outgoing, Data>(own), []);
    const { found, missing } = await elsewhere.sockets(this.#audience.namespace, this.#spec);
    const byId = new Map<string, { readonly generation: number; readonly socket: RemoteSocket<Outgoing, Data> }>();
    const sockets = asSockets<Outgoing, Data>(own);
    for (const [i, { id, line }] of own.entries()) {
      byId.set(id, { generation: line.generation, socket: sockets[i] as RemoteSocket<Outgoing, Data> });
    }
    for (const one of found) {
      const known = byId.get(one.id);
      // Two servers list it: the one that its client has come to last has it.
      if (known !== undefined && known.generation >= one.generation) continue;
      byId.set(one.id, { generation: one.generation, socket: new SocketElsewhere(one, this.#audience, elsewhere) });
    }
    return fetched(
      [...byId.values()].map(({ socket }) => socket),
      missing,
    );
  }

  async count(): Promise<Counted> {
    const own = this.#audience.select(this.#spec);
    const elsewhere = this.#elsewhere;
    if (elsewhere === undefined) return { count: own.length, missing: [] };
    const { found, missing } = await elsewhere.ids(this.#audience.namespace, this.#spec);
    return { count: new Set([...own.map(({ id }) => id), ...found]).size, missing };
  }

  socketsJoin(...rooms: Names): Promise<Reached> {
    for (const socket of this.#select()) socket.join(...rooms);
    return this.#act(['join', flatten(rooms)]);
  }

  socketsLeave(...rooms: Names): Promise<Reached> {
    for (const socket of this.#select()) socket.leave(...rooms);
    return this.#act(['leave', flatten(rooms)]);
  }

  disconnectSockets(session = false): Promise<Reached> {
    for (const socket of this.#select()) socket.disconnect(session);
    return this.#act(['disconnect', session]);
  }

  /** Other servers, if they may have sockets of it. */
  get #elsewhere(): ClusterRequests | undefined {
    return this.#audience.elsewhere(this.#spec);
  }

  #act(action: Action): Promise<Reached> {
    const done = this.#elsewhere?.act(this.#audience.namespace, this.#spec, action) ?? allReached;
    // It need not be awaited.
    done.catch(() => {});
    return done;
  }

  #select(): RemoteSocket<Outgoing, Data>[] {
    return asSockets(this.#audience.select(this.#spec));
  }

  #with(change: Partial<TargetSpec>): Target<Outgoing, Data> {
    return new AudienceTarget(this.#audience, { ...this.#spec, ...change });
  }
}

answerMissing(AudienceTarget.prototype, 'io.to(…)', targetHabits);

/** Sockets are all that a namespace makes of its members. */
function asSockets<Outgoing, Data>(members: readonly Presence[]): RemoteSocket<Outgoing, Data>[] {
  return members as unknown as RemoteSocket<Outgoing, Data>[];
}

/** An array like any other, for who does not ask what is missing. */
function fetched<Outgoing, Data>(
  sockets: RemoteSocket<Outgoing, Data>[],
  missing: readonly string[],
): FetchedSockets<Outgoing, Data> {
  return Object.defineProperty(sockets, 'missing', { value: missing }) as FetchedSockets<Outgoing, Data>;
}
