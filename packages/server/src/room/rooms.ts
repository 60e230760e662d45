// The rooms of a namespace by their names. A name means a room, or the socket that has it as its id.
import type { Channels } from '../store/channels';
import type { QueuedTurn } from '../store/queued-turn';
import type { DirectTurn } from '../store/turn';
import type { FanOut } from './fan-out';
import { type Membership, membershipOf } from './membership';
import { type Named, nobody, Room, type RoomContext } from './room';
import type { Line, Subscriber } from './subscriber';

/** What the rooms of all namespaces need of the server. */
export interface RoomsContext {
  readonly turn: DirectTurn | QueuedTurn;
  readonly fanOut: FanOut;
  readonly roomsPerSocketMax: number;
  /** A limit was met. @param code the option */
  readonly warn: (code: string, message: string) => void;
  /** Where other nodes may say something volatile to a room. A store of its own has none. */
  readonly channels: Channels | undefined;
}

/**
 * What a reader gets who does not keep up: `catch-up`, everything, from the logs; `latest`, of each event only the newest; `cut`, nothing, because
 * its session ends (4413).
 */
export type SlowReaders = 'catch-up' | 'latest' | 'cut';
export const slowReaderModes: readonly SlowReaders[] = ['catch-up', 'latest', 'cut'];

/** Who wants to know of rooms, and of who is in them here. */
export interface RoomWatch {
  /** What members get who do not keep up. */
  readonly slowReaders: SlowReaders;
  /** Whether anybody does. */
  readonly isOn: boolean;
  tell(event: 'create-room' | 'delete-room', room: string): void;
  tell(event: 'join-room' | 'leave-room', room: string, socket: string): void;
}

/** The channel of a room, and the name of its log: the length says where the one name ends, because clients choose both. */
export function channelOf(namespace: string, room: string): string {
  return `${room.length}:${room}${namespace}`;
}

export class Rooms implements RoomContext {
  /** The namespace as a whole: every socket is a member. */
  readonly everyone: Room;
  readonly #namespace: string;
  readonly #context: RoomsContext;
  readonly #watch: RoomWatch;
  readonly #byName = new Map<string, Room>();

  constructor(namespace: string, context: RoomsContext, watch: RoomWatch) {
    this.#namespace = namespace;
    this.#context = context;
    this.#watch = watch;
    this.everyone = this.#create('');
    this.#open();
  }

  get slowReaders(): SlowReaders {
    return this.#watch.slowReaders;
  }

  get turn(): DirectTurn | QueuedTurn {
    return this.#context.turn;
  }

  get fanOut(): FanOut {
    return this.#context.fanOut;
  }

  get roomsPerSocketMax(): number {
    return this.#context.roomsPerSocketMax;
  }

  get warn(): RoomsContext['warn'] {
    return this.#context.warn;
  }

  /** Of what was emitted last; where others emit too, of now. */
  get stamp(): number {
    const { stamps } = this.#context.turn;
    return this.turn.isShared ? stamps.next() : stamps.last;
  }

  get size(): number {
    return this.#byName.size;
  }

  membersOf(name: string): Room['members'] | undefined {
    return this.#byName.get(name)?.members;
  }

  names(): IterableIterator<string> {
    return this.#byName.keys();
  }

  [Symbol.iterator](): IterableIterator<[string, Room]> {
    return this.#byName[Symbol.iterator]();
  }

  enter(subscriber: Subscriber, name: string): Membership {
    let room = this.#byName.get(name);
    if (room === undefined) {
      room = this.#create(name);
      this.#add(name, room);
    }
    room.members.set(subscriber.id, subscriber);
    if (this.#watch.isOn) this.#watch.tell('join-room', name, subscriber.id);
    return this.#begin(subscriber, room, this.stamp);
  }

  /** A subscriber is in the namespace, with a store that others share; else that is of no account. */
  enterAll(subscriber: Subscriber): Membership | undefined {
    return this.turn.isShared ? this.#begin(subscriber, this.everyone, 0) : undefined;
  }

  /**
   * A subscriber comes back that was a member on another server.
   * @param span its time in the room; it goes on if that has no end
   */
  enterAgain(subscriber: Subscriber, name: string, span: Omit<Membership, 'room'>): Membership {
    const isMember = span.until === Number.POSITIVE_INFINITY;
    const known = name === '' ? this.everyone : this.#byName.get(name);
    const room = known ?? this.#create(name);
    const membership = { room, ...span };
    const { turn } = this;
    // By the clock of the server where that was: what is emitted here comes later.
    turn.stamps.observe(isMember ? span.since : span.until);
    if (turn.isShared) {
      turn.start(room.log, [span.epoch, span.read]);
      membership.heldSince = 0;
      this.#unholdAt(subscriber, membership, span.to === Number.POSITIVE_INFINITY ? span.read : span.to);
    }
    if (isMember) room.members.set(subscriber.id, subscriber);
    else if (turn.isShared) this.#wasLeft(turn, subscriber, membership);
    if (known === undefined) {
      if (isMember) this.#add(name, room);
      // Its log stays as long as there is something to be read in it.
      else room.close();
    }
    if (isMember && name !== '' && this.#watch.isOn) this.#watch.tell('join-room', name, subscriber.id);
    return membership;
  }

  /** @param isOver whether nobody reads any more what was for it */
  exit(subscriber: Subscriber, membership: Membership, isOver: boolean): void {
    const { room } = membership;
    const { turn } = this;
    membership.until = this.stamp;
    // One that comes back may have taken its place.
    if (room.members.get(subscriber.id) === subscriber) {
      room.members.delete(subscriber.id);
      if (room.name !== '' && this.#watch.isOn) this.#watch.tell('leave-room', room.name, subscriber.id);
    }
    if (turn.isShared && !isOver) this.#end(turn, subscriber, membership);
    else {
      membership.to = room.log.lastOffset;
      membership.newest = room.log.newestStamp;
    }
    if (room.members.size === 0 && this.#byName.get(room.name) === room) {
      this.#byName.delete(room.name);
      this.#close(room);
      if (this.#watch.isOn) this.#watch.tell('delete-room', room.name);
    }
  }

  /** The namespace is no more. */
  close(): void {
    for (const room of this.#byName.values()) this.#close(room);
    this.#close(this.everyone);
  }

  /** It is there again. There are no rooms in it yet. */
  reopen(): void {
    this.everyone.reopen(this.logOf(''));
    this.#open();
  }

  #open(): void {
    const { turn } = this;
    if (turn.isShared) turn.start(this.everyone.log, undefined);
    this.#listen('');
  }

  /** @param names undefined is the whole namespace */
  resolve(names: readonly string[] | undefined): Named {
    if (names === undefined) return { rooms: this.everyone.members.size > 0 ? [this.everyone] : [], direct: [] };
    if (names.length === 0) return nobody;
    const rooms: Room[] = [];
    const direct: Subscriber[] = [];
    // There may be any number of them.
    for (const name of names.length > 1 ? new Set(names) : names) {
      const room = this.#byName.get(name);
      const socket = this.everyone.members.get(name);
      if (room !== undefined) rooms.push(room);
      if (socket !== undefined) direct.push(socket);
    }
    return { rooms, direct };
  }

  /** @returns the name of a room's log in the store */
  logOf(name: string): string {
    return channelOf(this.#namespace, name);
  }

  #create(name: string): Room {
    return new Room(name, this.logOf(name), this);
  }

  /** It has members here from now on. */
  #add(name: string, room: Room): void {
    this.#byName.set(name, room);
    this.#listen(name);
    if (this.#watch.isOn) this.#watch.tell('create-room', name);
  }

  #listen(name: string): void {
    this.#context.channels?.listen(channelOf(this.#namespace, name));
  }

  #close(room: Room): void {
    this.#context.channels?.unlisten(channelOf(this.#namespace, room.name));
    room.close();
  }

  #begin(subscriber: Subscriber, room: Room, since: number): Membership {
    const { turn } = this;
    const membership = membershipOf(room, room.log.lastOffset, since);
    if (!turn.isShared) return membership;
    // Where the log is among what other nodes append, only the store knows.
    membership.heldSince = since;
    membership.begins = turn.top(room.log, true, ([epoch, offset]) => {
      Object.assign(membership, { epoch, from: offset, read: offset, begins: undefined });
      const { log } = room;
      if (log.id !== '' && log.id !== epoch) {
        // It has another one since then, which nobody has told this membership. Or this server does not know yet that the store has lost all
        // of it, because nobody has been here: then the log goes on in that one, or who comes next would meet the same.
        turn.whenAt(log, 0, () => {}, epoch);
        subscriber.line.lost(0);
      }
      // It may have left since: then the end is waited for, if anybody reads up to there.
      if (membership.ends === undefined) this.#unholdAt(subscriber, membership, offset);
    });
    return membership;
  }

  #end(turn: QueuedTurn, subscriber: Subscriber, membership: Membership): void {
    const { log } = membership.room;
    membership.room.left(subscriber, membership.until);
    membership.seen = log.lastOffset;
    membership.heldSince = Math.min(membership.heldSince, membership.until);
    membership.ends = turn.top(log, false, ([epoch, offset]) => {
      Object.assign(membership, { to: offset, ends: undefined });
      // What the store had lost by then is told once that is found out.
      if (epoch !== membership.epoch) subscriber.line.lost(0);
      this.#unholdAt(subscriber, membership, offset);
    });
  }

  /** It has left a room at another server, which may not know yet what is lost there, and does not have it any more. */
  #wasLeft(turn: QueuedTurn, subscriber: Subscriber, { room, epoch, until }: Membership): void {
    room.left(subscriber, until);
    turn.whenAt(room.log, 0, () => {
      if (turn.hasKnown(room.log, epoch) || !room.isLately(until)) return;
      // The log has had another epoch since, before it was followed here: nobody here knows whether all was there that it was to have.
      queueMicrotask(() => subscriber.line.lost(0));
    });
  }

  #unholdAt(subscriber: Subscriber, membership: Membership, offset: number): void {
    const turn = this.turn as QueuedTurn;
    const { log } = membership.room;
    // It may get another one, in which the offset is nothing, while it waits.
    const { epoch } = membership;
    const unhold = (): void => {
      // It has left meanwhile: that is waited for, by another offset.
      if (membership.ends !== undefined || (membership.to !== Number.POSITIVE_INFINITY && membership.to !== offset))
        return;
      membership.heldSince = Number.POSITIVE_INFINITY;
      if (membership.to !== Number.POSITIVE_INFINITY && log.id === membership.epoch) {
        membership.newest = log.stampAt(membership.to) ?? log.newestStamp;
      }
      // One that comes from another server may be in the making.
      (subscriber.line as Line | undefined)?.unheld();
    };
    const read = (): void => {
      // What came before the log was followed is read.
      if (log.base <= membership.read || log.id !== membership.epoch) unhold();
      else turn.load(log, membership.read).then(unhold, () => {});
    };
    // Of another epoch nothing comes any more.
    turn.whenAt(log, 0, () => (log.id === epoch ? turn.whenAt(log, offset, read) : unhold()));
  }
}
