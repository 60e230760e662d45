// Whom a message in a log was not for.
import type { CompactList } from '../base/compact-list';

/** Sockets by id, and all who were in a room of that name. */
export type Except = CompactList<string> | Earlier;

/** The rooms of one message, in their order, shared by its entries in the logs of all. */
export class RoomOrder {
  readonly names: readonly string[];
  #places: Map<string, number> | undefined = undefined;

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** @returns the room's place, from 0; undefined if the message did not go to it */
  placeOf(name: string): number | undefined {
    this.#places ??= new Map(this.names.map((one, place) => [one, place]));
    return this.#places.get(name);
  }
}

/** Of a message to several rooms, which a member of more than one gets by the log of the first: also who was in those before. */
export class Earlier {
  readonly except: CompactList<string>;
  readonly rooms: RoomOrder;
  /** How many of the rooms come before. */
  readonly count: number;

  constructor(except: CompactList<string>, rooms: RoomOrder, count: number) {
    this.except = except;
    this.rooms = rooms;
    this.count = count;
  }

  /** Whether it was for all members of its room. */
  get isNobody(): boolean {
    return this.count === 0 && this.except === undefined;
  }

  /** Whether a room is one of those before. */
  has(name: string): boolean {
    const place = this.rooms.placeOf(name);
    return place !== undefined && place < this.count;
  }
}

export function isEarlier(except: Except): except is Earlier {
  return except instanceof Earlier;
}
