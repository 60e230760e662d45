// A socket as rooms and sessions see it: without the types of its events.
import type { Close, EventPacket, VolatilePacket } from '@halyard/protocol';
import type { Session } from '../session/session';
import type { Membership } from './room';
import type { Reader } from './trimmed';

export interface Member extends Reader {
  readonly id: string;
  readonly namespace: string;
  readonly session: Session;
  readonly handshake: { readonly namespace: string };
  readonly connected: boolean;
  recovered: boolean;
  /** Whether its client has left: what is sent to it goes nowhere. */
  isLeaving: boolean;
  /** An event of the client. */
  receive(packet: EventPacket | VolatilePacket): void;
  /** The session's connection was lost. */
  wentAway(close: Close): void;
  /** The session is back. */
  cameBack(): void;
  /** It is over: it leaves its rooms, and tells the app. */
  over(close: Close): void;
  /** It is over as soon as the events before have passed its middleware. @returns whether it is already */
  depart(close: Close): boolean;
  /** Rooms it is in now, but for the namespace as a whole. */
  readonly roomCount: number;
  /** What it is a member of now: the namespace as a whole first. */
  memberships(): Iterable<Membership>;
  /** Also what it has left, and has perhaps not read to the end. */
  pastMemberships(): Iterable<Membership>;
}
