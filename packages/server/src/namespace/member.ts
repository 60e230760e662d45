// A socket as rooms and sessions see it: without the types of its events.
import type { Close, EventPacket, VolatilePacket } from '@halyard/protocol';
import type { Session } from '../session/session';
import type { Membership } from './room';
import type { Reader } from './trimmed';

export interface Member extends Reader {
  readonly id: string;
  readonly namespace: string;
  readonly session: Session;
  readonly connected: boolean;
  recovered: boolean;
  /** An event of the client. */
  receive(packet: EventPacket | VolatilePacket): void;
  /** The session's connection was lost. */
  wentAway(close: Close): void;
  /** The session is back. */
  cameBack(): void;
  /** Called once, when it is over: it leaves its rooms, and tells the app. */
  over(close: Close): void;
  /** Rooms it is in now, but for the namespace as a whole. */
  readonly roomCount: number;
  /** What it is a member of now: the namespace as a whole first. */
  memberships(): Iterable<Membership>;
  /** Also what it has left, and has perhaps not read to the end. */
  pastMemberships(): Iterable<Membership>;
}
