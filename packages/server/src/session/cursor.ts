// How far a session is read in one of its times in a room, while it catches up.
import type { Membership } from '../room/membership';
import type { Spans } from './spans';

/** In place of a stamp: there is no entry. */
export const none = Number.POSITIVE_INFINITY;

export class Cursor {
  readonly presence: Spans;
  readonly membership: Membership;
  /** The last offset that the peer has read. */
  position: number;
  /** Offset of the next entry to look at; 0 as long as it is not known where it begins. */
  offset = 0;
  /** Its place among what is sent; infinity if this round has none for the socket. */
  stamp = none;
  /** What has a later place in the order of this node is not for it. */
  last = none;
  /** Whether the entry is sent by another log, and only waited for. */
  isSilent = false;
  /** Whether it was looked through for messages that are in other logs too. */
  isLooked = false;

  constructor(presence: Spans, membership: Membership, position: number) {
    this.presence = presence;
    this.membership = membership;
    this.position = position;
  }

  get isAtEntry(): boolean {
    return this.stamp !== none;
  }
}
