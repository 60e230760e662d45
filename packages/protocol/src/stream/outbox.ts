// Frames sent and not yet confirmed, in order. Each has a mark, a number of its owner's: the server writes there when it
// emitted the frame, the client what the frame is. The outbox here is a server's, numbered by position: its client takes
// everything, and confirms in order. A client's is in client-outbox.ts.
import { LocalUsageError, RemoteProtocolError } from '../wire/errors';
import type { OutboxLimits } from '../wire/limits';
import type { NumberRanges } from '../wire/packet';
import type { OutboxBudget } from './outbox-budget';

/** Marks of a client's frames. */
export const FrameTag = {
  /** As `Session`, and there is room for it always: it takes a namespace back, which there was room for, or is the reply to what was asked. */
  Owed: -2,
  /** Belongs to this session only: a change of a namespace. */
  Session: -1,
  /** An event without acknowledgement. Numbers from 1 are events that wait for the acknowledgement of that number. */
  Event: 0,
} as const;

/** What a machine needs of an outbox. */
export interface MachineOutbox<F, Limits> {
  /** All frames up to this number are confirmed. */
  confirmed: number;
  /** The first frame that this connection has not carried yet. */
  readonly waiting: F | undefined;
  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, mark: number, limits: Limits): void;
  /** Takes `waiting` to go over this connection, if the peer takes it now. */
  take(): F | undefined;
  /** Releases frames up to number `count`, and those in `settled`. @returns the mark of the last one, if its owner needs it */
  confirm(count: number, settled?: NumberRanges): number | undefined;
  /** The next connection has carried nothing yet. */
  rewind(): void;
}

/** @throws RemoteProtocolError `ERR_SACK_AHEAD` if so many were never sent, `ERR_SACK_BACK` if more were confirmed */
export function checkConfirmed(count: number, before: number, last: number, sent: number): void {
  if (count < before) throw new RemoteProtocolError('ERR_SACK_BACK', `${count} received, ${before} before`);
  if (last > sent) throw new RemoteProtocolError('ERR_SACK_AHEAD', `${last} received, ${sent} sent`);
}

export class Outbox<F extends { readonly length: number }> implements MachineOutbox<F, OutboxLimits> {
  confirmed = 0;
  /** How many frames are confirmed or were carried by this connection. */
  carried = 0;
  /** Every frame before its mark: an object for each would double what a frame costs. An idle session has no array. */
  #entries: (F | number)[] | undefined;
  #bytes = 0;
  /** What all outboxes may hold; undefined once this one is given up. */
  #budget: OutboxBudget | undefined;

  constructor(budget?: OutboxBudget) {
    this.#budget = budget;
  }

  /** How many frames were sent in all. */
  get sent(): number {
    return this.confirmed + this.unconfirmed;
  }

  get unconfirmed(): number {
    return (this.#entries?.length ?? 0) / 2;
  }

  /** The sum of their lengths. */
  get bytes(): number {
    return this.#bytes;
  }

  get waiting(): F | undefined {
    return this.#entries?.[(this.carried - this.confirmed) * 2] as F | undefined;
  }

  /** The mark of `waiting`. */
  get waitingMark(): number | undefined {
    return this.#entries?.[(this.carried - this.confirmed) * 2 + 1] as number | undefined;
  }

  /** What is not confirmed and has a number above this one, with its number and its mark. */
  *after(number: number): Generator<readonly [number: number, frame: F, mark: number]> {
    const entries = this.#entries ?? [];
    for (let i = Math.max(number - this.confirmed, 0) * 2; i < entries.length; i += 2)
      yield [this.confirmed + i / 2 + 1, entries[i] as F, entries[i + 1] as number];
  }

  push(frame: F, mark: number, { outboxPacketsMax, outboxBytesMax }: OutboxLimits): void {
    const { unconfirmed } = this;
    // What is pushed does not count, so that one frame of any size gets through.
    if (unconfirmed >= outboxPacketsMax || this.#bytes > outboxBytesMax) {
      const limit = unconfirmed >= outboxPacketsMax ? 'outboxPacketsMax' : 'outboxBytesMax';
      throw new LocalUsageError(
        'ERR_OUTBOX_FULL',
        `${unconfirmed} packets (${this.#bytes} bytes) wait for the client: see the server's ${limit}`,
      );
    }
    this.#entries ??= [];
    this.#entries.push(frame, mark);
    this.#bytes += frame.length;
    this.#budget?.add(frame.length);
  }

  /** Marks a frame anew, if it is not confirmed. */
  mark(number: number, mark: number): void {
    const at = (number - this.confirmed) * 2 - 1;
    if (this.#entries !== undefined && at > 0 && at < this.#entries.length) this.#entries[at] = mark;
  }

  take(): F | undefined {
    const { waiting } = this;
    if (waiting !== undefined) this.carried++;
    return waiting;
  }

  /** What is confirmed before earlier frames is kept until they are, too: no client tells such. It must have been sent, though. */
  confirm(count: number, settled?: NumberRanges): number | undefined {
    const { confirmed, sent } = this;
    checkConfirmed(count, confirmed, settled === undefined ? count : Math.max(count, settled.at(-1) ?? 0), sent);
    const fresh = (count - confirmed) * 2;
    if (fresh === 0) return undefined;
    const entries = this.#entries!;
    let bytes = 0;
    for (let i = 0; i < fresh; i += 2) bytes += (entries[i] as F).length;
    this.#bytes -= bytes;
    this.#budget?.add(-bytes);
    const mark = entries[fresh - 1] as number;
    if (count === sent) this.#entries = undefined;
    else entries.splice(0, fresh);
    this.confirmed = count;
    this.carried = Math.max(this.carried, count);
    return mark;
  }

  /** Nobody will confirm what it holds: that is not counted any more. */
  giveUp(): void {
    this.#budget?.add(-this.#bytes);
    this.#budget = undefined;
  }

  rewind(): void {
    this.carried = this.confirmed;
  }
}
