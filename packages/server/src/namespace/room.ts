// A room: its members, and the log of what was published to it. A namespace as a whole is a room too.
import type { Journal } from './journal';
import { Log } from './log';
import type { Member } from './member';

/** A socket's time in a room, as serials: after `from` and up to `to`. */
export interface Membership {
  readonly room: Room;
  readonly from: number;
  to: number;
  /** Of the newest message to the room while it was in. Infinity until it leaves. */
  newest: number;
}

/** @returns one that goes on. @param from serial of what was emitted last */
export function membershipOf(room: Room, from: number): Membership {
  return { room, from, to: Number.POSITIVE_INFINITY, newest: Number.POSITIVE_INFINITY };
}

export class Room {
  readonly name: string;
  readonly log: Log;
  readonly members = new Map<string, Member>();
  /** Serial of the newest message that was not for its members. */
  exceptedSerial = -1;
  /** Members that are connected and that native fan-out does not reach: they are sent to one by one. */
  looped: Set<Member> | undefined;
  /** Size of what native fan-out has sent since it was last looked at what waits for the members. */
  publishedBytes = 0;

  /** @param id unique on this server and for all its life: names the log, and the topics of native fan-out */
  constructor(name: string, id: string, journal: Journal) {
    this.name = name;
    this.log = new Log(id, journal);
  }

  /** Serial of the newest message that was for its members, or was not because they were. */
  get newestSerial(): number {
    return Math.max(this.log.newestSerial, this.exceptedSerial);
  }

  /** The topic of native fan-out for members that speak the codec with this index. */
  topic(codecIndex: number): string {
    return `${this.log.id}/${codecIndex}`;
  }
}
