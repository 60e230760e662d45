// The worker's side: it has the one session, and each namespace in it as long as any tab wants that. Longer than other files: what tabs
// say, what they are told, and how a worker goes on where another was killed, all change the same few maps.
import type { Codec } from '@halyard/codec';
import {
  type Clock,
  type ConnectPacket,
  type EventPacket,
  type Frame,
  FrameTag,
  HalyardError,
  LocalUsageError,
  type Packet,
  PacketType,
  PublicError,
  type Settle,
  type VolatilePacket,
} from '@halyard/protocol';
import type { Connection, StateChange } from '../link/connector';
import { holdLock, whenGone } from '../platform/life';
import { createHold, defaultLimits } from '../session/held';
import type { AuthData, Presence, Reply } from '../session/presence';
import { createReply, noHandler } from '../session/reply';
import type { Session } from '../session/session';
import { type AskedPlace, type AskedTab, createAuths } from './auths';
import { failureOf, type Kept, nameOf, newsOf, type TabPort, type ToTab, type ToWorker } from './messages';
import type { Mirror, Owner } from './mirror';

/** Questions of the server that some tab has not answered; the oldest are given up. */
const questionsMax = 1_024;
/** What a tab has said may be on its way when it is gone; in milliseconds. */
const lateMsMax = 1_000;
/** The last one leaves no time for more. */
const lastMsMax = 10;
/** So many milliseconds after the first one all tabs have said what they know of a worker that is gone. */
const heirsMsMax = 50;

/** One namespace, and the tabs that want it, each with the number it has for that. */
interface Place extends Presence, AskedPlace {
  readonly members: Map<Tab, number>;
}

export interface Tab extends AskedTab {
  /** Nobody else has it. */
  name: string;
  post(message: ToTab): void;
  /** The session that it has from a worker before, … */
  heirOf?: string;
  /** … and whether it still says what it has. */
  isBack?: boolean;
}

/** An event whose sender waits for a reply: who may still give one. */
interface Question {
  readonly asked: Set<Tab>;
  readonly reply: Reply;
  /** Somebody has a handler, which has given nothing. */
  isHandled: boolean;
}

/** What the tabs share, as the worker has it. */
export interface Hub {
  readonly mirror: Mirror;
  readonly session: Session;
  readonly connection: Connection;
  readonly presences: Map<string, Presence>;
  /** Of what tabs say. */
  readonly codec: Codec;
  /** Of what the server is told. */
  readonly frames: Codec;
  readonly clock: Clock;
}

/** @param tabs who is there @param lock a name that nobody else has @returns a function that takes a tab in, by its port */
export function createHub(
  { mirror, session, connection, presences, codec, frames, clock }: Hub,
  tabs: Set<Tab>,
  lock: string,
): (port: TabPort) => void {
  const hold = createHold({ clock, ...defaultLimits });
  const places = presences as Map<string, Place>;
  const questions = new Map<number, Question>();
  const auths = createAuths(clock);
  let isHeld = false;
  /** Which session questions are of, and from which on this worker has told them. */
  let asking = '';
  let askedFrom = Infinity;
  /** Until it is known whether there is a session to go on with: what tabs have said, and what they know. */
  let waiting: (() => void)[] | undefined = [];
  let heirs: Kept[] | undefined;
  /** What had left when the worker before was killed: some tabs were not told. By tab and number, with its mark. */
  const left = new Map<string, number>();
  let isLooking = false;

  holdLock(lock, () => {
    isHeld = true;
    for (const tab of tabs) tab.post(['worker', lock]);
  });

  /** The last change of the connection: who comes later is told how that is now. What was closed before was not theirs. */
  let changed: StateChange | undefined;
  const tellState = (tab: Tab, change: StateChange | undefined) =>
    tab.post(['state', connection.state, connection.transport, change]);
  connection.on('state', (change) => {
    changed = change.to === 'closed' ? undefined : change;
    for (const tab of tabs) tellState(tab, change);
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
      auth: () => auths.ask(place),
      fire(event, value) {
        for (const tab of members.keys()) fire(place, tab, event, value);
        if (event !== 'connect') lookForGivenUp();
        // Refused, or at an end: who wants it again says so.
        if (!place.phase) members.clear();
      },
      handle(packet, reply) {
        const { event, args } = packet;
        const number = reply ? (packet as EventPacket).ack! : 0;
        if (reply) {
          if (asking !== mirror.name()) {
            asking = mirror.name();
            askedFrom = number;
            questions.clear();
          }
          askedFrom = Math.min(askedFrom, number);
          questions.set(number, { asked: new Set(members.keys()), reply, isHandled: false });
        }
        const [oldest = 0] = questions.keys();
        if (questions.size > questionsMax) for (const tab of questions.get(oldest)?.asked ?? []) replied(tab, oldest);
        const at =
          packet.type === PacketType.Event
            ? session.parts().machine.received
            : packet.type === PacketType.Publish
              ? packet.positions
              : undefined;
        for (const [tab, join] of members) tab.post(['event', namespace, join, event, args, number, at]);
      },
    };
    places.set(namespace, place);
    return place;
  };

  /** What a worker before this one has told: who else may have something to say is not known. */
  const inherited = (tab: Tab, number: number): Question | undefined => {
    if (tab.heirOf !== mirror.name() || (asking === mirror.name() && number >= askedFrom)) return undefined;
    const reply = createReply(number, undefined, (packet) =>
      session.parts().machine.send(frames.encode(packet), FrameTag.Owed),
    );
    return { asked: new Set([tab]), reply, isHandled: false };
  };

  /** The first reply of a handler that gives something is the reply of all tabs. */
  const replied = (tab: Tab, number: number, packet?: Packet) => {
    const own = questions.get(number);
    const question = own ?? inherited(tab, number);
    if (!question?.asked.delete(tab)) return;
    const { asked, reply } = question;
    const isError = packet?.type === PacketType.Error;
    const isNone = !packet || (isError && packet.code === noHandler.code);
    if (isNone && !own) return;
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
    if (!place?.members.delete(tab)) return;
    auths.left(tab, place);
    if (!place.members.size) session.leave(place);
  };

  const drop = (tab: Tab) => {
    if (!tabs.delete(tab)) return;
    for (const place of [...places.values()]) leave(tab, place);
    for (const number of [...questions.keys()]) replied(tab, number);
  };

  /** It need not be repeated to another worker. */
  const said = (tab: Tab, number: number, mark = 0) => tab.post(['said', number, mark]);

  const settleOf =
    (tab: Tab, ack: number): Settle =>
    (error, value) => {
      tab.post(['settle', ack, error && failureOf(error), value]);
      if (error) lookForGivenUp();
    };

  /** What has not left, and never will, is not to be repeated. */
  const lookForGivenUp = () => {
    if (isLooking) return;
    isLooking = true;
    queueMicrotask(() => {
      isLooking = false;
      for (const { tab: name, number } of mirror.givenUp())
        for (const tab of tabs) if (tab.name === name) said(tab, number);
    });
  };

  const expect = (tab: Tab, ack: number, mark: number, waitMs: number) => {
    const acks = session.parts().machine.acks!;
    const { last } = acks;
    acks.last = mark - 1;
    acks.expect(clock.now() + waitMs, Infinity, settleOf(tab, ack));
    acks.last = last;
    // Arms the timer of the session.
    session.probe();
  };

  const emit = (tab: Tab, frame: Frame, timeoutMs: number, number: number) => {
    const { namespace, event, args, ack } = codec.decode(frame) as EventPacket;
    const mark = tab.heirOf === mirror.name() ? left.get(`${number} ${tab.name}`) : undefined;
    if (mark !== undefined) {
      if (ack) expect(tab, ack, mark, timeoutMs || Infinity);
      return said(tab, number, mark);
    }
    const place = placeOf(namespace);
    const told = (error: unknown) => {
      tab.post(ack ? ['settle', ack, failureOf(error), undefined] : ['failed', namespace, failureOf(error)]);
      said(tab, number);
    };
    // The tab does not know yet that it is not there any more.
    if (!place.members.has(tab)) return told(new LocalUsageError('ERR_NOT_CONNECTED', `${namespace}: connect() first`));
    const endsAt = clock.now() + timeoutMs;
    const go = () => {
      const leftMs = timeoutMs && Math.max(1, endsAt - clock.now());
      const owner: Owner = { tab: tab.name, number };
      mirror.own(owner, () => session.emit(place, event, args, leftMs, ack ? settleOf(tab, ack) : undefined));
    };
    try {
      // Here, and not in the session: whose it is has to be known when it goes on.
      if (place.held) hold(place, frame, timeoutMs, told, go);
      else go();
    } catch (error) {
      told(error);
    }
  };

  /** Goes on with what a worker has left that was killed, if there was one. */
  const begin = () => {
    const [best] = (heirs ?? []).sort((a, b) => b.stamp - a.stamp);
    if (best) mirror.inherit(best);
    for (const [tab, number, mark] of best?.said ?? []) left.set(`${number} ${tab}`, mark);
    const run = waiting ?? [];
    waiting = undefined;
    for (const go of run) go();
  };

  const take = (tab: Tab, message: ToWorker) => {
    if (!waiting) return receive(tab, message);
    waiting.push(() => tabs.has(tab) && receive(tab, message));
    if (message[0] === 'tab' && message[2]) {
      if (!heirs) clock.after(heirsMsMax, begin);
      heirs ??= [];
      if (message[2].kept) heirs.push(message[2].kept);
    } else if (!heirs && message[0] === 'join') begin();
  };

  const receive = (tab: Tab, message: ToWorker) => {
    switch (message[0]) {
      case 'tab': {
        const [, name, heir] = message;
        tab.name = name;
        tab.isBack = !!heir;
        if (heir?.kept) tab.heirOf = nameOf(heir.kept);
        break;
      }
      case 'locked':
        whenGone(tab.name, () => void clock.after(lateMsMax, () => drop(tab)));
        break;
      case 'join': {
        const place = placeOf(message[1]);
        if (!place.members.size) place.data = undefined;
        place.members.set(tab, message[2]);
        auths.joined(tab, place);
        const recovered = !!tab.isBack && tab.heirOf === mirror.name();
        if (session.isConnected(place)) fire(place, tab, 'connect', { recovered, unconfirmed: 0 });
        else join(tab, place);
        break;
      }
      case 'asked':
        tab.isBack = false;
        for (const [ack, mark, waitMs] of message[1]) {
          if (tab.heirOf === mirror.name()) expect(tab, ack, mark, waitMs);
          else
            settleOf(
              tab,
              ack,
            )(new HalyardError('ERR_SESSION_LOST', 'no reply: the session is lost (the worker is gone)'));
        }
        break;
      case 'leave':
        leave(tab, places.get(message[1]));
        break;
      case 'emit':
        emit(tab, message[1], message[2], message[3]);
        break;
      case 'volatile': {
        const { namespace, event, args } = codec.decode(message[1]) as VolatilePacket;
        session.emitVolatile(placeOf(namespace), event, args);
        break;
      }
      case 'reply': {
        const [, frame, name, number] = message;
        const packet = codec.decode(frame) as Packet & { ack: number };
        const isIts = name === mirror.name() && !left.has(`${number} ${tab.name}`);
        const say = () => isIts && replied(tab, packet.ack, packet);
        if (!mirror.own({ tab: tab.name, number }, say)) said(tab, number);
        break;
      }
      case 'auth': {
        const [, number, frame, failure] = message;
        const given = frame && (codec.decode(frame) as ConnectPacket).auth;
        auths.answered(number, given as AuthData, failure);
        break;
      }
      case 'awake':
        // As a page is told that has the session itself.
        globalThis.dispatchEvent?.(new Event('pageshow'));
        break;
      case 'bye':
        // What it says while it goes comes behind it. With the last one the worker goes, too.
        clock.after(tabs.size > 1 ? lateMsMax : lastMsMax, () => drop(tab));
    }
  };

  return (port) => {
    const tab: Tab = { name: '', post: (message) => port.postMessage(message) };
    tabs.add(tab);
    port.addEventListener('message', ({ data }: { data: unknown }) => {
      if (tabs.has(tab)) take(tab, data as ToWorker);
    });
    port.start();
    tellState(tab, changed);
    if (isHeld) tab.post(['worker', lock]);
    mirror.renew();
  };
}
