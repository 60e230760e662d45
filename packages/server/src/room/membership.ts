// A socket's time in a room, as serials: after `from` and up to `to`.
import type { Room } from './room';

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
