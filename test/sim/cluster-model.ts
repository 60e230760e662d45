// What clients of several servers are due, by the words of the documents: what was stored comes once to all who were in the room,
// in one order for a room and in the order of each server; what was not stored comes to nobody, and nothing comes to who was not in
// the room, or was excepted. When somebody entered or left is known only as far as a client was told: in between both are right.
// Longer than other files: what is due follows from all of it together.
import { Broken } from './model';

/** A socket's time in a room, or out of it. */
interface State {
  isIn: boolean;
  /** Whether it is known: a client was told of it. */
  isSure: boolean;
  /** When that began. */
  since: number;
}

export interface Emission {
  readonly name: string;
  /** Which server emits it, and its number among all that one has emitted. */
  readonly server: number;
  readonly number: number;
  readonly calledAt: number;
  readonly namespace: string;
  /** Undefined: one socket. Empty: the whole namespace. */
  readonly rooms: readonly string[] | undefined;
  readonly except: readonly string[];
  readonly socket?: string;
  /** Who says it is told if it does not come. */
  readonly isAsked?: boolean;
  /** It was said while events of its client may have been handled that were not stored: it goes where they go. */
  readonly isOfEvents?: boolean;
  /** Of one room, or of the namespace: of all with this key only the newest has to come. */
  readonly key?: string | undefined;
  /** Sockets that are on the same server then: they get it in the order of all that it emits. */
  readonly own: ReadonlySet<string>;
  /** The time of day is not the same everywhere: who was in a room then is not known where another server had the socket. */
  readonly isUnsure: boolean;
}

interface Tracked extends Emission {
  /** Place in the order of its room. */
  place: number | undefined;
  possible: Set<string>;
  /** Whether the store has lost it, after it had it: then only the server that has emitted it knows of it. */
  isLoose: boolean;
  /** Whether the store has ever lost it: it may have another place since, and who reads on in the log of before has it at the old one. */
  wasLost: boolean;
  /** Whether it was stored once more, in another epoch: it may have been delivered at another place. */
  isAgain: boolean;
  /** When that was last. */
  lostAt: number;
  /** Whether several servers have said it, under one key, which the store may lose with it. */
  isBySeveral: boolean;
}

interface Seat {
  readonly namespace: string;
  readonly rooms: Map<string, State>;
  readonly got: Set<string>;
  readonly due: Set<string>;
  /** The last emission of each server. */
  readonly servers: Map<number, Emission>;
  readonly places: Map<string, number>;
  movedAt: number;
  /** How far the time of day is ahead at its server, in milliseconds. */
  aheadMs: number;
  /** Whether it has gone to a server where the time of day was another one. */
  hasOtherClock: boolean;
  /** Which server has it. */
  server: number;
  isLost: boolean;
  /** Whether its client knows of it. */
  isTold: boolean;
  /** Whether something of it may be lost with all who knew of it. */
  isUnsure: boolean;
}

interface Said {
  handled: number;
  /** How often it was handled by a server that did not say that it may be again. */
  fresh: number;
  isSpared: boolean;
}

/** As long as it may take until a server knows what the store has lost. */
export const findsOutMs = 10_000;

export class ClusterModel {
  readonly #now: () => number;
  readonly #emissions = new Map<string, Tracked>();
  readonly #seats = new Map<string, Seat>();
  readonly #places = new Map<string, number>();
  readonly #said = new Map<string, Said>();
  readonly #killed = new Set<number>();
  readonly #killedAt = new Map<number, number>();
  /** What was stored under each key of a room, newest last. */
  readonly #keys = new Map<string, Tracked[]>();
  /** How many never came because a newer one has taken their place. */
  replaced = 0;
  /** Until when servers stand still. */
  readonly #stillUntil = new Map<number, number>();

  /** How far any time of day has ever been ahead. */
  #furthestAheadMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it has to be said when it is over. */
  isDue(socket: string): boolean {
    const seat = this.#seats.get(socket);
    return seat?.isTold === true && !seat.isUnsure;
  }

  /** A socket is there; its client knows so when `told` is called. */
  entered(socket: string, namespace: string, server = 0, aheadMs = 0): void {
    if (this.#seats.has(socket)) return;
    const rooms = new Map([['', this.#state(true, false)]]);
    this.#seats.set(socket, {
      ...{
        namespace,
        rooms,
        got: new Set(),
        due: new Set(),
        servers: new Map(),
        places: new Map(),
        movedAt: 0,
        aheadMs,
        hasOtherClock: false,
        server,
        isLost: false,
        isTold: false,
        isUnsure: false,
      },
    });
  }

  /** How far the time of day is ahead at a server: by what it emits from then on, stamps of others may be as far ahead. */
  clockSet(aheadMs: number): void {
    this.#furthestAheadMs = Math.max(this.#furthestAheadMs, aheadMs);
  }

  /** It is at another server: what was emitted before is put in order by when that was, as far as it can be. */
  moved(socket: string, server: number, aheadMs: number): void {
    const seat = this.#seats.get(socket);
    if (seat === undefined) return;
    const apartMs = Math.max(Math.abs(aheadMs - seat.aheadMs), this.#furthestAheadMs);
    const hasOtherClock = seat.hasOtherClock || apartMs >= findsOutMs;
    Object.assign(seat, { movedAt: this.#now(), server, aheadMs, hasOtherClock });
  }

  /** Whether a server has a socket, and no other has taken it since. */
  isAt(socket: string, server: number): boolean {
    return this.#seats.get(socket)?.server === server;
  }

  /** Whether the server that had a socket last is killed. */
  isAtKilled(socket: string): boolean {
    return this.#killed.has(this.#seats.get(socket)?.server ?? 0);
  }

  /** Its client was told that it has a new session. */
  lost(socket: string): void {
    const seat = this.#seats.get(socket);
    if (seat !== undefined) seat.isLost = true;
  }

  isIn(socket: string, room: string): boolean {
    return this.#seats.get(socket)?.rooms.get(room)?.isIn ?? false;
  }

  isSure(socket: string, room: string): boolean {
    return this.#seats.get(socket)?.rooms.get(room)?.isSure ?? true;
  }

  changes(socket: string, room: string, isIn: boolean): void {
    this.#seats.get(socket)?.rooms.set(room, this.#state(isIn, false));
  }

  /** Its client knows what was said to the server. @param isIn what has become of it */
  told(socket: string, room: string, isIn: boolean): void {
    const seat = this.#seats.get(socket);
    if (seat !== undefined) seat.isTold = true;
    const state = seat?.rooms.get(room);
    if (seat === undefined || state?.isSure || (state !== undefined && state.isIn !== isIn)) return;
    seat.rooms.set(room, this.#state(isIn, true));
  }

  emitted(emission: Emission): void {
    const tracked = {
      place: undefined,
      possible: new Set<string>(),
      isLoose: false,
      wasLost: false,
      isAgain: false,
      lostAt: 0,
      isBySeveral: false,
    };
    this.#emissions.set(emission.name, { ...emission, ...tracked });
  }

  /** It is said once more, under its key, by any server. */
  saidAgain(name: string): void {
    Object.assign(this.#emissions.get(name) ?? {}, { isBySeveral: true });
  }

  isStored(name: string): boolean {
    return this.#emissions.get(name)?.place !== undefined;
  }

  /**
   * The store has it: from now on it is due.
   * @param room in the log of which room, if it is a room's: a server that is killed may have reached some of several
   */
  stored(name: string, room: string | undefined): void {
    const emission = this.#emissions.get(name);
    if (emission === undefined) return;
    const { namespace, except, socket, calledAt, own, rooms, isLoose } = emission;
    const order = `${namespace} ${room ?? socket}`;
    const place = (this.#places.get(order) ?? 0) + 1;
    emission.isAgain ||= emission.place !== undefined;
    emission.place = place;
    emission.isLoose = false;
    this.#places.set(order, place);
    if (emission.key !== undefined) {
      const key = keyOf(emission);
      this.#keys.set(key, [...(this.#keys.get(key) ?? []).filter((one) => one !== emission), emission]);
    }
    for (const [id, seat] of this.#seats) {
      if (seat.namespace !== namespace) continue;
      const certainly = (one: string, isIn: boolean): boolean => {
        const state = seat.rooms.get(one);
        if (state === undefined) return !isIn;
        return state.isIn === isIn && state.isSure && state.since <= calledAt;
      };
      // By whose time of day it is told who was in a room, others cannot know.
      const isExcepted = (one: string, isIn: boolean): boolean =>
        (!emission.isUnsure || own.has(id)) && certainly(one, isIn);
      // Said again, because its server was never answered: for the store it comes behind what has been done since it was lost.
      if (isLoose && room !== undefined && ![room, ...(rooms ?? [])].some((one) => certainly(one, true))) {
        seat.due.delete(name);
      }
      const isMeant = room === undefined ? socket === id : !certainly(room, false);
      if (!isMeant || except.some((one) => one === id || isExcepted(one, true))) continue;
      emission.possible.add(id);
      const isDue = room === undefined || certainly(room, true);
      if (isDue && except.every((one) => isExcepted(one, false))) seat.due.add(name);
    }
  }

  /** The store has lost it. */
  rolledBack(name: string): void {
    Object.assign(this.#emissions.get(name) ?? {}, { isLoose: true, wasLost: true, lostAt: this.#now() });
  }

  /** @param isUnaware the store has just lost something, and nobody may have found out what that was of its sockets */
  killed(server: number, isUnaware: boolean): void {
    this.#killed.add(server);
    if (isUnaware) this.#doubt(server);
    else this.#killedAt.set(server, this.#now());
  }

  /** A server stands still from now on for so many milliseconds, or for longer if it did already. */
  stands(server: number, ms: number): void {
    this.#stillUntil.set(server, Math.max(this.#stillUntil.get(server) ?? 0, this.#now() + ms));
  }

  /** The store has lost what was done since a time: who was killed since then has perhaps known of it alone. */
  lostSince(since: number): void {
    for (const [server, at] of this.#killedAt) if (at >= since) this.#doubt(server);
  }

  #doubt(server: number): void {
    for (const seat of this.#seats.values()) if (seat.server === server) seat.isUnsure = true;
  }

  /** @throws Broken */
  arrived(socket: string, name: string): void {
    const emission = this.#emissions.get(name);
    const seat = this.#seats.get(socket);
    if (emission === undefined || seat === undefined)
      throw new Broken(`${socket} got ${name}, which nobody has emitted`);
    if (emission.place === undefined) throw new Broken(`${socket} got ${name}, which is not stored`);
    // That it was there before the store lost it, only a server knew that was killed in the same seconds, or another one than said it then.
    const mayBeTwice = emission.wasLost && (seat.isUnsure || emission.isBySeveral);
    if (seat.got.has(name) && !mayBeTwice) throw new Broken(`${socket} got ${name} twice`);
    // When it left a room that is excepted is told by another clock than when that was emitted.
    const mayBeBefore = seat.hasOtherClock && emission.except.length > 0;
    const isFor = emission.possible.has(socket) || this.#isGhost(emission, socket) || mayBeBefore;
    if (!isFor) throw new Broken(`${socket} got ${name}, which is not for it`);
    seat.got.add(name);
    if (emission.own.has(socket) && emission.calledAt >= seat.movedAt) {
      const last = seat.servers.get(emission.server);
      if (last !== undefined && emission.number < last.number) {
        throw new Broken(`${socket} got ${name} behind ${last.name}, which its server emitted later`);
      }
      seat.servers.set(emission.server, emission);
    }
    const { rooms, place, wasLost, isAgain } = emission;
    if (rooms === undefined || rooms.length > 1 || wasLost || isAgain) return;
    const [room = ''] = rooms;
    if (place < (seat.places.get(room) ?? 0)) throw new Broken(`${socket} got ${name} behind a later one of its room`);
    seat.places.set(room, place);
  }

  /** Whether the store has lost it, and who has come, or joined its room, since may still find it at a server that does not know that. */
  #isGhost({ isLoose, rooms, namespace }: Tracked, socket: string): boolean {
    if (!isLoose || rooms === undefined) return false;
    if (rooms.length === 0) return this.#seats.get(socket)?.namespace === namespace;
    return rooms.some((room) => this.isIn(socket, room));
  }

  said(text: string): void {
    this.#said.set(text, { handled: 0, fresh: 0, isSpared: false });
  }

  /** A client has taken it back, or was told that it is lost. */
  spared(text: string): void {
    const said = this.#said.get(text);
    if (said !== undefined) said.isSpared = true;
  }

  /** @throws Broken */
  handled(text: string, isRedelivered: boolean): void {
    const said = this.#said.get(text);
    if (said === undefined) throw new Broken(`nobody said ${text}`);
    said.handled++;
    if (isRedelivered) return;
    if (++said.fresh > 1) throw new Broken(`${text} is handled again, and nobody says so`);
  }

  /** @param rollsBack whether the store loses something: then it is told, or nobody knows it. @returns something that is still due, if anything is */
  missing(rollsBack: boolean): string {
    let replaced = 0;
    for (const [id, seat] of this.#seats) {
      const { due, got, isLost, isTold, isUnsure } = seat;
      // A client that is connected, and does not know of it, has another session.
      if (isLost || !isTold || isUnsure) continue;
      // It has had something that was lost with all who knew of it: something else may have got its place.
      if ([...got].some((name) => this.#isForgotten(name))) continue;
      for (const name of due) {
        if (got.has(name) || this.#isForgotten(name) || this.#isLate(name, seat)) continue;
        if (this.#isReplaced(name, seat)) {
          replaced++;
          continue;
        }
        return `${id} has not got ${name}`;
      }
    }
    for (const { name, socket, isAsked, isOfEvents, server, place } of this.#emissions.values()) {
      if (rollsBack || socket === undefined || isAsked || isOfEvents || place !== undefined || this.#killed.has(server))
        continue;
      const seat = this.#seats.get(socket);
      if (seat === undefined || seat.isLost || !seat.isTold || seat.isUnsure || seat.got.has(name)) continue;
      return `${socket} has not got ${name}, which was not stored`;
    }
    for (const [text, { handled, isSpared }] of this.#said) {
      if (handled === 0 && !isSpared) return `${text} is not handled`;
    }
    this.replaced = replaced;
    return '';
  }

  /** Whether something newer of its key has come in its place. */
  #isReplaced(name: string, { got }: Seat): boolean {
    const emission = this.#emissions.get(name) as Tracked;
    if (emission.key === undefined) return false;
    const all = this.#keys.get(keyOf(emission)) ?? [];
    return all.slice(all.indexOf(emission) + 1).some((newer) => got.has(newer.name));
  }

  /** Whether the store has lost it, and every server that has known of it is gone, as far as that is sure. */
  #isForgotten(name: string): boolean {
    const emission = this.#emissions.get(name) as Tracked;
    return emission.isLoose && this.#killed.has(emission.server) && !this.#isRemembered(emission);
  }

  /**
   * Whether the store has lost it, and nobody remembers who had left its rooms by then: the server that knew it stood still for so long,
   * or who has left is at another server since, and by some clock that was long ago, or before it was said.
   */
  #isLate(name: string, { rooms, movedAt, hasOtherClock }: Seat): boolean {
    const emission = this.#emissions.get(name) as Tracked;
    if (!emission.wasLost || !emission.rooms?.length) return false;
    const states = emission.rooms.map((room) => rooms.get(room));
    if (states.some((state) => state?.isIn)) return false;
    if ((hasOtherClock || emission.isUnsure) && movedAt >= emission.calledAt) return true;
    const leftAt = Math.max(...states.map((state) => state?.since ?? 0));
    return emission.isLoose && (this.#stillUntil.get(emission.server) ?? 0) >= leftAt + findsOutMs;
  }

  /** Whether a server has it that follows the log ever since: for a member that has got it there, and has stayed. */
  #isRemembered({ name, rooms, lostAt }: Tracked): boolean {
    if (rooms === undefined) return false;
    for (const seat of this.#seats.values()) {
      if (!seat.got.has(name) || seat.isLost || seat.movedAt > lostAt || this.#killed.has(seat.server)) continue;
      const isIn = (room: string): boolean => {
        const state = seat.rooms.get(room);
        return state?.isIn === true && state.isSure && state.since < lostAt;
      };
      if (rooms.length === 0 || rooms.every(isIn)) return true;
    }
    return false;
  }

  #state(isIn: boolean, isSure: boolean): State {
    return { isIn, isSure, since: this.#now() };
  }
}

function keyOf({ namespace, rooms, key }: Emission): string {
  return `${namespace} ${rooms?.[0] ?? ''} ${key}`;
}
