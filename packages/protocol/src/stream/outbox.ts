// Frames sent and not yet confirmed, in order, numbered by position. Each has a mark, a number of its owner's: the server
// writes there when it emitted the frame, the client what the frame is.
import { LocalUsageError, RemoteProtocolError } from '../wire/errors';
import type { OutboxLimits } from '../wire/limits';
import type { NumberRanges } from '../wire/packet';

/** Marks of a client's frames. */
export const FrameTag = {
  /** Takes a namespace back: there is room for it always, as there was for what asked for that. */
  Leave: -2,
  /** Belongs to this session only: a reply, or a change of a namespace. */
  Session: -1,
  /** An event without acknowledgement. Numbers from 1 are events that wait for the acknowledgement of that number. */
  Event: 0,
} as const;

const noRanges: NumberRanges = [];

/** Client: of the frames that this connection has carried, what is not confirmed, and how much of that the server takes. */
export interface Flight {
  packets: number;
  bytes: number;
  /** Frames that are confirmed before earlier ones. */
  settled: number;
  window: { readonly windowPacketsMax: number; readonly windowBytesMax: number };
}

export class Outbox<F extends { readonly length: number }> {
  /** All frames up to this number are confirmed. */
  confirmed = 0;
  /** How many frames are confirmed or were carried by this connection. */
  carried = 0;
  /** How many frames are confirmed or were carried by an earlier connection: nobody knows whether they were handled. */
  #left = 0;
  /**
   * Every frame before its mark: an object for each would double what a frame costs. In place of a frame that is confirmed
   * before earlier ones there is nothing. An idle session has no array.
   */
  #entries: (F | number | undefined)[] | undefined;
  #bytes = 0;
  /** Numbers whose frames are confirmed before earlier ones, as they were told last: all that was told before is among them. */
  #settled: NumberRanges = noRanges;
  readonly #flight: Flight | undefined;

  /** @param flight of a client; a server's peer takes everything, and confirms in order */
  constructor(flight?: Flight) {
    this.#flight = flight;
  }

  /** How many frames were carried by a connection, confirmed or not: by this one, or an earlier one. */
  get left(): number {
    return Math.max(this.#left, this.carried);
  }

  /** How many frames were sent in all. */
  get sent(): number {
    return this.confirmed + (this.#entries?.length ?? 0) / 2;
  }

  get unconfirmed(): number {
    return (this.#entries?.length ?? 0) / 2 - (this.#flight?.settled ?? 0);
  }

  /** Client: numbers above `confirmed` whose frames are confirmed too, if there are any. */
  get settled(): NumberRanges | undefined {
    const ranges: number[] = [];
    for (let i = 0; i < this.#settled.length; i += 2) {
      const last = this.#settled[i + 1]!;
      if (last > this.confirmed) ranges.push(Math.max(this.#settled[i]!, this.confirmed + 1), last);
    }
    return ranges.length ? ranges : undefined;
  }

  /** The first frame that this connection has not carried yet. */
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
    for (let i = Math.max(number - this.confirmed, 0) * 2; i < entries.length; i += 2) {
      if (entries[i] !== undefined) yield [this.confirmed + i / 2 + 1, entries[i] as F, entries[i + 1] as number];
    }
  }

  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, mark: number, { outboxPacketsMax, outboxBytesMax }: OutboxLimits): void {
    const { unconfirmed } = this;
    if (
      unconfirmed &&
      mark !== FrameTag.Leave &&
      (unconfirmed >= outboxPacketsMax || this.#bytes + frame.length > outboxBytesMax)
    ) {
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
   * Takes `waiting` to go over this connection, if the peer takes it now: one alone whatever its size, and whatever has left
   * before. That MUST go before WELCOME tells what of it was handled, or both ends would count differently.
   */
  take(): F | undefined {
    const { waiting } = this;
    if (waiting === undefined) return undefined;
    const flight = this.#flight;
    if (flight) {
      const { packets, bytes, window } = flight;
      const fits = packets < window.windowPacketsMax && bytes + waiting.length <= window.windowBytesMax;
      if (packets && !fits && this.carried >= this.#left) return undefined;
      flight.packets++;
      flight.bytes += waiting.length;
    }
    this.carried++;
    if (flight) this.#pass();
    return waiting;
  }

  /**
   * Releases frames up to number `count`, and those in `settled`. @returns the mark of the last one up to `count`, or
   * undefined if that is no news
   * @throws RemoteProtocolError `ERR_SACK_AHEAD` if that many were never sent, `ERR_SACK_BACK` if more were confirmed
   */
  confirm(count: number, settled = noRanges): number | undefined {
    const fresh = count - this.confirmed;
    const { sent } = this;
    if (fresh < 0) throw new RemoteProtocolError('ERR_SACK_BACK', `${count} received, ${this.confirmed} before`);
    const last = settled.at(-1) ?? count;
    if (Math.max(count, last) > sent) throw new RemoteProtocolError('ERR_SACK_AHEAD', `${last} received, ${sent} sent`);
    const flight = this.#flight;
    const told = this.#settled;
    for (let i = 0, j = 0; flight && i < settled.length; i += 2) {
      for (let number = Math.max(settled[i]!, this.confirmed + 1); number <= settled[i + 1]!; ) {
        while (told[j + 1]! < number) j += 2;
        // What was told before is not gone through again.
        if (told[j]! <= number) number = told[j + 1]! + 1;
        else if (this.#free(number++)) flight.settled++;
      }
    }
    if (flight) this.#settled = settled;
    let mark: number | undefined;
    if (fresh) {
      const entries = this.#entries!;
      if (flight) {
        // What is not there any more was settled before.
        for (let number = this.confirmed + 1; number <= count; number++) if (!this.#free(number)) flight.settled--;
      } else for (let i = 0; i < fresh * 2; i += 2) this.#bytes -= (entries[i] as F).length;
      mark = entries[fresh * 2 - 1] as number;
      if (count === sent) this.#entries = undefined;
      else entries.splice(0, fresh * 2);
      this.confirmed = count;
      this.carried = Math.max(this.carried, count);
    }
    if (flight) this.#pass();
    return mark;
  }

  /** The next connection has carried nothing yet. */
  rewind(): void {
    this.#left = this.left;
    this.carried = this.confirmed;
    if (!this.#flight) return;
    this.#flight.packets = this.#flight.bytes = 0;
    this.#pass();
  }

  /**
   * Client: starts again from number 0 with only the events that left on no earlier connection.
   * @param keeps whether an event has a place in the new session
   * @returns their marks, and how many other events there were
   */
  restart(limits: OutboxLimits, keeps: (frame: F) => unknown): { kept: Set<number>; lost: number } {
    const left = this.#left;
    const kept = new Set<number>();
    let lost = 0;
    const entries = [...this.after(0)];
    this.#entries = undefined;
    this.confirmed = this.carried = this.#left = this.#bytes = 0;
    this.#settled = noRanges;
    if (this.#flight) this.#flight.packets = this.#flight.bytes = this.#flight.settled = 0;
    for (const [number, frame, mark] of entries) {
      if (mark < FrameTag.Event) continue;
      if (number <= left || !keeps(frame)) lost++;
      else {
        kept.add(mark);
        this.push(frame, mark, limits);
      }
    }
    return { kept, lost };
  }

  /** Frees a frame. @returns false if it was before */
  #free(number: number): boolean {
    const at = (number - this.confirmed - 1) * 2;
    const frame = this.#entries?.[at] as F | undefined;
    if (frame === undefined) return false;
    this.#entries![at] = undefined;
    this.#bytes -= frame.length;
    if (this.#flight && number <= this.carried) {
      this.#flight.packets--;
      this.#flight.bytes -= frame.length;
    }
    return true;
  }

  /** Client: what is confirmed already needs no connection. */
  #pass(): void {
    while (this.carried < this.sent && this.waiting === undefined) this.carried++;
  }
}
