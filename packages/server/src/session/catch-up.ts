// Brings a session up to the present: what waits in its outbox and what it has not read in its logs, merged in the order it
// was emitted, by pages, so that the peer is never sent more than it takes, and others are served between two pages.
// Longer than other files: what is read, what is held and what comes next are decided for all cursors together.
import { type Frame, LocalUsageError, type ServerMachine } from '@halyard/protocol';
import type { Log } from '../log/log';
import type { Stamps } from '../log/stamp';
import type { Membership } from '../room/membership';
import { Cursor, none } from './cursor';
import type { LogBudget } from './log-budget';
import { Overlaps } from './overlaps';
import type { Spans } from './spans';

/** As much as is given to the connection before waiting for it to drain. */
const pageBytesMax = 64 * 1024;
/** Frames in a page, and entries that are looked at for it. */
const pageLooksMax = 2_048;

const unknown = -1;

export class CatchUp {
  /** Everything with a place up to this one was sent, or found not to be for this session. */
  stamp: number;
  /** How many messages were left out, because newer ones have taken their place. */
  replaced = 0;
  readonly #machine: ServerMachine<Frame>;
  readonly #stamps: Stamps;
  #cursors: Cursor[] = [];
  /** Those of one log, one for each time in its room: what is in it goes in its order, whenever it was emitted. */
  readonly #byLog = new Map<Log, Cursor[]>();
  /** Those at an entry of this round, as a binary heap: the oldest entry is the first. */
  #heap: Cursor[] = [];
  /** The round is of what has its place up to here. What comes later is of the next round, so that nothing is overtaken. */
  #horizon = unknown;
  /** Cursors from here on have not been looked at in this round. */
  #unseen = 0;
  /** One behind them that was still looking when a page was full. */
  #seeking: Cursor | undefined;
  #looks = 0;
  /**
   * What was emitted before this stamp, when the session came here from another node, is put in order by when that was, and what came
   * later by its place in the order of this node.
   */
  readonly #since: number;
  /** Those that wait for entries which are not here yet. */
  #held: Cursor[] = [];
  /** Of those: as long as it waits, so do all. */
  #oldest: Cursor | undefined;
  #isWaiting = false;
  /** Of what goes by when it was emitted. */
  readonly #overlaps: Overlaps | undefined;

  /** @param stamp what the peer is known to have handled */
  constructor(machine: ServerMachine<Frame>, stamps: Stamps, stamp: number, since: number) {
    this.#machine = machine;
    this.#stamps = stamps;
    this.#since = since;
    this.#overlaps = since > 0 ? new Overlaps(since) : undefined;
    this.stamp = stamp;
  }

  /** @param position the last offset of its log that the peer has read */
  add(presence: Spans, membership: Membership, position: number): void {
    const cursor = new Cursor(presence, membership, position);
    this.#cursors.push(cursor);
    this.#overlaps?.add(cursor);
    const { log } = membership.room;
    const others = this.#byLog.get(log) ?? [];
    // By their ends: that which goes on is the last, also of a namespace as a whole, of which it is not kept since when.
    const behind = others.findIndex((other) => other.membership.until > membership.until);
    others.splice(behind < 0 ? others.length : behind, 0, cursor);
    this.#byLog.set(log, others);
    if (isHeld(cursor)) this.#held.push(cursor);
  }

  /** Whether nothing more may be sent before entries are here that are not yet. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The socket has left a room: what comes is held until it is known where that was. @returns whether it was to be read here */
  hold(membership: Membership): boolean {
    const cursor = this.#cursors.find((one) => one.membership === membership);
    if (cursor !== undefined && !this.#held.includes(cursor)) this.#held.push(cursor);
    return cursor !== undefined;
  }

  /** The log of a membership is about to have another epoch. @returns whether all of this one was sent: then it goes on there */
  goesOn(membership: object): boolean {
    const cursor = this.#cursors.find((one) => one.membership === membership);
    if (cursor === undefined) return true;
    const { room, read } = cursor.membership;
    const { lastOffset } = room.log;
    const isRead = cursor.offset === 0 ? Math.max(cursor.position, read) >= lastOffset : cursor.offset > lastOffset;
    if (!isRead) return false;
    cursor.position = 0;
    if (cursor.offset > 0) cursor.offset = 1;
    return true;
  }

  /** A socket is over. @param last stamp up to which it is still to be sent what was for it */
  leave(presence: Spans, last: number): void {
    for (const cursor of this.#cursors) if (cursor.presence === presence) cursor.last = Math.min(cursor.last, last);
  }

  /**
   * Sends on until the connection holds a page, or the client knows as many logs as it may.
   * @returns whether everything was sent
   * @throws LocalUsageError `ERR_LOG_TRIMMED` if a log dropped what was still to be read
   */
  pump(
    connection: { readonly bufferedBytes: number; send(frame: Frame): void },
    codecIndex: number,
    budget: LogBudget | undefined,
  ): boolean {
    if (this.#isWaiting && this.#oldest?.membership.heldSince === this.#horizon && this.#oldest.last >= 0) return false;
    if (this.#held.length > 0) this.#held = this.#held.filter((cursor) => cursor.last >= 0 && isHeld(cursor));
    const bound = this.#bound();
    this.#isWaiting = bound < Math.max(this.stamp, this.#since);
    if (this.#isWaiting) return false;
    if (this.#horizon === unknown) this.#horizon = bound;
    let bytes = connection.bufferedBytes;
    this.#looks = 0;
    while (this.#machine.state === 'catching-up' && bytes < pageBytesMax && this.#looks < pageLooksMax) {
      if (!this.#gather()) return false;
      const { waiting, waitingStamp = 0 } = this.#machine;
      const [next] = this.#heap;
      const isWaitingFirst = waiting !== undefined && waitingStamp <= Math.min(next?.stamp ?? none, this.#horizon);
      if (isWaitingFirst) {
        bytes += waiting.length;
        this.#looks++;
        this.#passed(waitingStamp);
        this.#machine.transmitWaiting();
      } else if (next === undefined) {
        this.stamp = Math.max(this.stamp, this.#horizon);
        if (!this.#startRound()) {
          this.#isWaiting = this.#held.length > 0;
          return !this.#isWaiting;
        }
      } else {
        if (budget?.isSpent) return false;
        const first = this.#firstOf(next);
        if (first !== next) {
          this.#raise(first, next.stamp);
          continue;
        }
        const { log } = next.membership.room;
        // Otherwise it was dropped since it was found, or its socket is over: looking again says whether that matters.
        if (next.offset >= log.firstOffset && (log.stampAt(next.offset) as number) <= next.last) {
          const isReplaced = log.isReplaced(next.offset, endOf(next.membership));
          if (isReplaced) this.replaced++;
          const frame = isReplaced || next.isSilent ? undefined : log.frameAt(next.offset, codecIndex);
          if (frame !== undefined) {
            connection.send(frame);
            bytes += frame.length;
            budget?.sent();
          }
          this.#passed(next.stamp);
          next.offset++;
        }
        this.#looks++;
        if (!this.#seek(next)) this.#seeking = next;
        if (next.stamp === none) {
          this.#dropFirst();
          this.#seeking ??= this.#nextOf(next);
        }
        this.#sink();
      }
    }
    return false;
  }

  /** @returns whether there is one */
  #startRound(): boolean {
    const bound = this.#bound();
    if (this.#horizon === bound) return false;
    this.#horizon = bound;
    this.#unseen = 0;
    // Who goes from room to room all the time may never have caught up.
    this.#cursors = this.#cursors.filter((cursor) => {
      if (!isAtEnd(cursor)) return true;
      const { log } = cursor.membership.room;
      const rest = this.#byLog.get(log)?.filter((other) => other !== cursor) ?? [];
      if (rest.length > 0) this.#byLog.set(log, rest);
      else this.#byLog.delete(log);
      return false;
    });
    return true;
  }

  /** @returns the one that goes on in the log of one that is done */
  #nextOf(cursor: Cursor): Cursor | undefined {
    const others = this.#byLog.get(cursor.membership.room.log) ?? [];
    if (others.length < 2 || !isDone(cursor)) return undefined;
    const next = others[others.indexOf(cursor) + 1];
    return next?.stamp === none ? next : undefined;
  }

  /** Whether another one is to be read before it. */
  #isBehind(cursor: Cursor): boolean {
    const others = this.#byLog.get(cursor.membership.room.log) ?? [];
    return others.length > 1 && others.slice(0, others.indexOf(cursor)).some((other) => !isDone(other));
  }

  /** @returns the place up to which it is known what is to be sent */
  #bound(): number {
    this.#oldest = undefined;
    let bound = this.#stamps.last;
    for (const cursor of this.#held) {
      if (cursor.membership.heldSince > bound) continue;
      bound = cursor.membership.heldSince;
      this.#oldest = cursor;
    }
    return bound;
  }

  /** Puts the cursors of a new round into the heap. @returns whether all are, or there was too much to look at */
  #gather(): boolean {
    for (;;) {
      const cursor = this.#seeking ?? this.#cursors[this.#unseen++];
      if (cursor === undefined) {
        this.#unseen = this.#cursors.length;
        return true;
      }
      // It is in the heap already.
      if (cursor !== this.#seeking && cursor.stamp !== none) continue;
      this.#seeking = undefined;
      if (this.#isBehind(cursor)) continue;
      if (!this.#seek(cursor)) {
        this.#seeking = cursor;
        return false;
      }
      if (cursor.stamp !== none) this.#push(cursor);
      else this.#seeking = this.#nextOf(cursor);
    }
  }

  /** Moves a cursor to its next entry of this round that is for its socket. @returns false if that is not found yet */
  #seek(cursor: Cursor): boolean {
    const { presence, membership } = cursor;
    const { log } = membership.room;
    const floor = this.stamp;
    cursor.stamp = none;
    const to = endOf(membership);
    // Its client has left, or where it begins is not known yet.
    if (cursor.last < 0 || cursor.offset > to || cursor.offset === 0) return true;
    if (!cursor.isLooked) this.#overlaps?.look(cursor, to);
    cursor.isLooked = true;
    if (log.id !== membership.epoch || cursor.offset <= log.base) throw trimmed(log.id);
    if (cursor.offset < log.firstOffset) {
      const newest = Math.min(membership.newest, cursor.last);
      if (newest > floor && cursor.offset <= to && log.misses(presence, floor, cursor.offset - 1, to))
        throw trimmed(log.id);
      if (log.hasLatest) this.replaced += log.firstOffset - cursor.offset;
      cursor.offset = log.firstOffset;
    }
    for (;;) {
      const place = log.stampAt(cursor.offset);
      if (place === undefined || cursor.offset > to || place > cursor.last || place > this.#horizon) return true;
      const emitted = log.emittedAt(cursor.offset) as number;
      cursor.isSilent = this.#overlaps?.isToCome(cursor) ?? false;
      if (cursor.isSilent) {
        cursor.stamp = emitted;
        return true;
      }
      if (log.isReplaced(cursor.offset, to)) this.replaced++;
      else if (!presence.isExcepted(membership, log.exceptAt(cursor.offset), emitted)) {
        cursor.stamp = emitted < this.#since ? emitted : place;
        return true;
      }
      cursor.offset++;
      if (++this.#looks >= pageLooksMax) return false;
    }
  }

  /** What has its place up to a stamp has been sent, unless some goes by when it was emitted. */
  #passed(stamp: number): void {
    if (this.stamp >= this.#since) this.stamp = stamp;
  }

  #push(cursor: Cursor): void {
    const heap = this.#heap;
    let at = heap.push(cursor) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Cursor).stamp <= cursor.stamp) break;
      heap[at] = heap[parent] as Cursor;
      at = parent;
    }
    heap[at] = cursor;
  }

  /** @returns the cursor whose entry goes before that of the first one, because a message to several rooms is behind it in its log; or that itself */
  #firstOf(next: Cursor): Cursor {
    if (this.#overlaps === undefined || next.stamp >= this.#since) return next;
    const seen = new Set<Cursor>();
    for (let one: Cursor | undefined = next; one !== undefined; ) {
      // Each is behind the other: logs of several masters may be so.
      if (seen.has(one)) return next;
      seen.add(one);
      const before = this.#overlaps.before(one);
      if (before === undefined) return one;
      one = before;
    }
    return next;
  }

  /** Makes one of the heap its first. @param stamp that of the first one */
  #raise(cursor: Cursor, stamp: number): void {
    const heap = this.#heap;
    cursor.stamp = stamp;
    let at = heap.indexOf(cursor);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      heap[at] = heap[parent] as Cursor;
      at = parent;
    }
    heap[at] = cursor;
  }

  #dropFirst(): void {
    const last = this.#heap.pop() as Cursor;
    if (this.#heap.length > 0) this.#heap[0] = last;
  }

  /** Moves the first cursor of the heap to its place. */
  #sink(): void {
    const heap = this.#heap;
    const [cursor] = heap;
    if (cursor === undefined) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.stamp < (heap[child] as Cursor).stamp) child++;
      if ((heap[child] as Cursor).stamp >= cursor.stamp) break;
      heap[at] = heap[child] as Cursor;
      at = child;
    }
    heap[at] = cursor;
  }
}

function isHeld(cursor: Cursor): boolean {
  const { position, membership } = cursor;
  const { heldSince, until, read } = membership;
  // It is known where it begins, though perhaps not where it ends.
  if (cursor.offset === 0 && heldSince >= until) cursor.offset = Math.max(position, read) + 1;
  return heldSince !== none;
}

/** Where it has left a room is not known yet, but what comes later than this may not be for it. */
function endOf({ to, ends, seen }: Membership): number {
  return ends === undefined ? to : seen;
}

/** Whether nothing more of it is sent. */
function isDone(cursor: Cursor): boolean {
  const { stamp, offset, last, membership } = cursor;
  return isAtEnd(cursor) || (stamp === none && offset > 0 && (membership.room.log.stampAt(offset) ?? 0) > last);
}

function isAtEnd({ stamp, offset, last, membership: { to, heldSince } }: Cursor): boolean {
  return stamp === none && (last < 0 || (heldSince === none && offset > to));
}

function trimmed(log: string): LocalUsageError {
  return new LocalUsageError('ERR_LOG_TRIMMED', `log ${log} was trimmed`);
}
