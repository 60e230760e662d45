// When a socket was in which room: what is for it of what was published, live and when it is read again.
// Methods are private by the compiler alone: one with # costs every instance a field.
import { LocalUsageError, packetLimits } from '@halyard/protocol';
import { listOf } from '../base/compact-list';
import { type Except, isEarlier } from '../log/except';
import { type Membership, membershipOf } from '../room/membership';
import type { Rooms } from '../room/rooms';
import type { Line, Subscriber } from '../room/subscriber';
import type { LeftRecord, MembershipRecord } from './record';

const open = Number.POSITIVE_INFINITY;

/** Few ever are: a field would cost every one. */
const lost = new WeakSet<Spans>();

export abstract class Spans implements Subscriber {
  abstract readonly line: Line;
  readonly id: string;
  isLeaving = false;
  readonly #rooms: Rooms;
  /** Offset after which it is in the namespace, which no exception names. */
  readonly #from: number;
  #current: Map<string, Membership> | undefined = undefined;
  /** What it has left, and has perhaps not read to the end. */
  #past: Membership[] | undefined = undefined;

  /** @param records its memberships on another server: the namespace as a whole first */
  constructor(id: string, rooms: Rooms, records?: readonly MembershipRecord[]) {
    this.id = id;
    this.#rooms = rooms;
    const [whole] = records ?? [];
    this.#from = whole?.from ?? rooms.everyone.log.lastOffset;
    for (const record of records ?? []) this.enterAgain(record);
  }

  /** Whether it came from another server, and some of its logs are gone. */
  get hasLostLogs(): boolean {
    return lost.has(this);
  }

  /** Its memberships, as another server needs them. @param confirmed stamp up to which all is known to be read */
  membershipRecords(confirmed: number): MembershipRecord[] {
    const records: MembershipRecord[] = [];
    for (const membership of this.memberships()) records.push(recordOf(membership, confirmed));
    return [...records, ...this.pastRecords(confirmed)];
  }

  /** The same of those that have ended. */
  pastRecords(confirmed: number): MembershipRecord[] {
    return [...this.pastMemberships()].map((membership) => recordOf(membership, confirmed));
  }

  /** Rooms it is in now, but for the namespace as a whole. */
  get roomCount(): number {
    return this.#current?.size ?? 0;
  }

  /** Their names. */
  get roomNames(): Iterable<string> {
    return this.#current?.keys() ?? [];
  }

  /** What it is a member of now: the namespace as a whole first. */
  *memberships(): Generator<Membership> {
    yield membershipOf(this.#rooms.everyone, this.#from, 0);
    if (this.#current !== undefined) yield* this.#current.values();
  }

  *pastMemberships(): Generator<Membership> {
    if (this.#past !== undefined) yield* this.#past;
  }

  private enterAgain({ room, epoch, from, since, ...ends }: MembershipRecord): void {
    const until = infinite(ends.until);
    const span = { from, to: infinite(ends.to), since, until, newest: infinite(ends.newest) };
    const membership = this.#rooms.enterAgain(this, room, epoch, span);
    // What it has missed is lost with the log, and a membership that has ended is of no use any more.
    if (membership === undefined) lost.add(this);
    else if (until !== open) this.#past = [...(this.#past ?? []), membership];
    else if (room !== '') {
      this.#current ??= new Map();
      this.#current.set(room, membership);
    }
  }

  /** @returns the membership, or undefined if it is in the room already. @throws LocalUsageError `ERR_ROOM_NAME`, `ERR_ROOMS_FULL` */
  protected enterRoom(name: string): Membership | undefined {
    if (this.#current?.has(name) || name === this.id) return undefined;
    checkRoomName(name);
    const { roomsPerSocketMax } = this.#rooms;
    this.#current ??= new Map();
    if (this.#current.size >= roomsPerSocketMax) {
      throw new LocalUsageError('ERR_ROOMS_FULL', `a socket may be in ${roomsPerSocketMax} rooms (roomsPerSocketMax)`);
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
    this.#rooms.exit(this, membership);
    return membership;
  }

  /** Keeps a membership that ended. @param confirmed stamp up to which all is known to be read. @returns how many are kept */
  protected keepPast(membership: Membership, confirmed: number): number {
    this.#past = this.#past?.filter(({ until }) => until > confirmed) ?? [];
    return this.#past.push(membership);
  }

  /** Forgets the oldest of them. @returns the stamp at which that ended */
  protected forgetPast(): number | undefined {
    return this.#past?.shift()?.until;
  }

  /** It leaves all its rooms, and the namespace. It may not have read to the end what it was a member of. */
  protected exitAll(): Membership[] {
    const memberships = [...this.memberships()];
    for (const membership of memberships) this.#rooms.exit(this, membership);
    this.#past = [...(this.#past ?? []), ...memberships];
    this.#current = undefined;
    return memberships;
  }

  wasExcepted(except: Except, from: number, to: number): boolean {
    if (!isEarlier(except)) return listOf(except).some((name) => this.wasIn(name, from, to));
    if (listOf(except.except).some((name) => this.wasIn(name, from, to))) return true;
    // There may be any number of rooms before, and so there may of its own.
    for (const [name, membership] of this.#current ?? []) {
      if (membership.since < from && except.has(name)) return true;
    }
    return this.#past?.some((past) => past.since < from && to <= past.until && except.has(past.room.name)) ?? false;
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

/** @throws LocalUsageError `ERR_ROOM_NAME` */
export function checkRoomName(name: unknown): void {
  const { nameCharsMax } = packetLimits;
  if (typeof name === 'string' && name && name.length <= nameCharsMax && !loneSurrogate.test(name)) return;
  throw new LocalUsageError(
    'ERR_ROOM_NAME',
    `a room's name is text of 1 to ${nameCharsMax} characters, and has no half of a surrogate pair`,
  );
}

/** What is known to be read need not be read again, whatever positions the client forgets. */
function recordOf({ room, from, to, since, until, newest }: Membership, confirmed: number): MembershipRecord {
  const { name, log } = room;
  return {
    room: name,
    epoch: log.id,
    from: Math.min(Math.max(from, log.offsetOf(confirmed)), to),
    to: finite(to),
    since,
    until: finite(until),
    newest: finite(newest),
  };
}

function finite(value: number): number {
  return value === open ? -1 : value;
}

function infinite(value: number): number {
  return value < 0 ? open : value;
}
