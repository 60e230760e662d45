// Frames that a client has sent and its server has not confirmed, by their numbers. The server takes so many of them at one
// time, and confirms some before earlier ones; a server's outbox knows neither (outbox.ts).
import { LocalUsageError } from '../wire/errors';
import type { OutboxLimits, SessionSettings } from '../wire/limits';
import type { NumberRanges } from '../wire/packet';
import { checkConfirmed, FrameTag, type MachineOutbox } from './outbox';

/** How much the server takes that it has not confirmed. */
export type Window = Pick<SessionSettings, 'windowPacketsMax' | 'windowBytesMax'>;

interface Entry<F> {
  readonly frame: F;
  readonly mark: number;
}

export class ClientOutbox<F extends { readonly length: number }> implements MachineOutbox<F> {
  /** All frames up to this number are confirmed. */
  confirmed = 0;
  window: Window;
  /** Those that are not confirmed, in order. */
  readonly #entries = new Map<number, Entry<F>>();
  #bytes = 0;
  #sent = 0;
  /** All frames up to this number are confirmed, or were carried by this connection. */
  #carried = 0;
  /** All frames up to this number are confirmed, or were carried by an earlier connection: nobody knows whether they were handled. */
  #left = 0;
  /** Frames that this connection has carried and that are not confirmed, … */
  #flying = 0;
  /** … and their sizes together. */
  #flyingBytes = 0;

  constructor(window: Window) {
    this.window = window;
  }

  /** How many frames were carried by a connection, confirmed or not: by this one, or an earlier one. */
  get left(): number {
    return Math.max(this.#left, this.#carried);
  }

  /** Numbers above `confirmed` whose frames are confirmed too, if there are any. */
  get settled(): NumberRanges | undefined {
    const ranges: number[] = [];
    let next = this.confirmed + 1;
    for (const number of [...this.#entries.keys(), this.#sent + 1]) {
      if (number > next) ranges.push(next, number - 1);
      next = number + 1;
    }
    return ranges.length ? ranges : undefined;
  }

  /** The first frame that this connection has not carried yet. What is confirmed already needs no connection. */
  get waiting(): F | undefined {
    while (this.#carried < this.#sent && !this.#entries.has(this.#carried + 1)) this.#carried++;
    return this.#entries.get(this.#carried + 1)?.frame;
  }

  /** Adds a frame, not yet carried. @throws LocalUsageError `ERR_OUTBOX_FULL` */
  push(frame: F, mark: number, { outboxPacketsMax, outboxBytesMax }: OutboxLimits): void {
    const { size } = this.#entries;
    if (size && mark !== FrameTag.Leave && (size >= outboxPacketsMax || this.#bytes + frame.length > outboxBytesMax))
      throw new LocalUsageError('ERR_OUTBOX_FULL');
    this.#entries.set(++this.#sent, { frame, mark });
    this.#bytes += frame.length;
  }

  /**
   * Takes `waiting` to go over this connection, if the server takes it now: one alone whatever its size, and whatever has left
   * before. That MUST go before WELCOME tells what of it was handled, or both ends would count differently.
   */
  take(): F | undefined {
    const { waiting, window } = this;
    if (waiting === undefined) return undefined;
    const bytes = this.#flyingBytes + waiting.length;
    const fits = this.#flying < window.windowPacketsMax && bytes <= window.windowBytesMax;
    if (this.#flying && !fits && this.#carried >= this.#left) return undefined;
    this.#carried++;
    this.#flying++;
    this.#flyingBytes = bytes;
    return waiting;
  }

  /**
   * Lets go of frames up to number `count`, and of those in `settled`.
   * @throws RemoteProtocolError `ERR_SACK_AHEAD` if that many were never sent, `ERR_SACK_BACK` if more were confirmed
   */
  confirm(count: number, settled: NumberRanges = []): undefined {
    checkConfirmed(count, this.confirmed, Math.max(count, settled.at(-1) ?? 0), this.#sent);
    while (this.confirmed < count) this.#free(++this.confirmed);
    for (let i = 0; i < settled.length; i += 2)
      for (let number = settled[i]!; number <= settled[i + 1]!; number++) this.#free(number);
    this.#carried = Math.max(this.#carried, count);
  }

  /** The next connection has carried nothing yet. */
  rewind(): void {
    this.#left = this.left;
    this.#carried = this.confirmed;
    this.#flying = this.#flyingBytes = 0;
  }

  /**
   * Starts again from number 0 with only the events that left on no earlier connection.
   * @param keeps whether an event has a place in the new session
   * @returns their marks, and how many other events there were
   */
  restart(limits: OutboxLimits, keeps: (frame: F) => unknown): { kept: Set<number>; lost: number } {
    const left = this.#left;
    const kept = new Set<number>();
    let lost = 0;
    const entries = [...this.#entries];
    this.#entries.clear();
    this.confirmed = this.#bytes = this.#sent = this.#carried = this.#left = this.#flying = this.#flyingBytes = 0;
    for (const [number, { frame, mark }] of entries) {
      if (mark < FrameTag.Event) continue;
      if (number <= left || !keeps(frame)) lost++;
      else {
        kept.add(mark);
        this.push(frame, mark, limits);
      }
    }
    return { kept, lost };
  }

  #free(number: number): void {
    const frame = this.#entries.get(number)?.frame;
    if (frame === undefined) return;
    this.#entries.delete(number);
    this.#bytes -= frame.length;
    if (number > this.#carried) return;
    this.#flying--;
    this.#flyingBytes -= frame.length;
  }
}
