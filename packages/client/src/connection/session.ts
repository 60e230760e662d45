// The client's session across its connections (docs/PROTOCOL.md §5): HELLO and WELCOME, the namespaces, and the stream
// machine with its timer. It is given a link and its frames; which link, and when, is the connection's business.
import {
  CloseCode,
  type DeliveredPacket,
  defaultOutboxLimits,
  defaultSettings,
  type EventPacket,
  type Frame,
  FrameTag,
  HalyardError,
  LocalUsageError,
  type Packet,
  PacketType,
  PublicError,
  RemoteProtocolError,
  SessionMachine,
  type Settle,
  type Value,
  type WelcomePacket,
} from '@halyard/protocol';
import type { Options } from '../options';
import type { Link } from '../transport/transport';
import { type AuthData, askAuth, type Member, noHandler, type Reply } from './member';
import { Timer } from './timer';

/** What the session asks of the connection under it. */
export interface SessionOwner {
  /** A namespace is wanted: connect if there is no connection and none will be tried. */
  wake(): void;
  /** No namespace is wanted any more. */
  idle(): void;
  opened(recovered: boolean): void;
  /** The server is silent. */
  silent(): void;
}

/** A volatile event is dropped while more than this waits in the transport. */
const volatileBufferMax = 1 << 16;

const normal = { code: CloseCode.Normal, reason: '' };
/** What the other side learns of an error that was not meant for it. */
const hidden = { code: 'ERR_HANDLER', message: 'The handler failed.', data: undefined };

export class Session {
  readonly options: Options;
  readonly members = new Map<string, Member>();
  owner!: SessionOwner;
  #machine: SessionMachine<Frame>;
  readonly #timer: Timer;
  #link: Link | undefined;
  /** Whether WELCOME has come on this link. */
  #open = false;
  #key: { readonly session: string; readonly secret: string } | undefined;
  /** Tells a reply to an event of this session from one to an event of a session that was lost. */
  #epoch = 0;
  /** What was lost with the last session, until the next one has told it. */
  #loss: { readonly reason: string; readonly unconfirmed: number } | undefined;

  constructor(options: Options) {
    this.options = options;
    this.#machine = this.#create();
    this.#timer = new Timer(options.clock, () => {
      this.#machine.tick(options.clock.now());
      this.#arm();
    });
  }

  get frameBytesMax(): number {
    return this.#machine.settings.frameBytesMax;
  }

  /** The namespaces to be connected. */
  get wanted(): Member[] {
    return [...this.members.values()].filter((member) => member.phase !== 'idle');
  }

  isConnected(member: Member): boolean {
    return this.#open && member.phase === 'joined';
  }

  join(member: Member): void {
    if (member.phase !== 'idle') return;
    member.phase = 'joining';
    // Without a session the next HELLO lists it.
    if (this.#link || this.#key) this.#connect(member);
    this.owner.wake();
  }

  /** @throws LocalUsageError `ERR_OUTBOX_FULL` */
  leave(member: Member): void {
    if (member.phase === 'idle') return;
    const connected = this.isConnected(member);
    const last = this.wanted.length === 1;
    if (!last && !member.held && (this.#link || this.#key)) this.#disconnect(member.namespace);
    this.#drop(member, new HalyardError('ERR_DISCONNECTED'));
    if (last) this.owner.idle();
    if (connected) member.owner.fire('disconnect', { ...normal, by: 'client', willReconnect: false });
  }

  /**
   * Sends an event, now or as soon as there is a connection.
   * @param settle there if a reply is waited for, at most `timeoutMs`
   * @throws LocalUsageError what the event breaks, or the limit it meets
   */
  emit(member: Member, event: string, args: readonly Value[], timeoutMs: number, settle?: Settle): void {
    const { namespace, held } = member;
    if (member.phase === 'idle') throw new LocalUsageError('ERR_NOT_CONNECTED', `${namespace}: connect() first`);
    let packet: EventPacket = { type: PacketType.Event, namespace, event, args, ack: undefined };
    const deadline = this.options.clock.now() + timeoutMs;
    const send = () => {
      const ack = settle && this.#machine.expectAck(deadline, settle);
      try {
        this.#send({ ...packet, ack }, ack ?? FrameTag.Event);
      } catch (error) {
        if (ack) this.#machine.cancelAck(ack);
        throw error;
      }
      this.#arm();
    };
    if (!held) {
      send();
      return;
    }
    if (held.length >= this.options.offlinePacketsMax) throw new LocalUsageError('ERR_OUTBOX_FULL');
    // Encoded now, for the errors; decoded, because the arguments may change until it is sent.
    packet = this.options.codec.decode(this.#encode(packet)) as EventPacket;
    held.push((error) => {
      try {
        if (error) throw error;
        send();
      } catch (failure) {
        if (settle) settle(failure as HalyardError, undefined);
        else member.owner.fire('error', failure);
      }
    });
  }

  /** Sends an event if it can leave now. */
  volatile(member: Member, event: string, args: readonly Value[]): void {
    const packet: Packet = { type: PacketType.Volatile, namespace: member.namespace, event, args };
    if (this.isConnected(member) && this.#link!.bufferedBytes < volatileBufferMax)
      this.#link!.send(this.#encode(packet));
  }

  /** Asks the server for a sign of life. */
  probe(): void {
    this.#machine.probe(this.options.clock.now());
    this.#arm();
  }

  /** Speaks first on a new link: HELLO and, in the same flight, everything that waits (docs/PROTOCOL.md §5). */
  attach(link: Link, auths: ReadonlyMap<Member, AuthData>): void {
    const { received, confirmed, positions } = this.#machine;
    const hello = this.options.codec.encode({
      type: PacketType.Hello,
      namespaces: this.wanted.map((member) => ({ namespace: member.namespace, auth: auths.get(member) })),
      client: 'halyard-js/0.1.0',
      resume: this.#key && { ...this.#key, received, confirmed, positions },
    });
    this.#link = link;
    link.send(hello);
    for (const member of this.members.values()) {
      member.listed = member.phase !== 'idle';
      if (!this.#key) this.#release(member);
    }
    this.#machine.open(this.options.clock.now());
    this.#arm();
  }

  /** @throws RemoteProtocolError */
  receive(frame: Frame): void {
    const packet = this.options.codec.decode(frame);
    if (packet.type === PacketType.Welcome && !this.#open) {
      this.#welcome(packet);
      return;
    }
    if (
      !this.#open ||
      packet.type === PacketType.Welcome ||
      packet.type === PacketType.Hello ||
      packet.type === PacketType.Reset
    ) {
      throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED', `type ${packet.type}`);
    }
    this.#machine.receive(packet, this.options.clock.now());
    this.#arm();
  }

  /**
   * The link is gone.
   * @param fresh whether the session is over with it
   * @returns the namespaces that were connected
   */
  detach(fresh: boolean, reason: string): Member[] {
    const connected = this.wanted.filter((member) => this.isConnected(member));
    if (this.#link) {
      this.#machine.detach();
      this.#link = undefined;
      if (this.#open) this.#loss = undefined;
      this.#open = false;
      // Without WELCOME nothing can be resumed: what was in flight may have been handled or not.
      if (fresh || !this.#key) {
        this.#lose(reason);
        this.#machine.detach();
      }
      this.#arm();
    }
    return connected;
  }

  /** The session is over, and no namespace is wanted any more. @returns those that were connected, and the others */
  end(): { connected: Member[]; others: Member[] } {
    const error = new HalyardError('ERR_DISCONNECTED');
    const { wanted } = this;
    const connected = wanted.filter((member) => this.isConnected(member));
    const machine = this.#machine;
    this.#machine = this.#create();
    this.#timer.stop();
    this.#link = this.#key = this.#loss = undefined;
    this.#open = false;
    this.#epoch++;
    machine.end(error);
    for (const member of wanted) this.#drop(member, error);
    return { connected, others: wanted.filter((member) => !connected.includes(member)) };
  }

  #create(): SessionMachine<Frame> {
    const { options } = this;
    return new SessionMachine<Frame>(
      {
        transmit: (frame) => this.#link?.send(frame),
        control: (packet) => this.#link?.send(options.codec.encode(packet)),
        deliver: (packet) => this.#deliver(packet),
        silent: () => this.owner.silent(),
        transmittedSerial: () => 0,
      },
      // How large a frame may be is not known before WELCOME.
      { ...defaultSettings, frameBytesMax: Number.POSITIVE_INFINITY },
      {
        ...defaultOutboxLimits,
        outboxPacketsMax: options.offlinePacketsMax,
        outboxBytesMax: options.offlineBytesMax,
      },
      defaultSettings.heartbeatTimeoutMs / 2,
    );
  }

  #arm(): void {
    this.#timer.arm(this.#machine.deadline);
  }

  #encode(packet: Packet): Frame {
    const frame = this.options.codec.encode(packet);
    // No UTF-16 unit takes more than three bytes.
    if (frame.length * 3 > this.frameBytesMax) {
      const bytes = typeof frame === 'string' ? new TextEncoder().encode(frame).length : frame.length;
      if (bytes > this.frameBytesMax) {
        throw new LocalUsageError('ERR_FRAME_TOO_BIG', `${bytes} bytes, at most ${this.frameBytesMax}`);
      }
    }
    return frame;
  }

  #send(packet: Packet, tag: number = FrameTag.Session): void {
    this.#machine.send(this.#encode(packet), tag, 0);
  }

  #disconnect(namespace: string): void {
    this.#send({ type: PacketType.Disconnect, namespace, reason: '' });
  }

  /** Asks for a namespace by CONNECT. Its events are held until that is sent. */
  #connect(member: Member): void {
    // A new array: an auth asked for before finds that it comes too late.
    const held = [...(member.held ?? [])];
    member.held = held;
    member.listed = false;
    askAuth(
      member,
      (auth) => {
        // In other states HELLO will list the namespace, or WELCOME decides in which session it is asked for.
        const ready = this.#key ? this.#open || !this.#link : this.#link;
        if (member.held !== held || !ready) return;
        this.#send({ type: PacketType.Connect, namespace: member.namespace, auth });
        this.#release(member);
      },
      (error) => {
        if (member.held === held) this.#refuse(member, new HalyardError('ERR_AUTH', String(error), { cause: error }));
      },
    );
  }

  /** Sends what was held. */
  #release(member: Member): void {
    const { held } = member;
    member.held = undefined;
    for (const send of held ?? []) send();
  }

  #drop(member: Member, error: HalyardError): void {
    const { held } = member;
    member.phase = 'idle';
    member.held = undefined;
    for (const fail of held ?? []) fail(error);
  }

  #refuse(member: Member, error: HalyardError): void {
    this.#drop(member, error);
    member.owner.fire('connect_error', error);
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (!this.wanted.length) this.owner.idle();
  }

  #welcome({ session, secret, settings, received, recovered, reason }: WelcomePacket): void {
    const machine = this.#machine;
    const link = this.#link!;
    const resumed = this.#key;
    if (recovered && !resumed) throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED', 'recovered without resume');
    machine.settings = settings;
    if (recovered) machine.confirm(received);
    else if (resumed) {
      link.send(this.options.codec.encode({ type: PacketType.Reset }));
      this.#lose(reason);
      for (const member of this.members.values()) if (member.listed) this.#release(member);
      machine.open(this.options.clock.now());
    }
    this.#key = { session, secret };
    this.#open = true;
    this.#arm();
    this.owner.opened(recovered);
    for (const member of this.wanted) {
      if (this.#link !== link) return;
      if (recovered && member.phase === 'joined') member.owner.fire('connect', { recovered, unconfirmed: 0 });
      else if (resumed && member.held) this.#connect(member);
    }
  }

  /** Starts a new session with what never left; the machine holds until it is opened or detached. */
  #lose(reason: string): void {
    const unconfirmed = this.#machine.restart(new HalyardError('ERR_SESSION_LOST', reason), this.options.clock.now());
    if (this.#key || unconfirmed) this.#loss = { reason, unconfirmed: unconfirmed + (this.#loss?.unconfirmed ?? 0) };
    this.#key = undefined;
    this.#epoch++;
    for (const member of this.wanted) member.phase = 'joining';
  }

  #deliver(packet: DeliveredPacket): void {
    const { namespace } = packet;
    const member = this.members.get(namespace);
    const phase = member?.phase ?? 'idle';
    switch (packet.type) {
      case PacketType.Connect:
        throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED', 'CONNECT');
      case PacketType.Connected:
        // Left before the answer came, or in a HELLO that was not meant for this session.
        if (phase === 'idle') this.#disconnect(namespace);
        else {
          member!.phase = 'joined';
          member!.id = packet.id;
          member!.owner.fire('connect', { recovered: false, unconfirmed: 0, ...(member!.listed && this.#loss) });
        }
        return;
      case PacketType.Refused:
        if (phase === 'joining') this.#refuse(member!, new PublicError(packet.code, packet.message, packet.data));
        return;
      case PacketType.Disconnect:
        // One that comes before CONNECTED is about an earlier presence.
        if (phase !== 'joined') return;
        member!.phase = 'idle';
        member!.owner.fire('disconnect', { ...normal, reason: packet.reason, by: 'server', willReconnect: false });
        this.#checkIdle();
        return;
      default: {
        const reply =
          packet.type === PacketType.Event && packet.ack !== undefined ? this.#replyTo(packet.ack, member) : undefined;
        if (phase === 'joined') member!.owner.handle(packet, reply);
        else reply?.(noHandler);
      }
    }
  }

  #replyTo(ack: number, member: Member | undefined): Reply {
    const epoch = this.#epoch;
    return (error, value) => {
      // The number means nothing to another session.
      if (epoch !== this.#epoch) return;
      const { code, message, data } = error instanceof PublicError ? error : hidden;
      const failure: Packet = { type: PacketType.Error, ack, code, message: message.slice(0, 1_024), data };
      // What cannot be encoded is answered as a failed handler.
      for (const packet of [
        error ? failure : { type: PacketType.Ack, ack, value },
        { ...failure, ...hidden },
      ] as const) {
        try {
          return this.#send(packet);
        } catch (broken) {
          member?.owner.fire('error', broken);
        }
      }
    };
  }
}
