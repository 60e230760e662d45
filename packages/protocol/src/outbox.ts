// Frames sent and not yet confirmed, in order, numbered by position: a linked list, so that an idle session owns none.
import { LocalUsageError, RemoteProtocolError } from './errors';
import type { OutboxLimits } from './limits';

/** What a frame is to the session that waits for its confirmation. */
export const FrameTag = {
  /** Belongs to this session only: a reply, or a change of a namespace. */
  Session: -1,
  /** An event without acknowledgement. Numbers from 1 are events that wait for the acknowledgement of that number. */
  Event: 0,
} as const;

export interface OutboxEntry<F> {
  readonly frame: F;
  /** `FrameTag`, or the number of the acknowledgement the frame asks for. */
  readonly tag: number;
  /** The owner's place for this frame among everything it sends, outbox or not. */
  readonly serial: number;
  next: OutboxEntry<F> | undefined;
}

export class Outbox<F extends { readonly length: number }> {
  /** How many frames the peer has confirmed. */
  confirmed = 0;
  /** How many frames were ever put in: the number of the newest. */
  sent = 0;
  #head: OutboxEntry<F> | undefined;
  #tail: OutboxEntry<F> | undefined;
  #waiting: OutboxEntry<F> | undefined;
  #bytes = 0;

  /** The first frame that this connection has not carried yet. */
  get waiting(): OutboxEntry<F> | undefined {
    return this.#waiting;
  }

  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, tag: number, serial: number, limits: OutboxLimits): void {
    if (
      this.sent - this.confirmed >= limits.outboxPacketsMax ||
      (this.#bytes + frame.length > limits.outboxBytesMax && this.#head !== undefined)
    ) {
      throw new LocalUsageError(
        'ERR_OUTBOX_FULL',
        `${this.sent - this.confirmed} packets (${this.#bytes} bytes) wait for the peer: see outboxPacketsMax, outboxBytesMax`,
      );
    }
    const entry: OutboxEntry<F> = { frame, tag, serial, next: undefined };
    if (this.#tail === undefined) this.#head = entry;
    else this.#tail.next = entry;
    this.#tail = entry;
    this.#waiting ??= entry;
    this.#bytes += frame.length;
    this.sent++;
  }

  /** Marks the first waiting frame as carried by this connection. */
  advance(): void {
    this.#waiting = this.#waiting?.next;
  }

  /** A new connection has carried nothing yet. */
  rewind(): void {
    this.#waiting = this.#head;
  }

  /**
   * Releases frames up to number `count`. @returns the last released serial, or undefined if none was
   * @throws RemoteProtocolError `ERR_SACK_AHEAD` if that many were never sent, `ERR_SACK_BACK` if more were confirmed
   */
  confirm(count: number): number | undefined {
    if (count > this.sent) throw new RemoteProtocolError('ERR_SACK_AHEAD', `${count} received, ${this.sent} sent`);
    if (count < this.confirmed) {
      throw new RemoteProtocolError('ERR_SACK_BACK', `${count} received, ${this.confirmed} before`);
    }
    let serial: number | undefined;
    while (this.confirmed < count && this.#head !== undefined) {
      const entry = this.#head;
      serial = entry.serial;
      if (this.#waiting === entry) this.#waiting = entry.next;
      this.#head = entry.next;
      this.#bytes -= entry.frame.length;
      this.confirmed++;
    }
    if (this.#head === undefined) this.#tail = undefined;
    return serial;
  }

  /** Starts again from number 0 with only the events above number `after`. @returns what was kept and how many events were not */
  restart(after: number): { kept: Set<number>; lost: number } {
    const kept = new Set<number>();
    let lost = 0;
    let entry = this.#head;
    let number = this.confirmed;
    this.#head = this.#tail = this.#waiting = undefined;
    this.#bytes = this.confirmed = this.sent = 0;
    for (; entry !== undefined; entry = entry.next) {
      const event = entry.tag >= FrameTag.Event;
      if (++number > after && event) {
        this.push(entry.frame, entry.tag, entry.serial, noLimits);
        kept.add(entry.tag);
      } else if (event) lost++;
    }
    return { kept, lost };
  }
}

const noLimits: OutboxLimits = {
  outboxPacketsMax: Number.POSITIVE_INFINITY,
  outboxBytesMax: Number.POSITIVE_INFINITY,
  pendingAcksMax: Number.POSITIVE_INFINITY,
};
