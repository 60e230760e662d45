// A socket's time in a room: which entries of the room's log are its own, by their offsets, and whom `except` means, by stamps.
import type { Room } from './room';

export interface Membership {
  readonly room: Room;
  /** Its entries come after this offset … */
  readonly from: number;
  /** … up to this one. Infinity until it leaves. */
  to: number;
  /** It is in the room for what is emitted after this stamp … */
  readonly since: number;
  /** … up to this one. Infinity until it leaves. */
  until: number;
  /** Stamp of its last entry. Infinity until it leaves. */
  newest: number;
}

const open = Number.POSITIVE_INFINITY;

/** @returns one that goes on. @param from the offset, and `since` the stamp, of what was emitted last */
export function membershipOf(room: Room, from: number, since: number): Membership {
  return { room, from, to: open, since, until: open, newest: open };
}
