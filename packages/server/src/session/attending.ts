// In which namespaces a session is: it asks to be let in, events go to its presences, and it leaves. Longer than other files: how it
// leaves depends on how it came.
// Methods are private by the compiler alone: one with # costs every instance a field.
import {
  assertNever,
  type Close,
  CloseCode,
  type DeliveredPacket,
  type EventPacket,
  type Failure,
  PacketType,
  quoted,
  RemoteProtocolError,
  type RenewPacket,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import { Backlog } from '../base/backlog';
import { isList, keepOf, listOf, withOne } from '../base/compact-list';
import { debugOf } from '../base/debug';
import type { Top } from '../store/turn';
import { AuthEnd } from './auth-end';
import type { Entrant } from './context';
import { Departures } from './departures';
import { Handshake, type HandshakeOrigin } from './handshake';
import { Leavings } from './leavings';
import { notConnected } from './not-connected';
import { PendingNamespaces } from './pending';
import type { Presence, Ticket } from './presence';
import { Reading } from './reading';
import type { RecordedSocket } from './record-writer';
import { encodeSized } from './sent-size';

const debug = debugOf('halyard:server:namespace');

const never = Number.POSITIVE_INFINITY;

/** Of sessions that have any: few have. */
const leavingsOf = new WeakMap<Attending, Leavings>();
const authEnds = new WeakMap<Attending, AuthEnd>();

export abstract class Attending extends Reading implements Entrant {
  abstract readonly id: string;
  abstract readonly generation: number;
  abstract settle(number: number): void;
  abstract began(number: number, ack: number | undefined): void;
  abstract isRedelivered(number: number): boolean;
  abstract placed(presence: Presence, isIn: boolean, rooms: readonly string[]): void;
  abstract confirmed(): Promise<boolean>;
  abstract save(data: unknown, timeoutMs: number | undefined): Promise<void>;
  abstract whenOver(tell: (hasMoved: boolean) => void): void;
  /** Name and version of the client's software, as it says. */
  protected abstract readonly client: string;
  /** Namespaces that have not decided about it. */
  protected pending: PendingNamespaces | undefined = undefined;
  #departures: Departures | undefined = undefined;

  /** The client has left with all of them. */
  protected departAll(presences: readonly Presence[], close: Close): void {
    for (const presence of presences) this.depart(presence, close);
    this.pending?.leaveAll();
    this.vacate();
    if (this.pending?.hasLeft) this.#departures ??= new Departures(this.context.wheel.now(), []);
  }

  /** All are over, whatever waits. @param isElsewhere whether another server goes on with them */
  protected dropAll(presences: readonly Presence[], close: Close, isElsewhere: boolean): void {
    for (const presence of presences) presence.over(close, isElsewhere);
    this.pending = undefined;
    this.hurry(close);
  }

  /** What the client said before it left is waited for until then. */
  protected get departsAt(): number {
    return this.#departures === undefined ? never : this.#departures.since + this.context.ackTimeoutMs;
  }

  /** It is not waited for any longer. */
  protected departNow(): void {
    this.hurry({ code: CloseCode.Normal, reason: 'middleware takes too long', by: 'client' });
    if (this.isOver) this.pending = undefined;
  }

  override deliver(packet: DeliveredPacket, number: number, size: number): void {
    if (number > 0 && leavingsOf.get(this)?.keeps(packet, number, size)) return;
    switch (packet.type) {
      case PacketType.Event:
      case PacketType.Volatile:
        this.receive(packet, number, size);
        return;
      case PacketType.Connect:
        if (this.has(packet.namespace)) {
          throw new RemoteProtocolError('ERR_CONNECT_REPEATED', `${packet.namespace} is connected already`);
        }
        this.ask(packet.namespace, packet.auth);
        this.settle(number);
        return;
      case PacketType.Disconnect: {
        const close: Close = { code: CloseCode.Normal, reason: packet.reason, by: 'client' };
        if (!this.has(packet.namespace)) this.settle(number);
        else {
          this.leave(packet.namespace, number, close);
          if (number > 0) this.movable.settleInTurn(number, this.context.wheel.lately());
        }
        return;
      }
      case PacketType.Renew:
        this.renew(packet, number);
        return;
      case PacketType.Publish:
      case PacketType.Connected:
      case PacketType.Refused:
        return;
      default:
        assertNever(packet);
    }
  }

  full(isFull: boolean, limit: string): void {
    if (!isFull) {
      this.machine.unblock();
      // Behind what has waited for longer, which goes on just now.
      this.context.platform.microtask(() => this.due(this.context.wheel.now()));
      return;
    }
    this.machine.block(this.context.wheel.lately());
    const message = `As much of a client waits for asynchronous middleware as ${limit} lets: what else it says waits, and it is not confirmed meanwhile.`;
    this.context.warn(limit, message);
  }

  awaits(ticket: Ticket): boolean {
    return this.pending?.awaits(ticket) ?? false;
  }

  decided(): void {
    if (this.pending === undefined) return;
    this.pending.undecided--;
    this.vacate();
  }

  revived(presence: Presence): void {
    this.presences = withOne(this.presences, presence);
    this.watchAuth(presence);
  }

  connected(presence: Presence): void {
    if (this.pending?.isLeaving(presence.ticket)) {
      // It comes for what it has said, and nobody hears of it any more.
      leavingsOf.get(this)?.entered(presence.namespace, this.asItIs(presence));
      this.touch(presence.id);
      presence.isLeaving = true;
      return;
    }
    debug?.(`session ${this.id} is in ${quoted(presence.namespace)}, with the socket ${presence.id}`);
    this.presences = withOne(this.presences, presence);
    this.watchAuth(presence);
    const { namespace, id, renewMs } = presence;
    this.push({ type: PacketType.Connected, namespace, id, renewMs });
    for (const membership of presence.memberships()) this.enter(presence, membership);
  }

  ready(presence: Presence): void {
    for (const waits of this.takeWaiting(presence.ticket)) presence.receive(...waits);
    if (presence.isLeaving) this.depart(presence, { code: CloseCode.Normal, reason: '', by: 'client' });
  }

  refused(ticket: Ticket, failure: Failure): void {
    const isLeaving = this.pending?.isLeaving(ticket);
    const packets = this.takeWaiting(ticket);
    if (!isLeaving) this.refuse(ticket.namespace, failure);
    for (const [packet, number] of packets) this.notConnected(packet, number);
  }

  disconnect(presence: Presence, close: Close): void {
    if (!presence.connected) return;
    if (presence.isLeaving) {
      // Its client has left it, and may have another one by now.
      presence.over(close);
      return;
    }
    const { turn } = this.context;
    // With a store that others share it is read up to where the store says that it has left.
    if (!turn.isShared) this.catchUp?.leave(presence, turn.stamps.last);
    this.forget(presence);
    presence.over(close);
    this.push({ type: PacketType.Disconnect, namespace: presence.namespace, reason: close.reason });
    if (this.isOver) return;
    const { confirmedStamp } = this;
    this.left =
      this.left?.filter(({ stamp, presence }) => stamp > confirmedStamp || presence.isUnread(confirmedStamp)) ?? [];
    this.left.push({ presence, namespace: presence.namespace, stamp: this.context.turn.stamps.last });
    this.touch('left');
  }

  dismiss(close: Close): void {
    const { turn } = this.context;
    const isAway = this.connection === undefined;
    // Who is away is told when it comes for what was said before; where servers share a store it may come to one that knows nothing of it.
    const staysFor = isAway ? !turn.isShared && this.pending === undefined : turn.isShared;
    if (!staysFor) {
      this.end(close);
      return;
    }
    // What was said before leaves once it is stored, and the connection stays for that. Its sockets are told at once.
    for (const presence of listOf(this.presences)) this.disconnect(presence, close);
    if (!isAway) turn.after(() => this.end(close));
  }

  sendVolatile(namespace: string, event: string, args: readonly Value[]): void {
    const packet = { type: PacketType.Volatile, namespace, event, args } as const;
    const frame = encodeSized(this.codec, packet, this.context.sentFrameBytesMax);
    if (this.takesVolatile) this.connection?.send(frame);
    else this.context.counts.volatileDropped++;
  }

  /** Ends it if what it has presented somewhere has ended: a timer may be late. @returns whether it is over */
  endIfExpired(): boolean {
    authEnds.get(this)?.check();
    return this.isOver;
  }

  renewedAuth(presence: Presence): void {
    this.touch(presence.id);
    this.watchAuth(presence);
  }

  /** It is over: no `auth` is waited for. */
  protected unwatchAuth(): void {
    authEnds.get(this)?.stop();
  }

  private watchAuth(presence: Presence): void {
    if (presence.expiresAtMs === undefined) return;
    const authEnd =
      authEnds.get(this) ??
      new AuthEnd(
        this.context,
        () => listOf(this.presences),
        (close) => this.end(close),
      );
    authEnds.set(this, authEnd);
    authEnd.watch();
  }

  /** Asks a namespace to let it in. @param before how it was asked over an earlier connection, if it was */
  protected ask(name: string, auth: Value | undefined, before?: Handshake): void {
    const { namespacesPerSessionMax } = this.context;
    if (this.has(name)) return;
    if (listOf(this.presences).length + (this.pending?.undecided ?? 0) >= namespacesPerSessionMax) {
      const message = `A session may be in ${namespacesPerSessionMax} namespaces (namespacesPerSessionMax).`;
      this.context.warn('namespacesPerSessionMax', `A namespace was refused: ${message}`);
      this.refuse(name, { code: 'ERR_NAMESPACES_FULL', message, data: undefined });
      return;
    }
    const handshake = before ?? this.newHandshake(name, auth);
    if (handshake === undefined) return;
    const namespace = this.context.namespace(name, auth, { session: this.id, address: handshake.address });
    if (!('admit' in namespace)) {
      this.refuse(name, namespace);
      return;
    }
    this.pending ??= new PendingNamespaces(new Backlog(this.context, (...what) => this.full(...what)));
    this.pending.add(handshake);
    this.touch('pending');
    namespace.admit(this, handshake);
  }

  /** The client leaves a namespace. */
  private leave(namespace: string, number: number, close: Close): void {
    const presence = this.find(namespace);
    // Something before it is open.
    if (number > this.settledThrough + 1) {
      const leavings = leavingsOf.get(this) ?? new Leavings();
      leavingsOf.set(this, leavings);
      leavings.add(namespace, number, presence && this.asItIs(presence));
      if (presence !== undefined) this.touch(presence.id);
    }
    this.forget(presence);
    this.pending?.leave(namespace);
    this.vacate();
    this.depart(presence, close);
  }

  /** Presences that the client has left, and that come again at another server. */
  protected get leavingSockets(): RecordedSocket[] {
    return leavingsOf.get(this)?.sockets(this.settledThrough) ?? [];
  }

  /** What is to be recorded of a presence, whatever becomes of it. */
  private asItIs(presence: Presence): RecordedSocket {
    const { recordCodec } = this.context;
    const tops = new Map<string, Top>();
    const record = presence.record(recordCodec, tops);
    const data = presence.encodedData(recordCodec);
    return {
      id: presence.id,
      record: (_codec, all) => {
        for (const [part, top] of tops) all.set(part, top);
        return record;
      },
      data: () => data,
    };
  }

  /** All counted packets of the client up to this number are settled. */
  private get settledThrough(): number {
    return this.context.turn.isShared ? this.movable.settledThrough : this.machine.received;
  }

  /** What has waited for a packet that is settled now goes on. To enter a namespace it takes a connection. */
  protected goOn(): void {
    if (this.isOver || this.connection === undefined) return;
    for (const delivery of leavingsOf.get(this)?.settled(this.settledThrough) ?? []) this.deliver(...delivery);
  }

  /** Its client has closed: what it said before is handled, whatever that has waited for. */
  protected lastWords(): void {
    for (;;) {
      const waiting = leavingsOf.get(this)?.end() ?? [];
      if (waiting.length === 0) return;
      for (const delivery of waiting) this.deliver(...delivery);
    }
  }

  private newHandshake(name: string, auth: Value | undefined): Handshake | undefined {
    const { origin } = this;
    return origin && new Handshake(name, auth, this.client, origin);
  }

  /** Of the connection that there is. */
  private get origin(): HandshakeOrigin | undefined {
    if (this.connection === undefined) return undefined;
    const { transport, peer } = this.connection;
    const { trustProxy, platform } = this.context;
    return { transport, peer, time: Math.floor(platform.wall()), trustProxy };
  }

  private refuse(namespace: string, failure: Failure): void {
    debug?.(`session ${this.id} was refused in ${quoted(namespace)}: ${quoted(failure.code)}`);
    this.context.tell('namespace refused', { code: failure.code, session: this.id, namespace });
    if (!this.isOver) this.pushFailure({ type: PacketType.Refused, namespace, ...failure });
  }

  private find(namespace: string): Presence | undefined {
    const { presences } = this;
    if (isList(presences)) return presences.find((presence) => presence.namespace === namespace);
    return presences?.namespace === namespace ? presences : undefined;
  }

  private forget(presence: Presence | undefined): void {
    this.presences = keepOf(this.presences, (entry) => entry !== presence);
  }

  /** Whether the namespace is connected, or its middleware is deciding. */
  private has(namespace: string): boolean {
    return this.find(namespace) !== undefined || (this.pending?.has(namespace) ?? false);
  }

  /** @returns what waited for a namespace to decide */
  private takeWaiting(ticket: Ticket): ReturnType<PendingNamespaces['take']> {
    const packets = this.pending?.take(ticket) ?? [];
    this.vacate();
    return packets;
  }

  private vacate(): void {
    this.touch('pending');
    if (this.pending?.isEmpty) this.pending = undefined;
  }

  private receive(packet: EventPacket | VolatilePacket, number: number, size: number): void {
    if (this.pending?.keeps(packet, number, size)) return;
    const presence = this.find(packet.namespace);
    if (presence === undefined) this.notConnected(packet, number);
    else presence.receive(packet, number, size);
  }

  private renew(packet: RenewPacket, number: number): void {
    const presence = this.find(packet.namespace);
    if (presence !== undefined) presence.renew(packet, number, this.origin);
    else if (this.pending?.has(packet.namespace)) {
      // It took the answer to an earlier CONNECT for the answer to this one (docs/PROTOCOL.md §5.8).
      this.sendAck(packet.ack, undefined);
      this.settle(number);
    } else {
      // The server may have sent it out meanwhile.
      this.notConnected(packet, number);
    }
  }

  private notConnected(packet: EventPacket | VolatilePacket | RenewPacket, number: number): void {
    const what = packet.type === PacketType.Renew ? 'RENEW' : packet.event;
    debug?.(`session ${this.id} is not in ${quoted(packet.namespace)}: ${quoted(what)} is dropped`);
    if (packet.type !== PacketType.Volatile && packet.ack !== undefined) this.sendError(packet.ack, notConnected);
    this.settle(number);
  }

  /** The client has left with this presence: what it said before is handled first, if that does not take too long. */
  private depart(presence: Presence | undefined, close: Close): void {
    if (presence === undefined) return;
    this.leaveRooms(presence);
    if (presence.depart(close)) return;
    const now = this.context.wheel.now();
    this.#departures = this.#departures?.with(presence, now) ?? new Departures(now, [presence]);
    this.schedule();
  }

  private leaveRooms(presence: Presence): void {
    for (const membership of presence.memberships()) this.exit(presence, membership);
    presence.isLeaving = true;
    this.catchUp?.leave(presence, -1);
  }

  /** What the client said before it left is not waited for any longer. */
  private hurry(close: Close): void {
    this.#departures?.end(close);
    this.#departures = undefined;
  }
}
