// The worker's side: it has the one session, and each namespace in it as long as any tab wants that.
import type { Codec } from '@halyard/codec';
import {
  type Clock,
  type EventPacket,
  type Packet,
  PacketType,
  PublicError,
  type VolatilePacket,
} from '@halyard/protocol';
import type { Connection } from '../link/connector';
import { holdLock, whenGone } from '../platform/life';
import type { AuthData, Presence, Reply } from '../session/presence';
import { noHandler } from '../session/reply';
import type { Session } from '../session/session';
import { errorOf, failureOf, newsOf, type TabPort, type ToTab, type ToWorker } from './messages';

/** A tab may be frozen: after so many milliseconds the next one is asked. */
const authMsMax = 5_000;
/** Questions of the server that some tab has not answered; the oldest are given up. */
const questionsMax = 1_024;
/** What a tab has said may be on its way when it is gone; in milliseconds. */
const lateMsMax = 1_000;

/** One namespace, and the tabs that want it, each with the number it has for that. */
interface Place extends Presence {
  readonly members: Map<Tab, number>;
}

interface Tab {
  post(message: ToTab): void;
}

/** An event whose sender waits for a reply: who may still give one. */
interface Question {
  readonly asked: Set<Tab>;
  readonly reply: Reply;
  /** Somebody has a handler, which has given nothing. */
  isHandled: boolean;
}

type Given = readonly [data: AuthData, failure: Parameters<typeof errorOf>[0] | undefined] | undefined;

/** What the tabs share, as the worker has it. */
export interface Hub {
  readonly session: Session;
  readonly connection: Connection;
  readonly presences: Map<string, Presence>;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** @param lock a name that nobody else has @returns a function that takes a tab in, by its port */
export function createHub(
  { session, connection, presences, codec, clock }: Hub,
  lock: string,
): (port: TabPort) => void {
  const tabs = new Set<Tab>();
  const places = presences as Map<string, Place>;
  const questions = new Map<number, Question>();
  const auths = new Map<number, (given: Given) => void>();
  let numbers = 0;
  let isHeld = false;

  holdLock(lock, () => {
    isHeld = true;
    for (const tab of tabs) tab.post(['worker', lock]);
  });

  connection.on('state', (change) => {
    const { state, transport } = connection;
    for (const tab of tabs) tab.post(['state', state, transport, change]);
  });

  const fire = (place: Place, tab: Tab, event: Parameters<Presence['fire']>[0], value: unknown) => {
    const { namespace, members, phase, id } = place;
    const shownId = session.isConnected(place) ? id : undefined;
    tab.post(['fire', namespace, members.get(tab)!, newsOf(event, value), !!phase, shownId]);
  };

  const placeOf = (namespace: string): Place => {
    const known = places.get(namespace);
    if (known) return known;
    const members: Place['members'] = new Map();
    const place: Place = {
      namespace,
      members,
      auth: () => askAuth(place),
      fire(event, value) {
        for (const tab of members.keys()) fire(place, tab, event, value);
        // Refused, or at an end: who wants it again says so.
        if (!place.phase) members.clear();
      },
      handle({ event, args }, reply) {
        const number = reply ? ++numbers : 0;
        if (reply) questions.set(number, { asked: new Set(members.keys()), reply, isHandled: false });
        const [oldest = 0] = questions.keys();
        if (questions.size > questionsMax) for (const tab of questions.get(oldest)?.asked ?? []) replied(tab, oldest);
        for (const [tab, join] of members) tab.post(['event', namespace, join, event, args, number]);
      },
    };
    places.set(namespace, place);
    return place;
  };

  /** Asks one tab after the other, as they have come. If none of them answers, it is what was said last: with nothing it were somebody else. */
  const askAuth = async ({ namespace, members, data }: Place): Promise<AuthData> => {
    for (const tab of [...members.keys()]) {
      const number = ++numbers;
      const given = await new Promise<Given>((resolve) => {
        const over = (given: Given) => {
          cancel();
          auths.delete(number);
          resolve(given);
        };
        const cancel = clock.after(authMsMax, () => over(undefined));
        auths.set(number, over);
        tab.post(['auth', number, namespace]);
      });
      if (given?.[1]) throw errorOf(given[1]);
      if (given) return given[0];
    }
    return data;
  };

  /** The first reply of a handler that gives something is the reply of all tabs. */
  const replied = (tab: Tab, number: number, packet?: Packet) => {
    const question = questions.get(number);
    if (!question?.asked.delete(tab)) return;
    const { asked, reply } = question;
    const isError = packet?.type === PacketType.Error;
    const isNone = !packet || (isError && packet.code === noHandler.code);
    const value = packet?.type === PacketType.Ack ? packet.value : undefined;
    question.isHandled ||= !isNone;
    const isGiven = !isNone && (isError || value !== undefined);
    if (!isGiven && asked.size) return;
    questions.delete(number);
    if (isError && !isNone) reply(new PublicError(packet.code, packet.message, packet.data));
    else if (question.isHandled) reply(undefined, value);
    else reply(noHandler);
  };

  /** All tabs together may want more namespaces than a session may have. */
  const join = (tab: Tab, place: Place) => {
    try {
      session.join(place);
    } catch (error) {
      fire(place, tab, 'connect_error', error);
      place.members.delete(tab);
    }
  };

  const leave = (tab: Tab, place: Place | undefined) => {
    if (place?.members.delete(tab) && !place.members.size) session.leave(place);
  };

  const drop = (tab: Tab) => {
    if (!tabs.delete(tab)) return;
    for (const place of [...places.values()]) leave(tab, place);
    for (const number of [...questions.keys()]) replied(tab, number);
  };

  const emit = (tab: Tab, { namespace, event, args, ack }: EventPacket, timeoutMs: number) => {
    const place = placeOf(namespace);
    const told = (error: unknown) => {
      if (ack) tab.post(['settle', ack, failureOf(error), undefined]);
      else if (place.members.has(tab)) fire(place, tab, 'error', error);
    };
    const settle = ack
      ? (error: unknown, value: unknown) => (error ? told(error) : tab.post(['settle', ack, undefined, value as never]))
      : undefined;
    try {
      session.emit(place, event, args, timeoutMs, settle);
    } catch (error) {
      told(error);
    }
  };

  const receive = (tab: Tab, message: ToWorker) => {
    switch (message[0]) {
      case 'tab':
        whenGone(message[1], () => void clock.after(lateMsMax, () => drop(tab)));
        break;
      case 'join': {
        const place = placeOf(message[1]);
        if (!place.members.size) place.data = undefined;
        place.members.set(tab, message[2]);
        if (session.isConnected(place)) fire(place, tab, 'connect', { recovered: false, unconfirmed: 0 });
        else join(tab, place);
        break;
      }
      case 'leave':
        leave(tab, places.get(message[1]));
        break;
      case 'emit':
        emit(tab, codec.decode(message[1]) as EventPacket, message[2]);
        break;
      case 'volatile': {
        const { namespace, event, args } = codec.decode(message[1]) as VolatilePacket;
        session.emitVolatile(placeOf(namespace), event, args);
        break;
      }
      case 'reply': {
        const packet = codec.decode(message[1]) as Packet & { ack: number };
        replied(tab, packet.ack, packet);
        break;
      }
      case 'auth':
        auths.get(message[1])?.([message[2], message[3]]);
        break;
      case 'awake':
        // As a page is told that has the session itself.
        globalThis.dispatchEvent?.(new Event('pageshow'));
        break;
      case 'bye':
        drop(tab);
    }
  };

  return (port) => {
    const tab: Tab = { post: (message) => port.postMessage(message) };
    tabs.add(tab);
    port.addEventListener('message', ({ data }: { data: unknown }) => {
      if (tabs.has(tab)) receive(tab, data as ToWorker);
    });
    port.start();
    tab.post(['state', connection.state, connection.transport, undefined]);
    if (isHeld) tab.post(['worker', lock]);
  };
}
