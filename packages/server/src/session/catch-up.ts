// Brings a session up to the present: what waits in its outbox and what it has not read in its logs, merged in the order it
// was emitted, by pages, so that the peer is never sent more than it takes, and others are served between two pages.
import { type Frame, LocalUsageError, type ServerMachine } from '@halyard/protocol';
import type { Stamps } from '../log/stamp';
import type { Membership } from '../room/membership';
import type { LogBudget } from './log-budget';
import type { Spans } from './spans';

interface Cursor {
  readonly presence: Spans;
  readonly membership: Membership;
  /** Offset of the next entry to look at. */
  offset: number;
  /** Its stamp; infinity if this round has none for the socket. */
  stamp: number;
  /** What was emitted later is not for it. */
  last: number;
}

/** As much as is given to the connection before waiting for it to drain. */
const pageBytesMax = 64 * 1024;
/** Frames in a page, and entries that are looked at for it. */
const pageLooksMax = 2_048;

const none = Number.POSITIVE_INFINITY;

export class CatchUp {
  /** Stamp of the last thing that was sent, or that was found not to be for this session. */
  stamp: number;
  readonly #machine: ServerMachine<Frame>;
  readonly #stamps: Stamps;
  readonly #cursors: Cursor[] = [];
  /** Those at an entry of this round, as a binary heap: the oldest entry is the first. */
  #heap: Cursor[] = [];
  /** The round is of what was emitted up to here. What comes later is of the next round, so that nothing is overtaken. */
  #horizon: number;
  /** Cursors from here on have not been looked at in this round. */
  #unseen = 0;
  /** One behind them that was still looking when a page was full. */
  #seeking: Cursor | undefined;
  #looks = 0;

  /** @param stamp what the peer is known to have handled */
  constructor(machine: ServerMachine<Frame>, stamps: Stamps, stamp: number) {
    this.#machine = machine;
    this.#stamps = stamps;
    this.#horizon = stamps.last;
    this.stamp = stamp;
  }

  /** @param position the last offset of its log that the peer has read */
  add(presence: Spans, membership: Membership, position: number): void {
    this.#cursors.push({
      presence,
      membership,
      offset: Math.max(position, membership.from) + 1,
      stamp: none,
      last: none,
    });
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
        this.stamp = waitingStamp;
        this.#machine.transmitWaiting();
      } else if (next === undefined) {
        if (this.#horizon === this.#stamps.last) return true;
        this.#horizon = this.#stamps.last;
        this.#unseen = 0;
      } else {
        if (budget?.isSpent) return false;
        const { log } = next.membership.room;
        // Otherwise it was dropped since it was found, or its socket is over: looking again says whether that matters.
        if (next.offset >= log.firstOffset && next.stamp <= next.last) {
          const frame = log.frameAt(next.offset, codecIndex);
          if (frame !== undefined) {
            connection.send(frame);
            bytes += frame.length;
            budget?.sent();
          }
          this.stamp = next.stamp;
        }
        this.#looks++;
        if (!this.#seek(next)) this.#seeking = next;
        if (next.stamp === none) this.#dropFirst();
        this.#sink();
      }
    }
    return false;
  }

  /** Puts the cursors of a new round into the heap. @returns whether all are, or there was too much to look at */
  #gather(): boolean {
    for (;;) {
      const cursor = this.#seeking ?? this.#cursors[this.#unseen++];
      if (cursor === undefined) {
        this.#unseen = this.#cursors.length;
        return true;
      }
      this.#seeking = undefined;
      if (!this.#seek(cursor)) {
        this.#seeking = cursor;
        return false;
      }
      if (cursor.stamp !== none) this.#push(cursor);
    }
  }

  /** Moves a cursor to its next entry of this round that is for its socket. @returns false if that is not found yet */
  #seek(cursor: Cursor): boolean {
    const { presence, membership } = cursor;
    const { log } = membership.room;
    const floor = this.stamp;
    const newest = Math.min(membership.newest, cursor.last);
    cursor.stamp = none;
    if (cursor.offset < log.firstOffset) {
      if (newest > floor && cursor.offset <= membership.to && log.trimmed.misses(presence, floor, cursor.offset - 1))
        throw new LocalUsageError('ERR_LOG_TRIMMED', `log ${log.id} was trimmed`);
      cursor.offset = log.firstOffset;
    }
    for (;;) {
      const stamp = log.stampAt(cursor.offset);
      if (stamp === undefined || cursor.offset > membership.to || stamp > cursor.last || stamp > this.#horizon)
        return true;
      if (stamp > floor && !presence.wasExcepted(log.exceptAt(cursor.offset), stamp, stamp)) {
        cursor.stamp = stamp;
        return true;
      }
      cursor.offset++;
      if (++this.#looks >= pageLooksMax) return false;
    }
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
