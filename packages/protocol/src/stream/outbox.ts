// Frames sent and not yet confirmed, in order, numbered by position. Each has a mark, a number of its owner's: the server
// writes there when it emitted the frame, the client what the frame is.
import { LocalUsageError, RemoteProtocolError } from '../wire/errors';
import type { OutboxLimits } from '../wire/limits';

/** Marks of a client's frames. */
export const FrameTag = {
  /** Belongs to this session only: a reply, or a change of a namespace. */
  Session: -1,
  /** An event without acknowledgement. Numbers from 1 are events that wait for the acknowledgement of that number. */
  Event: 0,
} as const;

export class Outbox<F extends { readonly length: number }> {
  /** How many frames the peer has confirmed. */
  confirmed = 0;
  /** How many frames are confirmed or were carried by this connection. */
  carried = 0;
  /** How many frames are confirmed or were carried by an earlier connection: nobody knows whether they were handled. */
  #left = 0;
  /** Every frame before its mark: an object for each would double what a frame costs. An idle session has no array. */
  #entries: (F | number)[] | undefined;
  #bytes = 0;

  /** How many frames were carried by a connection, confirmed or not: by this one, or an earlier one. */
  get left(): number {
    return Math.max(this.#left, this.carried);
  }

  get unconfirmed(): number {
    return (this.#entries?.length ?? 0) / 2;
  }

  /** The first frame that this connection has not carried yet. */
  get waiting(): F | undefined {
    return this.#entries?.[(this.carried - this.confirmed) * 2] as F | undefined;
  }

  /** The mark of `waiting`. */
  get waitingMark(): number | undefined {
    return this.#entries?.[(this.carried - this.confirmed) * 2 + 1] as number | undefined;
  }

  /** All that is not confirmed, with its marks. */
  *[Symbol.iterator](): Generator<readonly [frame: F, mark: number]> {
    const entries = this.#entries ?? [];
    for (let i = 0; i < entries.length; i += 2) yield [entries[i] as F, entries[i + 1] as number];
  }

  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, mark: number, { outboxPacketsMax, outboxBytesMax }: OutboxLimits): void {
    const { unconfirmed } = this;
    if (unconfirmed && (unconfirmed >= outboxPacketsMax || this.#bytes + frame.length > outboxBytesMax)) {
      throw new LocalUsageError(
        'ERR_OUTBOX_FULL',
        `${unconfirmed} packets (${this.#bytes} bytes) wait for the peer: see outboxPacketsMax, outboxBytesMax`,
      );
    }
    this.#entries ??= [];
    this.#entries.push(frame, mark);
    this.#bytes += frame.length;
  }

  /**
   * Releases frames up to number `count`. @returns the mark of the last one released, or undefined if none was
   * @throws RemoteProtocolError `ERR_SACK_AHEAD` if that many were never sent, `ERR_SACK_BACK` if more were confirmed
   */
  confirm(count: number): number | undefined {
    const fresh = count - this.confirmed;
    if (fresh < 0) throw new RemoteProtocolError('ERR_SACK_BACK', `${count} received, ${this.confirmed} before`);
    if (fresh > this.unconfirmed) {
      const sent = this.confirmed + this.unconfirmed;
      throw new RemoteProtocolError('ERR_SACK_AHEAD', `${count} received, ${sent} sent`);
    }
    if (!fresh) return undefined;
    const entries = this.#entries!;
    const mark = entries[fresh * 2 - 1] as number;
    if (fresh === this.unconfirmed) {
      this.#entries = undefined;
      this.#bytes = 0;
    } else {
      for (let i = 0; i < fresh; i++) this.#bytes -= (entries[i * 2] as F).length;
      entries.splice(0, fresh * 2);
    }
    this.confirmed = count;
    this.carried = Math.max(this.carried, count);
    return mark;
  }

  /** The next connection has carried nothing yet. */
  rewind(): void {
    this.#left = Math.max(this.#left, this.carried);
    this.carried = this.confirmed;
  }

  /**
   * Client: starts again from number 0 with only the events that left on no earlier connection.
   * @returns their marks, and how many other events there were
   */
  restart(limits: OutboxLimits): { kept: Set<number>; lost: number } {
    const entries = this.#entries ?? [];
    const left = (this.#left - this.confirmed) * 2;
    const kept = new Set<number>();
    let lost = 0;
    this.#entries = undefined;
    this.confirmed = this.carried = this.#left = this.#bytes = 0;
    for (let i = 0; i < entries.length; i += 2) {
      const mark = entries[i + 1] as number;
      if (mark < FrameTag.Event) continue;
      if (i < left) lost++;
      else {
        kept.add(mark);
        this.push(entries[i] as F, mark, limits);
      }
    }
    return { kept, lost };
  }
}
