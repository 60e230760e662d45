// A socket's time in a room: which entries of the room's log are its own, by their offsets, and whom `except` means, by stamps.
import type { Top } from '../store/turn';
import type { Room } from './room';

export interface Membership {
  readonly room: Room;
  /** Id of the log that its offsets are of. */
  epoch: string;
  /** Its entries come after this offset … */
  from: number;
  /** … up to this one. Infinity until it leaves. */
  to: number;
  /** Up to this offset its client has read them, whatever that remembers. */
  read: number;
  /** It is in the room for what is emitted after this stamp … */
  readonly since: number;
  /** … up to this one. Infinity until it leaves. */
  until: number;
  /** Place of its last entry in the order of this node. Infinity until it leaves. */
  newest: number;
  /** With a store that others share: that says where it begins, and where it ends, as long as that is not known. */
  begins: Top | undefined;
  ends: Top | undefined;
  /** Offset up to which a session that was live had been sent its entries when it left. */
  seen: number;
  /**
   * What has its place in the order of this node behind this stamp waits for entries of it that are not here yet: since it has entered the
   * room, or else has left it, and that is not known to be done; 0 if it comes from another server. Infinity: none are missing.
   */
  heldSince: number;
}

const open = Number.POSITIVE_INFINITY;

/** @returns one that goes on. @param from the offset, and `since` the stamp, of what was emitted last */
export function membershipOf(room: Room, from: number, since: number): Membership {
  const ends = { begins: undefined, ends: undefined, seen: 0, heldSince: open };
  return { room, epoch: room.log.id, from, to: open, read: from, since, until: open, newest: open, ...ends };
}
