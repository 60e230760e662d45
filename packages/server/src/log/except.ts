// Whom a message in a log was not for.
import type { Position } from '@halyard/protocol';
import type { CompactList } from '../base/compact-list';

/** Sockets by id, and all who were in a room of that name. */
export type Except = CompactList<string> | Earlier;

/** Where one message is in the logs of several rooms, in their order: shared by its entries in all of them. */
export class Places {
  /** There may be more of them with time. */
  readonly positions: readonly Position[];
  readonly #indexes = new Map<string, number>();

  constructor(positions: readonly Position[]) {
    this.positions = positions;
  }

  /** @returns which of the logs has this id, from 0; undefined if the message did not go there */
  indexOf(logId: string): number | undefined {
    for (let i = this.#indexes.size; i < this.positions.length; i++) {
      this.#indexes.set((this.positions[i] as Position)[0], i);
    }
    return this.#indexes.get(logId);
  }
}

/** Of a message to several rooms, which a member of more than one gets by the log of the first: also who gets it by those before. */
export class Earlier {
  readonly except: CompactList<string>;
  readonly places: Places;
  /** How many of the logs come before. */
  readonly count: number;

  constructor(except: CompactList<string>, places: Places, count: number) {
    this.except = except;
    this.places = places;
    this.count = count;
  }

  /** Whether it was for all members of its room. */
  get isNobody(): boolean {
    return this.count === 0 && this.except === undefined;
  }

  /** @returns its offset in the log with this id, if that is one of those before */
  offsetIn(logId: string): number | undefined {
    const index = this.places.indexOf(logId);
    return index !== undefined && index < this.count ? this.places.positions[index]?.[1] : undefined;
  }

  /** Whether another message went to the same rooms before, with the same exceptions but for those. */
  goesAs({ places, count }: Earlier): boolean {
    if (count !== this.count) return false;
    for (let i = 0; i < count; i++) if (places.positions[i]?.[0] !== this.places.positions[i]?.[0]) return false;
    return true;
  }
}

const nowhere = new Places([]);

/** Of a message to all members of one room, of which only the newest under its key matters to who has not got it yet. */
export class Latest extends Earlier {
  readonly key: string;
  /** Offset of the next one of its key in its log, 0 if there is none. The newest of all may be behind what is for who asks, or be so later. */
  replacedBy = 0;

  constructor(key: string) {
    super(undefined, nowhere, 0);
    this.key = key;
  }
}

export function isEarlier(except: Except): except is Earlier {
  return except instanceof Earlier;
}
