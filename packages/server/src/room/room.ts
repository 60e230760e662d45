// A room: its members, the log of what was published to it, and how that reaches them. A namespace as a whole is a room too.
import { listOf } from '../base/compact-list';
import { type Except, isEarlier, Latest } from '../log/except';
import type { Follower } from '../log/follower';
import type { Frames } from '../log/frames';
import type { Log } from '../log/log';
import { stampsPerMs } from '../log/stamp';
import { findsOutMs } from '../store/feeds';
import type { Turn } from '../store/turn';
import { lookBytes } from '../wire/websocket';
import { type FanOut, topicOf } from './fan-out';
import type { Subscriber } from './subscriber';

/** Whom names mean: what is a room of that name, and who has it as id. */
export interface Named {
  readonly rooms: readonly Room[];
  readonly direct: readonly Subscriber[];
}

/** What a room needs of its namespace. */
export interface RoomContext {
  readonly turn: Turn;
  readonly fanOut: FanOut;
  resolve(names: readonly string[]): Named;
}

/** Connections that are closed because something is lost are closed so long after each other, in milliseconds, … */
const lostMsEach = 10;
/** … and all of them within this time. */
const lostMsMax = 10_000;
/** As long as it may take until a node knows what the store has lost, in stamps. */
export const findsOut = findsOutMs * stampsPerMs;

export class Room implements Follower {
  readonly name: string;
  log: Log;
  readonly members = new Map<string, Subscriber>();
  /** Stamp of the newest message that was not for its members. */
  exceptedStamp = -1;
  /** Members that are connected and that native fan-out does not reach: they are sent to one by one. */
  looped: Set<Subscriber> | undefined;
  readonly #context: RoomContext;
  /** Who has left it lately, and when, as stamps: something that was for them may be lost before they have read it. */
  #leavers: Map<Subscriber, number> | undefined = undefined;
  /** Whether it is being found out what the log has lost: who had left lately when that began may have to be told. */
  #isInDoubt = false;
  /** Size of what native fan-out has sent since it was last looked at what waits for the members. */
  #publishedBytes = 0;

  /** @param logName names its log in the store */
  constructor(name: string, logName: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.log = context.turn.follow(logName, this);
  }

  /** Nobody is a member any more. Its log stays as long as there is something in it. */
  close(): void {
    this.#context.turn.unfollow(this.log, this);
  }

  /** It has members again. @param logName names its log in the store */
  reopen(logName: string): void {
    this.log = this.#context.turn.follow(logName, this);
  }

  /** Whether something was published to it, or left its members out, since a membership began. */
  hasSpoken({ from, since }: { readonly from: number; readonly since: number }): boolean {
    return this.log.lastOffset > from || this.exceptedStamp > since;
  }

  /** The topic of native fan-out for members that speak the codec with this index. */
  topic(codecIndex: number): string {
    return topicOf(this.log.id, codecIndex);
  }

  /** The log has a new entry: the one place where what is published is delivered. */
  onEntry(stamp: number, except: Except, frames: Frames): void {
    if (this.#context.turn.isShared) {
      // What is decided here is decided in the same way where the log is read.
      for (const member of this.looped ?? []) {
        if (except instanceof Latest) member.line.forwardLatest(frames);
        else if (except === undefined || !member.isExceptedIn(this, except, stamp)) member.line.forward(frames);
      }
      return;
    }
    if (except instanceof Latest) {
      if (this.#context.fanOut.publish(this.log.id, frames, undefined)) this.#published(frames);
      for (const { line } of this.looped ?? []) line.forwardLatest(frames);
      return;
    }
    const isOfMany = isEarlier(except);
    const names = isOfMany ? except.except : except;
    const left = names === undefined ? nobody : this.#context.resolve(listOf(names));
    for (const room of left.rooms) room.exceptedStamp = stamp;
    if (isOfMany || left.rooms.length > 0 || left.direct.length > 1) {
      for (const member of this.members.values()) {
        // A member of several gets it by the log of the first, live as when it is read again: by no other.
        if (member.isLeaving || (isOfMany && !member.line.isFirst(stamp))) continue;
        if (!isAmong(member, left)) member.line.forward(frames);
      }
      return;
    }
    const [excepted] = left.direct;
    // If its client has left with the excepted one, another socket of that session may be there.
    const line = excepted?.isLeaving ? undefined : excepted?.line;
    if (this.#context.fanOut.publish(this.log.id, frames, line)) this.#published(frames);
    if (this.looped !== undefined) {
      for (const member of this.looped) if (member !== excepted) member.line.forward(frames);
    }
  }

  onRepeated(stamp: number, except: Except, frames: Frames, place: number): void {
    for (const member of [...this.members.values()]) {
      if (except !== undefined && member.isExceptedIn(this, except, stamp)) continue;
      // Until its client has confirmed something behind it, the log may be read again by who does not know that.
      if (member.wasRenewed(this)) member.line.forgot(place);
      else if (this.looped?.has(member)) member.line.forward(frames);
    }
  }

  onRenewed(epoch: string, detours: ReadonlySet<string>): void {
    for (const member of [...this.members.values()]) member.renewed(this, epoch, detours);
    for (const [leaver] of this.#lateLeavers()) if (leaver.hasLeftBefore(this.log)) leaver.line.lost(0);
    this.#isInDoubt = false;
  }

  /** A member has left, and other nodes may have published before. @param until the stamp at which it has left, here or elsewhere */
  left(member: Subscriber, until: number): void {
    this.#leavers ??= new Map();
    this.#leavers.delete(member);
    this.#leavers.set(member, until);
    for (const [leaver, stamp] of this.#leavers) {
      if (this.isLately(stamp) || this.#isInDoubt) break;
      this.#leavers.delete(leaver);
    }
  }

  /** Whether what was lost at a stamp may still be found out. */
  isLately(stamp: number): boolean {
    return stamp > this.#context.turn.stamps.last - findsOut;
  }

  succeeds(before: Follower): void {
    if (!(before instanceof Room)) return;
    this.#leavers = before.#leavers;
    this.#isInDoubt = before.#isInDoubt;
  }

  onDoubt(): void {
    if (this.#leavers !== undefined) this.#leavers = new Map(this.#lateLeavers());
    this.#isInDoubt = true;
  }

  onLost(): void {
    const members = [...this.members.values(), ...this.#lateLeavers().map(([leaver]) => leaver)];
    this.#leavers = undefined;
    this.#isInDoubt = false;
    // Not all of them come back at once.
    const spreadMs = Math.min(members.length * lostMsEach, lostMsMax);
    for (const { line } of members) line.lost(spreadMs);
  }

  /** Those of whom something may be found out still, and when each has left, as stamps. */
  #lateLeavers(): [leaver: Subscriber, until: number][] {
    return [...(this.#leavers ?? [])].filter(([, stamp]) => this.#isInDoubt || this.isLately(stamp));
  }

  #published(frames: Frames): void {
    const bytes = longest(frames);
    const before = this.#publishedBytes;
    this.#publishedBytes += bytes;
    this.#context.fanOut.published(this, bytes, before === 0);
    if (this.#publishedBytes > lookBytes) this.look();
  }

  /** Native fan-out tells nobody who does not keep up. */
  look(): void {
    const bytes = this.#publishedBytes;
    this.#publishedBytes = 0;
    if (bytes === 0) return;
    for (const { line } of this.members.values()) line.published(bytes, this.log.hasLatest);
  }
}

export const nobody: Named = { rooms: [], direct: [] };

export function isAmong(member: Subscriber, { rooms, direct }: Named): boolean {
  for (const one of direct) if (one === member) return true;
  for (const room of rooms) if (room.members.has(member.id)) return true;
  return false;
}

function longest(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) if (frame !== undefined && frame.length > bytes) bytes = frame.length;
  return bytes;
}
