// A session that outlives what has it, a page or a worker: what has to be saved of it, and how another goes on with that. It stands
// between a session, its sockets above and what carries it below, and is the session to both. What is saved is used once: no two have
// it at a time where there are locks, and its generation is used up with the first answer (docs/PROTOCOL.md, R6 and R12).
// Longer than other files: what is saved, and what is made of it again, are read in one piece.
import {
  afterClose,
  type Close,
  CloseCode,
  createClientOutbox,
  type Frame,
  FrameTag,
  type HalyardError,
  type OutboxEntry,
  PacketType,
  RemoteProtocolError,
} from '@halyard/protocol';
import { release } from '../session/held';
import type { Presence } from '../session/presence';
import type { ReloadOptions } from '../session/reload';
import type { Session } from '../session/session';
import { lostWith, type NotSaved, type Saved, type SavedFrame, type SavedSpace } from './saved';
import type { Users } from './users';

/** How long a server keeps a session by default: what is not told yet. */
const keptMsUntold = 120_000;

const usedElsewhere = 'used-elsewhere';

/** What another one has left. */
export interface Heritage {
  /** @returns what there is to go on with. Called once */
  take(): Saved | NotSaved | undefined;
  /** Of what was taken. @returns once it is known: gives it back. Undefined if somebody else has it */
  lock(): Promise<(() => void) | undefined>;
}

export interface KeptSession extends Session {
  /** All of it is where others may take it: until the server has answered again, somebody else may have gone on with it. */
  handOver(): void;
  /** Somebody else has gone on with what was saved of it. What is said from now on is held, until `goOn`. */
  leaveOff(): void;
  /** Goes on with what that leaves, if it has left anything. */
  goOn(): void;
  /** @param entries the frames that are to be saved, by default all @returns what another one needs to go on with it */
  saved(entries?: Iterable<readonly [number: number, entry: OutboxEntry<Frame>]>): Saved;
}

/** What an earlier one has saved, until the server has answered this one. */
interface Resumption {
  /** Namespaces that were in the session, or are told of a loss. Those that nobody wants are left with HELLO. */
  spaces: Map<string, SavedSpace>;
  /** Its frames. If this page may not have the session they are given up: another page sends them. */
  readonly entries: ReadonlySet<OutboxEntry<Frame>>;
  readonly keptMs: number;
  readonly lock: ReturnType<Heritage['lock']>;
  isChecked: boolean;
  isSaid: boolean;
}

export function keepSession(
  session: Session,
  presences: ReadonlyMap<string, Presence>,
  options: ReloadOptions,
  heritage: Heritage,
  users: Users,
): KeptSession {
  const { clock, codec } = options;
  let hasLooked = false;
  /** Whether it has left off. */
  let isOff = false;
  let resumption: Resumption | undefined;
  /** What another one has if it has gone on with this one's: that sends it. */
  let handed: ReadonlySet<OutboxEntry<Frame>> | undefined;
  /** Why there is nothing to go on with, for those who are wanted before anything is said. */
  let loss: Presence['loss'];
  /** The close after which another session is begun, although its code says that nothing follows. */
  let refusal: Close | undefined;
  const wanted = () => [...presences.values()].filter((presence) => presence.phase);

  const frameOf = (number: number, { frame, mark }: OutboxEntry<Frame>): SavedFrame => {
    const { acks, outbox } = session.parts().machine;
    const deadline = acks!.deadlineOf(mark);
    if (mark <= 0) return { number, mark, waitMs: null, frame };
    // What was answered, or given up, nobody misses.
    if (deadline === undefined) return { number, mark: -1, waitMs: null, frame };
    if (number <= outbox.left) return { number, mark: 0, waitMs: null, frame };
    return { number, mark, waitMs: deadline < Infinity ? deadline - clock.now() : null, frame };
  };

  const spaceOf = (presence: Presence): SavedSpace => {
    const { key, token } = session.parts();
    const { namespace, held, id = '', listed, endsAt = NaN, renewAck, loss } = presence;
    // Nobody was asked for it.
    const isApart = held || !(key || token);
    return {
      namespace,
      phase: isApart ? undefined : presence.phase,
      listed: !!listed,
      id,
      user: users.of(presence) ?? -1,
      endsInMs: endsAt - clock.now() || null,
      renewAck,
      loss: held?.size
        ? { reason: loss?.reason ?? 'not-saved', unconfirmed: held.size + (loss?.unconfirmed ?? 0) }
        : loss,
    };
  };

  const saved: KeptSession['saved'] = (entries) => {
    users.remember(presences.values());
    const { key, token, generation, machine, positions } = session.parts();
    const { outbox, acks, received, settings } = machine;
    const spaces = new Map(resumption?.spaces);
    for (const presence of presences.values())
      if (presence.phase || presence.held?.size) spaces.set(presence.namespace, spaceOf(presence));
    return {
      atMs: Date.now(),
      keptMs: settings.recoveryWindowMs ?? resumption?.keptMs ?? keptMsUntold,
      key,
      token: key ? '' : token,
      generation,
      received,
      confirmed: outbox.confirmed,
      left: outbox.left,
      lastAck: acks!.last,
      positions: positions.toArray(),
      spaces: [...spaces.values()],
      frames: [...(entries ?? outbox.entries)].map(([number, entry]) => frameOf(number, entry)),
    };
  };

  const begin = (saved: Saved, ageMs: number) => {
    const { machine, positions } = session.parts(saved);
    const { confirmed, left, frames } = saved;
    const acks = machine.acks!;
    const entries = new Map<number, OutboxEntry<Frame>>();
    let bytes = 0;
    for (const { number, mark, waitMs, frame } of frames) {
      entries.set(number, { frame, mark });
      bytes += frame.length;
      if (mark <= 0) continue;
      // Nobody waits for the reply, but for how long it may wait to leave somebody has said.
      acks.last = mark - 1;
      acks.expect(clock.now() + (waitMs ?? Infinity) - ageMs, Infinity, undefined);
    }
    acks.last = saved.lastAck;
    const sent = Math.max(left, frames.at(-1)?.number ?? 0);
    machine.received = saved.received;
    const state = { confirmed, left, sent, bytes, entries };
    machine.outbox = createClientOutbox(machine.outbox.window, options, state, (mark) => acks.handled(mark));
    positions.advance(saved.positions);
    resumption = {
      spaces: new Map(
        saved.spaces.map(({ endsInMs, ...space }) => [
          space.namespace,
          { ...space, endsInMs: endsInMs === null ? null : endsInMs - ageMs },
        ]),
      ),
      entries: new Set(entries.values()),
      keptMs: saved.keptMs,
      lock: heritage.lock(),
      isChecked: false,
      isSaid: false,
    };
    // Arms the timer of the session.
    session.probe();
  };

  /** Takes what the one before has saved, once. */
  const look = () => {
    if (hasLooked) return;
    hasLooked = true;
    const saved = heritage.take();
    if (!saved) return;
    const unconfirmed = lostWith(saved);
    if ('lost' in saved) loss = { reason: 'not-saved', unconfirmed };
    else {
      // A clock may have been set back.
      const ageMs = Math.max(0, Date.now() - saved.atMs);
      if (ageMs <= saved.keptMs) begin(saved, ageMs);
      else loss = { reason: 'unknown-session', unconfirmed };
    }
  };

  /** Whom this page wants in a session that it goes on with. */
  const claim = (presence: Presence) => {
    presence.loss ??= loss;
    if (!resumption) return;
    const space = resumption.spaces.get(presence.namespace);
    presence.loss ??= space?.loss;
    if (space?.phase) {
      const { phase, listed, id, user } = space;
      Object.assign(presence, { phase, listed, id });
      release(presence);
      users.set(presence, user);
      if (space.endsInMs !== null) goOnRenewing(presence, space.endsInMs, space.renewAck);
    }
  };

  /** What was presented by the page before ends; if that has presented something else already, the answer is waited for. */
  const goOnRenewing = (presence: Presence, endsInMs: number, renewAck: number | undefined) => {
    const { machine, ends, renewal } = session.parts();
    ends(presence, clock.now() + endsInMs);
    if (!renewAck) return;
    const acks = machine.acks!;
    const { last } = acks;
    acks.last = renewAck - 1;
    acks.expect(Infinity, Infinity, renewal(presence));
    acks.last = last;
    presence.renewAck = renewAck;
    presence.renewAt = Infinity;
  };

  /** The session is not for this page. @returns a function that tells those who are wanted how much more is lost */
  const giveUp = (...all: (ReadonlySet<OutboxEntry<Frame>> | undefined)[]) => {
    const given = session.parts().machine.outbox.giveUp((entry) => all.some((its) => its?.has(entry))).length;
    return () => {
      for (const presence of wanted()) {
        const { loss } = presence;
        if (loss) presence.loss = { ...loss, unconfirmed: loss.unconfirmed + given };
      }
    };
  };

  const settle = () => {
    resumption?.lock.then((release) => release?.());
    resumption = loss = undefined;
  };

  /** Before HELLO is said for the first time. */
  const check = (mayHave: boolean) => {
    if (!resumption || resumption.isChecked) return;
    resumption.isChecked = true;
    const isAnother = wanted().some((presence) => {
      const space = resumption!.spaces.get(presence.namespace);
      return space?.phase && space.user !== users.now(presence);
    });
    if (mayHave && !isAnother) return;
    const tell = giveUp(resumption.entries);
    session.parts().lose(mayHave ? 'auth-changed' : usedElsewhere, () => true);
    session.parts({ key: undefined, token: '', generation: 0 });
    tell();
    settle();
  };

  return {
    ...session,
    saved,

    join(presence) {
      if (presence.phase) return;
      look();
      const { key, token } = session.parts();
      // What is new to the session is asked for once WELCOME has told which one that is.
      if (key && !token && !resumption?.spaces.get(presence.namespace)?.phase) presence.held ??= new Set();
      session.join(presence);
      if (isOff) presence.held ??= new Set();
      else claim(presence);
    },

    leave(presence) {
      const { key, token } = session.parts();
      // The server is told so behind HELLO: who wants it again asks for it behind that.
      if (!key && token && presence.phase) resumption?.spaces.delete(presence.namespace);
      session.leave(presence);
    },

    handOver() {
      handed = new Set(session.parts().machine.outbox.entries.values());
    },

    leaveOff() {
      isOff = true;
      settle();
      handed = undefined;
      // What it was to tell is in what was saved.
      for (const presence of wanted()) presence.loss = undefined;
      // What it has said is the other's, whether it has left or not.
      session.parts().lose(usedElsewhere, () => false);
      session.parts({ key: undefined, token: '', generation: 0 });
      for (const presence of presences.values()) presence.listed = false;
      // What it says from now on comes behind what that has said.
      for (const presence of wanted()) presence.held ??= new Set();
    },

    goOn() {
      isOff = false;
      hasLooked = false;
      look();
      for (const presence of wanted()) {
        if ((resumption || loss) && presence.loss?.reason === usedElsewhere) presence.loss = undefined;
        claim(presence);
        const { key, token } = session.parts();
        // Nobody has a session that it would be new to; …
        if (!resumption) release(presence);
        // … or one that nobody was told of: it is asked for there.
        else if (!key && token && !resumption.spaces.get(presence.namespace)?.phase) {
          presence.phase = undefined;
          session.join(presence);
        }
      }
    },

    ask() {
      users.remember(presences.values());
      const answered = session.ask();
      return async () => {
        const lock = resumption ? await resumption.lock : true;
        await answered();
        check(!!lock);
      };
    },

    attach(link) {
      loss = undefined;
      if (resumption && !resumption.isSaid) {
        const { machine } = session.parts();
        for (const { namespace, phase } of resumption.spaces.values()) {
          if (!phase || presences.get(namespace)?.phase) continue;
          machine.send(codec.encode({ type: PacketType.Disconnect, namespace, reason: '' }), FrameTag.Owed);
        }
        resumption.spaces = new Map();
        resumption.isSaid = true;
      }
      session.attach(link);
    },

    receive(frame) {
      try {
        session.receive(frame);
      } catch (error) {
        if (!resumption) throw error;
        // What was saved is not what the server has: that ends the session, and is no fault of the server's.
        const { code, message } = error as HalyardError;
        throw new RemoteProtocolError(code, message, CloseCode.SessionEnded);
      }
      if (session.parts().machine.settings.recoveryWindowMs === undefined) return;
      handed = undefined;
      if (resumption) settle();
    },

    fateOf(close) {
      const mayBeElsewhere = resumption?.isSaid || (handed && close.code === CloseCode.Evicted);
      refusal = mayBeElsewhere && afterClose(close.code) === 'final' ? close : undefined;
      return refusal && 'fresh';
    },

    detach(fate, reason) {
      if (fate === 'resume' || fate === 'move') return session.detach(fate, reason);
      const isRefused = fate === 'fresh' && refusal;
      const tell = isRefused && giveUp(resumption?.entries, handed);
      settle();
      handed = undefined;
      const told = session.detach(fate, isRefused && refusal!.code === CloseCode.Evicted ? usedElsewhere : reason);
      // What another one leaves from now on is no part of it.
      if (fate === 'final') hasLooked = false;
      if (tell) tell();
      return told;
    },
  };
}
