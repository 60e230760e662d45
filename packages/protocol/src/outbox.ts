// Frames sent and not yet confirmed, in order, numbered by position.
import { LocalUsageError, RemoteProtocolError } from './errors';
import type { OutboxLimits } from './limits';

/** What a frame is to the session that waits for its confirmation. */
export const FrameTag = {
  /** Belongs to this session only: a reply, or a change of a namespace. */
  Session: -1,
  /** An event without acknowledgement. Numbers from 1 are events that wait for the acknowledgement of that number. */
  Event: 0,
  /** Was an event, and left on an earlier connection: nobody knows whether it was handled. Set by the outbox. */
  Left: -2,
} as const;

export interface OutboxEntry<F> {
  readonly frame: F;
  /** `FrameTag`, or the number of the acknowledgement the frame asks for. */
  tag: number;
  /** The owner's place for this frame among everything it sends, outbox or not. */
  readonly serial: number;
}

export class Outbox<F extends { readonly length: number }> {
  /** How many frames the peer has confirmed. */
  confirmed = 0;
  /** How many frames are confirmed or were carried by this connection. */
  carried = 0;
  /** Made with the first frame: an idle session owns none. */
  #entries: OutboxEntry<F>[] | undefined;
  #bytes = 0;

  get unconfirmed(): number {
    return this.#entries?.length ?? 0;
  }

  /** The first frame that this connection has not carried yet. */
  get waiting(): OutboxEntry<F> | undefined {
    return this.#entries?.[this.carried - this.confirmed];
  }

  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, tag: number, serial: number, { outboxPacketsMax, outboxBytesMax }: OutboxLimits): void {
    const { unconfirmed } = this;
    if (unconfirmed && (unconfirmed >= outboxPacketsMax || this.#bytes + frame.length > outboxBytesMax)) {
      throw new LocalUsageError(
        'ERR_OUTBOX_FULL',
        `${unconfirmed} packets (${this.#bytes} bytes) wait for the peer: see outboxPacketsMax, outboxBytesMax`,
      );
    }
    this.#entries ??= [];
    this.#entries.push({ frame, tag, serial });
    this.#bytes += frame.length;
  }

  /**
   * Releases frames up to number `count`. @returns the last one released, or undefined if none was
   * @throws RemoteProtocolError `ERR_SACK_AHEAD` if that many were never sent, `ERR_SACK_BACK` if more were confirmed
   */
  confirm(count: number): OutboxEntry<F> | undefined {
    const fresh = count - this.confirmed;
    if (fresh < 0) throw new RemoteProtocolError('ERR_SACK_BACK', `${count} received, ${this.confirmed} before`);
    if (fresh > this.unconfirmed) {
      const sent = this.confirmed + this.unconfirmed;
      throw new RemoteProtocolError('ERR_SACK_AHEAD', `${count} received, ${sent} sent`);
    }
    if (!fresh) return undefined;
    const released = this.#entries!.splice(0, fresh);
    if (!this.unconfirmed) this.#entries = undefined;
    for (const { frame } of released) this.#bytes -= frame.length;
    this.confirmed = count;
    this.carried = Math.max(this.carried, count);
    return released[fresh - 1];
  }

  /** The next connection has carried nothing yet. */
  rewind(): void {
    for (; this.carried > this.confirmed; this.carried--) {
      const entry = this.#entries![this.carried - this.confirmed - 1]!;
      if (entry.tag >= FrameTag.Event) entry.tag = FrameTag.Left;
    }
  }

  /**
   * Starts again from number 0 with only the events that left on no earlier connection.
   * @returns their tags, and how many other events there were
   */
  restart(): { kept: Set<number>; lost: number } {
    const kept = new Set<number>();
    let lost = 0;
    this.#entries = this.#entries?.filter(({ frame, tag }) => {
      if (tag >= FrameTag.Event) return kept.add(tag);
      if (tag === FrameTag.Left) lost++;
      this.#bytes -= frame.length;
      return false;
    });
    this.confirmed = this.carried = 0;
    return { kept, lost };
  }
}
