// A tab's side: what its sockets take for their session is in a worker, where all tabs have the same one. Longer than other files: what is
// said to the worker, and again to the next one, is one list with what comes back.
import type { Codec } from '@halyard/codec';
import {
  type Clock,
  type EventPacket,
  type Frame,
  LocalUsageError,
  PacketType,
  type Position,
  packetLimits,
  type Settle,
  type VolatilePacket,
} from '@halyard/protocol';
import { callAll, createEmitter } from '../base/emitter';
import type { Connection, ConnectionState } from '../link/connector';
import { hasLocks, holdLock, whenGone } from '../platform/life';
import { watchNetwork } from '../platform/network';
import { createHold, defaultLimits, release } from '../session/held';
import type { ConnectInfo, DisconnectInfo } from '../session/lifecycle';
import { askAuth, type Presence } from '../session/presence';
import { createReply } from '../session/reply';
import type { Speech } from '../session/session';
import {
  type Asked,
  errorOf,
  failureOf,
  type Kept,
  type News,
  nameOf,
  type TabPort,
  type ToTab,
  type ToWorker,
} from './messages';

/** A presence as this tab has it. */
interface Place extends Presence {
  /** How often it was wanted. */
  joins?: number;
  isConnected?: boolean;
  /** Its id, if it was connected by a worker that is gone, and is not again. */
  toldId?: string | undefined;
}

/** A reply that is waited for. */
interface Awaited {
  readonly settle: Settle;
  readonly endsAt: number;
  /** By which number the server gives it; undefined while the event has not left. */
  mark?: number;
}

/** Said to the worker, and to the next one if that comes first. */
type Saying =
  | { readonly frame: Frame; readonly endsAt: number; readonly ack: number | undefined }
  | { readonly frame: Frame; readonly name: string };

/** A worker that says nothing for twice so many milliseconds was gone before it could say how that is known. */
const silentMsMax = 5_000;

/** What a worker has told before it was gone may come so many milliseconds after that is known. */
const goneMs = 50;

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
  const asked = new Map<number, Awaited>();
  const sayings = new Map<number, Saying>();
  let sayingNumber = 0;
  let acks = 0;
  /** What another worker needs to go on; its frames by their numbers. */
  let kept: Kept | undefined;
  const frames = new Map<number, Kept['frames'][number]>();
  const heard = createHeard();
  let state: ConnectionState = 'idle';
  let transport: string | undefined;
  let port: TabPort | undefined;
  /** The lock is there; the tab has it as long as it lives, whatever becomes of the worker. */
  let isHeld = false;
  /** When the worker is gone will be known. */
  let isKnown = false;

  const post = (message: ToWorker) => port!.postMessage(message);

  const wanted = () => [...places.values()].filter(({ phase }) => phase);

  const repeat = (number: number, saying: Saying) => {
    const { frame } = saying;
    if ('name' in saying) post(['reply', frame, saying.name, number]);
    else post(['emit', frame, saying.endsAt < Infinity ? Math.max(1, saying.endsAt - clock.now()) : 0, number]);
  };

  const say = (saying: Saying) => {
    sayings.set(++sayingNumber, saying);
    repeat(sayingNumber, saying);
  };

  /** What is said so far need not be said again. */
  const isSaid = (number: number, mark: number) => {
    const saying = sayings.get(number);
    sayings.delete(number);
    if (!mark || !saying || !('ack' in saying)) return;
    const awaited = asked.get(saying.ack ?? 0);
    if (awaited) awaited.mark = mark;
  };

  const keep = (next: Kept) => {
    if (!kept || nameOf(kept) !== nameOf(next)) {
      frames.clear();
      heard.clear();
    }
    kept = next;
    for (const number of frames.keys()) if (number <= next.confirmed) frames.delete(number);
    for (const one of next.frames) frames.set(one.number, one);
    for (const [tab, number, mark] of next.said) if (tab === lock) isSaid(number, mark);
  };

  const join = (place: Place) => {
    place.phase = 'joining';
    place.joins = (place.joins ?? 0) + 1;
    post(['join', place.namespace, place.joins]);
  };

  const begin = (heir?: { readonly kept: Kept | undefined }) => {
    const current = openPort();
    port = current;
    current.addEventListener('message', ({ data }: { data: unknown }) => {
      if (port === current) receive(data as ToTab);
    });
    current.start();
    post(['tab', lock, heir]);
    if (isHeld) post(['locked']);
    isKnown = false;
    // Twice: a page that was frozen may come to its timers before it comes to what it was told.
    const watch = (then: () => void) =>
      clock.after(silentMsMax, () => {
        if (port === current && !isKnown) then();
      });
    if (hasLocks()) watch(() => watch(restart));
  };

  /** The worker is gone: another one goes on with what is wanted now, and with the session, as far as that is known here. */
  const restart = () => {
    port!.close();
    begin({ kept: kept && { ...kept, frames: [...frames.values()] } });
    const lost = wanted().filter(({ isConnected }) => isConnected);
    for (const place of wanted()) {
      if (place.isConnected) place.toldId = place.id;
      place.isConnected = false;
      join(place);
    }
    const replies: Asked[] = [];
    for (const [ack, { mark, endsAt }] of asked) if (mark) replies.push([ack, mark, endsAt - clock.now()]);
    post(['asked', replies]);
    for (const [number, saying] of sayings) repeat(number, saying);
    for (const place of lost) place.fire('disconnect', gone);
  };

  /** The worker before may have told what it came to know last: to the one after it that is new. */
  const backIn = (place: Place, [event, info, failure]: News): News => {
    const connect = info as ConnectInfo;
    const isIts = place.toldId && place.toldId === place.id && !connect.reason;
    place.toldId = undefined;
    return [event, isIts ? { ...connect, recovered: true } : connect, failure];
  };

  const hear = (place: Place, [event, info, failure]: News) => {
    place.isConnected = event === 'connect' || (event === 'error' && place.isConnected);
    place.fire(event, (failure ? errorOf(failure) : info) as never);
  };

  const receive = (message: ToTab) => {
    const [what] = message;
    if (what === 'worker') {
      isKnown = true;
      whenGone(message[1], () => void clock.after(goneMs, restart));
    } else if (what === 'state') {
      const [, , , change] = message;
      const from = state;
      [, state, transport] = message;
      const isChange = change && (change.from === from || from !== state);
      if (isChange) callAll(emitter.take('state'), [{ ...change, from }], console.error);
    } else if (what === 'settle') {
      const [, ack, failure, value] = message;
      const { settle } = asked.get(ack) ?? {};
      asked.delete(ack);
      if (failure) settle?.(errorOf(failure));
      else settle?.(undefined, value);
    } else if (what === 'failed') places.get(message[1])?.fire('error', errorOf(message[2]));
    else if (what === 'kept') keep(message[1]);
    else if (what === 'said') isSaid(message[1], message[2]);
    else if (what === 'auth') {
      const [, question, namespace] = message;
      const place = places.get(namespace)!;
      const frame = () => codec.encode({ type: PacketType.Connect, namespace, auth: place.data });
      askAuth(place)
        .then(frame)
        .then(
          (frame) => post(['auth', question, frame, undefined]),
          (error) => post(['auth', question, undefined, failureOf(error)]),
        );
    } else {
      const place = places.get(message[1]);
      if (!place?.phase || place.joins !== message[2]) return;
      if (what === 'fire') {
        const [, , , news, isWanted, id] = message;
        place.phase = isWanted ? (id ? 'joined' : 'joining') : undefined;
        if (id) place.id = id;
        hear(place, news[0] === 'connect' ? backIn(place, news) : news);
      } else {
        const [, namespace, , event, args, number, at] = message;
        if (!heard.isNew(at)) return;
        const name = kept ? nameOf(kept) : '';
        const ack = number || undefined;
        const reply = ack ? createReply(ack, place, (packet) => say({ frame: codec.encode(packet), name })) : undefined;
        place.handle({ type: PacketType.Event, namespace, event, args, ack }, reply);
      }
    }
  };

  const leave = (place: Place) => {
    if (!place.phase) return;
    const { isConnected } = place;
    place.phase = undefined;
    place.isConnected = false;
    place.toldId = undefined;
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
          post(['locked']);
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
      const endsAt = timeoutMs ? clock.now() + timeoutMs : Infinity;
      const go = () => {
        if (ack) asked.set(ack, { settle, endsAt });
        say({ frame, endsAt, ack });
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

/** What of the session has come here: after a worker is gone some comes again. */
function createHeard() {
  let count = 0;
  const logs = new Map<string, number>();
  return {
    clear() {
      count = 0;
      logs.clear();
    },
    /** @param at a count, or positions in logs; undefined of what never comes again */
    isNew(at: number | readonly Position[] | undefined): boolean {
      if (typeof at === 'number') {
        if (at <= count) return false;
        count = at;
      } else if (at) {
        if (at.some(([log, offset]) => offset <= (logs.get(log) ?? -1))) return false;
        for (const [log, offset] of at) {
          logs.delete(log);
          logs.set(log, offset);
        }
        for (const log of logs.keys()) if (logs.size > packetLimits.helloPositionsMax) logs.delete(log);
      }
      return true;
    },
  };
}
