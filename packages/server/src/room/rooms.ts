// The rooms of a namespace by their names. A name means a room, or the socket that has it as its id.
import type { Retention } from '../log/retention';
import type { FanOut } from './fan-out';
import { type Membership, membershipOf } from './membership';
import { type Named, nobody, Room, type RoomContext } from './room';
import type { Subscriber } from './subscriber';

/** What the rooms of all namespaces need of the server. */
export interface RoomsContext {
  readonly retention: Retention;
  readonly fanOut: FanOut;
  readonly roomsPerSocketMax: number;
  newLogId(): string;
}

export class Rooms implements RoomContext {
  /** The namespace as a whole: every socket is a member. */
  readonly everyone: Room;
  readonly #context: RoomsContext;
  readonly #byName = new Map<string, Room>();

  constructor(context: RoomsContext) {
    this.#context = context;
    this.everyone = new Room('', context.newLogId(), this);
  }

  get limits(): Retention['limits'] {
    return this.#context.retention.limits;
  }

  get fanOut(): FanOut {
    return this.#context.fanOut;
  }

  get roomsPerSocketMax(): number {
    return this.#context.roomsPerSocketMax;
  }

  /** Serial of what was emitted last. */
  get serial(): number {
    return this.#context.retention.lastSerial;
  }

  [Symbol.iterator](): IterableIterator<[string, Room]> {
    return this.#byName[Symbol.iterator]();
  }

  enter(subscriber: Subscriber, name: string): Membership {
    let room = this.#byName.get(name);
    if (room === undefined) {
      room = new Room(name, this.#context.newLogId(), this);
      this.#byName.set(name, room);
    }
    room.members.set(subscriber.id, subscriber);
    return membershipOf(room, this.serial);
  }

  exit(subscriber: Subscriber, membership: Membership): void {
    const { room } = membership;
    membership.to = this.serial;
    membership.newest = room.log.newestSerial;
    room.members.delete(subscriber.id);
    if (room.members.size === 0) this.#byName.delete(room.name);
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
}
