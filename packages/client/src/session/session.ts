// The client's session across its connections (docs/PROTOCOL.md §5): HELLO and WELCOME, the namespaces, and the stream
// machine with its timer. It is given a link and its frames; which link, and when, is the connection's business.
import {
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
  packetLimits,
  RemoteProtocolError,
  SessionMachine,
  type WelcomePacket,
} from '@halyard/protocol';
import type { Options } from '../api/options';
import { createTimer } from '../base/timer';
import type { Link } from '../link/transport';
import { askAuth, type Member } from './presence';
import { createReply, noHandler } from './reply';
import type { Session, SessionEvents } from './session-contract';

/** A volatile event is dropped while more than this waits in the transport. */
const volatileBufferMax = 1 << 16;

/** How much longer than the server this side waits before it asks for a sign of life: so it seldom has to. */
const probeSlackMs = 10_000;

const normal = { code: 1000, reason: '', willReconnect: false };

/**
 * Where there is no source of secrets, as in React Native without a polyfill, the token is one that somebody may guess who
 * knows other numbers of `random`. All they could have by it is a session whose WELCOME its client has not answered yet:
 * the secret of the session itself comes from the server.
 */
const randomNumbers = (random: () => number): ArrayLike<number> =>
  globalThis.crypto?.getRandomValues?.(new Uint32Array(4)) ?? [1, 2, 3, 4, 5].map(random);

export function createSession(options: Options, { onWanted, onIdle, onOpen, onSilent }: SessionEvents): Session {
  const { clock, codec, offlinePacketsMax } = options;
  const members = new Map<string, Member>();
  let link: Link | undefined;
  /** Whether WELCOME has come on this link. */
  let open = false;
  let key: { readonly session: string; readonly secret: string } | undefined;
  /** Names the session while WELCOME has not told its key. Empty until HELLO has been said for it. */
  let token = '';
  /** How many times HELLO was said: the server tells a late one by it. */
  let generation = 0;

  const createMachine = () =>
    new SessionMachine<Frame>(
      {
        transmit: (frame) => link?.send(frame),
        control: (packet) => link?.send(codec.encode(packet)),
        deliver,
        silent: onSilent,
        transmittedStamp: () => -1,
      },
      // How large a frame may be is not known before WELCOME.
      { ...defaultSettings, frameBytesMax: Infinity },
      {
        outboxPacketsMax: offlinePacketsMax,
        outboxBytesMax: options.offlineBytesMax,
        pendingAcksMax: defaultOutboxLimits.pendingAcksMax,
      },
      probeSlackMs,
    );
  const arm = () => timer.arm(machine.deadline);
  const frameBytesMax = () => machine.settings.frameBytesMax;
  const wanted = () => [...members.values()].filter(({ phase }) => phase);
  const isConnected = ({ phase }: Member) => open && phase === 'joined';

  const encode = (packet: Packet) => {
    const frame = codec.encode(packet);
    // Counted only if it may matter: no UTF-16 unit takes more than three bytes. More platforms have Blob than TextEncoder.
    if (
      frame.length * 3 > frameBytesMax() &&
      (codec.binary ? frame.length : new Blob([frame as string]).size) > frameBytesMax()
    ) {
      throw new LocalUsageError('ERR_FRAME_TOO_BIG', `more than ${frameBytesMax()} bytes`);
    }
    return frame;
  };
  const send = (packet: Packet, tag: number = FrameTag.Session) => machine.send(encode(packet), tag);
  const sendDisconnect = (namespace: string) => send({ type: PacketType.Disconnect, namespace, reason: '' });

  /** Lets go of what was held: it is sent, or fails. */
  const release = (member: Member, error?: unknown) => {
    const { held } = member;
    member.held = undefined;
    for (const go of held ?? []) go(error);
  };

  const refuse = (member: Member, error: HalyardError) => {
    member.phase = undefined;
    release(member, error);
    member.fire('connect_error', error);
    idle();
  };

  const idle = () => {
    if (!wanted().length) onIdle();
  };

  /** Asks for a namespace by CONNECT. Its events are held until that is sent. */
  const sendConnect = (member: Member) => {
    // A new array: an auth that was asked for before finds that it comes too late.
    const held = [...(member.held ?? [])];
    member.held = held;
    askAuth(member)
      .then(() => {
        // Otherwise HELLO will list the namespace, or WELCOME is about to tell in which session it is asked for.
        if (member.held !== held || !(key ? open || !link : token)) return;
        send({ type: PacketType.Connect, namespace: member.namespace, auth: member.data });
        release(member);
      })
      .catch((error) => {
        if (member.held === held) refuse(member, new HalyardError('ERR_AUTH', `${error}`, { cause: error }));
      });
  };

  /** Starts a new session with what never left; the machine holds until it is opened or detached. */
  const lose = (reason: string) => {
    const unconfirmed = machine.restart(new HalyardError('ERR_SESSION_LOST'), clock.now());
    key = undefined;
    for (const member of wanted()) {
      member.phase = 'joining';
      member.loss = { reason, unconfirmed: unconfirmed + (member.loss?.unconfirmed ?? 0) };
    }
  };

  const welcome = ({ session, secret, settings, received, recovered, reason }: WelcomePacket) => {
    const current = link!;
    const resumed = key;
    machine.settings = settings;
    if (recovered) machine.confirm(received);
    else if (resumed || reason) {
      current.send(codec.encode({ type: PacketType.Reset }));
      lose(reason);
      for (const member of members.values()) if (member.listed) release(member);
      machine.open(clock.now());
    }
    // The same object for the same session.
    key ??= { session, secret };
    open = true;
    onOpen(recovered);
    for (const member of wanted()) {
      if (link !== current) return;
      if (recovered && member.phase === 'joined') member.fire('connect', { recovered, unconfirmed: 0 });
      else if (resumed && member.held) sendConnect(member);
    }
  };

  const replyTo = (ack: number, member: Member | undefined) => {
    const mine = key;
    return createReply(
      ack,
      (packet) => {
        // The number means nothing to another session.
        if (mine === key) send(packet);
      },
      (error) => member?.fire('error', error),
    );
  };

  function deliver(packet: DeliveredPacket): void {
    const { type, namespace } = packet;
    const member = members.get(namespace);
    const phase = member?.phase;
    if (type === PacketType.Connect) throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
    if (type === PacketType.Connected) {
      // Left before the answer came, or since a HELLO that was to resume.
      if (!member || !phase) sendDisconnect(namespace);
      else {
        const { loss } = member;
        member.phase = 'joined';
        member.id = packet.id;
        member.loss = undefined;
        member.fire('connect', { recovered: false, unconfirmed: 0, ...loss });
      }
    } else if (type === PacketType.Refused) {
      if (phase === 'joining') refuse(member!, new PublicError(packet.code, packet.message, packet.data));
    } else if (type === PacketType.Disconnect) {
      // One that comes before CONNECTED is about an earlier presence.
      if (phase === 'joined') {
        member!.phase = undefined;
        member!.fire('disconnect', { ...normal, reason: packet.reason, by: 'server' });
        idle();
      }
    } else {
      const reply = type === PacketType.Event && packet.ack !== undefined ? replyTo(packet.ack, member) : undefined;
      if (phase === 'joined') member!.handle(packet, reply);
      else reply?.(noHandler);
    }
  }

  let machine = createMachine();
  const timer = createTimer(clock, () => {
    machine.tick(clock.now());
    arm();
  });

  return {
    members,
    wanted,
    isConnected,
    frameBytesMax,

    join(member) {
      if (member.phase) return;
      if (wanted().length >= packetLimits.helloNamespacesMax) throw new LocalUsageError('ERR_NAMESPACES_FULL');
      member.phase = 'joining';
      // Otherwise the first HELLO lists it.
      if (token) sendConnect(member);
      onWanted();
    },

    leave(member) {
      if (!member.phase) return;
      const connected = isConnected(member);
      const last = wanted().length < 2;
      if (!last && !member.held && token) sendDisconnect(member.namespace);
      member.phase = member.loss = undefined;
      release(member, new HalyardError('ERR_DISCONNECTED'));
      if (last) onIdle();
      if (connected) member.fire('disconnect', { ...normal, by: 'client' });
    },

    emit(member, event, args, timeoutMs, settle) {
      const { held, namespace } = member;
      if (!member.phase) throw new LocalUsageError('ERR_NOT_CONNECTED', `${namespace}: connect() first`);
      const deadline = clock.now() + timeoutMs;
      let packet: EventPacket = { type: PacketType.Event, namespace, event, args, ack: undefined };
      const go = () => {
        const ack = settle && machine.expectAck(deadline, settle);
        try {
          send({ ...packet, ack }, ack ?? FrameTag.Event);
        } catch (error) {
          if (ack) machine.cancelAck(ack);
          throw error;
        }
        arm();
      };
      if (!held) go();
      else {
        if (held.length >= offlinePacketsMax) throw new LocalUsageError('ERR_OUTBOX_FULL');
        // Encoded now, for the errors; decoded, because the arguments may change until it is sent.
        packet = codec.decode(encode(packet)) as EventPacket;
        held.push((error) => {
          try {
            if (error) throw error;
            go();
          } catch (failure) {
            if (settle) settle(failure as HalyardError, undefined);
            else member.fire('error', failure);
          }
        });
      }
    },

    emitVolatile(member, event, args) {
      if (isConnected(member) && link!.bufferedBytes < volatileBufferMax) {
        link!.send(encode({ type: PacketType.Volatile, namespace: member.namespace, event, args }));
      }
    },

    probe() {
      machine.probe(clock.now());
      arm();
    },

    attach(next) {
      const { received, confirmed, positions } = machine;
      // A HELLO that was not answered is said again as it was: CONNECT asks for what is wanted since.
      if (key || !token) {
        for (const member of members.values()) {
          member.listed = !!member.phase;
          if (!key) release(member);
        }
      }
      token ||= `${randomNumbers(options.random)}`;
      const hello = codec.encode({
        type: PacketType.Hello,
        namespaces: [...members.values()]
          .filter(({ listed }) => listed)
          .map(({ namespace, data }) => ({ namespace, auth: data })),
        client: 'halyard-js/0.1.0',
        resume: key && { ...key, received, confirmed, positions },
        token: key ? '' : token,
        generation: ++generation,
        left: machine.left,
      });
      link = next;
      link.send(hello);
      machine.open(clock.now());
      arm();
    },

    receive(frame) {
      const packet = codec.decode(frame);
      const { type } = packet;
      if (open === (type === PacketType.Welcome) || type === PacketType.Hello || type === PacketType.Reset) {
        throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
      }
      if (type === PacketType.Welcome) welcome(packet);
      else machine.receive(packet, clock.now(), frame.length);
      arm();
    },

    detach(fate, reason) {
      const all = wanted();
      const connected = all.filter(isConnected);
      const old = link;
      link = undefined;
      open = false;
      if (fate === 'final') {
        const error = new HalyardError('ERR_DISCONNECTED');
        const ended = machine;
        machine = createMachine();
        timer.stop();
        key = undefined;
        token = '';
        ended.end(error);
        for (const member of all) {
          member.phase = member.loss = undefined;
          release(member, error);
        }
      } else if (old) {
        machine.detach();
        if (fate === 'fresh') {
          token = '';
          lose(reason);
          machine.detach();
        }
        arm();
      }
      return { wanted: all, connected };
    },
  };
}
