// A session's presence in one namespace, as the session has it: in which rooms it is, and who takes what arrives for it.

import type { Codec } from '@halyard/codec';
import type { Close, EventPacket, Failure, Frame, RenewPacket, Settle, Value, VolatilePacket } from '@halyard/protocol';
import { CloseCode, closeWords, quoted } from '@halyard/protocol';
import { debugOf } from '../base/debug';
import type { Membership } from '../room/membership';
import type { Rooms } from '../room/rooms';
import type { Line } from '../room/subscriber';
import type { Top } from '../store/turn';
import type { Connection } from '../wire/connection';
import type { HandshakeOrigin } from './handshake';
import type { MembershipRecord, PresenceRecord } from './record';
import { Spans } from './spans';

const debug = debugOf('halyard:server:namespace');

const pastMembershipsMax = 1_024;

/** What a client is told whom the app has sent out. */
export const dismissal: Close = { code: CloseCode.Normal, reason: 'disconnected by the server', by: 'server' };

/** The session, as its presences use it. */
export interface Owner extends Line {
  /** Of the session. */
  readonly id: string;
  readonly connection: Connection | undefined;
  /** Of that connection, as the client counts: it grows with every one. */
  readonly generation: number;
  /** Stamp up to which everything is known to be handled by the client. */
  readonly confirmedStamp: number;
  sendEvent(namespace: string, event: string, args: readonly Value[]): void;
  sendRequest(
    namespace: string,
    event: string,
    args: readonly Value[],
    timeoutMs: number | undefined,
    settle: Settle,
  ): void;
  sendAck(ack: number, value: Value | undefined): void;
  sendError(ack: number, failure: Failure): void;
  sendVolatile(namespace: string, event: string, args: readonly Value[]): void;
  /** The handlers of an event of this number are called. @param number 0: nobody has to know */
  began(number: number, ack: number | undefined): void;
  /** An event of this number is handled to the end. @param number 0: nobody has to know */
  settle(number: number): void;
  /** As many events wait for somebody as this limit lets, or no more as many: the client is to wait meanwhile. */
  full(isFull: boolean, limit: string): void;
  /** Whether an event of this number may have been handled before, by a server that is gone, or by this one before it was started anew. */
  isRedelivered(number: number): boolean;
  /** What a presence was let in with is something else now. */
  renewedAuth(presence: Presence): void;
  /** It has entered a room. */
  enter(presence: Presence, membership: Membership): void;
  /** It has left a room. */
  exit(presence: Presence, membership: Membership): void;
  /** Whether the session is over. */
  readonly isOver: boolean;
  /** The app has said whether it is in these rooms. */
  placed(presence: Presence, isIn: boolean, rooms: readonly string[]): void;
  /** It has left many rooms that it has perhaps not read to the end: the client is asked how far it has got. */
  askHandled(): void;
  /** It has forgotten a membership that ended at this stamp. */
  forgot(stamp: number): void;
  /** The server ends this presence. */
  disconnect(presence: Presence, close: Close): void;
  /** The server ends the session. */
  end(close: Close): void;
  /** The app ends it, behind what was said. */
  dismiss(close: Close): void;
  /**
   * Stores the session as it is now.
   * @param data of one of its sockets, to be encoded
   * @returns once that is done; with a store of its own at once. Rejects as `Socket.save` says
   */
  save(data: unknown, timeoutMs: number | undefined): Promise<void>;
  /** @returns once the session is stored as it is now: whether it is still this server's */
  confirmed(): Promise<boolean>;
  /** Calls `tell` once it is known whether a presence that is over here goes on at another server. */
  whenOver(tell: (hasMoved: boolean) => void): void;
}

/** The question for a presence, which a namespace decides. */
export interface Ticket {
  readonly namespace: string;
}

export abstract class Presence extends Spans {
  readonly line: Owner;
  /** What it was let in with. */
  abstract readonly ticket: Ticket;
  /** When that ends, in milliseconds since 1970; undefined if it does not. */
  abstract readonly expiresAtMs: number | undefined;
  /** For how long it lasts, as the client is told, in milliseconds; undefined if it is not told. */
  abstract readonly renewMs: number | undefined;
  /** False once it is over. */
  connected = true;

  constructor(id: string, owner: Owner, rooms: Rooms, memberships?: readonly MembershipRecord[]) {
    super(id, rooms, memberships);
    this.line = owner;
  }

  get namespace(): string {
    return this.ticket.namespace;
  }

  /**
   * @param tops where to put what is not known yet
   * @returns what another server needs to go on with it, but for `encodedData`
   */
  abstract record(codec: Codec, tops: Map<string, Top>): Omit<PresenceRecord, 'data'>;
  /** @returns the app's own `data` */
  abstract encodedData(codec: Codec): Frame;
  /** An event of the client. @param number to settle it by */
  /** @param number to settle it by; 0 if nobody asks. @param size of its frame */
  abstract receive(packet: EventPacket | VolatilePacket, number: number, size: number): void;
  /**
   * The client presents something else. @param number to settle it by @param origin of the connection that there is, if there is one
   * @throws RemoteProtocolError if it was not to
   */
  abstract renew(packet: RenewPacket, number: number, origin: HandshakeOrigin | undefined): void;
  /** The session's connection was lost. */
  abstract wentAway(close: Close): void;
  /** Whether somebody is asked before the session comes back. */
  abstract readonly isChecked: boolean;
  /** @returns why it may not come back, if it may not. Never rejects */
  abstract checkResume(): Promise<Failure | undefined>;
  /** The session is back. */
  abstract cameBack(): void;
  /** Whether events of the client are still on their way through middleware. @param then called when they have passed */
  protected abstract isBusy(then: () => void): boolean;
  /** It comes from another server, and the app knows of it now. If it has ended before, that is told behind. */
  abstract told(): void;
  /** It is over, and has left its rooms: the app is told. @param isElsewhere whether another server goes on with it */
  protected abstract ended(close: Close, isElsewhere: boolean): void;

  /** @param isIn whether it joins these rooms, or leaves them */
  place(isIn: boolean, rooms: readonly string[]): void {
    for (const name of rooms) {
      if (isIn) this.joinRoom(name);
      else this.leaveRoom(name);
    }
  }

  private joinRoom(name: string): void {
    if (!this.connected) return;
    const membership = this.enterRoom(name);
    if (membership !== undefined) this.line.enter(this, membership);
  }

  private leaveRoom(name: string): void {
    const membership = this.exitRoom(name);
    if (membership === undefined) return;
    const { room } = membership;
    this.line.exit(this, membership);
    // Nothing was published to the room, or with the exception of it, while it was in: nothing depends on that any more.
    if (membership.heldSince === Number.POSITIVE_INFINITY && !room.hasSpoken(membership)) return;
    const count = this.keepPast(membership, this.line.confirmedStamp);
    if (count > pastMembershipsMax / 2) this.line.askHandled();
    const forgotten = this.forgetPast(pastMembershipsMax);
    if (forgotten !== undefined) this.line.forgot(forgotten);
  }

  /** It is over as soon as the events before have passed its middleware. @returns whether it is already */
  depart(close: Close): boolean {
    if (this.isBusy(() => this.over(close))) return false;
    this.over(close);
    return true;
  }

  /** It is over: it leaves its rooms, and tells the app. @param isElsewhere whether another server goes on with it */
  over(close: Close, isElsewhere = false): void {
    if (!this.connected) return;
    debug?.(`socket ${this.id} of ${quoted(this.namespace)} is over: ${closeWords(close)}`);
    this.connected = false;
    const isRead = !(this.isLeaving || this.line.isOver);
    for (const membership of this.exitAll(!isRead)) this.line.exit(this, membership);
    this.ended(close, isElsewhere);
  }
}
