// The rooms of a namespace by their names. A name means a room, or the socket that has it as its id.
import type { Channels } from '../store/channels';
import type { LocalStore } from '../store/store';
import type { Turn } from '../store/turn';
import type { FanOut } from './fan-out';
import { type Membership, membershipOf } from './membership';
import { type Named, nobody, Room, type RoomContext } from './room';
import type { Subscriber } from './subscriber';

/** What the rooms of all namespaces need of the server. */
export interface RoomsContext {
  readonly store: LocalStore;
  readonly turn: Turn;
  readonly fanOut: FanOut;
  readonly roomsPerSocketMax: number;
  /** Where other nodes may say something volatile to a room. A store of its own has none. */
  readonly channels: Channels | undefined;
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
  readonly #byName = new Map<string, Room>();

  constructor(namespace: string, context: RoomsContext) {
    this.#namespace = namespace;
    this.#context = context;
    this.everyone = this.#create('');
    this.#listen('');
  }

  get store(): LocalStore {
    return this.#context.store;
  }

  get fanOut(): FanOut {
    return this.#context.fanOut;
  }

  get roomsPerSocketMax(): number {
    return this.#context.roomsPerSocketMax;
  }

  /** Of what was emitted last. */
  get stamp(): number {
    return this.#context.turn.stamps.last;
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
    return membershipOf(room, room.log.lastOffset, this.stamp);
  }

  /**
   * A subscriber comes back that was a member on another server.
   * @param span its time in the room; it goes on if that has no end
   * @returns undefined if the room has another log by now: then nobody knows what it has missed
   */
  enterAgain(
    subscriber: Subscriber,
    name: string,
    epoch: string,
    span: Omit<Membership, 'room'>,
  ): Membership | undefined {
    const isMember = span.until === Number.POSITIVE_INFINITY;
    const known = name === '' ? this.everyone : this.#byName.get(name);
    const room = known ?? this.#create(name);
    const isIts = room.log.id === epoch;
    if (known === undefined) {
      if (isMember && isIts) this.#add(name, room);
      // Its log stays as long as there is something to be read in it.
      else room.close();
    }
    if (!isIts) return undefined;
    // What left out its members on other servers is not known here: something may have.
    room.exceptedStamp = Math.max(room.exceptedStamp, this.stamp);
    if (isMember) room.members.set(subscriber.id, subscriber);
    return { room, ...span };
  }

  exit(subscriber: Subscriber, membership: Membership): void {
    const { room } = membership;
    membership.to = room.log.lastOffset;
    membership.until = this.stamp;
    membership.newest = room.log.newestStamp;
    room.members.delete(subscriber.id);
    if (room.members.size === 0 && this.#byName.delete(room.name)) this.#close(room);
  }

  /** The namespace is no more. */
  close(): void {
    for (const room of this.#byName.values()) this.#close(room);
    this.#close(this.everyone);
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

  /** As `resolve`, with rooms that have members on other nodes only, or nowhere. Call `release` once it is published to them. */
  reached(names: readonly string[] | undefined): Named {
    const { rooms, direct } = this.resolve(names);
    if (!this.#context.store.isShared) return { rooms, direct };
    if (names === undefined) return { rooms: [this.everyone], direct };
    const found = new Set([...rooms.map(({ name }) => name), ...direct.map(({ id }) => id)]);
    const others = [...new Set(names)].filter((name) => !found.has(name)).map((name) => this.#create(name));
    return { rooms: [...rooms, ...others], direct };
  }

  /** What was published to rooms of which nobody here is a member stays for those who are, or come from other nodes. */
  release(rooms: readonly Room[]): void {
    for (const room of rooms) if (room.members.size === 0 && room !== this.everyone) room.close();
  }

  #create(name: string): Room {
    return new Room(name, channelOf(this.#namespace, name), this);
  }

  /** It has members here from now on. */
  #add(name: string, room: Room): void {
    this.#byName.set(name, room);
    this.#listen(name);
  }

  #listen(name: string): void {
    this.#context.channels?.listen(channelOf(this.#namespace, name));
  }

  #close(room: Room): void {
    this.#context.channels?.unlisten(channelOf(this.#namespace, room.name));
    room.close();
  }
}
