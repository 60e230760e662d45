// A tab's side: what its sockets take for their session is in a worker, where all tabs have the same one.
import type { Codec } from '@halyard/codec';
import {
  type Clock,
  type EventPacket,
  HalyardError,
  LocalUsageError,
  PacketType,
  packetLimits,
  type Settle,
  type VolatilePacket,
} from '@halyard/protocol';
import { callAll, createEmitter } from '../base/emitter';
import type { Connection, ConnectionState } from '../link/connector';
import { holdLock, whenGone } from '../platform/life';
import { watchNetwork } from '../platform/network';
import { createHold, defaultLimits, release } from '../session/held';
import type { DisconnectInfo } from '../session/lifecycle';
import { askAuth, type Presence } from '../session/presence';
import { createReply } from '../session/reply';
import type { Speech } from '../session/session';
import { errorOf, failureOf, type News, type TabPort, type ToTab, type ToWorker } from './messages';

/** A presence as this tab has it. */
interface Place extends Presence {
  /** How often it was wanted. */
  joins?: number;
  isConnected?: boolean;
}

const gone = { code: 1006, reason: 'the worker is gone', by: 'network', willReconnect: true } as const;

/**
 * @param openPort a way to the worker; called again when that is gone
 * @param lock a name that nobody else has
 */
export function createTab(
  openPort: () => TabPort,
  codec: Codec,
  clock: Clock,
  lock: string,
  presences: ReadonlyMap<string, Presence>,
): { connection: Connection; session: Speech } {
  const hold = createHold({ clock, ...defaultLimits });
  const places = presences as ReadonlyMap<string, Place>;
  const emitter = createEmitter();
  const asked = new Map<number, Settle>();
  let acks = 0;
  let state: ConnectionState = 'idle';
  let transport: string | undefined;
  let port: TabPort | undefined;
  /** The lock is there; the tab has it as long as it lives, whatever becomes of the worker. */
  let isHeld = false;

  const post = (message: ToWorker) => port!.postMessage(message);

  const wanted = () => [...places.values()].filter(({ phase }) => phase);

  const join = (place: Place) => {
    place.phase = 'joining';
    place.joins = (place.joins ?? 0) + 1;
    post(['join', place.namespace, place.joins]);
  };

  const begin = () => {
    const current = openPort();
    port = current;
    current.addEventListener('message', ({ data }: { data: unknown }) => {
      if (port === current) receive(data as ToTab);
    });
    current.start();
    if (isHeld) post(['tab', lock]);
  };

  /** The worker is gone, and the session with it: another one begins with what is wanted now. */
  const restart = () => {
    port!.close();
    const settles = [...asked.values()];
    asked.clear();
    begin();
    const error = new HalyardError('ERR_SESSION_LOST', `no reply: the session is lost (${gone.reason})`);
    for (const settle of settles) settle(error);
    for (const place of wanted()) {
      const { isConnected } = place;
      place.isConnected = false;
      join(place);
      if (isConnected) place.fire('disconnect', gone);
    }
  };

  const hear = (place: Place, [event, info, failure]: News) => {
    place.isConnected = event === 'connect' || (event === 'error' && place.isConnected);
    place.fire(event, (failure ? errorOf(failure) : info) as never);
  };

  const receive = (message: ToTab) => {
    const [what] = message;
    if (what === 'worker') whenGone(message[1], restart);
    else if (what === 'state') {
      const [, , , change] = message;
      [, state, transport] = message;
      if (change) callAll(emitter.take('state'), [change], console.error);
    } else if (what === 'settle') {
      const [, ack, failure, value] = message;
      const settle = asked.get(ack);
      asked.delete(ack);
      if (failure) settle?.(errorOf(failure));
      else settle?.(undefined, value);
    } else if (what === 'auth') {
      const [, question, namespace] = message;
      const place = places.get(namespace)!;
      askAuth(place).then(
        () => post(['auth', question, place.data, undefined]),
        (error) => post(['auth', question, undefined, failureOf(error)]),
      );
    } else {
      const place = places.get(message[1]);
      if (!place?.phase || place.joins !== message[2]) return;
      if (what === 'fire') {
        const [, , , news, isWanted, id] = message;
        place.phase = isWanted ? (id ? 'joined' : 'joining') : undefined;
        if (id) place.id = id;
        hear(place, news);
      } else {
        const [, namespace, , event, args, question] = message;
        const reply = question
          ? createReply(question, place, (packet) => post(['reply', codec.encode(packet)]))
          : undefined;
        place.handle({ type: PacketType.Event, namespace, event, args, ack: question || undefined }, reply);
      }
    }
  };

  const leave = (place: Place) => {
    if (!place.phase) return;
    const { isConnected } = place;
    place.phase = undefined;
    place.isConnected = false;
    post(['leave', place.namespace]);
    const info: DisconnectInfo = { code: 1000, reason: '', by: 'client', willReconnect: false };
    if (isConnected) place.fire('disconnect', info);
  };

  const session: Speech = {
    isConnected: (place: Place) => !!place.isConnected,

    join(place: Place) {
      if (place.phase) return;
      if (wanted().length >= packetLimits.helloNamespacesMax)
        throw new LocalUsageError('ERR_NAMESPACES_FULL', `${packetLimits.helloNamespacesMax} at one time`);
      if (!port) {
        begin();
        holdLock(lock, () => {
          isHeld = true;
          post(['tab', lock]);
        });
        watchNetwork(({ type, persisted }) => {
          if (type === 'pagehide') {
            if (!persisted) post(['bye']);
          } else if (type !== 'offline' && type !== 'online') post(['awake']);
        });
      }
      join(place);
      release(place);
    },

    leave,

    emit(place: Place, event, args, timeoutMs, settle) {
      const { namespace, held } = place;
      const ack = settle && ++acks;
      const packet: EventPacket = { type: PacketType.Event, namespace, event, args, ack };
      const frame = codec.encode(packet);
      const endsAt = clock.now() + timeoutMs;
      const go = () => {
        post(['emit', frame, timeoutMs && endsAt - clock.now()]);
        if (ack) asked.set(ack, settle);
      };
      if (held) hold(place, frame, timeoutMs, settle ?? ((error) => place.fire('error', error)), go);
      else go();
    },

    emitVolatile(place: Place, event, args) {
      const packet: VolatilePacket = { type: PacketType.Volatile, namespace: place.namespace, event, args };
      const frame = codec.encode(packet);
      if (place.isConnected) post(['volatile', frame]);
    },
  };

  const connection: Connection = {
    get state() {
      return state;
    },
    get transport() {
      return transport;
    },
    on: emitter.on,
    off: emitter.off,
    close() {
      for (const place of wanted()) leave(place);
    },
  };

  return { connection, session };
}
