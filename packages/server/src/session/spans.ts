// When a socket was in which room: what is for it of what was published, live and when it is read again. Longer than other files: what
// is kept of a time in a room that has ended, and what is decided by it, belong together.
// Methods are private by the compiler alone: one with # costs every instance a field.
import { LocalUsageError, packetLimits } from '@halyard/protocol';
import { listOf } from '../base/compact-list';
import { type Earlier, type Except, isEarlier } from '../log/except';
import type { Log } from '../log/log';
import { stampsPerMs } from '../log/stamp';
import { type Membership, membershipOf } from '../room/membership';
import type { Rooms, SlowReaders } from '../room/rooms';
import type { Line, Subscriber } from '../room/subscriber';
import type { Top } from '../store/turn';
import { type LeftRecord, type MembershipRecord, topPart } from './record';
import { sessionIn } from './socket-id';

const open = Number.POSITIVE_INFINITY;

/** Times in rooms that have ended, with those of which the store has not said yet where. */
const unknownPastMax = 16_384;

/** Those that have gone on in another epoch of their log. */
const renewed = new WeakSet<Membership>();

/** Servers that share a store hear of each other's messages this much later at the most, as stamps: by that much an exception lives on. */
const lateStampsMax = 10_000 * stampsPerMs;

export abstract class Spans implements Subscriber {
  abstract readonly line: Line;
  readonly id: string;
  isLeaving = false;
  readonly #rooms: Rooms;
  /** Its time in the namespace as a whole, which no exception names: of a server alone the offset after which that is. */
  #whole: Membership | number;
  #current: Map<string, Membership> | undefined = undefined;
  /** What it has left, and has perhaps not read to the end. */
  #past: Membership[] | undefined = undefined;

  /** @param records its memberships on another server: the namespace as a whole first */
  constructor(id: string, rooms: Rooms, records?: readonly MembershipRecord[]) {
    this.id = id;
    this.#rooms = rooms;
    this.#whole = records === undefined ? (rooms.enterAll(this) ?? rooms.everyone.log.lastOffset) : 0;
    for (const record of records ?? []) this.enterAgain(record);
  }

  /**
   * Its memberships, as another server needs them.
   * @param confirmed stamp up to which all is known to be read
   * @param tops where to put what is not known yet
   */
  membershipRecords(confirmed: number, tops: Map<string, Top>): MembershipRecord[] {
    const records: MembershipRecord[] = [];
    for (const membership of this.memberships()) records.push(recordOf(membership, confirmed, tops));
    return [...records, ...this.pastRecords(confirmed, tops)];
  }

  /** The same of those that have ended. */
  pastRecords(confirmed: number, tops: Map<string, Top>): MembershipRecord[] {
    return [...this.pastMemberships()].map((membership) => recordOf(membership, confirmed, tops));
  }

  /** Whether there is, or may be, something for it in what it has left. @param confirmed stamp up to which all is known to be read */
  isUnread(confirmed: number): boolean {
    return this.#past?.some(({ heldSince, newest }) => heldSince !== open || newest > confirmed) ?? false;
  }

  /** Rooms it is in now, but for the namespace as a whole. */
  get roomCount(): number {
    return this.#current?.size ?? 0;
  }

  /** What it gets when it does not keep up. */
  get slowReaders(): SlowReaders {
    return this.#rooms.slowReaders;
  }

  /** Their names. */
  get roomNames(): Iterable<string> {
    return this.#current?.keys() ?? [];
  }

  /** What it is a member of now: the namespace as a whole first. */
  *memberships(): Generator<Membership> {
    yield this.whole();
    if (this.#current !== undefined) yield* this.#current.values();
  }

  private whole(): Membership {
    return typeof this.#whole === 'number' ? membershipOf(this.#rooms.everyone, this.#whole, 0) : this.#whole;
  }

  *pastMemberships(): Generator<Membership> {
    if (this.#past !== undefined) yield* this.#past;
  }

  /** Whether it is in a room, and was before a stamp; the namespace as a whole has the empty name, and its own id is one. */
  isInSince(room: string, stamp: number): boolean {
    if (room === this.id) return true;
    const membership = room === '' ? this.whole() : this.#current?.get(room);
    return membership !== undefined && membership.until === open && membership.since < stamp;
  }

  /** Whether with this membership it has left the room since a stamp, and has not come back. */
  hasLeft({ room: { name }, until }: Membership, since: number): boolean {
    if (until === open || until <= since) return false;
    const isBack = name === '' ? this.whole().until === open : this.#current?.has(name);
    return !isBack && !this.#past?.some((past) => past.room.name === name && past.until > until);
  }

  private enterAgain({ room, epoch, from, read, since, ...ends }: MembershipRecord): void {
    const until = infinite(ends.until);
    const known = { newest: open, begins: undefined, ends: undefined, seen: 0, heldSince: open };
    const membership = this.#rooms.enterAgain(this, room, {
      epoch,
      from,
      read,
      to: infinite(ends.to),
      since,
      until,
      ...known,
    });
    if (until !== open) this.#past = [...(this.#past ?? []), membership];
    else if (room === '') this.#whole = membership;
    else {
      this.#current ??= new Map();
      this.#current.set(room, membership);
    }
  }

  /** @returns the membership, or undefined if it is in the room already. @throws LocalUsageError `ERR_ROOM_NAME`, `ERR_ROOMS_FULL` */
  protected enterRoom(name: string): Membership | undefined {
    if (this.#current?.has(name) || name === this.id) return undefined;
    const { roomsPerSocketMax, turn } = this.#rooms;
    checkRoomName(name, turn.isShared);
    this.#current ??= new Map();
    if (this.#current.size >= roomsPerSocketMax) {
      const message = `a socket may be in ${roomsPerSocketMax} rooms (roomsPerSocketMax)`;
      this.#rooms.warn('roomsPerSocketMax', `A socket was not let into a room: ${message}.`);
      throw new LocalUsageError('ERR_ROOMS_FULL', message);
    }
    const membership = this.#rooms.enter(this, name);
    this.#current.set(name, membership);
    return membership;
  }

  /** @returns the membership that ended, or undefined if it was not in the room */
  protected exitRoom(name: string): Membership | undefined {
    const membership = this.#current?.get(name);
    if (membership === undefined) return undefined;
    this.#current?.delete(name);
    this.#rooms.exit(this, membership, this.isLeaving);
    return membership;
  }

  wasRenewed({ name }: { readonly name: string }): boolean {
    const membership = name === '' ? this.#whole : this.#current?.get(name);
    return typeof membership === 'object' && renewed.has(membership);
  }

  renewed({ name }: { readonly name: string }, epoch: string, detours: ReadonlySet<string>): void {
    const membership = name === '' ? this.#whole : this.#current?.get(name);
    if (typeof membership !== 'object') return;
    const { room, from, to, read, since } = membership;
    const { log } = room;
    const { confirmedStamp } = this.line;
    // What it is in now goes on; what it has had there until now is read by then, or will be missing. It is not waited for.
    const before: Membership = {
      ...membership,
      to: Math.min(to, log.lastOffset),
      until: this.#rooms.stamp,
      heldSince: open,
    };
    before.newest = log.newestStamp;
    before.read = Math.min(Math.max(read, log.offsetOf(confirmedStamp)), before.to);
    const isSure = membership.epoch === log.id && membership.begins === undefined && membership.ends === undefined;
    if (!isSure || this.isOfAny(detours) || !this.line.goesOn(membership)) {
      this.line.lost(0);
      return;
    }
    if (before.to > from && since < before.until && before.read < before.to) this.keepPast(before, confirmedStamp);
    Object.assign(membership, { epoch, from: 0, read: 0 });
    renewed.add(membership);
    this.line.renewed(this.id);
  }

  hasLeftBefore(log: Log): boolean {
    const isMissing = ({ to, until }: Membership): boolean => {
      for (let offset = Math.max(to, log.base) + 1; offset <= log.lastOffset; offset++) {
        if ((log.emittedAt(offset) ?? open) <= until) return true;
      }
      return false;
    };
    return this.#past?.some((past) => past.room.log === log && past.epoch === log.id && isMissing(past)) ?? false;
  }

  /** Whether it is in a room that has one of these logs, or has been lately. */
  private isOfAny(logs: ReadonlySet<string>): boolean {
    if (logs.size === 0) return false;
    return [...this.memberships(), ...this.pastMemberships()].some(({ room: { log } }) => logs.has(log.name));
  }

  /** Keeps a membership that ended. @param confirmed stamp up to which all is known to be read. @returns how many are kept */
  protected keepPast(membership: Membership, confirmed: number): number {
    const floor = this.#rooms.turn.isShared ? confirmed - lateStampsMax : confirmed;
    this.#past = this.#past?.filter(({ until, newest }) => until > floor || newest > confirmed) ?? [];
    return this.#past.push(membership);
  }

  /**
   * Forgets one of them, if there are too many: first all by which nothing is decided, because nothing was said there meanwhile.
   * @param max of those of which that is known
   * @returns the stamp at which the one ended that may be missed
   */
  protected forgetPast(max: number): number | undefined {
    if (this.#past === undefined || this.#past.length <= max) return undefined;
    this.#past = this.#past.filter(
      ({ heldSince, from, to, since, room }) => heldSince !== open || to > from || room.exceptedStamp > since,
    );
    const known = this.#past.filter(({ heldSince }) => heldSince === open);
    // What is not known yet is soon, unless the store is away.
    const one = known.length > max ? known[0] : this.#past.length > unknownPastMax ? this.#past[0] : undefined;
    if (one === undefined) return undefined;
    this.#past.splice(this.#past.indexOf(one), 1);
    return one.until;
  }

  /**
   * It leaves all its rooms, and the namespace. It may not have read to the end what it was a member of.
   * @param isOver whether it reads nothing any more
   */
  protected exitAll(isOver: boolean): Membership[] {
    const memberships = [...this.memberships()];
    for (const membership of memberships) this.#rooms.exit(this, membership, isOver);
    this.#past = [...(this.#past ?? []), ...memberships];
    this.#current = undefined;
    return memberships;
  }

  wasExcepted(except: Except, from: number, to: number, last?: Except): boolean {
    if (!isEarlier(except)) return listOf(except).some((name) => this.wasIn(name, from, to));
    if (listOf(except.except).some((name) => this.wasIn(name, from, to))) return true;
    // There may be any number of rooms before, and so there may of its own.
    for (const membership of this.#current?.values() ?? []) {
      if (covers(membership, except, last as Earlier | undefined)) return true;
    }
    return this.#past?.some((past) => covers(past, except, last as Earlier | undefined)) ?? false;
  }

  /** @returns the time in a room by which it gets a message to several rooms, in place of the one whose entry has this exception */
  comesBy(except: Earlier): Membership | undefined {
    let first: Membership | undefined;
    let place = open;
    for (const membership of [...(this.#current?.values() ?? []), ...(this.#past ?? [])]) {
      const index = except.places.indexOf(membership.epoch) ?? open;
      if (index >= place || !covers(membership, except, undefined)) continue;
      first = membership;
      place = index;
    }
    return first;
  }

  isExceptedIn({ name }: { readonly name: string }, except: Except, stamp: number): boolean {
    const membership = name === '' ? this.whole() : this.#current?.get(name);
    return this.isExcepted(membership ?? { since: stamp }, except, stamp);
  }

  /**
   * Whether a message of a time in a room was not for it. Of what was emitted before that began, and is stored behind its beginning, it counts where it was as it began.
   * @param stamp when it was emitted
   */
  isExcepted({ since }: Pick<Membership, 'since'>, except: Except, stamp: number): boolean {
    const then = Math.max(stamp, since);
    return this.wasExcepted(except, then, then);
  }

  /** Whether it was in a room of that name all the time from one stamp to another, or is what has the name. */
  private wasIn(name: string, from: number, to: number): boolean {
    if (name === this.id) return true;
    const current = this.#current?.get(name);
    if (current !== undefined && current.since < from) return true;
    return this.#past?.some((past) => past.room.name === name && past.since < from && to <= past.until) ?? false;
  }
}

/** One that has ended on another server: only what it was a member of is left of it. */
export class EndedSpans extends Spans {
  readonly line: Line;

  constructor({ id, memberships }: LeftRecord, line: Line, rooms: Rooms) {
    super(id, rooms, memberships);
    this.line = line;
  }
}

/** Half of a surrogate pair has no bytes of its own. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * @param isShared whether other servers have sockets too: then a name that may be a socket's id means that socket
 * @throws LocalUsageError `ERR_ROOM_NAME`
 */
export function checkRoomName(name: unknown, isShared: boolean): void {
  const { nameCharsMax } = packetLimits;
  if (isShared && typeof name === 'string' && sessionIn(name) !== undefined) {
    throw new LocalUsageError(
      'ERR_ROOM_NAME',
      `"${name}" has the form of a socket's id: with a shared store it means the socket, and can be no room`,
    );
  }
  if (typeof name === 'string' && name && name.length <= nameCharsMax && !loneSurrogate.test(name)) return;
  throw new LocalUsageError(
    'ERR_ROOM_NAME',
    `a room's name is text of 1 to ${nameCharsMax} characters, and has no half of a surrogate pair`,
  );
}

/**
 * Whether it gets all messages that went to these rooms by its own.
 * @param last undefined: there is one, and it is there. Of those that are not, none is taken for one that comes by it where that is not known
 */
function covers(membership: Membership, first: Earlier, last: Earlier | undefined): boolean {
  const { epoch, from, until, begins, ends, seen, room } = membership;
  const { log } = room;
  const to = last === undefined || ends === undefined ? membership.to : seen;
  // What is looked at before it is known where it begins was emitted before.
  if (begins !== undefined) return false;
  const [one, other] = [first.offsetIn(epoch), (last ?? first).offsetIn(epoch)];
  if (one !== undefined && other !== undefined) return from < one && other <= to;
  // It goes on from the beginning of the epoch that the log is about to have, or its session is told that something is lost.
  return until === open && log.next !== '' && first.offsetIn(log.next) !== undefined;
}

/** What is known to be read need not be read again, whatever positions the client forgets. */
function recordOf(membership: Membership, confirmed: number, tops: Map<string, Top>): MembershipRecord {
  const { room, epoch, from, to, read, since, until, begins, ends } = membership;
  const { name, log } = room;
  const part = (top: Top | undefined): string => {
    if (top === undefined) return '';
    const its = topPart(top.id);
    tops.set(its, top);
    return its;
  };
  return {
    ...{ room: name, epoch, since },
    // Where it has begun stays: who gets a message to several rooms by which, goes by that.
    from,
    read: begins === undefined && log.id === epoch ? Math.min(Math.max(read, log.offsetOf(confirmed)), to) : read,
    to: finite(to),
    until: finite(until),
    begins: part(begins),
    ends: part(ends),
  };
}

function finite(value: number): number {
  return value === open ? -1 : value;
}

function infinite(value: number): number {
  return value < 0 ? open : value;
}
