// The client's session across its connections (docs/PROTOCOL.md §5): the stream machine with its timer, between sockets
// above and links below. It is given a link and its frames; which link, and when, is the connector's business.
import type { Codec } from '@halyard/codec';
import {
  type ClientLimits,
  type Clock,
  createClientOutbox,
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
  type PublishPacket,
  packetLimits,
  RemoteProtocolError,
  SessionMachine,
  type Settle,
  type Value,
  type VolatilePacket,
  type WelcomePacket,
} from '@halyard/protocol';
import { createTimer } from '../base/timer';
import type { CarriedSession, Carrier } from '../link/carrier';
import { bytesOf } from '../platform/frame-size';
import { createNamespaces, type Namespaces } from './namespaces';
import { helloOf, type Opening } from './opening';
import { createPositions } from './positions';
import type { Presence } from './presence';
import { createReply, noHandler } from './reply';

/** A volatile event is dropped while more than this waits in the transport. */
const volatileBufferMax = 1 << 16;

/** What a server takes before it has told. */
const helloWindow = {
  windowPacketsMax: packetLimits.helloWindowPacketsMax,
  windowBytesMax: packetLimits.helloWindowBytesMax,
};

/** How much longer than the server this side waits before it asks for a sign of life: so it seldom has to. */
const probeSlackMs = 10_000;

export interface SessionOptions extends ClientLimits {
  readonly clock: Clock;
  readonly codec: Codec;
  /** @returns text that nobody can guess */
  readonly token: () => string;
}

/** What a session offers to the sockets above it. */
export interface Session extends CarriedSession, Pick<Namespaces, 'add' | 'isConnected' | 'join' | 'leave'> {
  /**
   * Sends an event, now or as soon as there is a connection.
   * @param settle there if a reply is waited for, at most `timeoutMs`
   * @throws LocalUsageError what is wrong with the event, or the limit it meets
   */
  emit(presence: Presence, event: string, args: readonly Value[], timeoutMs: number, settle?: Settle): void;
  /** Sends an event if it can leave now. */
  emitVolatile(presence: Presence, event: string, args: readonly Value[]): void;
}

export function createSession(options: SessionOptions, { onWanted, onIdle, onOpen, onSilent }: Carrier): Session {
  const { clock, codec, offlinePacketsMax } = options;
  const opening: Opening = { token: '', generation: 0 };

  /** Nothing is wanted any more, but some of what was sent has not left. */
  let leaving = false;

  const createMachine = () =>
    new SessionMachine(
      {
        transmit: (frame: Frame) => opening.link?.send(frame),
        control: (packet) => opening.link?.send(codec.encode(packet)),
        deliver,
        silent: onSilent,
      },
      // How large a frame may be is not known before WELCOME.
      { ...defaultSettings, frameBytesMax: Infinity },
      defaultOutboxLimits,
      createClientOutbox<Frame>(helloWindow, options),
      probeSlackMs,
    );
  const arm = () => timer.arm(machine.deadline);
  const frameBytesMax = () => machine.settings.frameBytesMax;

  const encode = (packet: Packet) => {
    const frame = codec.encode(packet);
    // Counted only if it may matter: no UTF-16 unit takes more than three bytes.
    if (frame.length * 3 > frameBytesMax() && bytesOf(frame) > frameBytesMax())
      throw new LocalUsageError('ERR_FRAME_TOO_BIG', `more than ${frameBytesMax()} bytes`);
    return frame;
  };
  const send = (packet: Packet, tag: number = FrameTag.Session) => machine.send(encode(packet), tag);
  const sendDisconnect = (namespace: string) =>
    send({ type: PacketType.Disconnect, namespace, reason: '' }, FrameTag.Leave);

  const idle = () => {
    leaving = !!opening.link && machine.waiting !== undefined;
    if (!leaving) onIdle();
  };

  const namespaces = createNamespaces({
    opening,
    send,
    sendDisconnect,
    waits: () => machine.waiting,
    onWanted() {
      leaving = false;
      onWanted();
    },
    onIdle: idle,
  });
  const { isConnected } = namespaces;

  /**
   * Starts a new session with what never left; the machine holds until it is opened or detached.
   * @param has whether a namespace is in the new session: what was said to others has nobody who would hear it
   */
  const lose = (reason: string, has: (presence: Presence) => unknown) => {
    const { kept, lost } = machine.outbox.restart((frame) =>
      has(namespaces.of((codec.decode(frame) as EventPacket).namespace)!),
    );
    machine.restart(new HalyardError('ERR_SESSION_LOST'), clock.now(), kept);
    positions = createPositions();
    opening.key = undefined;
    namespaces.lost(reason, lost);
  };

  const welcome = ({ session, secret, settings, received, recovered, reason, settled }: WelcomePacket) => {
    const current = opening.link!;
    const resumed = !!opening.key;
    machine.settings = machine.outbox.window = settings;
    if (recovered || !(resumed || reason)) machine.confirm(received, settled);
    else {
      current.send(codec.encode({ type: PacketType.Reset }));
      lose(reason, ({ listed }) => listed);
      namespaces.releaseListed();
      machine.open(clock.now());
    }
    opening.key ??= { session, secret };
    opening.open = true;
    onOpen(recovered);
    namespaces.welcomed(recovered, resumed, () => opening.link === current);
  };

  const replyTo = (ack: number, presence: Presence | undefined) => {
    const { key } = opening;
    return createReply(
      ack,
      (packet) => {
        // The number means nothing to another session.
        if (key === opening.key) send(packet);
      },
      (error) => presence?.fire('error', error),
    );
  };

  const handle = (packet: EventPacket | PublishPacket | VolatilePacket) => {
    const presence = namespaces.of(packet.namespace);
    const ack = packet.type === PacketType.Event ? packet.ack : undefined;
    const reply = ack === undefined ? undefined : replyTo(ack, presence);
    if (presence?.phase === 'joined') presence.handle(packet, reply);
    else reply?.(noHandler);
  };

  function deliver(packet: DeliveredPacket): void {
    if (packet.type === PacketType.Publish) {
      if (positions.advance(packet.positions)) handle(packet);
      // Answered with a PING of the server's.
      if (positions.wantsPing()) machine.ping(clock.now());
    } else if ('event' in packet) handle(packet);
    else if (packet.type === PacketType.Connect) throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
    else namespaces.receive(packet);
  }

  let machine = createMachine();
  let positions = createPositions();
  const timer = createTimer(clock, () => {
    machine.tick(clock.now());
    arm();
  });

  return {
    ...namespaces,
    frameBytesMax,

    emit(presence, event, args, timeoutMs, settle) {
      const { held, namespace } = presence;
      if (!presence.phase) throw new LocalUsageError('ERR_NOT_CONNECTED', `${namespace}: connect() first`);
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
            else presence.fire('error', failure);
          }
        });
      }
    },

    emitVolatile(presence, event, args) {
      if (isConnected(presence) && opening.link!.bufferedBytes < volatileBufferMax) {
        opening.link!.send(encode({ type: PacketType.Volatile, namespace: presence.namespace, event, args }));
      }
    },

    probe() {
      machine.probe(clock.now());
      arm();
    },

    attach(link) {
      // A HELLO that was not answered is said again as it was: CONNECT asks for what is wanted since.
      if (opening.key || !opening.token) namespaces.list(!opening.key);
      opening.token ||= options.token();
      opening.generation++;
      machine.outbox.window = helloWindow;
      const hello = codec.encode(helloOf(opening, namespaces.listed(), positions.toArray(), machine));
      opening.link = link;
      positions.attached();
      link.send(hello);
      machine.open(clock.now());
      arm();
    },

    receive(frame) {
      const packet = codec.decode(frame);
      const { type } = packet;
      if (!!opening.open === (type === PacketType.Welcome) || type === PacketType.Hello || type === PacketType.Reset) {
        throw new RemoteProtocolError('ERR_PACKET_UNEXPECTED');
      }
      if (type === PacketType.Welcome) welcome(packet);
      else machine.receive(packet, clock.now(), frame.length);
      if (type === PacketType.Ping) positions.pinged();
      if (leaving) idle();
      arm();
    },

    detach(fate, reason) {
      const tell = namespaces.witnesses();
      const { link } = opening;
      opening.link = undefined;
      opening.open = false;
      if (fate === 'final') {
        const error = new HalyardError('ERR_DISCONNECTED');
        const ended = machine;
        machine = createMachine();
        positions = createPositions();
        timer.stop();
        opening.key = undefined;
        opening.token = '';
        ended.end(error);
        namespaces.end(error);
      } else if (link) {
        machine.detach();
        if (fate === 'fresh') {
          opening.token = '';
          lose(reason, ({ phase }) => phase);
          machine.detach();
        }
        arm();
      }
      return (end) => {
        tell(end);
        if (leaving) idle();
      };
    },
  };
}
