// The namespaces of a client's session: which are wanted, which are asked for by HELLO and which by CONNECT, and what the
// server has said of each.
import {
  type ConnectedPacket,
  type DisconnectPacket,
  type Frame,
  HalyardError,
  LocalUsageError,
  type NamespaceRequest,
  type Packet,
  PacketType,
  PublicError,
  packetLimits,
  type RefusedPacket,
} from '@halyard/protocol';
import type { Carrier, LinkEnded, Questions } from '../link/carrier';
import { isKnown, type Opening } from './opening';
import { askAuth, type Presence, release } from './presence';

const normal = { code: 1000, reason: '', willReconnect: false };

/** What namespaces ask of their session and of what carries it. */
export interface NamespacesContext extends Pick<Carrier, 'onWanted' | 'onIdle'> {
  readonly opening: Readonly<Opening>;
  /** @throws LocalUsageError `ERR_OUTBOX_FULL` */
  send(packet: Packet): void;
  sendDisconnect(namespace: string): void;
  /** The first of what was sent that has not left, if there is any. */
  waits(): Frame | undefined;
}

export interface Namespaces {
  /** Makes a presence known, wanted or not. */
  add(presence: Presence): void;
  of(namespace: string): Presence | undefined;
  isConnected(presence: Presence): boolean;
  /** @throws LocalUsageError `ERR_NAMESPACES_FULL` */
  join(presence: Presence): void;
  leave(presence: Presence): void;
  leaveAll(): void;
  questions(): Questions;
  /** Lists in the next HELLO what is wanted. @param isNew it makes the session: what was held follows it at once */
  list(isNew: boolean): void;
  /** What HELLO lists. */
  listed(): NamespaceRequest[];
  /** The session that HELLO has made instead of the one it asked for has what it listed. */
  releaseListed(): void;
  /** WELCOME has come. @param isCurrent whether it is about this link still: those who are told may end it */
  welcomed(recovered: boolean, resumed: boolean, isCurrent: () => boolean): void;
  receive(packet: ConnectedPacket | RefusedPacket | DisconnectPacket): void;
  /** The session is gone, and what is wanted will be asked for in another. */
  lost(reason: string, unconfirmed: number): void;
  /** Nothing is wanted any more. */
  end(error: HalyardError): void;
  /** @returns a function that tells those who are wanted now how the link ended */
  witnesses(): (end: LinkEnded) => void;
}

export function createNamespaces(context: NamespacesContext): Namespaces {
  const { opening, send, sendDisconnect, waits, onWanted, onIdle } = context;
  const presences = new Map<string, Presence>();
  const all = () => [...presences.values()];
  const wanted = () => all().filter(({ phase }) => phase);
  const isConnected = ({ phase }: Presence) => !!opening.open && phase === 'joined';

  const idle = () => {
    if (!wanted().length) onIdle();
  };

  const refuse = (presence: Presence, error: HalyardError) => {
    presence.phase = undefined;
    release(presence, error);
    presence.fire('connect_error', error);
    idle();
  };

  /** Asks for a namespace by CONNECT. Its events are held until that is sent. */
  const sendConnect = (presence: Presence) => {
    // A new array: an auth that was asked for before finds that it comes too late.
    const held = [...(presence.held ?? [])];
    presence.held = held;
    askAuth(presence)
      .then(() => {
        // Otherwise HELLO will list the namespace, or WELCOME is about to tell in which session it is asked for.
        if (presence.held !== held || !isKnown(opening)) return;
        send({ type: PacketType.Connect, namespace: presence.namespace, auth: presence.data });
        release(presence);
      })
      .catch((error) => {
        if (presence.held === held) refuse(presence, new HalyardError('ERR_AUTH', `${error}`, { cause: error }));
      });
  };

  const leave = (presence: Presence) => {
    if (!presence.phase) return;
    const connected = isConnected(presence);
    const last = wanted().length < 2;
    // The last goes with the link, unless that stays for what has not left.
    if (!(last && waits() === undefined) && !presence.held && opening.token) sendDisconnect(presence.namespace);
    presence.phase = presence.loss = undefined;
    release(presence, new HalyardError('ERR_DISCONNECTED'));
    if (last) onIdle();
    if (connected) presence.fire('disconnect', { ...normal, by: 'client' });
  };

  return {
    add: (presence) => void presences.set(presence.namespace, presence),
    of: (namespace) => presences.get(namespace),
    isConnected,

    join(presence) {
      if (presence.phase) return;
      if (wanted().length >= packetLimits.helloNamespacesMax) throw new LocalUsageError('ERR_NAMESPACES_FULL');
      presence.phase = 'joining';
      // Otherwise the first HELLO lists it.
      if (opening.token) sendConnect(presence);
      onWanted();
    },

    leave,

    leaveAll() {
      for (const presence of wanted()) leave(presence);
    },

    questions() {
      const asked = new Map<Presence, Promise<void>>();
      const ask = () => {
        for (const presence of wanted()) {
          if (asked.has(presence)) continue;
          const answer = askAuth(presence);
          // Whoever waits for it hears of it.
          answer.catch(() => {});
          asked.set(presence, answer);
        }
        return asked.size;
      };
      return {
        ask,
        async answered() {
          for (let size = 0; size < ask(); ) {
            size = asked.size;
            await Promise.all(asked.values());
          }
        },
      };
    },

    list(isNew) {
      for (const presence of all()) {
        presence.listed = !!presence.phase;
        if (isNew) release(presence);
      }
    },

    listed: () =>
      all()
        .filter(({ listed }) => listed)
        .map(({ namespace, data }) => ({ namespace, auth: data })),

    releaseListed() {
      for (const presence of all()) {
        if (!presence.listed) continue;
        if (presence.phase) release(presence);
        // What it said when it was left was for the session before.
        else sendDisconnect(presence.namespace);
      }
    },

    welcomed(recovered, resumed, isCurrent) {
      for (const presence of wanted()) {
        if (!isCurrent()) return;
        if (recovered && presence.phase === 'joined') presence.fire('connect', { recovered, unconfirmed: 0 });
        else if (resumed && presence.held) sendConnect(presence);
      }
    },

    receive(packet) {
      const { type, namespace } = packet;
      const presence = presences.get(namespace);
      const phase = presence?.phase;
      if (type === PacketType.Connected) {
        // Left before the answer came, or since a HELLO that was to resume.
        if (!presence || !phase) sendDisconnect(namespace);
        else {
          const { loss } = presence;
          presence.phase = 'joined';
          presence.id = packet.id;
          presence.loss = undefined;
          presence.fire('connect', { recovered: false, unconfirmed: 0, ...loss });
        }
      } else if (type === PacketType.Refused) {
        if (phase === 'joining') refuse(presence!, new PublicError(packet.code, packet.message, packet.data));
      } else if (phase === 'joined') {
        // A DISCONNECT that comes before CONNECTED is about an earlier presence.
        presence!.phase = undefined;
        presence!.fire('disconnect', { ...normal, reason: packet.reason, by: 'server' });
        idle();
      }
    },

    lost(reason, unconfirmed) {
      for (const presence of wanted()) {
        presence.phase = 'joining';
        presence.loss = { reason, unconfirmed: unconfirmed + (presence.loss?.unconfirmed ?? 0) };
      }
    },

    end(error) {
      for (const presence of wanted()) {
        presence.phase = presence.loss = undefined;
        release(presence, error);
      }
    },

    witnesses() {
      const concerned = wanted();
      const connected = concerned.filter(isConnected);
      return ({ close, willReconnect, cause, error }) => {
        for (const presence of connected) {
          if (cause) presence.fire('error', cause);
          presence.fire('disconnect', { ...close, willReconnect });
        }
        if (!error) return;
        for (const presence of concerned) if (!connected.includes(presence)) presence.fire('connect_error', error);
      };
    },
  };
}
