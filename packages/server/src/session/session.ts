// A client across its connections, as the server has it: the connection it has now, if any, and its presence in namespaces.
import {
  afterClose,
  assertNever,
  type Close,
  CloseCode,
  type DeliveredPacket,
  type EventPacket,
  type Failure,
  type Frame,
  type HelloPacket,
  LocalUsageError,
  PacketType,
  PublicError,
  packetLimits,
  RemoteProtocolError,
  type ResumeRequest,
  type StreamState,
  type Value,
  type VolatilePacket,
} from '@halyard/protocol';
import { isList, keepOf, listOf, withOne } from '../base/compact-list';
import { warningOf } from '../base/warnings';
import { Peer } from '../host/host';
import type { RecordWrite } from '../store/store';
import type { Recorded } from '../store/turn';
import { type Connection, nobody, type Receiver, type TransportName } from '../wire/connection';
import type { Entrant, SessionContext } from './context';
import { Departures } from './departures';
import { Handshake } from './handshake';
import { PendingNamespaces } from './pending';
import type { Presence, Ticket } from './presence';
import { Reading } from './reading';
import {
  decodeValue,
  encodeRecord,
  encodeValue,
  hashOf,
  type LeftRecord,
  noHash,
  type PeerRecord,
  type PresenceRecord,
  type SessionRecord,
} from './record';

/** How far a client has got. */
type ResumePoint = Pick<ResumeRequest, 'received' | 'confirmed' | 'positions'>;

const never = Number.POSITIVE_INFINITY;

/** Who a session is. */
export interface Identity {
  readonly id: string;
  readonly secret: string;
  readonly client: string;
  /** Of the connection that has the session, or had it last, as the client counts. */
  readonly generation: number;
  /** The token of a client that has perhaps not been told of the session, and the namespaces it listed then. */
  readonly untold: Untold | undefined;
}

export interface Untold {
  readonly token: string;
  readonly listed: readonly string[];
}

/** Longer than a session that nobody comes back to, so that its own node ends it while that lives. */
const keptSlackMs = 30_000;

export class Session extends Reading implements Receiver, Entrant, Recorded {
  /** Namespaces that have not decided about it. */
  #pending: PendingNamespaces | undefined = undefined;
  #departures: Departures | undefined = undefined;
  /** Until the client is known to have been told of the session. */
  #untold: Untold | undefined;
  /** Why it is not the session that HELLO asked for: until RESET everything belonged to that one. Else empty. */
  refusal = '';
  /** When a session without a connection ends. */
  #endsAt: number | undefined = undefined;
  readonly id: string;
  readonly secret: string;
  readonly #client: string;
  #generation: number;
  /** What the store knows this node's claim by; empty while nothing is stored. */
  #nonce = '';
  /** Size of the frame that is handled while namespaces have not decided. */
  #frameBytes = 0;

  constructor(
    { id, secret, client, generation, untold }: Identity,
    codecIndex: number,
    context: SessionContext,
    state?: StreamState<Frame>,
  ) {
    super(codecIndex, context, state);
    this.id = id;
    this.secret = secret;
    this.#client = client;
    this.#generation = generation;
    this.#untold = untold;
  }

  // Its record.

  /** Goes on with what it was on another server. @param nonce of this server's claim */
  restore(record: SessionRecord, nonce: string): void {
    this.#nonce = nonce;
    this.refusal = record.refusal;
    this.forgottenStamp = record.forgotten;
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    for (const left of record.left) this.#recall(left);
    for (const presence of record.presences) this.#revive(presence);
    for (const { namespace, auth, peer } of record.pending) this.#ask(namespace, this.#decode(auth), peer);
    this.schedule();
  }

  record(): SessionRecord {
    const { context, confirmedStamp } = this;
    const { codec } = context.store;
    const presences = listOf(this.presences).map((presence) => presence.record(codec));
    const left = (this.left ?? []).map(({ presence, namespace, stamp }) => ({
      ...{ id: presence.id, namespace, stamp },
      memberships: presence.pastRecords(confirmedStamp),
    }));
    const pending = [...(this.#pending?.handshakes() ?? [])].map(({ namespace, auth, peer }) => ({
      ...{ namespace, peer },
      auth: encodeValue(auth as Value, codec),
    }));
    return {
      id: this.id,
      secret: hashOf(this.secret),
      token: this.#untold === undefined ? noHash : hashOf(this.#untold.token),
      listed: this.#untold?.listed ?? [],
      codec: this.codec.name,
      client: this.#client,
      generation: this.#generation,
      refusal: this.refusal,
      stream: this.machine.snapshot(),
      forgotten: this.forgottenStamp,
      ...{ presences, left, pending },
    };
  }

  write(): RecordWrite {
    const { store, settings } = this.context;
    const record = this.isOver ? undefined : encodeRecord(this.record(), store.codec);
    return { session: this.id, nonce: this.#nonce, record, keptMs: settings.recoveryWindowMs + keptSlackMs };
  }

  /** Another node has it: what it would do here from now on is done there. */
  fenced(): void {
    this.end({ code: CloseCode.Evicted, reason: 'another server has the session', by: 'server' });
  }

  protected override touch(): void {
    this.context.turn.touch(this);
  }

  #revive(record: PresenceRecord): void {
    const { namespace: name, peer, auth, data } = record;
    const handshake = this.#handshakeOf(name, this.#decode(auth), peer, this.#decode(data));
    const namespace = this.context.namespace(name, handshake.auth, { session: this.id, address: handshake.address });
    // Without it, what is sent to the client from there on ends here.
    if ('admit' in namespace) namespace.revive(this, handshake, record);
    else this.push({ type: PacketType.Disconnect, namespace: name, reason: namespace.code });
  }

  #recall(record: LeftRecord): void {
    const { namespace: name, stamp } = record;
    const namespace = this.context.namespace(name, undefined, { session: this.id, address: '' });
    if (!('recall' in namespace)) return;
    this.left ??= [];
    this.left.push({ presence: namespace.recall(this, record), namespace: name, stamp });
  }

  #decode(frame: Frame): Value | undefined {
    return decodeValue(frame, this.context.store.codec);
  }

  #handshakeOf(name: string, auth: Value | undefined, peer: PeerRecord, data?: Value): Handshake {
    const origin = {
      transport: peer.transport as TransportName,
      peer: new Peer(peer.address, peer.secure, peer.headers),
      trustProxy: this.context.trustProxy,
    };
    return new Handshake(name, auth, this.#client, origin, data as Record<string, unknown> | undefined);
  }

  // Connections.

  /** Takes its first connection. @param refusal why it is not the session that HELLO asked for; empty if it asked for none */
  start(connection: Connection, hello: HelloPacket, refusal: string): void {
    this.#attach(connection, { received: 0, confirmed: 0 });
    this.refusal = refusal;
    this.#welcome(connection, false, refusal);
    this.machine.open(this.context.wheel.now());
    for (const { namespace, auth } of hello.namespaces) this.#ask(namespace, auth);
    this.schedule();
  }

  /** @returns why the session cannot go on from there, or undefined if it can. A connection it has is not touched. */
  refusesResume({ received, confirmed, positions }: ResumePoint): string | undefined {
    const { machine } = this;
    const sent = machine.confirmed + machine.unconfirmed;
    if (received < machine.confirmed || received > sent || confirmed > machine.received) return 'impossible-counts';
    // True whatever becomes of the resume.
    machine.confirm(received);
    if (positions.length > packetLimits.helloPositionsMax) return 'too-many-positions';
    return this.reachesBack(new Map(positions)) ? undefined : 'log-trimmed';
  }

  /** Whether a HELLO was overtaken by a later one of the same client, and comes for a connection that is given up. */
  isAfter({ generation }: HelloPacket): boolean {
    return generation !== 0 && generation <= this.#generation;
  }

  /** Goes on over another connection; one that is still there is closed. */
  resume(connection: Connection, request: ResumePoint, generation: number): void {
    this.#generation = Math.max(this.#generation, generation);
    this.refusal = '';
    const evicted: Close = { code: CloseCode.Evicted, reason: 'another connection resumed the session', by: 'server' };
    this.#detach()?.close(evicted);
    this.#attach(connection, request);
    this.#welcome(connection, true, '');
    this.readFrom(new Map(request.positions));
    for (const presence of listOf(this.presences)) presence.cameBack();
    this.pump();
    this.schedule();
  }

  /** Goes on over another connection with a client that says HELLO again, because WELCOME has not reached it. */
  repeat(connection: Connection, hello: HelloPacket): void {
    const listed = this.#untold?.listed ?? [];
    this.resume(connection, { received: 0, confirmed: 0, positions: [] }, hello.generation);
    for (const { namespace, auth } of hello.namespaces) {
      if (!listed.includes(namespace)) this.#ask(namespace, auth);
    }
  }

  /** The client names the session by its id: it was told of it. */
  named(): void {
    if (this.#untold !== undefined) this.#told(this.#untold);
  }

  onFrame(frame: Frame): void {
    if (this.#pending !== undefined) this.#frameBytes = frame.length;
    this.touch();
    try {
      const packet = this.codec.decode(frame);
      if (this.refusal !== '') {
        if (packet.type === PacketType.Reset) this.refusal = '';
        return;
      }
      switch (packet.type) {
        case PacketType.Hello:
        case PacketType.Reset:
        case PacketType.Welcome:
        case PacketType.Publish:
        case PacketType.Connected:
        case PacketType.Refused:
          throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED', `packet type ${packet.type} has no place here`);
        default:
          if (this.machine.receive(packet, this.context.wheel.lately(), frame.length)) this.schedule();
          if (packet.type === PacketType.Pong) this.onPong();
          else if (packet.type === PacketType.Ping) this.onPing();
      }
      // WELCOME went out before the first counted packet.
      if (this.#untold !== undefined && this.machine.confirmed > 0) this.#told(this.#untold);
    } catch (error) {
      this.fail(error);
    }
  }

  onDrain(): void {
    this.pump();
  }

  onClose(close: Close): void {
    if (afterClose(close.code) !== 'resume') {
      this.#detach();
      this.end(close);
      return;
    }
    this.#away(close);
  }

  override silent(): void {
    const close: Close = { code: CloseCode.HeartbeatTimeout, reason: 'no answer to PING', by: 'server' };
    this.connection?.close(close);
    this.#away(close);
  }

  /** Over for good: every presence gets its `disconnect`, every acknowledgement waited for settles. */
  override end(close: Close): void {
    if (this.isOver) return;
    const warning = warningOf(close);
    if (warning !== undefined) this.context.warn(...warning);
    const connection = this.#detach();
    this.machine.end(new LocalUsageError('ERR_SESSION_ENDED', `the session is over: ${close.reason || close.code}`));
    this.context.wheel.cancel(this);
    if (this.#untold !== undefined) this.#told(this.#untold);
    this.context.ended(this);
    this.touch();
    connection?.close(close);
    const presences = listOf(this.presences);
    this.presences = undefined;
    if (close.by === 'client' && close.code === CloseCode.Normal) {
      for (const presence of presences) this.#depart(presence, close);
      this.#pending?.leaveAll();
      this.#vacate();
      if (this.#pending !== undefined) this.#departures ??= new Departures(this.context.wheel.now(), []);
    } else {
      for (const presence of presences) presence.over(close);
      this.#pending = undefined;
      this.#hurry(close);
    }
    this.schedule();
  }

  override due(now: number): void {
    if (now >= this.#departsAt) {
      this.#hurry({ code: CloseCode.Normal, reason: 'middleware takes too long', by: 'client' });
      if (this.isOver) this.#pending = undefined;
    }
    if (this.isOver) {
      this.schedule();
      return;
    }
    if (this.#endsAt !== undefined && now >= this.#endsAt) {
      this.end({ code: CloseCode.SessionEnded, reason: 'away longer than recoveryWindowMs', by: 'server' });
      return;
    }
    this.machine.tick(now);
    this.schedule();
  }

  protected override fail(error: unknown): void {
    if (error instanceof RemoteProtocolError) {
      this.end({ code: error.closeCode, reason: `${error.code}: ${error.message}`, by: 'server' });
    } else {
      this.context.report(error, `session ${this.id}`);
      this.end({ code: CloseCode.InternalError, reason: 'the server failed', by: 'server' });
    }
  }

  protected override schedule(): void {
    const dueAt = this.isOver ? never : Math.min(this.machine.deadline, this.#endsAt ?? never);
    this.context.wheel.schedule(this, Math.min(dueAt, this.#departsAt));
  }

  #told({ token }: Untold): void {
    this.context.told(token);
    this.#untold = undefined;
  }

  #attach(connection: Connection, peer: { received: number; confirmed: number }): void {
    this.machine.hold(peer, this.context.wheel.now());
    this.#endsAt = undefined;
    this.connection = connection;
    connection.receiver = this;
    this.touch();
  }

  #detach(): Connection | undefined {
    const { connection } = this;
    if (connection === undefined) return undefined;
    connection.receiver = nobody;
    this.connection = undefined;
    this.machine.detach();
    this.stopReading(connection);
    return connection;
  }

  #away(close: Close): void {
    if (this.#detach() === undefined || this.isOver) return;
    this.#endsAt = this.context.wheel.now() + this.context.settings.recoveryWindowMs;
    this.touch();
    this.schedule();
    for (const presence of listOf(this.presences)) presence.wentAway(close);
  }

  #welcome(connection: Connection, recovered: boolean, reason: string): void {
    const { received } = this.machine;
    const { settings } = this.context;
    const { id: session, secret } = this;
    connection.send(
      this.codec.encode({ type: PacketType.Welcome, session, secret, settings, received, recovered, reason }),
    );
  }

  // Namespaces.

  override deliver(packet: DeliveredPacket): void {
    switch (packet.type) {
      case PacketType.Event:
      case PacketType.Volatile:
        this.#receive(packet);
        return;
      case PacketType.Connect:
        if (this.#has(packet.namespace)) {
          throw new RemoteProtocolError('ERR_CONNECT_REPEATED', `${packet.namespace} is connected already`);
        }
        this.#ask(packet.namespace, packet.auth);
        return;
      case PacketType.Disconnect: {
        const presence = this.#find(packet.namespace);
        this.#forget(presence);
        this.#pending?.leave(packet.namespace);
        this.#vacate();
        this.#depart(presence, { code: CloseCode.Normal, reason: packet.reason, by: 'client' });
        return;
      }
      case PacketType.Publish:
      case PacketType.Connected:
      case PacketType.Refused:
        return;
      default:
        assertNever(packet);
    }
  }

  awaits(ticket: Ticket): boolean {
    return this.#pending?.awaits(ticket) ?? false;
  }

  revived(presence: Presence): void {
    this.presences = withOne(this.presences, presence);
  }

  connected(presence: Presence): void {
    if (this.#pending?.isLeaving(presence.ticket)) {
      // It comes for what it has said, and nobody hears of it any more.
      presence.isLeaving = true;
      return;
    }
    this.presences = withOne(this.presences, presence);
    this.push({ type: PacketType.Connected, namespace: presence.namespace, id: presence.id });
    for (const membership of presence.memberships()) this.enter(presence, membership);
  }

  ready(presence: Presence): void {
    for (const packet of this.#take(presence.ticket)) presence.receive(packet);
    if (presence.isLeaving) this.#depart(presence, { code: CloseCode.Normal, reason: '', by: 'client' });
  }

  refused(ticket: Ticket, failure: Failure): void {
    const isLeaving = this.#pending?.isLeaving(ticket);
    const packets = this.#take(ticket);
    if (!isLeaving) this.#refuse(ticket.namespace, failure);
    for (const packet of packets) this.#notConnected(packet);
  }

  disconnect(presence: Presence, close: Close): void {
    if (!presence.connected) return;
    if (presence.isLeaving) {
      // Its client has left it, and may have another one by now.
      presence.over(close);
      return;
    }
    this.catchUp?.leave(presence, this.context.turn.stamps.last);
    this.#forget(presence);
    this.push({ type: PacketType.Disconnect, namespace: presence.namespace, reason: close.reason });
    presence.over(close);
    if (this.isOver) return;
    const { confirmedStamp } = this;
    this.left = this.left?.filter(({ stamp }) => stamp > confirmedStamp) ?? [];
    this.left.push({ presence, namespace: presence.namespace, stamp: this.context.turn.stamps.last });
  }

  sendVolatile(namespace: string, event: string, args: readonly Value[]): void {
    const frame = this.codec.encode({ type: PacketType.Volatile, namespace, event, args });
    if (this.takesVolatile) this.connection?.send(frame);
  }

  /** Asks a namespace to let it in. @param before the request of an earlier connection, if that came over it */
  #ask(name: string, auth: Value | undefined, before?: PeerRecord): void {
    const { trustProxy, namespacesPerSessionMax } = this.context;
    const { connection } = this;
    if (this.#has(name)) return;
    if (listOf(this.presences).length + (this.#pending?.size ?? 0) >= namespacesPerSessionMax) {
      const message = `A session may be in ${namespacesPerSessionMax} namespaces (namespacesPerSessionMax).`;
      this.#refuse(name, { code: 'ERR_NAMESPACES_FULL', message, data: undefined });
      return;
    }
    let handshake: Handshake;
    if (before !== undefined) handshake = this.#handshakeOf(name, auth, before);
    else if (connection === undefined) return;
    else {
      const { transport, peer } = connection;
      handshake = new Handshake(name, auth, this.#client, { transport, peer, trustProxy });
    }
    const namespace = this.context.namespace(name, auth, { session: this.id, address: handshake.address });
    if (!('admit' in namespace)) {
      this.#refuse(name, namespace);
      return;
    }
    this.#pending ??= new PendingNamespaces(this.context);
    this.#pending.enter(handshake);
    namespace.admit(this, handshake);
  }

  #refuse(namespace: string, failure: Failure): void {
    if (!this.isOver) this.pushFailure({ type: PacketType.Refused, namespace, ...failure });
  }

  #find(namespace: string): Presence | undefined {
    const { presences } = this;
    if (isList(presences)) return presences.find((presence) => presence.namespace === namespace);
    return presences?.namespace === namespace ? presences : undefined;
  }

  #forget(presence: Presence | undefined): void {
    this.presences = keepOf(this.presences, (entry) => entry !== presence);
  }

  /** Whether the namespace is connected, or its middleware is deciding. */
  #has(namespace: string): boolean {
    return this.#find(namespace) !== undefined || (this.#pending?.has(namespace) ?? false);
  }

  /** @returns what waited for a namespace to decide */
  #take(ticket: Ticket): ReturnType<PendingNamespaces['take']> {
    const packets = this.#pending?.take(ticket) ?? [];
    this.#vacate();
    return packets;
  }

  #vacate(): void {
    if (this.#pending?.isEmpty) this.#pending = undefined;
  }

  #receive(packet: EventPacket | VolatilePacket): void {
    if (this.#pending?.keeps(packet, this.#frameBytes)) return;
    const presence = this.#find(packet.namespace);
    if (presence === undefined) this.#notConnected(packet);
    else presence.receive(packet);
  }

  #notConnected(packet: EventPacket | VolatilePacket): void {
    if (packet.type !== PacketType.Event || packet.ack === undefined) return;
    this.sendError(packet.ack, new PublicError('ERR_NAMESPACE_NOT_CONNECTED', 'The namespace is not connected.'));
  }

  // Leaving.

  /** The client has left with this presence: what it said before is handled first, if that does not take too long. */
  #depart(presence: Presence | undefined, close: Close): void {
    if (presence === undefined) return;
    for (const { room } of presence.memberships()) this.exit(presence, room);
    presence.isLeaving = true;
    this.catchUp?.leave(presence, -1);
    if (presence.depart(close)) return;
    const now = this.context.wheel.now();
    this.#departures = this.#departures?.with(presence, now) ?? new Departures(now, [presence]);
    this.schedule();
  }

  /** What the client said before it left is not waited for any longer. */
  #hurry(close: Close): void {
    this.#departures?.end(close);
    this.#departures = undefined;
  }

  /** Until when it is waited for what the client said before it left. */
  get #departsAt(): number {
    return this.#departures === undefined ? never : this.#departures.since + this.context.ackTimeoutMs;
  }
}
