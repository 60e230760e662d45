// The client's session across its connections (docs/PROTOCOL.md §5): the namespaces, the opening by HELLO and WELCOME, and the
// stream machine with its timer, between sockets above and links below. It is given a link and its frames; which link, and
// when, is the connector's business. Longer than other files: its parts change the same state, and as files of their own they
// would reach it through members, whose names a minifier keeps.
import type { Codec } from '@halyard/codec';
import {
  ackTimeout,
  type ClientLimits,
  type ClientOutbox,
  type Clock,
  type ConnectPacket,
  createClientOutbox,
  type DeliveredPacket,
  defaultPendingAcksMax,
  type EventPacket,
  type Frame,
  FrameTag,
  HalyardError,
  LocalUsageError,
  type OutboxEntry,
  type Packet,
  PacketType,
  PendingAcks,
  PublicError,
  packetLimits,
  RemoteProtocolError,
  SessionMachine,
  type SessionSettings,
  type Settle,
  type Value,
  type WelcomePacket,
} from '@halyard/protocol';
import { createTimer } from '../base/timer';
import type { CarriedSession, Carrier } from '../link/carrier';
import type { Link } from '../link/transport';
import { bytesOf } from '../platform/frame-size';
import { createHold, disconnected, release } from './held';
import { createPositions, type Positions } from './positions';
import { askAll, askAuth, type Presence } from './presence';
import { createReply, noHandler } from './reply';

/** A volatile event is dropped while more than this waits in the transport. */
const volatileBufferMax = 1 << 16;

/** What a server takes before it has told. */
const helloWindow = {
  windowPacketsMax: packetLimits.helloWindowPacketsMax,
  windowBytesMax: packetLimits.helloWindowBytesMax,
};

/** What WELCOME has not told: how large a frame may be, and when silence is too long. Nothing else matters before it. */
const beforeWelcome = { frameBytesMax: Infinity, heartbeatMs: Infinity } as SessionSettings;

/** `auth` is asked again no earlier than this, and once so much of the time has passed for which it is good. */
const renewMsMin = 1_000;
const renewShare = 0.8;

/** How much longer than the server this side waits before it asks for a sign of life: so it seldom has to. */
const probeSlackMs = 10_000;

const normal = { code: 1000, reason: '', willReconnect: false };

export interface SessionOptions extends ClientLimits {
  readonly clock: Clock;
  readonly codec: Codec;
  /** @returns text that nobody can guess */
  readonly token: () => string;
}

/** The server's name for a session, and what proves whose it is. */
export interface SessionKey {
  readonly session: string;
  readonly secret: string;
}

/** How HELLO names a session: by its key, or by the token while that is not known. */
export interface SessionName {
  readonly key: SessionKey | undefined;
  readonly token: string;
  readonly generation: number;
}

/** What a session is made of, besides its presences. */
export interface SessionParts extends SessionName {
  readonly machine: SessionMachine<Frame, ClientOutbox<Frame>, unknown>;
  readonly positions: Positions;
  /** Starts a new session with what never left. @param has whether a namespace, if it is known, is in the new one */
  lose(reason: string, has: (presence: Presence | undefined) => unknown): void;
  /** What was presented ends then. */
  ends(presence: Presence, at: number): void;
  /** @returns what becomes of a RENEW that is sent now, once it is answered */
  renewal(presence: Presence): Settle;
}

/** What sockets speak by. */
export interface Speech {
  isConnected(presence: Presence): boolean;
  /** @throws LocalUsageError `ERR_NAMESPACES_FULL` */
  join(presence: Presence): void;
  leave(presence: Presence): void;
  /**
   * Sends an event, now or as soon as there is a connection.
   * @param timeoutMs for how long it may wait to leave, and `settle` for the reply; 0 without either
   * @throws LocalUsageError what is wrong with the event, or the limit it meets
   */
  emit(presence: Presence, event: string, args: readonly Value[], timeoutMs: number, settle?: Settle): void;
  /** Sends an event if it can leave now. */
  emitVolatile(presence: Presence, event: string, args: readonly Value[]): void;
}

/** What a session offers to the sockets above it, and to what carries it. */
export interface Session extends Speech, CarriedSession {
  /** For what keeps it over a reload. @param name which session it is from now on; before it is attached */
  parts(name?: SessionName): SessionParts;
}

/** @param presences all that are known by their namespaces, wanted or not */
export function createSession(
  options: SessionOptions,
  presences: ReadonlyMap<string, Presence>,
  { onWanted, onIdle, onOpen, onDrain, onSilent }: Carrier,
): Session {
  const { clock, codec } = options;
  const hold = createHold(options);
  /** The link of now, spoken to first by HELLO. */
  let link: Link | undefined;
  /** Whether WELCOME has come on it. */
  let open = false;
  /** It goes from one link to another, and nobody is to notice. */
  let moving = false;
  /** The server's name for the session and what proves that it is ours, once WELCOME has come. The same object for the same session. */
  let key: SessionKey | undefined;
  /** Names the session while WELCOME has not told its key. Empty until HELLO has been said for it. */
  let token = '';
  /** How many times HELLO was said: the server tells a late one by it. */
  let generation = 0;
  /** Nothing is wanted any more, but some of what was sent has not left. */
  let leaving = false;
  /** When some `auth` is to be asked again. */
  let renewAt = Infinity;

  const createMachine = () => {
    const machine = new SessionMachine(
      {
        transmit: (frame: Frame) => link?.send(frame),
        control: (packet) => link?.send(codec.encode(packet)),
        deliver,
        silent: onSilent,
      },
      beforeWelcome,
      undefined,
      createClientOutbox<Frame>(helloWindow, options, undefined, (mark) => machine.acks!.handled(mark)),
      probeSlackMs,
    );
    machine.acks = new PendingAcks();
    return machine;
  };
  let machine = createMachine();
  // Answered with a PING of the server's.
  const askPing = () => machine.ping(clock.now());
  let positions = createPositions(askPing);
  const timer = createTimer(clock, () => {
    const now = clock.now();
    const { acks } = machine;
    if (now >= acks!.deadline) giveUp(({ mark }) => acks!.deadlineOf(mark)! <= now)(ackTimeout(false));
    machine.tick(now);
    if (open && now >= renewAt) {
      renewAt = Infinity;
      for (const presence of wanted()) {
        if (presence.renewAt! <= now) renew(presence);
        else renewAt = Math.min(renewAt, presence.renewAt ?? Infinity);
      }
    }
    if (leaving) idle();
    arm();
  });
  const arm = () => timer.arm(open ? Math.min(machine.deadline, renewAt) : machine.deadline);

  const frameBytesMax = () => Math.min(machine.settings.frameBytesMax, link?.frameBytesMax ?? Infinity);
  const all = () => [...presences.values()];
  const wanted = () => all().filter((presence) => presence.phase);
  const isConnected = (presence: Presence) => (open || moving) && presence.phase === 'joined';

  // Counted only if it may matter: no UTF-16 unit takes more than three bytes.
  const isTooBig = (frame: Frame) => frame.length * 3 > frameBytesMax() && bytesOf(frame) > frameBytesMax();
  const tooBig = () =>
    new LocalUsageError(
      'ERR_FRAME_TOO_BIG',
      `more than ${frameBytesMax()} bytes: see the server's frameBytesMax, httpBodyBytesMax`,
    );
  const encode = (packet: Packet) => {
    const frame = codec.encode(packet);
    if (isTooBig(frame)) throw tooBig();
    return frame;
  };
  const send = (packet: Packet, tag: number = FrameTag.Session) => machine.send(encode(packet), tag);
  const sendDisconnect = (namespace: string) =>
    send({ type: PacketType.Disconnect, namespace, reason: '' }, FrameTag.Owed);

  /** Something is not wanted any more. If that was the last, the link stays for what has not left. */
  const idle = () => {
    if (wanted().length) return;
    leaving = !!link && machine.outbox.waiting !== undefined;
    if (!leaving) onIdle();
  };

  const forget = (presence: Presence, error: HalyardError) => {
    presence.phase = presence.loss = undefined;
    release(presence, error);
  };

  const leave = (presence: Presence) => {
    // What waits for the first time that it is wanted does not go out later.
    if (!presence.phase) return release(presence);
    const connected = isConnected(presence);
    // The last goes with the link, unless that stays for what has not left.
    if ((wanted().length > 1 || machine.outbox.waiting !== undefined) && !presence.held && token)
      sendDisconnect(presence.namespace);
    forget(presence, disconnected('disconnect()'));
    idle();
    if (connected) presence.fire('disconnect', { ...normal, by: 'client' });
  };

  const refuse = (presence: Presence, error: HalyardError) => {
    presence.phase = undefined;
    release(presence, error);
    // What was sent behind what asked for it is not handled; what came before was said to an earlier presence.
    let lost: OutboxEntry<Frame>[] = [];
    for (const entry of machine.outbox.entries.values()) {
      const { type, namespace } = codec.decode(entry.frame) as EventPacket | ConnectPacket;
      if (namespace !== presence.namespace) continue;
      if (type === PacketType.Connect) lost = [];
      else if (entry.mark >= FrameTag.Event) lost.push(entry);
    }
    fail(lost, error);
    presence.fire('connect_error', error);
    idle();
  };

  const authError = ({ namespace }: Presence, cause: { message?: string } | undefined) =>
    new HalyardError('ERR_AUTH', `auth of ${namespace}: ${cause?.message ?? cause}`, { cause });

  const connectOf = ({ namespace, data }: Presence): Packet => ({ type: PacketType.Connect, namespace, auth: data });

  /** Rejects with `ERR_AUTH`, also if what `auth` gives cannot be sent. */
  const ask = async (presence: Presence) => {
    try {
      await askAuth(presence);
      encode(connectOf(presence));
    } catch (error) {
      throw authError(presence, error as Error);
    }
  };

  /** Asks for a namespace by CONNECT. Its events are held until that is sent. */
  const sendConnect = (presence: Presence) => {
    // A new set: an auth that was asked for before finds that it comes too late.
    const held = new Set(presence.held);
    presence.held = held;
    ask(presence)
      .then(() => {
        // Otherwise HELLO will list the namespace, or WELCOME is about to tell in which session it is asked for.
        if (presence.held !== held || !(key ? open || !link : token)) return;
        // Not held any more: what is saved as it leaves goes on with a namespace that was asked for.
        presence.held = undefined;
        try {
          send(connectOf(presence));
        } finally {
          presence.held = held;
        }
        release(presence);
      })
      .catch((error) => {
        if (presence.held === held) refuse(presence, error);
      });
  };

  const ends: SessionParts['ends'] = (presence, at) => {
    const now = clock.now();
    presence.endsAt = at;
    presence.renewAt = at > now ? now + Math.max(renewMsMin, (at - now) * renewShare) : Infinity;
    renewAt = Math.min(renewAt, presence.renewAt);
    arm();
  };

  const renewal: SessionParts['renewal'] = (presence) => {
    const { id } = presence;
    const now = clock.now();
    return (error, value) => {
      presence.renewAck = undefined;
      // What was lost with a session, or left, has another end by now, or none.
      const isIts = presence.phase === 'joined' && presence.id === id && (!error || error instanceof PublicError);
      if (isIts && error) presence.fire('error', error);
      ends(presence, isIts && !error ? now + (value as number) : presence.endsAt!);
    };
  };

  /** Asks for another `auth` before the one of now ends, and presents it by RENEW. */
  const renew = (presence: Presence) => {
    const { namespace, id, endsAt } = presence;
    presence.renewAt = Infinity;
    const isIts = () => presence.phase === 'joined' && presence.id === id;
    // One at a time, also if it has been left and joined again meanwhile.
    if (!isIts() || presence.renewAck) return;
    const settle = renewal(presence);
    ask(presence)
      .then(() => {
        if (!isIts()) return;
        const ack = machine.acks!.expect(Infinity, Infinity, settle);
        send({ type: PacketType.Renew, namespace, auth: presence.data, ack });
        presence.renewAck = ack;
      })
      .catch((error) => {
        if (!isIts()) return;
        presence.fire('error', error);
        ends(presence, endsAt!);
      });
  };

  /** Tells whose events fail: those who wait for a reply, or else the socket. */
  const fail = (events: readonly OutboxEntry<Frame>[], error: HalyardError, acks = machine.acks!) => {
    for (const { frame, mark } of events) (acks.cancel(mark) ?? (() => ownerOf(frame)?.fire('error', error)))(error);
  };

  /** @returns a function that tells of the events that have not left, and will not */
  const giveUp = (isUnwanted: (event: OutboxEntry<Frame>) => boolean) => {
    const { acks, outbox } = machine;
    const given = outbox.giveUp(isUnwanted);
    return (error: HalyardError) => fail(given, error, acks);
  };

  /** Nobody, if what an earlier page has emitted is of a namespace that this one does not know. */
  const ownerOf = (frame: Frame) => presences.get((codec.decode(frame) as EventPacket).namespace);

  const addLoss = (presence: Presence | undefined, reason: string, lost: number) => {
    if (presence) presence.loss = { reason, unconfirmed: lost + (presence.loss?.unconfirmed ?? 0) };
  };

  const isAnswered = (mark: number) => machine.acks!.deadlineOf(mark) === undefined;

  /**
   * Starts a new session with what never left; the machine holds that until it is opened.
   * @param has whether a namespace is in the new session: what was said to others has nobody who would hear it
   */
  const lose: SessionParts['lose'] = (reason, has) => {
    const { kept, lost } = machine.outbox.restart((frame) => has(ownerOf(frame)), isAnswered);
    machine.restart(new HalyardError('ERR_SESSION_LOST', `no reply: the session is lost (${reason})`), kept);
    positions = createPositions(askPing);
    key = undefined;
    for (const presence of wanted()) {
      presence.phase = 'joining';
      addLoss(presence, reason, lost);
    }
  };

  const tellConnected = (presence: Presence, recovered: boolean) => {
    const { loss } = presence;
    presence.loss = undefined;
    presence.fire('connect', { recovered, unconfirmed: 0, ...loss });
  };

  const welcome = (packet: WelcomePacket) => {
    const { session, secret, settings, recovered, reason } = packet;
    const current = link!;
    const resumed = key;
    machine.settings = machine.outbox.window = settings;
    const isLost = !recovered && (resumed || reason);
    const unaware = moving ? wanted().filter(isConnected) : [];
    moving = false;
    if (isLost) {
      current.send(codec.encode({ type: PacketType.Reset }));
      lose(reason, (presence) => presence?.listed);
      for (const presence of all()) {
        if (!presence.listed) continue;
        if (presence.phase) release(presence);
        // What it said when it was left was for the session before.
        else sendDisconnect(presence.namespace);
      }
    }
    // What waits while nobody knows how large it may be is not in the way of the rest.
    const refuseBig = giveUp(({ frame }) => isTooBig(frame));
    if (isLost) machine.open(clock.now());
    else machine.confirm(packet.received, packet.settled);
    key ??= { session, secret };
    open = true;
    onOpen(recovered);
    refuseBig(tooBig());
    if (isLost) {
      const lost = { code: 1006, reason, by: 'network', willReconnect: true } as const;
      for (const presence of unaware) presence.fire('disconnect', lost);
    }
    for (const presence of wanted()) {
      // Those who are told may end it.
      if (link !== current) return;
      if (recovered && presence.phase === 'joined') {
        if (!unaware.includes(presence)) tellConnected(presence, recovered);
      }
      // The CONNECT that was under way is lost with the session before.
      else if (isLost ? !presence.listed : presence.held && resumed) sendConnect(presence);
    }
  };

  const replyTo = (ack: number, presence: Presence | undefined) => {
    const mine = key;
    return createReply(ack, presence, (packet) => {
      // The number means nothing to another session.
      if (mine === key) send(packet, FrameTag.Owed);
    });
  };

  function deliver(packet: DeliveredPacket): void {
    const { type } = packet;
    const presence = presences.get(packet.namespace);
    const phase = presence?.phase;
    if (type === PacketType.Connect || type === PacketType.Renew)
      throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
    if (type === PacketType.Connected) {
      // Left before the answer came, or since a HELLO that was to resume.
      if (!presence || !phase) sendDisconnect(packet.namespace);
      else {
        presence.phase = 'joined';
        presence.id = packet.id;
        ends(presence, clock.now() + packet.renewMs!);
        // The one before answered a CONNECT that was taken back when its answer was on the way already.
        if (phase === 'joined') presence.fire('disconnect', { ...normal, by: 'client', willReconnect: true });
        // Unless who was told wants yet another one.
        if (isConnected(presence)) tellConnected(presence, false);
      }
    } else if (type === PacketType.Refused) {
      if (phase === 'joining') refuse(presence!, new PublicError(packet.code, packet.message, packet.data));
    } else if (type === PacketType.Disconnect) {
      // One that comes before CONNECTED is about an earlier presence.
      if (phase === 'joined') {
        presence!.phase = undefined;
        presence!.fire('disconnect', { ...normal, reason: packet.reason, by: 'server' });
        idle();
      }
    } else {
      const isNew = type !== PacketType.Publish || positions.advance(packet.positions);
      const reply = type === PacketType.Event && packet.ack ? replyTo(packet.ack, presence) : undefined;
      if (phase !== 'joined') reply?.(noHandler);
      else if (isNew) presence!.handle(packet, reply);
    }
  }

  return {
    isConnected,
    frameBytesMax,

    join(presence) {
      if (presence.phase) return;
      if (wanted().length >= packetLimits.helloNamespacesMax)
        throw new LocalUsageError('ERR_NAMESPACES_FULL', `${packetLimits.helloNamespacesMax} at one time`);
      presence.phase = 'joining';
      leaving = false;
      // Otherwise the first HELLO lists it.
      if (token) sendConnect(presence);
      onWanted();
      if (!token && !key) release(presence);
    },

    leave,

    leaveAll() {
      for (const presence of all()) leave(presence);
    },

    ask: () => askAll(wanted, ask),

    blame({ code, reason }) {
      // Nothing else that goes before WELCOME is larger than that.
      const isBig = (presence: Presence) =>
        presence.listed && codec.encode(connectOf(presence)).length > helloWindow.windowBytesMax;
      const big = code === 1009 && link && !key && all().find(isBig);
      return big ? authError(big, new LocalUsageError('ERR_FRAME_TOO_BIG', `too large: ${reason}`)) : undefined;
    },

    emit(presence, event, args, timeoutMs, settle) {
      const { held, namespace } = presence;
      const deadline = clock.now() + timeoutMs;
      let packet: EventPacket = { type: PacketType.Event, namespace, event, args, ack: undefined };
      const go = () => {
        const { acks } = machine;
        const mark = timeoutMs ? acks!.expect(deadline, defaultPendingAcksMax, settle) : FrameTag.Event;
        try {
          send({ ...packet, ack: settle && mark }, mark);
        } catch (error) {
          acks!.cancel(mark);
          throw error;
        }
        arm();
      };
      if (!held) return go();
      // Encoded now, for the errors; decoded, because the arguments may change until it is sent.
      const frame = encode(packet);
      packet = codec.decode(frame) as EventPacket;
      hold(presence, frame, timeoutMs, settle ?? ((error) => presence.fire('error', error)), go);
    },

    emitVolatile(presence, event, args) {
      // Also if it is dropped, so that what is wrong with it is said always.
      const frame = encode({ type: PacketType.Volatile, namespace: presence.namespace, event, args });
      if (link && isConnected(presence) && link.bufferedBytes < volatileBufferMax) link.send(frame);
    },

    parts(name) {
      if (name) ({ key, token, generation } = name);
      return { key, token, generation, machine, positions, lose, ends, renewal };
    },

    probe() {
      // How long the server may take for its answer it has not told before.
      if (open) machine.probe(clock.now());
      arm();
    },

    attach(next) {
      // A HELLO that was not answered is said again as it was: CONNECT asks for what is wanted since.
      if (key || !token) {
        for (const presence of all()) {
          presence.listed = !!presence.phase;
          // It makes the session: what was held follows it at once.
          if (presence.listed && !key) release(presence);
        }
      }
      token ||= options.token();
      const { outbox } = machine;
      outbox.window = helloWindow;
      positions.attached();
      const hello = codec.encode({
        type: PacketType.Hello,
        namespaces: all()
          .filter((presence) => presence.listed)
          .map((presence) => ({ namespace: presence.namespace, auth: presence.data })),
        client: 'halyard-js/0.1.0',
        resume: key && {
          ...key,
          received: machine.received,
          confirmed: outbox.confirmed,
          positions: positions.toArray(),
          settled: outbox.settled,
        },
        token: key ? '' : token,
        generation: ++generation,
        left: outbox.left,
      });
      link = next;
      link.send(hello);
      machine.open(clock.now());
      arm();
    },

    receive(frame) {
      const packet = codec.decode(frame);
      const { type } = packet;
      if (open === (type === PacketType.Welcome) || type === PacketType.Hello || type === PacketType.Reset)
        throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
      if (type === PacketType.Welcome) welcome(packet);
      else machine.receive(packet, clock.now(), frame.length);
      if (type === PacketType.Ping) positions.pinged();
      else if (type === PacketType.Drain) onDrain(packet.afterMs, packet.url);
      if (leaving) idle();
      arm();
    },

    detach(fate, reason) {
      const concerned = wanted();
      const connected = concerned.filter(isConnected);
      const old = link;
      const isUnsure = !open && (key || !old);
      link = undefined;
      open = false;
      moving = fate === 'move';
      if (fate === 'final') {
        const error = disconnected(reason);
        const ended = machine;
        // Nobody knows of what has left over a link that is lost; what goes before a close is handled.
        const { entries, left } = machine.outbox;
        const isLost = ([number, { mark }]: [number, OutboxEntry<Frame>]) =>
          isUnsure && number <= left && mark >= FrameTag.Event && !(mark && isAnswered(mark));
        const lost = [...entries].filter(isLost);
        const tell = giveUp(() => true);
        machine = createMachine();
        positions = createPositions(askPing);
        timer.stop();
        key = undefined;
        token = '';
        for (const presence of concerned) forget(presence, error);
        for (const [, { frame }] of lost) addLoss(ownerOf(frame), '', 1);
        tell(error);
        ended.end(error);
      } else if (old) {
        machine.detach();
        if (fate === 'fresh') {
          token = '';
          lose(reason, (presence) => presence?.phase);
        }
        arm();
      }
      return (end) => {
        for (const presence of concerned) {
          // Those who are told may leave another one.
          const isWanted = !!presence.phase;
          if (!connected.includes(presence)) {
            if (end.error && (isWanted || !end.willReconnect)) presence.fire('connect_error', end.error);
            continue;
          }
          if (end.cause) presence.fire('error', end.cause);
          presence.fire('disconnect', { ...end.close, willReconnect: end.willReconnect && isWanted });
        }
        if (leaving) idle();
      };
    },
  };
}
